"""One open transaction of the writer."""

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.library.rows import Value

if TYPE_CHECKING:
    from sqlite_utils.db import Database


@dataclass(slots=True)
class Transaction:
    """One open transaction and what it has touched so far.

    `leaves_traces` asks the writer to wipe what was deleted out of index and log after the commit.
    """

    connection: sqlite3.Connection
    kinds: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    leaves_traces: bool = False
    _database: "Database | None" = None

    @property
    def database(self) -> "Database":
        """The connection with tables that take dictionaries, as sqlite-utils offers them."""
        # It brings in click and a date parser, a fifth of a second: not before the first window.
        from sqlite_utils.db import Database

        if self._database is None:
            self._database = Database(self.connection, execute_plugins=False)
        return self._database

    def changed(self, kind: str, *ids: str) -> None:
        self.kinds.add(kind)
        self.ids.update(ids)

    def one(self, sql: str, *values: Value) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self.connection.execute(sql, values).fetchone()
        return row

    def rows(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Value) -> int:
        """Run one statement and return how many rows it touched."""
        return int(self.connection.execute(sql, values).rowcount)
