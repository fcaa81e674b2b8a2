"""The order of the list after older recordings were taken in.

Lists go by row number, so the numbers are dealt out again: what was here keeps its order, what came
keeps its own, and the two are merged by when they were made.
"""

from collections.abc import Sequence
from heapq import merge

from app.library import index
from app.library.transaction import Transaction

_NAMED_BY = (
    ("recordings", "number"),
    ("segments", "recording"),
    ("words", "recording"),
    ("documents", "number"),
    ("tagged", "recording"),
    ("revisions", "recording"),
)


def put_in_order(change: Transaction, added: Sequence[str]) -> None:
    """Give the recordings `added` last the places their time of making asks for."""
    places = _places(change, set(added))
    if not places:
        return
    change.database.conn.execute("PRAGMA defer_foreign_keys = ON")
    change.run("CREATE TEMP TABLE places (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
    try:
        change.database.conn.executemany("INSERT INTO temp.places VALUES (?, ?)", places.items())
        for table, column in _NAMED_BY:  # by way of negative numbers, where nothing is in the way
            change.run(
                f"UPDATE {table} SET {column} = "
                f"-(SELECT new FROM temp.places WHERE old = {column}) "
                f"WHERE {column} IN (SELECT old FROM temp.places)"
            )
            change.run(f"UPDATE {table} SET {column} = -{column} WHERE {column} < 0")
    finally:
        change.run("DROP TABLE temp.places")
    index.renumbered(change)


def _places(change: Transaction, added: set[str]) -> dict[int, int]:
    """Return the new number of each recording that has to move."""
    rows = change.database.execute(
        "SELECT number, created_at, recording_id FROM recordings ORDER BY number"
    ).fetchall()
    ours = [(at, 0, number) for number, at, key in rows if key not in added]
    came = [(at, 1, number) for number, at, key in rows if key in added]
    wanted = merge(_rising(ours), _rising(came))
    numbers = (number for number, _at, _key in rows)
    return {old: new for (_at, _side, old), new in zip(wanted, numbers, strict=True) if old != new}


def _rising(rows: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Return `rows` with times that never fall, so that the order they have stays theirs."""
    latest, found = float("-inf"), []
    for at, side, number in rows:
        latest = max(latest, at)
        found.append((latest, side, number))
    return found
