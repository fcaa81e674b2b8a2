"""What SQLite and the disk say becomes the true sentence: “damaged” only where the file is."""

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.config.paths import Paths
from app.core.errors import (
    AppError,
    LibraryDamaged,
    LibraryError,
    LibraryLocked,
    LibraryReadOnly,
)
from app.library.check import check_library
from app.library.connection import open_readonly
from app.library.errors import library_error
from app.library.mend import is_whole
from tests.library.builders import Library

ROOT = Path(__file__).parents[2]


def said(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "is_there", "kind", "words"),
    [
        (said("SQLITE_CORRUPT_VTAB"), True, LibraryDamaged, "is damaged"),
        (said("SQLITE_NOTADB"), True, LibraryDamaged, "is damaged"),
        (said("SQLITE_IOERR_CORRUPTFS"), True, LibraryDamaged, "is damaged"),
        (said("SQLITE_IOERR_READ"), True, LibraryError, "The disk cannot give all"),
        (said("SQLITE_IOERR_READ"), False, LibraryError, "moved or deleted"),
        (said("SQLITE_CANTOPEN"), True, LibraryError, "cannot be used at the moment"),
        (said("SQLITE_CANTOPEN"), False, LibraryError, "moved or deleted"),
        (said("SQLITE_NOMEM"), True, LibraryError, "cannot be used at the moment"),
        (said("SQLITE_INTERRUPT"), True, LibraryError, "cannot be used at the moment"),
        (said("SQLITE_BUSY_SNAPSHOT"), True, LibraryLocked, "Another program"),
        (OSError(errno.EMFILE, "Too many open files"), False, LibraryError, "Too many open files"),
        (OSError(errno.EIO, "Input/output error"), True, LibraryError, "Input/output error"),
        (OSError(errno.ENOENT, "No such file"), False, LibraryError, "moved or deleted"),
        (OSError(errno.ENXIO, "No such device"), True, LibraryError, "moved or deleted"),
        (OSError(errno.EROFS, "Read-only"), True, LibraryReadOnly, "not changed"),
    ],
)
def test_each_says_what_it_is(
    tmp_path: Path, error: OSError | sqlite3.Error, is_there: bool, kind: type, words: str
) -> None:
    file = tmp_path / "library.sqlite"
    if is_there:
        file.touch()
    told = library_error(error, file)
    assert type(told) is kind
    assert words in str(told)
    assert str(told.hint)


def test_a_vanished_disk_is_no_damage() -> None:
    told = library_error(said("SQLITE_IOERR_READ"), Path("/Volumes/Gone/Undertone/library.sqlite"))
    assert not isinstance(told, LibraryDamaged)
    assert "connect its disk" in str(told.hint)


def test_a_check_that_was_broken_off_says_nothing_about_the_file(library: Library) -> None:
    library.add("r1", "One", "hello world")
    opened = open_readonly(library.file)
    try:
        assert is_whole(opened.connection)
        opened.connection.set_progress_handler(lambda: 1, 1)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            is_whole(opened.connection)
    finally:
        opened.connection.close()


WITHOUT_DESCRIPTORS = """
import os, resource, sys
from pathlib import Path
from app.core.errors import LibraryDamaged, LibraryReadOnly, LibraryError
from app.library import schema
from app.library.connection import open_readonly
schema._expected(schema.SCHEMA_VERSION)
limit = max(map(int, os.listdir("/dev/fd"))) + 40
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
held = []
while True:
    try:
        held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        break
for free in range(6):
    try:
        opened = open_readonly(Path(sys.argv[1]))
        count = opened.connection.execute("SELECT COUNT(*) FROM recordings").fetchone()[0]
        print(count, opened.is_frozen)
        opened.connection.close()
    except LibraryError as error:
        print(type(error).__name__)
    os.close(held.pop())
"""


def test_without_descriptors_no_row_is_left_out_and_nothing_called_damaged(
    library: Library,
) -> None:
    library.add("r1", "One", "hello world")
    library.writer.checkpoint().result(10)
    library.add("r2", "only in the log", "hello again")
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(library.file)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    outcomes = ended.stdout.split("\n")[:-1]
    assert len(outcomes) == 6, ended.stderr
    assert set(outcomes) == {"LibraryError", "2 False"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LibraryLocked("Another program is using it.", "Wait."), "library_locked"),
        (LibraryError("It is out of reach.", "Wait."), "library_out_of_reach"),
        (LibraryReadOnly("It cannot be changed.", "Allow it."), "library_read_only"),
    ],
)
def test_a_check_calls_nothing_damaged_that_is_not(
    library: Library, monkeypatch: pytest.MonkeyPatch, error: AppError, kind: str
) -> None:
    def refuse(_file: Path) -> None:
        raise error

    monkeypatch.setattr("app.library.check.open_readonly", refuse)
    found = check_library(Paths(library.file.parent))
    assert kind in [finding.kind for finding in found]
    assert "library_damaged" not in [finding.kind for finding in found]
