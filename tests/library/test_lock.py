import os
import stat
import subprocess
import sys
from pathlib import Path

from app.config.paths import Paths
from app.library.lock import LibraryLock, Owner

HOLD = """
import sys
from pathlib import Path
from app.config.paths import Paths
from app.library.lock import LibraryLock, Owner
paths = Paths(Path(sys.argv[1]))
lock, owner = LibraryLock.take(paths.library_lock), Owner.take(paths)
print(owner.token if lock else "", flush=True)
sys.stdin.read()
"""


def hold(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(child: "subprocess.Popen[str]") -> None:
    child.kill()
    child.wait(timeout=30)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    child.stdout.close()


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "home" / "library.lock"
    first = LibraryLock.take(file)
    assert first is not None
    assert LibraryLock.take(file) is None
    assert LibraryLock.wait(file, timeout_s=0.05) is None
    first.release()
    assert not first.is_held
    with LibraryLock.wait(file, timeout_s=5.0) as second:  # type: ignore[union-attr]
        assert second.is_held
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_killed_process_frees_lock_and_jobs(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    child = hold(paths.home)
    try:
        assert child.stdout is not None
        token = child.stdout.readline().strip()
        with Owner.take(paths) as owner:
            assert owner.is_alive(token)
            assert owner.is_alive(owner.token)
            assert (paths.owners / token).exists()
            assert LibraryLock.take(paths.library_lock) is None
            end(child)
            assert not owner.is_alive(token)
            assert owner.is_alive(owner.token)
            lock = LibraryLock.take(paths.library_lock)
            assert lock is not None
            lock.release()
            assert (paths.owners / token).exists()
            with Owner.take(paths):
                assert not (paths.owners / token).exists()  # swept
                assert owner.is_alive(owner.token)
        assert list(paths.owners.iterdir()) == []
    finally:
        if child.poll() is None:
            end(child)


def test_a_child_does_not_inherit_the_locks(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    lock = LibraryLock.take(paths.library_lock)
    assert lock is not None
    owner = Owner.take(paths)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE, close_fds=False,
    )  # fmt: skip
    try:
        lock.release()
        token = owner.token
        owner.release()
        # Linux closes files of an exec a moment after the parent goes on.
        again = LibraryLock.wait(paths.library_lock, timeout_s=10.0)
        assert again is not None
        again.release()
        with Owner.take(paths) as other:
            assert not other.is_alive(token)
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.wait(timeout=30)


def test_tokens_are_not_paths(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    with Owner.take(paths) as owner:
        for token in ("", "../library.lock", "x" * 32, "0" * 32, os.sep):
            assert not owner.is_alive(token)
    assert not owner.is_alive(owner.token)
    assert stat.S_IMODE(paths.owners.stat().st_mode) == 0o700
