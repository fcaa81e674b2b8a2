"""What keeps the library well, as the windows ask for it; `ui/main.py` builds it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.retention import Due, Rule
from app.pipeline.library_check import CheckReport
from app.pipeline.retention import Ran
from app.pipeline.salvage import Outcome
from app.pipeline.stored import Stored
from app.ui.keeping.errand import IsStopped, Progress, Submit


class Rules(Protocol):
    """The retention rules. Thread: io, all of it."""

    def preview(self, rules: Sequence[Rule]) -> Due: ...

    def preview_bin(self, days: int) -> int: ...

    def is_due(self) -> bool: ...

    def run(self, *, is_confirmed: bool = False) -> Ran: ...

    def undo(self, moved: Due) -> None: ...


class Shelter(Protocol):
    """The library file, from outside. Thread: io, all of it."""

    def is_damaged(self) -> bool:
        """Whether a page of the file is not as it should be. Reads all of it."""

    def salvage(self, progress: Progress, is_stopped: IsStopped) -> Outcome:
        """Make the library anew; nothing may have it open."""


@dataclass(frozen=True, slots=True)
class KeepingPorts:
    """All that keeping is given.

    Attributes:
        submit: runs work on the io pool.
        look_at_store: what is kept and how much; slow.
        count_all: how many recordings there are to lose, the bin included; slow.
        erase: erases everything with or without the models, and starts again as on the first day.
        rules: the retention rules; `None` where the library cannot be written.
        is_idle: whether nothing runs that a rule could get in the way of. Thread: main.
        check: checks the library and mends it; `None` where it cannot be written. Thread: io.
        shelter: looks whether the file is damaged, and repairs it.
        begin_repair: starts again and repairs before the library is opened.
        leave_repair: starts again without repairing.
        is_repair_wanted: whether the person asked for a repair before this start.
    """

    submit: Submit
    look_at_store: Callable[[], Sequence[Stored]]
    count_all: Callable[[], int]
    erase: Callable[[bool], None]
    rules: Rules | None = None
    is_idle: Callable[[], bool] = lambda: True
    check: Callable[[Progress, IsStopped], CheckReport] | None = None
    shelter: Shelter | None = None
    begin_repair: Callable[[], None] | None = None
    leave_repair: Callable[[], None] | None = None
    is_repair_wanted: bool = False
