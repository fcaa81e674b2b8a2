"""The shape of the library file, as numbered migrations.

A released migration is never edited, only followed by another (a test holds their hashes). Each one
runs in one transaction together with the version it brings the file to, so a kill leaves the old
shape or the new one and nothing between. The version is SQLite's `user_version`, which can be read
without trusting any table; that is why sqlite-utils' own migrations table does not serve here.
"""

import functools
import sqlite3
from pathlib import Path

from app.library.errors import foreign_parts, not_a_library, too_new

APPLICATION_ID = 0x554E_4454  # "UNDT"
SEARCH_TABLE = "documents_search"

# documents.title and documents.body hold what `app.library.fold` makes of title and segments: the
# tokens, folded, one line a segment. The ascii tokenizer then only splits at blanks and keeps every
# other character, so list, transcript and index agree on what a word is, in every script.
# There are no triggers: with trusted_schema off, SQLite before 3.44 forbids them to touch FTS5, and
# so any trigger found in a library is a stranger's. `app.library.index` keeps the two in step.
_V1: tuple[str, ...] = (
    """
    CREATE TABLE recordings (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        recording_id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        created_at REAL NOT NULL,
        status TEXT NOT NULL,
        duration_s REAL,
        audio_path,
        is_copy INTEGER NOT NULL DEFAULT 0,
        language TEXT,
        model_id TEXT,
        error TEXT,
        hint TEXT,
        first_line TEXT NOT NULL DEFAULT '',
        fingerprint TEXT,
        indexed_segments INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE INDEX recordings_by_fingerprint ON recordings (fingerprint)
    WHERE fingerprint IS NOT NULL
    """,
    "CREATE INDEX recordings_by_status ON recordings (status)",
    """
    CREATE TABLE segments (
        recording INTEGER NOT NULL REFERENCES recordings (number) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        start_s REAL NOT NULL,
        end_s REAL NOT NULL,
        text TEXT NOT NULL,
        confidence REAL,
        speaker TEXT,
        crc INTEGER NOT NULL,
        PRIMARY KEY (recording, seq)
    )
    """,
    """
    CREATE TABLE words (
        recording INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        texts TEXT NOT NULL,
        numbers BLOB NOT NULL,
        PRIMARY KEY (recording, seq),
        FOREIGN KEY (recording, seq) REFERENCES segments (recording, seq) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        job_id TEXT NOT NULL UNIQUE,
        recording_id TEXT NOT NULL REFERENCES recordings (recording_id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        model_id TEXT NOT NULL,
        language TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        stage TEXT NOT NULL,
        done_s REAL NOT NULL DEFAULT 0,
        total_s REAL,
        wants_words INTEGER NOT NULL DEFAULT 1,
        error TEXT,
        hint TEXT,
        owner TEXT
    )
    """,
    "CREATE INDEX jobs_by_recording ON jobs (recording_id)",
    "CREATE INDEX jobs_by_status ON jobs (status)",
    """
    CREATE TABLE documents (
        number INTEGER PRIMARY KEY REFERENCES recordings (number) ON DELETE CASCADE,
        title TEXT NOT NULL,
        body TEXT NOT NULL
    )
    """,
    """
    CREATE VIRTUAL TABLE documents_search USING fts5 (
        title, body, content = 'documents', content_rowid = 'number',
        tokenize = 'ascii', prefix = '1 2 3'
    )
    """,
)

