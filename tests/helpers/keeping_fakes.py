"""What keeps the library well, played: rules that count, a check that finds what it is told to."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.errors import AppError, LibraryDamaged, Stopped, mark
from app.core.retention import Due, Rule
from app.pipeline.library_check import CheckReport
from app.pipeline.rebuild import Rebuilt
from app.pipeline.retention import Ran
from app.pipeline.salvage import Outcome
from app.pipeline.stored import Shelf, Stored
from app.ui.keeping.ports import KeepingPorts

HOME = Path("/tmp")
KEPT = (
    Stored(Shelf.LIBRARY, HOME, 1, 183_000_000),
    Stored(Shelf.SOUND, HOME, 1804, 9_400_000_000),
    Stored(Shelf.SOUND_BIN, HOME, 12, 310_000_000),
    Stored(Shelf.ASIDE, HOME, 0, 0),
    Stored(Shelf.MODELS, HOME, 14, 3_100_000_000),
    Stored(Shelf.SETTINGS, HOME, 1, 1_200),
    Stored(Shelf.LOGS, HOME, 2, 48_000),
)
DAMAGED = LibraryDamaged(
    mark("The library file “{file}” is damaged."),
    mark("Repair it: undertone library salvage, or restore a backup."),
    file="library.sqlite",
)


@dataclass
class FakeKeeping:
    """Answers at once, or with `waits` when the test calls `answer`; writes down what it did."""

    due: Due = field(default_factory=Due)
    in_bin: int = 0
    ran: Ran = field(default_factory=Ran)
    report: CheckReport = field(default_factory=CheckReport)
    outcome: Outcome = field(
        default_factory=lambda: Outcome(
            None, Rebuilt(("One", "Two"), None, ()), Path("library.sqlite.damaged-20261121-101500")
        )
    )
    is_file_damaged: bool = False
    is_today: bool = True
    count: int = 1804
    refusal: AppError | None = None
    is_busy: bool = False
    waits: bool = False
    is_repair_wanted: bool = False
    calls: list[tuple[object, ...]] = field(default_factory=list)
    waiting: list[tuple["Future[Any]", Callable[[], Any]]] = field(default_factory=list)

    # The pool

    def submit(self, work: Callable[[], Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        self.waiting.append((future, work))
        if not self.waits:
            self.answer()
        return future

    def answer(self) -> None:
        """Do what was asked for."""
        asked, self.waiting = self.waiting, []
        for future, work in asked:
            try:
                future.set_result(work())
            except AppError as error:
                future.set_exception(error)

    # The rules

    def preview(self, rules: Sequence[Rule]) -> Due:
        self.calls.append(("preview", tuple(rules)))
        return self.due

    def preview_bin(self, days: int) -> int:
        self.calls.append(("preview_bin", days))
        return self.in_bin

    def is_due(self) -> bool:
        return self.is_today

    def run(self, *, is_confirmed: bool = False) -> Ran:
        self.calls.append(("run", is_confirmed))
        return self.ran

    def undo(self, moved: Due) -> None:
        self.calls.append(("undo", moved))

    # The rest

    def is_damaged(self) -> bool:
        return self.is_file_damaged

    def salvage(self, progress: Callable[[float], None], is_stopped: Callable[[], bool]) -> Outcome:
        progress(0.42)
        if is_stopped():
            raise Stopped(mark("Stopped. Nothing was changed."))
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(("salvage",))
        return self.outcome

    def check(
        self, progress: Callable[[float], None], is_stopped: Callable[[], bool]
    ) -> CheckReport:
        progress(0.5)
        if is_stopped():
            return CheckReport(was_stopped=True)
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(("check",))
        return self.report

    def erase(self, has_models: bool) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(("erase", has_models))

    @property
    def ports(self) -> KeepingPorts:
        return KeepingPorts(
            submit=self.submit,
            look_at_store=lambda: KEPT,
            count_all=lambda: self.count,
            erase=self.erase,
            rules=self,
            is_idle=lambda: not self.is_busy,
            check=self.check,
            shelter=self,
            begin_repair=lambda: self.calls.append(("begin_repair",)),
            leave_repair=lambda: self.calls.append(("leave_repair",)),
            is_repair_wanted=self.is_repair_wanted,
        )
