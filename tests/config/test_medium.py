"""What must survive a power cut is on the medium, not in the drive's cache."""

import fcntl
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config.medium import flush_folder, flush_to_medium
from app.config.paths import write_private
from app.library.backup import sync_file, sync_folder
from app.library.work import write_whole

_FULL = 51  # F_FULLFSYNC of macOS


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the files whose drive was flushed, as macOS is asked for it."""
    flushed: list[int] = []

    def asked(descriptor: int, command: int) -> int:
        assert command == _FULL
        flushed.append(os.fstat(descriptor).st_ino)
        return 0

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", _FULL, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", asked)
    return flushed


def test_the_drive_is_flushed_on_a_mac(mac: list[int], tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_bytes(b"x")
    sync_file(file)
    sync_folder(tmp_path)
    assert mac == [file.stat().st_ino, tmp_path.stat().st_ino]


@pytest.mark.parametrize("write", [write_private, write_whole])
def test_a_file_is_on_the_medium_before_it_has_its_name(
    mac: list[int], tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    file = tmp_path / "kept"
    write(file, b"x")
    assert file.stat().st_ino in mac


@pytest.mark.parametrize("flush", [flush_to_medium, flush_folder])
def test_where_the_file_system_cannot_it_is_synced(
    mac: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flush: Callable[[int], None]
) -> None:
    synced: list[int] = []

    def refused(_descriptor: int, _command: int) -> int:
        raise OSError("not this file system")

    monkeypatch.setattr(fcntl, "fcntl", refused)
    monkeypatch.setattr(os, "fsync", synced.append)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)
    assert synced == [descriptor]
    assert mac == []
