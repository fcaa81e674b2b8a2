"""Putting recordings in order: the bin, favourites, folders and tags.

Each function runs inside one open transaction and says whose rows it touched. Nothing here loses
anything: what goes to the bin comes back with folder, tags and text as it was.
"""

from collections.abc import Sequence

from app.core.errors import LibraryError, mark
from app.core.ids import new_id
from app.core.recording import Folder
from app.library.rows import clean
from app.library.transaction import Transaction

_NAME_LENGTH = 200


def move_to_bin(change: Transaction, ids: Sequence[str], at: float) -> tuple[str, ...]:
    """Put recordings into the bin; return those that were not there before."""
    return _each(
        change,
        ids,
        "UPDATE recordings SET deleted_at = ? WHERE recording_id = ? AND deleted_at IS NULL",
        at,
    )


def restore(change: Transaction, ids: Sequence[str]) -> tuple[str, ...]:
    """Take recordings out of the bin; return those that were there."""
    return _each(
        change,
        ids,
        "UPDATE recordings SET deleted_at = NULL WHERE recording_id = ? AND deleted_at NOT NULL",
    )


def set_favourite(change: Transaction, ids: Sequence[str], is_favourite: bool) -> tuple[str, ...]:
    """Mark recordings as favourites or no longer; return those it changed."""
    return _each(
        change,
        ids,
        "UPDATE recordings SET is_favourite = ?1 WHERE recording_id = ?2 AND is_favourite <> ?1",
        int(is_favourite),
    )


def add_folder(change: Transaction, name: str) -> Folder:
    """Make a folder, or return the one of that name."""
    name = _name(name)
    row = change.one("SELECT folder_id FROM folders WHERE name = ?", name)
    if row is not None:
        return Folder(str(row[0]), name)
    folder_id = new_id()
    change.run("INSERT INTO folders (folder_id, name) VALUES (?, ?)", folder_id, name)
    change.changed("folders", folder_id)
    return Folder(folder_id, name)


def rename_folder(change: Transaction, folder_id: str, name: str) -> bool:
    done = change.run("UPDATE folders SET name = ? WHERE folder_id = ?", _name(name), folder_id)
    change.changed("folders", folder_id)
    return bool(done)


def remove_folder(change: Transaction, folder_id: str) -> tuple[str, ...]:
    """Remove a folder and return what lay in it, which stays in the library."""
    rows = change.rows("SELECT recording_id FROM recordings WHERE folder_id = ?", folder_id)
    change.run("DELETE FROM folders WHERE folder_id = ?", folder_id)
    ids = tuple(str(row[0]) for row in rows)
    change.changed("folders", folder_id)
    change.changed("recordings", *ids)
    return ids


def move_to_folder(
    change: Transaction, ids: Sequence[str], folder_id: str | None
) -> dict[str, str | None]:
    """Put recordings into a folder, or into none; return where those that moved lay before."""
    if folder_id is not None and not change.one(
        "SELECT 1 FROM folders WHERE folder_id = ?", folder_id
    ):
        return {}
    before: dict[str, str | None] = {}
    for recording_id in ids:
        row = change.one("SELECT folder_id FROM recordings WHERE recording_id = ?", recording_id)
        if row is not None and row[0] != folder_id:
            before[recording_id] = None if row[0] is None else str(row[0])
            change.run(
                "UPDATE recordings SET folder_id = ? WHERE recording_id = ?",
                folder_id,
                recording_id,
            )
    if before:
        change.changed("recordings", *before)
        change.changed("folders")
    return before


def tag(change: Transaction, ids: Sequence[str], name: str) -> tuple[str, ...]:
    """Give recordings a tag; return those that did not have it."""
    name = _name(name)
    change.run("INSERT OR IGNORE INTO tags (name) VALUES (?)", name)
    done = _each(
        change,
        ids,
        "INSERT OR IGNORE INTO tagged (tag, recording) SELECT tags.number, recordings.number "
        "FROM tags, recordings WHERE tags.name = ? AND recording_id = ?",
        name,
    )
    change.changed("tags")
    return done


def untag(change: Transaction, ids: Sequence[str], name: str) -> tuple[str, ...]:
    """Take a tag from recordings; return those that had it. A tag nobody has goes."""
    done = _each(
        change,
        ids,
        "DELETE FROM tagged WHERE tag = (SELECT number FROM tags WHERE name = ?) AND "
        "recording = (SELECT number FROM recordings WHERE recording_id = ?)",
        name,
    )
    change.run("DELETE FROM tags WHERE number NOT IN (SELECT tag FROM tagged)")
    change.changed("tags")
    return done


def rename_tag(change: Transaction, name: str, new_name: str) -> bool:
    """Rename a tag; where there is one of the new name the two become one."""
    new_name = _name(new_name)
    old = change.one("SELECT number FROM tags WHERE name = ?", name)
    if old is None:
        return False
    other = change.one("SELECT number FROM tags WHERE name = ?", new_name)
    number = int(str(old[0]))
    if other is None or other == old:
        change.run("UPDATE tags SET name = ? WHERE number = ?", new_name, number)
    else:
        kept = int(str(other[0]))
        change.run("UPDATE OR IGNORE tagged SET tag = ? WHERE tag = ?", kept, number)
        change.run("DELETE FROM tags WHERE number = ?", number)
    change.changed("tags")
    return True


def remove_tag(change: Transaction, name: str) -> tuple[str, ...]:
    """Remove a tag; return the recordings that had it."""
    rows = change.rows(
        "SELECT recording_id FROM tagged JOIN tags ON tags.number = tag "
        "JOIN recordings ON recordings.number = recording WHERE tags.name = ?",
        name,
    )
    change.run("DELETE FROM tags WHERE name = ?", name)
    ids = tuple(str(row[0]) for row in rows)
    change.changed("tags")
    change.changed("recordings", *ids)
    return ids


def _each(
    change: Transaction, ids: Sequence[str], statement: str, *values: str | float
) -> tuple[str, ...]:
    """Run `statement` for each recording, its id the last value; return those it touched."""
    done = tuple(key for key in ids if change.run(statement, *values, key) > 0)
    if done:
        change.changed("recordings", *done)
    return done


def _name(text: str) -> str:
    name = " ".join(clean(text).split())[:_NAME_LENGTH]
    if not name:
        raise LibraryError(
            mark("A folder or tag needs a name."), mark("Type at least one character.")
        )
    return name
