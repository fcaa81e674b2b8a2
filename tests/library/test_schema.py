import hashlib
import json
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from app.core.errors import LibraryDamaged, LibraryLocked
from app.library import schema
from app.library.connection import open_writable
from app.library.lock import LibraryLock
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter

DATA = Path(__file__).parents[1] / "data" / "library"
WAIT = 30


def hash_of(migration: tuple[str, ...]) -> str:
    plain = "\n".join(" ".join(statement.split()) for statement in migration)
    return hashlib.sha256(plain.encode()).hexdigest()


def test_released_migrations_are_never_edited() -> None:
    """When this fails, put the old statements back and write a new migration."""
    released = json.loads((DATA / "migrations.json").read_text())
    assert [hash_of(migration) for migration in schema.MIGRATIONS] == released


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION + 1))
def test_every_past_library_opens_with_all_it_held(version: int, tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    shutil.copy(DATA / f"v{version}.sqlite", file)
    wanted = json.loads((DATA / f"v{version}.json").read_text())
    with LibraryWriter(file, lambda _: None) as writer, LibraryReader(file) as reader:
        assert not reader.is_too_new
        assert [job.job_id for job in reader.jobs()] == wanted["jobs"]
        for recording in reader.recordings():
            held = wanted["recordings"].pop(recording.recording_id)
            transcript = reader.transcript(recording.recording_id)
            assert recording.title == held["title"]
            assert transcript.text == held["text"]
            assert sum(len(segment.words) for segment in transcript.segments) == held["words"]
        assert wanted["recordings"] == {}
        assert reader.ids() == ["r-new", "r-ja", "r-de", "r-en"]
        assert len(reader.search(ListQuery("東京"))) == 1
        assert writer.replace_transcript("r-ja").result(WAIT)
        assert reader.search(ListQuery("東京")) == []


def test_pragmas_are_what_was_measured(tmp_path: Path) -> None:
    connection = open_writable(tmp_path / "library.sqlite")
    try:
        for name, wanted in {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "secure_delete": 1,
            "trusted_schema": 0,
            "journal_size_limit": 64 * 1024 * 1024,
            "application_id": schema.APPLICATION_ID,
            "user_version": schema.SCHEMA_VERSION,
        }.items():
            assert connection.execute(f"PRAGMA {name}").fetchone() == (wanted,)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("part", "statement"),
    [
        ("steal", "CREATE TRIGGER steal AFTER INSERT ON segments BEGIN DELETE FROM jobs; END"),
        ("peek", "CREATE VIEW peek AS SELECT * FROM segments"),
        ("more", "CREATE TABLE more (x)"),
        ("other", "CREATE VIRTUAL TABLE other USING fts5 (x)"),
        ("extra", "CREATE INDEX extra ON jobs (upper(title))"),
        ("jobs", "ALTER TABLE jobs ADD COLUMN payload"),
        ("jobs_by_status", "DROP INDEX jobs_by_status"),
    ],
)
def test_foreign_parts_are_refused(tmp_path: Path, part: str, statement: str) -> None:
    file = tmp_path / "library.sqlite"
    open_writable(file).close()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(statement)
    connection.close()
    with pytest.raises(LibraryDamaged, match=f"did not write: “{part}"):
        LibraryWriter(file, lambda _: None)
    with LibraryReader(file) as reader, pytest.raises(LibraryDamaged):
        reader.recordings()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(LibraryDamaged, match="not an Undertone library"):
        LibraryWriter(file, lambda _: None)
    assert file.read_bytes() == before


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A next migration."""
    nxt = ("ALTER TABLE recordings ADD COLUMN colour TEXT", "CREATE TABLE colours (name TEXT)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, nxt))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)


@pytest.mark.usefixtures("tomorrow")
def test_an_older_library_is_backed_up_and_migrated(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    shutil.copy(DATA / "v1.sqlite", file)
    connection = open_writable(file)
    assert schema.version(connection) == schema.SCHEMA_VERSION
    schema.check_schema(connection, file)
    connection.close()
    backup = tmp_path / f"library.before-v{schema.SCHEMA_VERSION}.sqlite"
    copy = sqlite3.connect(backup)
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("PRAGMA quick_check").fetchone() == ("ok",)
    copy.close()
    assert backup.stat().st_mode & 0o077 == 0
    with LibraryReader(file) as reader:
        assert reader.count() == 4


@pytest.mark.usefixtures("tomorrow")
def test_only_the_lock_holder_migrates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "library.sqlite"
    shutil.copy(DATA / "v1.sqlite", file)
    lock = LibraryLock.take(tmp_path / "library.lock")
    assert lock is not None
    monkeypatch.setattr("app.library.connection.LOCK_WAIT_S", 0.05)
    with lock:
        with pytest.raises(LibraryLocked):
            open_writable(file)
        open_writable(file, lock).close()
    open_writable(file).close()


def test_a_failing_migration_leaves_the_old_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "library.sqlite"
    shutil.copy(DATA / "v1.sqlite", file)
    bad = ("CREATE TABLE half (x)", "CREATE TABLE half (x)")
    connection = open_writable(file)
    released = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, bad))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", released + 1)
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection)
    monkeypatch.undo()
    assert schema.version(connection) == released
    schema.check_schema(connection, file)
    connection.close()


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION))
def test_a_past_library_reads_before_anybody_migrates_it(version: int, tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    shutil.copy(DATA / f"v{version}.sqlite", file)
    before = file.read_bytes()
    with LibraryReader(file) as reader:
        assert reader.ids() == ["r-new", "r-ja", "r-de", "r-en"]
        assert reader.search(ListQuery("Grüße"))[0].recording.recording_id == "r-de"
        assert file.read_bytes() == before
        with LibraryWriter(file, lambda _: None) as writer:
            writer.set_favourite(["r-de"], True).result(WAIT)
            assert reader.ids(ListQuery(is_favourite=True)) == ["r-de"]


def test_a_file_that_is_migrated_while_it_is_looked_at_is_no_stranger(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    came_between: list[str] = []

    def migrate_between(statement: str) -> None:
        if "sqlite_master" in statement and not came_between:
            came_between.append(statement)
            open_writable(file).close()

    connection.set_trace_callback(migrate_between)
    schema.check_schema(connection, file)  # all of one moment: nothing in it yet
    assert came_between
    schema.check_schema(connection, file)  # all of a later one
    assert schema.version(connection) == schema.SCHEMA_VERSION
    connection.close()


def test_who_prepares_a_new_file_first_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    first = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    leaving = threading.Timer(0.3, lambda: first.execute("ROLLBACK"))
    leaving.start()
    open_writable(file).close()
    leaving.join()
    first.close()
