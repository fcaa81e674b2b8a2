"""Kill whoever copies the whole library, at random moments, and look what is left.

    python -m tests.faults.kill_copies --rounds 60

Three loops: a backup (each one there whole or not at all, the older ones too), a restore over a
library (the present one or the restored one, and the present one kept aside), and an archive that
is taken in (all of it or nothing). This process forks its victims, so it starts no thread while one
lives.
"""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.config.paths import Paths
from app.core.backup import Keeping
from app.library.archive import write_archive
from app.library.backing_up import make_backup
from app.library.backups import Backup, BackupFolder, existing_backups
from app.library.restore import (
    check_backup,
    finish_restore,
    is_restore_staged,
    stage_restore,
)
from app.library.unarchive import finish_take_in, take_in_archive
from app.library.work import Work
from app.library.writer import LibraryWriter
from tests.faults.kill_library import Result, Victim, look, told
from tests.library.builders import make_recording, make_segment
from tests.library.full_library import DAY, NOON, make_library, noise, put_sound, rows_of, sounds_of

_KEEPING = Keeping(3, 2, 2)
_MORE = 8  # recordings beside those of `make_library`
_SOUND = 60_000  # bytes of each

State = tuple[dict[str, list[dict[str, Any]]], dict[str, str]]


def _make(paths: Paths, name: str) -> None:
    make_library(paths, paths.home.parent / "elsewhere.mp3")
    for number in range(_MORE):
        _add(paths, f"{name}-{number}", 1000.0 + number)


def _add(paths: Paths, key: str, at: float) -> None:
    sound = put_sound(paths, key, "audio.flac", noise(key, _SOUND))
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        recording = make_recording(
            key, f"title {key}", created_at=at, audio_path=sound, is_copy=True
        )
        writer.add_finished(recording, [make_segment(f"said in {key} " * 20)]).result()


def _state(paths: Paths) -> State:
    return rows_of(paths.library, paths.home), sounds_of(paths)


def _restored(paths: Paths, folder: BackupFolder, backup: Backup) -> State:
    """Return what a backup gives back on an empty machine."""
    shutil.rmtree(paths.home, ignore_errors=True)
    stage_restore(paths, folder, backup, Work(), free=lambda _: 1 << 50)
    finish_restore(paths)
    return _state(paths)


def kill_backups(rounds: int, folder: Path) -> Result:
    """Kill a process that backs up, `rounds` times; each backup must give back its own library."""
    result = Result()
    paths, disk = Paths(folder / "home"), folder / "disk"
    disk.mkdir()
    _make(paths, "b")
    wanted: dict[float, State] = {}
    victim = Victim(result)
    for number in range(rounds + 1):
        at = NOON + number * DAY
        _add(paths, f"new-{number}", 2000.0 + number)
        wanted[at] = _state(paths)

        def back_up(at: float = at) -> None:
            make_backup(paths, disk, _KEEPING, Work(), now=lambda: at)

        before = {b.made_at for b in existing_backups(disk).backups()} if number else set()
        is_done = victim.kill(back_up)
        held = existing_backups(disk)
        found = {backup.made_at: backup for backup in held.backups()}
        if held.unreadable():
            result.fault(f"half backups: {held.unreadable()}")
        if is_done and at not in found:
            result.fault("a backup that was done is not there")
        if at not in found and not before <= found.keys():
            result.fault("older backups went, and no new one is there")
        for made_at, backup in found.items():
            if check_backup(held, backup, Work()):
                result.fault(f"backup {backup.name} is damaged")
            elif _restored(Paths(folder / "empty"), held, backup) != wanted[made_at]:
                result.fault(f"backup {backup.name} gives back something else")
            result.kept += 1
        if _state(paths) != wanted[at]:
            result.fault("the library itself was changed")
    make_backup(paths, disk, _KEEPING, Work(), now=lambda: NOON + (rounds + 1) * DAY)
    left = [*disk.rglob(".partial*"), *paths.home.glob(".backing-up*")]
    if left:
        result.fault(f"left behind: {left}")
    look(paths.library, result)
    return result


def kill_restores(rounds: int, folder: Path) -> Result:
    """Kill a process that restores over a library; it is the old or the new one, and none lost."""
    result = Result()
    source, disk = Paths(folder / "source"), folder / "disk"
    disk.mkdir()
    _make(source, "s")
    backup = make_backup(source, disk, _KEEPING, Work(), now=lambda: NOON)
    held = existing_backups(disk)
    present = folder / "present"
    _make(Paths(present), "p")
    new, old = _state(source), _state(Paths(present))
    paths = Paths(folder / "home")
    victim = Victim(result)
    for _ in range(rounds + 1):
        shutil.rmtree(paths.home, ignore_errors=True)
        shutil.copytree(present, paths.home)
        old = _state(paths)

        def restore() -> None:
            stage_restore(paths, held, backup, Work(), free=lambda _: 1 << 50)
            finish_restore(paths)

        is_done = victim.kill(restore)
        must_be_new = is_done or is_restore_staged(paths)
        finish_restore(paths)  # as the next start does
        state = _state(paths)
        is_new = state == new
        if not is_new and (must_be_new or state != old):
            result.fault("neither the old library nor the new one")
        if is_new:
            asides = list(paths.home.glob("library before *"))
            aside = Paths(asides[0]) if len(asides) == 1 else None
            if aside is None or (rows_of(aside.library, paths.home), sounds_of(aside)) != old:
                result.fault("the library of before is not kept as it was")
        if (paths.home / "restoring").exists():
            result.fault("left behind: restoring")
        look(paths.library, result)
        result.kept += 1
        result.migrated += is_new
    return result


def kill_archive_imports(rounds: int, folder: Path) -> Result:
    """Kill a process that takes an archive in; all of it is there, or nothing."""
    result = Result()
    source, archive = Paths(folder / "source"), folder / "all.zip"
    _make(source, "s")
    write_archive(source, archive, Work())
    present, paths = folder / "present", Paths(folder / "home")
    for number in range(5):
        _add(Paths(present), f"mine-{number}", 1005.5 + number)
    shutil.copytree(present, paths.home)
    old, new = _state(paths), None
    victim = Victim(result)
    for _ in range(rounds + 1):
        shutil.rmtree(paths.home, ignore_errors=True)
        shutil.copytree(present, paths.home)

        def take_in() -> None:
            with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
                take_in_archive(paths, archive, writer, Work(), free=lambda _: 1 << 50)

        is_done = victim.kill(take_in)
        look(paths.library, result)
        finish_take_in(paths)  # as the next start does
        state = _state(paths)
        if new is None:
            new = state
            if len(new[0]["recordings"]) != len(old[0]["recordings"]) + _MORE + 4:
                result.fault("the archive was not taken in as a whole")
        if state not in (old, new) or (is_done and state != new):
            result.fault("half an archive was taken in")
        if (paths.home / "taking-in").exists():
            result.fault("left behind: taking-in")
        result.kept += 1
        result.migrated += state == new
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    results = {}
    for name, loop in (
        ("backup", kill_backups),
        ("restore", kill_restores),
        ("archive", kill_archive_imports),
    ):
        with tempfile.TemporaryDirectory() as folder:
            results[name] = loop(chosen.rounds, Path(folder))
    return told(results)


if __name__ == "__main__":
    sys.exit(main())
