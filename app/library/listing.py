"""Lists of recordings: what a `ListQuery` asks for, in SQL.

Every list walks one index in the order it shows, so the first page costs the same in a library of
ten and of a hundred thousand.
"""

import sqlite3

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


def page(
    connection: sqlite3.Connection, query: ListQuery, before: str | None, offset: int, limit: int
) -> list[tuple[object, ...]]:
    """Return number and `RECORDING_COLUMNS` of one page; sorting moves numbers only."""
    key = "documents_search.rowid" if parse(query.text) else "r.number"
    sql, values = _select(key, query, before)
    numbers = connection.execute(f"{sql} LIMIT ? OFFSET ?", (*values, limit, offset)).fetchall()
    one = f"SELECT number, {RECORDING_COLUMNS} FROM recordings WHERE number = ?"
    rows = (connection.execute(one, number).fetchone() for number in numbers)
    return [row for row in rows if row is not None]  # another process may remove one meanwhile


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


def _select(what: str, query: ListQuery, before: str | None) -> tuple[str, tuple[Value, ...]]:
    tables, where, values = _conditions(query, before)
    order, values = _order(query, tables, where, values)
    return f"SELECT {what} FROM {tables} {where} {order}", values


def _conditions(query: ListQuery, before: str | None) -> tuple[str, str, tuple[Value, ...]]:
    """Return the tables, the WHERE clause and its values for `query`."""
    terms = parse(query.text)
    clauses: list[str] = []
    values: list[Value] = []
    if terms:
        # CROSS JOIN keeps the index outermost, where it yields the newest first without sorting.
        tables = "documents_search CROSS JOIN recordings r ON r.number = documents_search.rowid"
        clauses.append("documents_search MATCH ?")
        values.append(match_expression(terms))
    else:
        tables = _SORTED[query.sort][0]
    clauses.append("r.deleted_at IS NOT NULL" if query.is_binned else "r.deleted_at IS NULL")
    clauses.append("r.rerun_of IS NULL")
    for clause, value in _filters(query):
        clauses.append(clause)
        if value is not None:
            values.append(value)
    if before is not None:
        key = "documents_search.rowid" if terms else "r.number"
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
    if not parse(query.text):
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
