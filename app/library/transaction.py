"""One open transaction of the writer."""

from dataclasses import dataclass, field

from sqlite_utils.db import Database

from app.library.rows import Value


@dataclass(slots=True)
class Transaction:
    """One open transaction and what it has touched so far.

    `leaves_traces` asks the writer to wipe what was deleted out of index and log after the commit.
    """

    database: Database
    kinds: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    leaves_traces: bool = False

    def changed(self, kind: str, *ids: str) -> None:
        self.kinds.add(kind)
        self.ids.update(ids)

    def one(self, sql: str, *values: Value) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self.database.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Value) -> int:
        """Run one statement and return how many rows it touched."""
        return int(self.database.execute(sql, values).rowcount)
