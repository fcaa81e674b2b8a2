"""Paths of sound in a library that comes from elsewhere.

A copy of ours may only lie in the recordings' own folders: a row that points anywhere else is not
believed to be a copy, because what is a copy is deleted together with its row.
"""

import os
import sqlite3
from pathlib import Path

from app.library.rows import recording_value


def relocate(connection: sqlite3.Connection, old_home: Path, home: Path) -> None:
    """Let the copies of a library that lay in `old_home` lie in `home`, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, recording_id, held in connection.execute(
            "SELECT number, recording_id, audio_path FROM recordings "
            "WHERE is_copy AND audio_path IS NOT NULL"
        ).fetchall():
            own = own_path(held, str(recording_id), old_home, home)
            if own is None:
                connection.execute("UPDATE recordings SET is_copy = 0 WHERE number = ?", (number,))
            elif (value := recording_value("audio_path", own)) != held:
                connection.execute(
                    "UPDATE recordings SET audio_path = ? WHERE number = ?", (value, number)
                )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def own_path(held: object, recording_id: str, old_home: Path, home: Path) -> Path | None:
    """Return where a copy lies in `home` that lay in `old_home`; `None` when it is no copy of ours.

    A recording that is transcribed once more shares the sound of the first.
    """
    if not isinstance(held, str | bytes):
        return None
    path = Path(os.fsdecode(held))
    folder = path.parent
    if folder.parent != old_home / "recordings" or ".." in path.parts or not recording_id:
        return None
    return home / "recordings" / folder.name / path.name
