"""Putting recordings in order: the bin, favourites, folders and tags.

Each function runs inside one open transaction and says whose rows it touched. Nothing here loses
anything: what goes to the bin comes back with folder, tags and text as it was.
"""

import json
from collections.abc import Sequence

from app.core.errors import LibraryError, mark
from app.core.ids import new_id
from app.core.recording import Folder
from app.library.rows import clean
from app.library.transaction import Transaction

_NAME_LENGTH = 200


def move_to_bin(change: Transaction, ids: Sequence[str], at: float) -> tuple[str, ...]:
    """Put recordings into the bin; return those that were not there before."""
    found = _fitting(change, ids, "r.deleted_at IS NULL")
    return _set(change, found, "deleted_at", at)


def restore(change: Transaction, ids: Sequence[str]) -> tuple[str, ...]:
    """Take recordings out of the bin; return those that were there."""
    found = _fitting(change, ids, "r.deleted_at IS NOT NULL")
    return _set(change, found, "deleted_at", None)


def long_binned(change: Transaction, ids: Sequence[str], before: float) -> tuple[str, ...]:
    """Return those that have lain in the bin since `before`, are no favourites and not in work."""
    return _fitting(
        change,
        ids,
        "r.deleted_at <= ? AND NOT r.is_favourite AND NOT EXISTS (SELECT 1 FROM jobs j WHERE "
        "j.recording_id = r.recording_id AND j.status IN ('queued', 'running', 'paused'))",
        before,
    )


def set_favourite(change: Transaction, ids: Sequence[str], is_favourite: bool) -> tuple[str, ...]:
    """Mark recordings as favourites or no longer; return those it changed."""
    found = _fitting(change, ids, "r.is_favourite <> ?", int(is_favourite))
    return _set(change, found, "is_favourite", int(is_favourite))


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
    row = change.one(
        f"SELECT json_group_array(json_array(r.recording_id, r.folder_id)) FROM {_AMONG} "
        "AND r.folder_id IS NOT ?",
        json.dumps(list(ids)),
        folder_id,
    )
    before: dict[str, str | None] = dict(json.loads(str(row[0]))) if row else {}
    if before:
        _set(change, tuple(before), "folder_id", folder_id)
        change.changed("folders")
    return before


def tag(change: Transaction, ids: Sequence[str], name: str) -> tuple[str, ...]:
    """Give recordings a tag; return those that did not have it."""
    name = _name(name)
    change.run("INSERT OR IGNORE INTO tags (name) VALUES (?)", name)
    done = _fitting(change, ids, f"NOT {_WEARING}", name)
    change.run(
        "INSERT OR IGNORE INTO tagged (recording, tag) SELECT r.number, "
        f"(SELECT number FROM tags WHERE name = ?2) FROM {_AMONG}",
        json.dumps(done),
        name,
    )
    if done:
        change.changed("recordings", *done)
    change.changed("tags")
    return done


def untag(change: Transaction, ids: Sequence[str], name: str) -> tuple[str, ...]:
    """Take a tag from recordings; return those that had it. A tag nobody has goes."""
    done = _fitting(change, ids, _WEARING, name)
    change.run(
        "DELETE FROM tagged WHERE tag = (SELECT number FROM tags WHERE name = ?2) AND "
        f"recording IN (SELECT r.number FROM {_AMONG})",
        json.dumps(done),
        name,
    )
    if done:
        change.changed("recordings", *done)
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


# The recordings named in a JSON list, which is one statement however many they are.
_AMONG = (
    "(SELECT DISTINCT value FROM json_each(?1)) wanted "
    "CROSS JOIN recordings r ON r.recording_id = wanted.value WHERE 1"
)
# Not `r.number IN (…)`: SQLite would then walk that list for each recording.
_WEARING = (
    "EXISTS (SELECT 1 FROM tagged WHERE recording = r.number AND tag = "
    "(SELECT number FROM tags WHERE name = ?))"
)


def _fitting(
    change: Transaction, ids: Sequence[str], condition: str, *values: str | float
) -> tuple[str, ...]:
    """Return those of `ids` that fit a condition on their row `r`."""
    row = change.one(
        f"SELECT json_group_array(r.recording_id) FROM {_AMONG} AND {condition}",
        json.dumps(list(ids)),
        *values,
    )
    return tuple(json.loads(str(row[0]))) if row else ()


def _set(
    change: Transaction, ids: tuple[str, ...], column: str, value: str | float | None
) -> tuple[str, ...]:
    """Set a column of recordings and return them."""
    if ids:
        change.run(
            f"UPDATE recordings SET {column} = ?2 WHERE recording_id IN "
            "(SELECT value FROM json_each(?1))",
            json.dumps(ids),
            value,
        )
        change.changed("recordings", *ids)
    return ids


def _name(text: str) -> str:
    name = " ".join(clean(text).split())[:_NAME_LENGTH]
    if not name:
        raise LibraryError(
            mark("A folder or tag needs a name."), mark("Type at least one character.")
        )
    return name
