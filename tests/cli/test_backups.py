"""`undertone library backup | backups | restore --backup | archive | unarchive`."""

import errno
import json
import shutil
import time
from pathlib import Path
from typing import IO, Any

import pytest

from app.cli.main import run
from app.config.paths import HOME_VARIABLE, Paths
from app.core.backup import Keeping
from app.library.backing_up import make_backup
from app.library.backups import VERSION, existing_backups, read_files, write_manifest
from app.library.lock import LibraryLock
from app.library.work import Work
from tests.library.full_library import TAKE, make_library, rows_of


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    made = Paths(tmp_path / "home")
    monkeypatch.setenv(HOME_VARIABLE, str(made.home))
    make_library(made, tmp_path / "elsewhere.mp3")
    return made


@pytest.fixture
def disk(tmp_path: Path) -> str:
    folder = tmp_path / "disk"
    folder.mkdir()
    return str(folder)


def test_backup_lose_everything_restore(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(paths.library, paths.home)
    assert run(["library", "backup", disk]) == 0
    assert run(["library", "backups", disk, "--check", "--json"]) == 0
    shutil.rmtree(paths.home)
    capsys.readouterr()
    assert run(["library", "restore", "--backup", disk]) == 0
    assert rows_of(paths.library, paths.home) == rows
    assert "4 recordings" in capsys.readouterr().err
    assert run(["library", "restore", "--backup", disk]) == 0  # now there is a library to keep
    assert "is kept in" in capsys.readouterr().err


def test_a_damaged_backup_names_the_older_one(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_backup(paths, Path(disk), Keeping(), Work(), now=lambda: 1_700_000_000.0)
    run(["library", "backup", disk])
    newest, older = existing_backups(Path(disk)).backups()
    (newest.folder / "library.sqlite.gz").write_bytes(b"other")
    assert run(["library", "restore", "--backup", disk, "--of", newest.name]) == 1
    said = capsys.readouterr().err
    assert "is damaged" in said
    assert older.name in said
    assert run(["library", "backups", disk, "--check"]) == 1
    assert run(["library", "restore", "--backup", disk, "--of", older.name]) == 0


def test_what_is_left_out_is_counted(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["library", "backup", disk])
    folder = existing_backups(Path(disk))
    files = read_files(folder.backups()[0])
    assert files is not None
    sound = next(file for file in files if file.path.endswith("audio.flac"))
    folder.sound(sound).write_bytes(b"other")
    assert run(["library", "restore", "--backup", disk]) == 1
    capsys.readouterr()
    assert run(["library", "restore", "--backup", disk, "--without-damaged"]) == 0
    assert "1 sound file was not whole and is left out" in capsys.readouterr().err


def test_an_archive_without_sound_that_cannot_be_read_is_told(
    paths: Paths, disk: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, opened = paths.recordings / TAKE / "audio.flac", Path.open

    def opening(self: Path, mode: str = "r") -> IO[Any]:
        if self == bad:
            raise OSError(errno.EIO, "said by the disk")
        return opened(self, mode)

    monkeypatch.setattr(Path, "open", opening)
    assert run(["library", "archive", f"{disk}/all.zip"]) == 1
    assert "1 sound file could not be read" in capsys.readouterr().err


def test_with_undertone_open_it_waits_for_the_next_start(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["library", "backup", disk])
    lock = LibraryLock.take(paths.library_lock)
    assert lock is not None
    with lock:
        assert run(["library", "restore", "--backup", disk]) == 0
    assert "when it starts next" in capsys.readouterr().err
    assert (paths.home / "restoring" / "ready.json").exists()


def test_archive_and_unarchive(
    paths: Paths, disk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = f"{disk}/all.zip"
    assert run(["library", "archive", file]) == 0
    fresh = Paths(tmp_path / "fresh")
    monkeypatch.setenv(HOME_VARIABLE, str(fresh.home))
    capsys.readouterr()
    assert run(["library", "unarchive", file]) == 0
    assert "4 new, 0 completed, 0 already here." in capsys.readouterr().out
    assert rows_of(fresh.library, fresh.home) == rows_of(paths.library, paths.home)


def test_restoring_does_not_guess(
    paths: Paths, disk: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["library", "backup", disk])
    rows = rows_of(paths.library, paths.home)
    assert run(["library", "restore", TAKE, "--backup", disk]) == 1
    assert "one or the other" in capsys.readouterr().err
    other = Paths(tmp_path / "other")
    make_library(other, tmp_path / "elsewhere.mp3")
    newer = make_backup(other, Path(disk), Keeping(), Work(), now=lambda: time.time() + 60)
    assert run(["library", "restore", "--backup", disk]) == 0  # its own, not the newest
    assert rows_of(paths.library, paths.home) == rows
    shutil.rmtree(paths.home)
    capsys.readouterr()
    assert run(["library", "restore", "--backup", disk]) == 1
    assert "2 libraries" in capsys.readouterr().err
    assert run(["library", "restore", "--backup", disk, "--of", newer.name]) == 0


def test_a_newer_undertones_backup_is_listed_as_that(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = make_backup(paths, Path(disk), Keeping(), Work())
    write_manifest(backup, backup.folder, version=VERSION + 1)
    assert run(["library", "backups", disk, "--check"]) == 0
    said = capsys.readouterr().out
    assert "newer Undertone" in said
    assert "damaged" not in said
    assert run(["library", "restore", "--backup", disk]) == 1
    assert "newer Undertone" in capsys.readouterr().err


def test_another_file_is_replaced_by_force_only(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paths.library.exists()
    file = Path(disk) / "thesis.pdf"
    file.write_bytes(b"a thesis")
    assert run(["library", "archive", str(file)]) == 1
    assert "--force" in capsys.readouterr().err
    assert file.read_bytes() == b"a thesis"
    assert run(["library", "archive", str(file), "--force"]) == 0
    assert run(["library", "archive", str(file)]) == 0  # now it is an archive


def test_what_is_missing_is_said(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["library", "backup"]) == 1
    assert "No folder for backups" in capsys.readouterr().err
    assert run(["library", "backup", "/nowhere/disk"]) == 1
    assert "is not there" in capsys.readouterr().err
    assert run(["library", "restore"]) == 1
    assert "Nothing was named" in capsys.readouterr().err
    assert run(["library", "backups", str(paths.home), "--json"]) == 1
    assert "no backups" in capsys.readouterr().err


def test_the_list_is_readable_by_programs(
    paths: Paths, disk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paths.library.exists()
    run(["library", "backup", disk])
    capsys.readouterr()
    assert run(["library", "backups", disk, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["backup"]["recordings"] for each in found] == [4]
    assert not found[0]["is_damaged"]
