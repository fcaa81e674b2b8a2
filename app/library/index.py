"""The search index of one recording: its row in `documents` and what FTS5 knows of it.

`body` holds one line for each indexed segment, in order, so that a place in it leads back to its
segment. FTS5 must be told the old text before it changes; only this module writes either.
"""

from collections.abc import Sequence

from app.library.fold import folded
from app.library.schema import SEARCH_TABLE
from app.library.transaction import Transaction

# Adding a segment indexes the whole document again. Beyond this size that waits until enough new
# text has come, or until the job ends, so that a day-long recording stays linear.
_AT_ONCE_CHARACTERS = 65_536
_SHARE = 8


def add(change: Transaction, number: int, title: str, notes: str = "") -> None:
    """Begin the document of a new recording."""
    change.run(
        "INSERT INTO documents (number, title, body) VALUES (?, ?, '')",
        number,
        _headed(title, notes),
    )
    _remember(change, number)


def add_whole(
    change: Transaction, number: int, title: str, notes: str, texts: Sequence[str]
) -> None:
    """Make the document of a recording that comes with all its segments."""
    body = "".join(f"{folded(text)}\n" for text in texts)
    add_folded(change, number, _headed(title, notes), body, len(texts))


def add_folded(change: Transaction, number: int, title: str, body: str, count: int) -> None:
    """Make the document of a recording from texts folded before, `count` lines of them."""
    change.run("INSERT INTO documents (number, title, body) VALUES (?, ?, ?)", number, title, body)
    change.run("UPDATE recordings SET indexed_segments = ? WHERE number = ?", count, number)
    _remember(change, number)


def renumbered(change: Transaction) -> None:
    """Make the index anew from the documents, whose numbers were changed."""
    change.run(f"INSERT INTO {SEARCH_TABLE} ({SEARCH_TABLE}) VALUES ('rebuild')")


def remove(change: Transaction, number: int) -> None:
    _forget(change, number)
    change.run("DELETE FROM documents WHERE number = ?", number)


def remove_all(change: Transaction) -> None:
    """Forget every recording, whatever state the index is in."""
    change.run(f"INSERT INTO {SEARCH_TABLE} ({SEARCH_TABLE}) VALUES ('delete-all')")
    change.run("DELETE FROM documents")
    change.run("UPDATE recordings SET indexed_segments = 0")


def retitle(change: Transaction, number: int) -> None:
    """Index title and notes as they now are."""
    row = change.one("SELECT title, notes FROM recordings WHERE number = ?", number)
    if row is None:
        return
    _forget(change, number)
    headed = _headed(str(row[0]), str(row[1]))
    change.run("UPDATE documents SET title = ? WHERE number = ?", headed, number)
    _remember(change, number)


def splice(change: Transaction, number: int, first: int, removed: int, texts: list[str]) -> None:
    """Put the lines of `texts` in place of `removed` lines from segment `first` on."""
    row = change.one(
        "SELECT d.body, r.indexed_segments FROM documents d JOIN recordings r USING (number) "
        "WHERE number = ?",
        number,
    )
    if row is None:
        return
    indexed = int(str(row[1]))
    if first > indexed:
        return  # not come to yet; `add_new_segments` will find the new text
    lines = str(row[0]).split("\n")[:-1]
    kept = max(first, min(first + removed, indexed))
    lines[first:kept] = [folded(text) for text in texts]
    _forget(change, number)
    body = "".join(f"{line}\n" for line in lines)
    change.run("UPDATE documents SET body = ? WHERE number = ?", body, number)
    change.run("UPDATE recordings SET indexed_segments = ? WHERE number = ?", len(lines), number)
    _remember(change, number)


def clear(change: Transaction, number: int) -> None:
    """Forget all segments; the title stays."""
    _forget(change, number)
    change.run("UPDATE documents SET body = '' WHERE number = ?", number)
    change.run("UPDATE recordings SET indexed_segments = 0 WHERE number = ?", number)
    _remember(change, number)


def add_new_segments(change: Transaction, number: int, may_wait: bool) -> None:
    """Index the segments added since the last time.

    With `may_wait`, a few new lines of a long recording are left for later.
    """
    row = change.one(
        "SELECT r.indexed_segments, LENGTH(d.body) FROM recordings r "
        "JOIN documents d USING (number) WHERE number = ?",
        number,
    )
    if row is None:
        return
    indexed, size = int(str(row[0])), int(str(row[1]))
    texts = [
        str(text)
        for (text,) in change.database.execute(
            "SELECT text FROM segments WHERE recording = ? AND seq >= ? ORDER BY seq",
            (number, indexed),
        ).fetchall()
    ]
    is_little = size >= _AT_ONCE_CHARACTERS and sum(map(len, texts)) < size // _SHARE
    if not texts or (may_wait and is_little):
        return
    lines = "".join(f"{folded(text)}\n" for text in texts)
    _forget(change, number)
    change.run("UPDATE documents SET body = body || ? WHERE number = ?", lines, number)
    change.run(
        "UPDATE recordings SET indexed_segments = ? WHERE number = ?", indexed + len(texts), number
    )
    _remember(change, number)


def _forget(change: Transaction, number: int) -> None:
    change.run(
        f"INSERT INTO {SEARCH_TABLE} ({SEARCH_TABLE}, rowid, title, body) "
        "SELECT 'delete', number, title, body FROM documents WHERE number = ?",
        number,
    )


def _remember(change: Transaction, number: int) -> None:
    change.run(
        f"INSERT INTO {SEARCH_TABLE} (rowid, title, body) "
        "SELECT number, title, body FROM documents WHERE number = ?",
        number,
    )


def _headed(title: str, notes: str) -> str:
    """Return what `documents.title` holds: the title's line, then that of the notes."""
    return f"{folded(title)}\n{folded(notes)}" if notes else folded(title)
