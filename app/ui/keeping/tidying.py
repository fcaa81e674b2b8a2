"""The retention rules run by themselves, once a day, while nothing else does.

What they did is told with its count and can be taken back; when the clock leapt they ask first.
"""

from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer, Signal

from app.config.translate import tr, tr_plural
from app.core.errors import AppError
from app.core.retention import Due
from app.pipeline.retention import Ran
from app.ui.keeping.errand import Errand, IsStopped, Progress
from app.ui.keeping.ports import KeepingPorts, Rules

_FIRST_LOOK_MS = 60_000  # after the start, which has better things to do
_LOOK_MS = 15 * 60_000


class Tidying(QObject):
    """Runs the rules when it is time. Thread: main; the work is done on the io pool.

    Args:
        ports: the rules, and whether it is a good moment.
    """

    ran = Signal(object)  # Ran, of a run that did something or asks
    failed = Signal(object)  # AppError

    def __init__(self, ports: KeepingPorts, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ports = ports
        self._rules = ports.rules
        self._is_wanted = False  # by the person, while a run was under way
        self._errand = Errand(ports.submit, self)
        self._errand.done.connect(self._on_done)
        self._errand.failed.connect(self._on_failed)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self.look)

    def begin(self) -> None:
        """Look for the first time in a minute, and then every quarter of an hour."""
        if self._rules is not None:
            self.timer.start(_FIRST_LOOK_MS)

    def close(self) -> None:
        self.timer.stop()

    def look(self) -> None:
        """Run the rules if a day has gone by and nothing else is under way."""
        self.timer.start(_LOOK_MS)
        rules = self._rules
        if rules is None or self._errand.is_running or not self._ports.is_idle():
            return

        def work(_progress: Progress, _is_stopped: IsStopped) -> Ran:
            return rules.run() if rules.is_due() else Ran()

        self._errand.begin(work)

    def run_now(self) -> None:
        """Run the rules: the person has seen how much that puts away."""
        rules = self._rules
        if self._errand.is_running:
            self._is_wanted = True  # what that one does is told first
        elif rules is not None:
            self._errand.begin(lambda _progress, _is_stopped: rules.run(is_confirmed=True))

    def undo(self, moved: Due) -> "Future[None]":
        """Take back what a run put away."""
        rules: Rules | None = self._rules
        assert rules is not None
        return self._ports.submit(lambda: rules.undo(moved))

    def _on_done(self, ran: Ran) -> None:
        if not ran.is_nothing:
            self.ran.emit(ran)
        self._go_on()

    def _on_failed(self, error: AppError) -> None:
        self.failed.emit(error)
        self._go_on()

    def _go_on(self) -> None:
        if self._is_wanted:
            self._is_wanted = False
            self.run_now()


def told_due(due: Due, *, is_past: bool = False) -> str:
    """Return how much is put away, as a sentence: what would be now, or what was."""
    whole, sounds = len(due.recordings), len(due.sounds)
    parts = []
    if whole or not sounds:
        parts.append(
            tr_plural(
                "{count} recording moved to the bin.", "{count} recordings moved to the bin.", whole
            )
            if is_past
            else tr_plural(
                "{count} recording would move to the bin now.",
                "{count} recordings would move to the bin now.",
                whole,
            )
        )
    if sounds:
        parts.append(
            tr_plural(
                "The sound of {count} recording moved to the bin; its text stays.",
                "The sound of {count} recordings moved to the bin; their text stays.",
                sounds,
            )
            if is_past
            else tr_plural(
                "The sound of {count} recording would move to the bin now; its text stays.",
                "The sound of {count} recordings would move to the bin now; their text stays.",
                sounds,
            )
        )
    return " ".join(parts)


def told_bin(count: int, *, is_past: bool = False) -> str:
    """Return how much of the bin is erased, as a sentence."""
    if is_past:
        return tr_plural(
            "{count} was erased from the bin.", "{count} were erased from the bin.", count
        )
    return tr_plural(
        "{count} recording in the bin would be erased for good now.",
        "{count} recordings in the bin would be erased for good now.",
        count,
    )


def told_ran(ran: Ran) -> str:
    """Return what a run did, or what it would do."""
    parts = []
    if ran.moved.count:
        parts.append(told_due(ran.moved, is_past=True))
    if ran.erased:
        parts.append(told_bin(ran.erased, is_past=True))
    if ran.waiting.count or ran.waiting_bin:
        parts.append(tr("The clock of this computer leapt, so no rule ran."))
        if ran.waiting.count:
            parts.append(told_due(ran.waiting))
        if ran.waiting_bin:
            parts.append(told_bin(ran.waiting_bin))
    return " ".join(parts)
