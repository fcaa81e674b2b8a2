"""Lists of recordings: what a `ListQuery` asks for, in SQL.

Every list walks one index in the order it shows, so the first page costs the same in a library of
ten and of a hundred thousand. A whole list is read as the numbers of its rows, eight bytes each.
"""

import json
import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.recording import Folder, RecordingStatus, Tag
from app.library.rows import RECORDING_COLUMNS
from app.library.search import ListQuery, Sort, match_expression, parse

Value = str | int | float | None

_RANKED_AMONG = 2_000  # the newest hits among which the best are looked for: bm25 over all is slow
_LISTED = "recordings r INDEXED BY recordings_listed"
_SORTED = {
    Sort.NEWEST: (_LISTED, "r.number DESC"),
    Sort.OLDEST: (_LISTED, "r.number"),
    Sort.TITLE: ("recordings r INDEXED BY recordings_titled", "r.title COLLATE NOCASE, r.number"),
    Sort.LONGEST: ("recordings r INDEXED BY recordings_lasting", "r.duration_s DESC"),
    Sort.EDITED: ("recordings r INDEXED BY recordings_edited", "r.edited_at DESC"),
}
_FILTERABLE = ("kind", "language", "model_id", "app_name")
_SHOWN = "deleted_at IS NULL AND rerun_of IS NULL"


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is beside the bin: how much, in which folders and tags, and what to filter by."""

    total: int = 0
    failed: int = 0
    folders: tuple[Folder, ...] = ()
    tags: tuple[Tag, ...] = ()
    languages: tuple[str, ...] = ()
    model_ids: tuple[str, ...] = ()
    app_names: tuple[str, ...] = ()


def numbers(connection: sqlite3.Connection, query: ListQuery, limit: int = -1) -> "array[int]":
    """Return the numbers of the rows of a list, in its order; the first `limit`, or all."""
    sql, values = _select(_key(query), query, None)
    # As one value: sqlite3 takes the interpreter's lock anew for each row, and other threads would
    # wait for it a hundred thousand times. SQLite keeps the order of a part that has a LIMIT.
    whole = f"SELECT json_group_array(number) FROM ({sql} LIMIT ?)"
    return array("q", json.loads(connection.execute(whole, (*values, limit)).fetchone()[0]))


def mark(connection: sqlite3.Connection, query: ListQuery) -> tuple[int, int]:
    """Return how many rows the list has and their sum, which the same rows have in common."""
    tables, where, values = _conditions(query, None)
    sql = f"SELECT COUNT(*), COALESCE(SUM(r.number), 0) FROM {tables} {where}"
    rows, total = connection.execute(sql, values).fetchone()
    return int(rows), int(total)


def ids_at(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[str]:
    """Return the recordings of those rows, in that order; what is gone is left out."""
    found = connection.execute(
        "SELECT json_group_array(recording_id) FROM "
        "(SELECT r.recording_id FROM json_each(?) w CROSS JOIN recordings r ON r.number = w.value "
        "ORDER BY w.id LIMIT -1)",
        (json.dumps(list(numbers)),),
    ).fetchone()
    return [str(each) for each in json.loads(found[0])]


def overview(connection: sqlite3.Connection) -> Overview:
    """Return what there is; each part is one walk along the index of the lists."""
    failed = connection.execute(
        f"SELECT COUNT(*) FROM {_LISTED} WHERE {_SHOWN} AND status = ?",
        (str(RecordingStatus.FAILED),),
    ).fetchone()
    choices = connection.execute(
        f"SELECT DISTINCT language, model_id, app_name FROM {_LISTED} WHERE {_SHOWN}"
    ).fetchall()
    languages, model_ids, app_names = (
        tuple(sorted({str(row[at]) for row in choices if row[at] is not None})) for at in range(3)
    )
    return Overview(
        count(connection, ListQuery()),
        int(failed[0]),
        folders(connection),
        tags(connection),
        languages,
        model_ids,
        app_names,
    )


def folders(connection: sqlite3.Connection) -> tuple[Folder, ...]:
    """Return the folders by name, with how many recordings lie in each, the bin left out."""
    lie = dict(
        connection.execute(
            f"SELECT folder_id, COUNT(*) FROM {_LISTED} WHERE {_SHOWN} AND folder_id IS NOT NULL "
            "GROUP BY folder_id"
        ).fetchall()
    )
    rows = connection.execute("SELECT folder_id, name FROM folders ORDER BY name COLLATE NOCASE")
    return tuple(Folder(str(key), str(name), int(lie.get(key, 0))) for key, name in rows.fetchall())


def tags(connection: sqlite3.Connection) -> tuple[Tag, ...]:
    """Return the tags by name, with how many recordings carry each, the bin left out."""
    rows = connection.execute(
        "SELECT t.name, COUNT(r.number) FROM tags t LEFT JOIN tagged ON tagged.tag = t.number "
        "LEFT JOIN recordings r ON r.number = tagged.recording AND r.deleted_at IS NULL "
        "GROUP BY t.number ORDER BY t.name COLLATE NOCASE"
    )
    return tuple(Tag(str(name), int(held)) for name, held in rows.fetchall())


def page(
    connection: sqlite3.Connection, query: ListQuery, before: str | None, offset: int, limit: int
) -> list[tuple[object, ...]]:
    """Return number and `RECORDING_COLUMNS` of one page; sorting moves numbers only."""
    sql, values = _select(_key(query), query, before)
    found = connection.execute(f"{sql} LIMIT ? OFFSET ?", (*values, limit, offset)).fetchall()
    return rows_at(connection, [int(row[0]) for row in found])


def rows_at(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[tuple[object, ...]]:
    """Return number and `RECORDING_COLUMNS` of those rows; what is gone is left out."""
    one = f"SELECT number, {RECORDING_COLUMNS} FROM recordings WHERE number = ?"
    rows = (connection.execute(one, (number,)).fetchone() for number in numbers)
    return [row for row in rows if row is not None]


def ids(connection: sqlite3.Connection, query: ListQuery) -> list[str]:
    """Return the ids of the whole list in its order."""
    sql, values = _select("r.recording_id", query, None)
    return [str(row[0]) for row in connection.execute(sql, values).fetchall()]


def count(connection: sqlite3.Connection, query: ListQuery) -> int:
    """Return how many recordings the list has."""
    tables, where, values = _conditions(query, None)
    return int(connection.execute(f"SELECT COUNT(*) FROM {tables} {where}", values).fetchone()[0])


def values_of(connection: sqlite3.Connection, column: str) -> list[str]:
    """Return the different values of a column that lists can be filtered by."""
    if column not in _FILTERABLE:
        raise ValueError(f"lists cannot be filtered by {column}")
    rows = connection.execute(
        f"SELECT DISTINCT {column} FROM {_LISTED} WHERE deleted_at IS NULL AND rerun_of IS NULL "
        f"AND {column} IS NOT NULL ORDER BY 1"
    ).fetchall()
    return [str(row[0]) for row in rows]


def _key(query: ListQuery) -> str:
    column = "documents_search.rowid" if _walks_hits(query) else "r.number"
    return f"{column} AS number"


def _walks_hits(query: ListQuery) -> bool:
    """Whether the search index itself is walked; it knows age and rank, and no other order."""
    is_by_age = query.ranked or query.sort in (Sort.NEWEST, Sort.OLDEST)
    return is_by_age and bool(parse(query.text))


def _select(what: str, query: ListQuery, before: str | None) -> tuple[str, tuple[Value, ...]]:
    tables, where, values = _conditions(query, before)
    order, values = _order(query, tables, where, values)
    return f"SELECT {what} FROM {tables} {where} {order}", values


def _conditions(query: ListQuery, before: str | None) -> tuple[str, str, tuple[Value, ...]]:
    """Return the tables, the WHERE clause and its values for `query`."""
    terms = parse(query.text)
    walks_hits = _walks_hits(query)
    clauses: list[str] = []
    values: list[Value] = []
    if walks_hits:
        # CROSS JOIN keeps the index outermost, where it yields the newest first without sorting.
        tables = "documents_search CROSS JOIN recordings r ON r.number = documents_search.rowid"
        clauses.append("documents_search MATCH ?")
        values.append(match_expression(terms))
    else:
        tables = _SORTED[query.sort][0]
    binned = "IS NOT NULL" if query.is_binned else "IS NULL"
    clauses += [f"r.deleted_at {binned}", "r.rerun_of IS NULL"]
    if terms and not walks_hits:
        clauses.append(
            "r.number IN (SELECT rowid FROM documents_search WHERE documents_search MATCH ?)"
        )
        values.append(match_expression(terms))
    filters = _filters(query)
    asked = " AND ".join(clause for clause, _value in filters)
    values += [value for _clause, value in filters if value is not None]
    if asked and not walks_hits and query.sort not in (Sort.NEWEST, Sort.OLDEST):
        # The indexes of these orders do not hold what is filtered by: what fits is found in the one
        # that does, instead of in a hundred thousand rows.
        asked = (
            f"r.number IN (SELECT r.number FROM {_LISTED} WHERE r.deleted_at {binned} "
            f"AND r.rerun_of IS NULL AND {asked})"
        )
    clauses += [asked] if asked else []
    if before is not None:
        key = "documents_search.rowid" if walks_hits else "r.number"
        clauses.append(f"{key} < (SELECT number FROM recordings WHERE recording_id = ?)")
        values.append(before)
    return tables, f"WHERE {' AND '.join(clauses)}", tuple(values)


def _filters(query: ListQuery) -> list[tuple[str, Value]]:
    """Return the clauses of what `query` asks, each with its value where it has one."""
    found: list[tuple[str, Value]] = [
        (f"r.{column} = ?", str(value))
        for column, value in {
            "kind": query.kind,
            "status": query.status,
            "language": query.language,
            "model_id": query.model_id,
            "app_name": query.app_name,
            "folder_id": query.folder_id or None,
        }.items()
        if value is not None
    ]
    if query.folder_id == "":
        found.append(("r.folder_id IS NULL", None))
    if query.is_favourite is not None:
        found.append(("r.is_favourite = ?", int(query.is_favourite)))
    if query.is_doubtful is not None:
        found.append(("r.doubt > 0" if query.is_doubtful else "r.doubt = 0", None))
    if query.since is not None:
        found.append(("r.created_at >= ?", query.since))
    if query.before is not None:
        found.append(("r.created_at < ?", query.before))
    if query.tag is not None:
        found.append(
            (
                "EXISTS (SELECT 1 FROM tagged WHERE recording = r.number AND tag = "
                "(SELECT number FROM tags WHERE name = ?))",
                query.tag,
            )
        )
    return found


def _order(
    query: ListQuery, tables: str, where: str, values: tuple[Value, ...]
) -> tuple[str, tuple[Value, ...]]:
    if not _walks_hits(query):
        if query.is_binned and query.sort is Sort.NEWEST:
            return "ORDER BY r.deleted_at DESC, r.number DESC", values
        return f"ORDER BY {_SORTED[query.sort][1]}", values
    if not query.ranked:
        direction = "" if query.sort is Sort.OLDEST else " DESC"
        return f"ORDER BY documents_search.rowid{direction}", values
    newest = (
        f"SELECT documents_search.rowid FROM {tables} {where} "
        f"ORDER BY documents_search.rowid DESC LIMIT {_RANKED_AMONG}"
    )
    oldest = f"SELECT MIN(rowid) FROM ({newest})"
    best = "ORDER BY documents_search.rank, documents_search.rowid DESC"
    return f"AND documents_search.rowid >= ({oldest}) {best}", (*values, *values)
