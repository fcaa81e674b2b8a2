"""The short forms of `tests.faults.kill_library`, and disks that are full or closed."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import DiskFull, LibraryReadOnly
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from tests.faults import kill_library
from tests.library.builders import make_job, make_recording, make_segment

ROOT = Path(__file__).parents[2]
WAIT = 60


def test_killed_writers_and_migrations_lose_nothing() -> None:
    assert "none lost" in kill_library.run(20)


WRITE = """
import sys
from pathlib import Path
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording
name = sys.argv[2]
with LibraryWriter(Path(sys.argv[1]), lambda _: None) as writer:
    for number in range(60):
        writer.add_recording(make_recording(f"{name}{number}", f"said by {name}")).result()
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    file = tmp_path / "home" / "library.sqlite"
    children = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(file), name], cwd=ROOT)
        for name in ("a", "b")
    ]
    assert [child.wait(timeout=WAIT) for child in children] == [0, 0]
    with LibraryReader(file) as reader:
        assert reader.count() == 120
        assert reader.count(ListQuery('"said by a"')) == 60


@contextlib.contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(folder)]
    if (
        not sys.platform.startswith("linux")
        or os.geteuid() != 0
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_ends_when_there_is_room(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "3m") as disk:
        file = disk / "home" / "library.sqlite"
        ballast = disk / "ballast"
        with LibraryWriter(file, lambda _: None) as writer, LibraryReader(file) as reader:
            writer.add_recording(make_recording(), make_job()).result(WAIT)
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as other:
                while other.write(b"x" * 4096):
                    pass
            big = make_segment("palaver " * 5_000)
            with pytest.raises(DiskFull, match="no room left"):
                writer.append_segments("j1", "r1", [big], 5.0).result(WAIT)
            assert reader.jobs()[0].done_s == 0.0
            assert reader.count(ListQuery("title")) == 1
            ballast.unlink()
            assert writer.append_segments("j1", "r1", [big], 5.0).result(WAIT)
            assert reader.count(ListQuery("palaver")) == 1


def test_a_new_library_on_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "disk", "16k") as disk,
        pytest.raises(DiskFull),
    ):
        LibraryWriter(disk / "home" / "library.sqlite", lambda _: None)


def test_a_read_only_folder_still_reads(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "8m") as disk:
        file = disk / "home" / "library.sqlite"
        with LibraryWriter(file, lambda _: None) as writer:
            writer.add_recording(make_recording()).result(WAIT)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(LibraryReadOnly, match="not changed"):
            LibraryWriter(file, lambda _: None)
        with LibraryReader(file) as reader:
            assert reader.is_frozen
            assert reader.recordings() == [make_recording()]


AS_NOBODY = """
import os, sys
from pathlib import Path
from app.core.errors import LibraryReadOnly
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording
file = Path(sys.argv[1])
if os.geteuid() == 0:
    os.chown(file.parent, 65534, 65534)
    os.chown(file, 65534, 65534)
    os.setuid(65534)
file.parent.chmod(0o500)
try:
    LibraryWriter(file, lambda _: None)
except LibraryReadOnly:
    with LibraryReader(file) as reader:
        assert reader.is_frozen
        assert reader.recordings() == [make_recording()]
        print("read")
finally:
    file.parent.chmod(0o700)
"""


def test_a_folder_without_the_right_to_write_still_reads() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o711)
        file = folder / "home" / "library.sqlite"
        with LibraryWriter(file, lambda _: None) as writer:
            writer.add_recording(make_recording()).result(WAIT)
        ended = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(file)],
            cwd=ROOT, capture_output=True, text=True, timeout=WAIT, check=False,
        )  # fmt: skip
        assert ended.stdout.strip() == "read", ended.stderr
    finally:
        shutil.rmtree(folder)
