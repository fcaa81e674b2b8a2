import sqlite3
import subprocess
import threading
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config.paths import Paths
from app.core.finding import Severity
from app.library.check import check_library, cloud_of
from app.library.lock import LibraryLock
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from tests.library.builders import Library

Usage = namedtuple("Usage", "total used free")
GIB = 1024**3


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 * GIB, 0, 100 * GIB))


@pytest.fixture
def paths(library: Library, tmp_path: Path) -> Paths:
    audio = tmp_path / "here.wav"
    audio.write_bytes(b"x")
    library.add("r1", "One", "hello world", "again", audio_path=audio)
    library.add("r2", "Two", "good bye")
    return Paths(library.file.parent)


def kinds(paths: Paths) -> list[str]:
    found = check_library(paths)
    for finding in found:
        assert str(finding.message)
        assert str(finding.hint)
    assert kinds_again(paths) == [finding.kind for finding in found]  # looking changes nothing
    return [finding.kind for finding in found]


def kinds_again(paths: Paths) -> list[str]:
    return [finding.kind for finding in check_library(paths)]


def meddle(paths: Paths, *statements: str) -> None:
    connection = sqlite3.connect(paths.library, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


def test_a_whole_library_and_none_at_all_are_well(paths: Paths, tmp_path: Path) -> None:
    assert kinds(paths) == []
    assert kinds(Paths(tmp_path / "nothing" / "yet")) == []


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("segments_damaged", "UPDATE segments SET text = 'hello worle' WHERE seq = 0"),
        ("segments_damaged", "UPDATE words SET numbers = zeroblob(8)"),
        ("segments_damaged", "UPDATE segments SET start_s = 'x'"),
        ("segments_damaged", "DELETE FROM words"),
        ("audio_missing", "UPDATE recordings SET audio_path = '/gone/for ever.wav'"),
        ("search_drift", "UPDATE documents SET body = 'other'"),
        ("search_drift", "DELETE FROM documents WHERE number = 1"),
        ("search_drift", "UPDATE recordings SET indexed_segments = 0"),
        ("orphans", "DELETE FROM recordings WHERE number = 1"),
        ("library_damaged", "CREATE TRIGGER t AFTER INSERT ON jobs BEGIN DELETE FROM jobs; END"),
        ("library_too_new", "PRAGMA user_version = 99"),
    ],
)
def test_planted_faults_are_found(paths: Paths, kind: str, statement: str) -> None:
    meddle(paths, statement)
    assert kinds(paths) == [kind]


def test_damage_is_found(library: Library, paths: Paths) -> None:
    library.close()
    library.file.write_bytes(b"\x00garbage" * 2_000)
    assert kinds(paths) == ["library_damaged"]


def test_open_files_are_found(paths: Paths) -> None:
    paths.library.chmod(0o644)
    (finding,) = check_library(paths)
    assert finding.kind == "too_open"
    assert finding.severity is Severity.WARNING
    subprocess.run(str(finding.hint).partition(": ")[2], shell=True, check=True)
    assert kinds(paths) == []


@pytest.mark.parametrize(
    ("free", "severity"),
    [(6 * GIB, None), (4 * GIB, Severity.WARNING), (1 * GIB, Severity.ERROR)],
)
def test_a_disk_with_little_room_is_found(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, free: int, severity: Severity | None
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 * GIB, 0, free))
    found = {finding.kind: finding.severity for finding in check_library(paths)}
    assert found == ({} if severity is None else {"disk_low": severity})


def test_a_folder_that_cannot_be_written_is_found(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert kinds(paths) == ["folder_not_writable", "file_not_writable"]


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("/Users/a/Library/Mobile Documents/com~apple~CloudDocs/Undertone", "iCloud Drive"),
        ("/Users/a/Dropbox/Undertone", "Dropbox"),
        ("/Users/a/Dropbox (Work)/Undertone", "Dropbox"),
        ("/Users/a/Library/CloudStorage/Dropbox/Undertone", "Dropbox"),
        ("/Users/a/Library/CloudStorage/OneDrive-Contoso/Undertone", "OneDrive"),
        ("/Users/a/OneDrive - Contoso/Undertone", "OneDrive"),
        ("/Users/a/Library/CloudStorage/GoogleDrive-a@b.c/My Drive/x", "Google Drive"),
        ("/Users/a/Google Drive/x", "Google Drive"),
        ("/Users/a/Library/CloudStorage/Box-Box/x", "a cloud folder"),
        ("/Users/a/Library/Application Support/Undertone", None),
        ("/home/a/.local/share/Undertone", None),
        ("/Users/a/Dropboxer/x", None),
    ],
)
def test_cloud_folders_are_known_by_their_paths(folder: str, service: str | None) -> None:
    assert cloud_of(Path(folder)) == service


def test_a_library_in_a_cloud_folder_is_found(tmp_path: Path) -> None:
    assert kinds(Paths(tmp_path / "Dropbox" / "Undertone")) == ["cloud_folder"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET body = 'other'",
        "DELETE FROM documents WHERE number = 1",
        "UPDATE recordings SET indexed_segments = 1 WHERE number = 1",
    ],
)
def test_the_next_holder_of_the_lock_mends_the_index(
    library: Library, paths: Paths, statement: str, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    library.writer.close()
    meddle(paths, statement)
    assert kinds(paths) == ["search_drift"]
    lock = LibraryLock.take(paths.library_lock)
    assert lock is not None
    with lock, LibraryWriter(paths.library, lambda _: None, lock=lock, watch_s=0.01):
        wait_until(lambda: kinds_again(paths) == [])
    assert library.reader.count(ListQuery("hello")) == 1
    assert not (paths.home / "library.mend").exists()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(is_so: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(600):
            if is_so():
                return
            pause.wait(0.02)
        pytest.fail("it did not come about")

    return wait