# Organising (folder, tags, favourite, notes, bin), the editor (raw text, revisions, doubt) and what
# is transcribed once more beside its first text (`rerun_of`, hidden from every list; its job runs
# from `done_s` to `until_s`). `doubt` counts the words a person should look at. `documents.title`
# holds title and notes from here on, one line each.
_V2: tuple[str, ...] = (
    """
    CREATE TABLE folders (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        folder_id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE tags (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE
    )
    """,
    """
    CREATE TABLE tagged (
        tag INTEGER NOT NULL REFERENCES tags (number) ON DELETE CASCADE,
        recording INTEGER NOT NULL REFERENCES recordings (number) ON DELETE CASCADE,
        PRIMARY KEY (tag, recording)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tagged_by_recording ON tagged (recording)",
    "ALTER TABLE recordings ADD COLUMN deleted_at REAL",
    "ALTER TABLE recordings ADD COLUMN is_favourite INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE recordings ADD COLUMN notes TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE recordings ADD COLUMN folder_id TEXT "
    "REFERENCES folders (folder_id) ON DELETE SET NULL",
    "ALTER TABLE recordings ADD COLUMN app_name TEXT",
    "ALTER TABLE recordings ADD COLUMN edited_at REAL",
    "ALTER TABLE recordings ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE recordings ADD COLUMN rerun_of TEXT",
    "ALTER TABLE segments ADD COLUMN raw TEXT",
    "ALTER TABLE jobs ADD COLUMN until_s REAL",
    """
    CREATE TABLE revisions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        revision_id TEXT NOT NULL UNIQUE,
        recording INTEGER NOT NULL REFERENCES recordings (number) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        created_at REAL NOT NULL,
        language TEXT,
        model_id TEXT,
        segment_count INTEGER NOT NULL,
        content BLOB NOT NULL
    )
    """,
    "CREATE INDEX revisions_by_recording ON revisions (recording)",
    # Every list is a walk along this one, whatever is filtered and however much there is: in the
    # order of making, with all that a filter asks for.
    """
    CREATE INDEX recordings_listed ON recordings (
        deleted_at, rerun_of, number, kind, status, is_favourite, folder_id, language, model_id,
        app_name, doubt, created_at
    )
    """,
    "CREATE INDEX recordings_titled ON recordings (deleted_at, rerun_of, title COLLATE NOCASE)",
    "CREATE INDEX recordings_lasting ON recordings (deleted_at, rerun_of, duration_s)",
    "CREATE INDEX recordings_edited ON recordings (deleted_at, rerun_of, edited_at)",
    "CREATE INDEX recordings_in_folder ON recordings (folder_id) WHERE folder_id IS NOT NULL",
    "CREATE INDEX recordings_run_again ON recordings (rerun_of) WHERE rerun_of IS NOT NULL",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_V1, _V2)
SCHEMA_VERSION = len(MIGRATIONS)


def version(connection: sqlite3.Connection) -> int:
    """Return the schema version of an open file; 0 for one that holds nothing yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the open file to the newest schema, one transaction a step."""
    for number in range(version(connection) + 1, SCHEMA_VERSION + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) < number:  # another process may have come first
                for statement in MIGRATIONS[number - 1]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check_schema(connection: sqlite3.Connection, file: Path) -> None:
    """Refuse a file whose shape is not the one our migrations make.

    Foreign triggers, views and virtual tables could run on our reads and writes.

    Raises:
        LibraryTooNew: a newer Undertone wrote it.
        LibraryDamaged: it is no library, or holds parts that are not ours.
    """
    number, found = _version_and_shape(connection)
    if number > SCHEMA_VERSION:
        raise too_new(file)
    if number == 0:
        if found:
            raise not_a_library(file)
        return
    wanted = _expected(number)
    for name in found.keys() | wanted.keys():
        if found.get(name) != wanted.get(name):
            raise foreign_parts(file, name)


def _version_and_shape(connection: sqlite3.Connection) -> tuple[int, dict[str, tuple[object, ...]]]:
    """Read both of one moment: another process may be migrating the file."""
    connection.execute("BEGIN")
    try:
        return version(connection), _shape(connection)
    finally:
        connection.execute("ROLLBACK")


@functools.cache
def _expected(number: int) -> dict[str, tuple[object, ...]]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for migration in MIGRATIONS[:number]:
            for statement in migration:
                connection.execute(statement)
        return _shape(connection)
    finally:
        connection.close()


def _shape(connection: sqlite3.Connection) -> dict[str, tuple[object, ...]]:
    """Return what the file holds by name; the full text of all that runs by itself."""
    shape: dict[str, tuple[object, ...]] = {}
    for kind, name, table, sql in connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' "
        "ESCAPE '!'"
    ).fetchall():
        if name.startswith(f"{SEARCH_TABLE}_") and kind == "table":
            continue  # FTS5 makes these, and differently from version to version
        text = " ".join(str(sql).split())
        if kind == "table" and not text.upper().startswith("CREATE VIRTUAL"):
            columns = connection.execute("SELECT name FROM pragma_table_info(?)", (name,))
            shape[name] = (kind, *(row[0] for row in columns))
        else:
            shape[name] = (kind, table, text)
    return shape
