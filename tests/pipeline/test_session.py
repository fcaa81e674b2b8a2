"""What a start does about copies that were being put in place, and when it cannot come up."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.backup import Keeping
from app.core.errors import LibraryDamaged, LibraryError, LibraryLocked
from app.engine.loop import EngineLoop
from app.library.backing_up import make_backup
from app.library.backups import existing_backups
from app.library.lock import LibraryLock, Owner
from app.library.restore import finish_restore, stage_restore
from app.library.work import Work
from app.pipeline.rebuild import rebuild
from app.pipeline.salvage import finish_salvage, salvage_library, set_aside_files
from app.pipeline.session import EngineHost, open_session
from tests.library.full_library import TAKE, make_library, put_sound, rows_of


def test_a_start_puts_a_checked_backup_and_a_killed_import_in_place(tmp_path: Path) -> None:
    paths, disk = Paths(tmp_path / "home"), tmp_path / "disk"
    disk.mkdir()
    make_library(paths, tmp_path / "elsewhere.mp3")
    rows = rows_of(paths.library, paths.home)
    backup = make_backup(paths, disk, Keeping(), Work())
    stage_restore(paths, existing_backups(disk), backup, Work())
    paths.library.unlink()
    staged = Paths(paths.home / "taking-in")
    staged.home.mkdir()
    put_sound(staged, TAKE, "late.flac", b"sound")
    (staged.home / "plan.json").write_text(json.dumps({"added": [TAKE]}))
    session = open_session(paths, lambda _event: None, Settings)
    try:
        assert rows_of(paths.library, paths.home) == rows
        assert (paths.recordings / TAKE / "late.flac").read_bytes() == b"sound"
        assert session.backups.now.last_at is None  # this folder was not chosen in the settings
    finally:
        session.close()


def damage(paths: Paths) -> bytes:
    content = b"\x00garbage" * 3000
    paths.library.write_bytes(content)
    return content


def test_nothing_takes_the_place_of_a_library_that_another_still_works_on(tmp_path: Path) -> None:
    paths, disk = Paths(tmp_path / "home"), tmp_path / "disk"
    disk.mkdir()
    make_library(paths, tmp_path / "elsewhere.mp3")
    backup = make_backup(paths, disk, Keeping(), Work())
    stage_restore(paths, existing_backups(disk), backup, Work())
    content = damage(paths)
    with Owner.take(paths):  # an Undertone that came second has no lock, but its jobs
        assert finish_restore(paths) is None
        with pytest.raises(LibraryLocked):
            salvage_library(paths)
        with pytest.raises(LibraryDamaged):
            rebuild(paths)
        made = paths.home / "library.salvaged.sqlite"
        made.write_bytes(b"what a salvage had made when it was killed")
        finish_salvage(paths)
        made.unlink()
        assert paths.library.read_bytes() == content
        assert set_aside_files(paths) == []
    aside = finish_restore(paths)
    assert aside is not None
    assert (aside / "library.sqlite").read_bytes() == content
    assert rows_of(paths.library, paths.home)


def is_free(paths: Paths) -> bool:
    """Whether nothing was left behind that keeps the library or the process."""
    lock = LibraryLock.take(paths.library_lock)
    if lock is not None:
        lock.release()
    left = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    return lock is not None and left == []


def test_what_cannot_come_up_lets_go_of_all_it_opened(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    paths.home.mkdir()
    paths.owners.touch()  # stands for a folder that cannot be written
    with pytest.raises(LibraryError):
        open_session(paths, lambda _event: None, Settings)
    assert is_free(paths)
    with pytest.raises(LibraryError):
        rebuild(paths)
    assert is_free(paths)


@pytest.mark.parametrize("problem", [KeyboardInterrupt, MemoryError])
def test_even_the_last_part_takes_the_others_down_with_it(
    tmp_path: Path, problem: type[BaseException]
) -> None:
    def no_engine(_loop: EngineLoop, _release: Callable[[], None]) -> EngineHost:
        raise problem

    paths = Paths(tmp_path / "home")
    with pytest.raises(problem):
        open_session(paths, lambda _event: None, Settings, no_engine)
    assert is_free(paths)
    assert list(paths.owners.iterdir()) == []
