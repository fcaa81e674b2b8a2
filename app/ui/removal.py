"""Removals that can still be undone.

What a person removes is hidden at once and removed for good when its time is over, or when the
window closes. Undo takes back the latest first.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

UNDO_MS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """Recordings removed together, and until when (monotonic) that can be undone."""

    recording_ids: tuple[str, ...]
    title: str
    until_s: float


class Removals(QObject):
    """Keeps removals until they are undone or done; `remove` does them."""

    hidden = Signal(object)  # tuple[str, ...]
    restored = Signal(object)  # tuple[str, ...]
    finished_for_good = Signal(object)  # tuple[str, ...]
    changed = Signal()  # what undo would do

    def __init__(
        self,
        remove: Callable[[Sequence[str]], object],
        parent: QObject | None = None,
        undo_ms: int = UNDO_MS,
    ) -> None:
        super().__init__(parent)
        self._remove = remove
        self._undo_ms = undo_ms
        self.finished: set[str] = set()  # given to `remove`, perhaps in vain
        self._pending: list[Removal] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def latest(self) -> Removal | None:
        """What undo would take back."""
        return self._pending[-1] if self._pending else None

    @property
    def pending_count(self) -> int:
        """How many recordings could still be taken back."""
        return sum(len(removal.recording_ids) for removal in self._pending)

    def add(self, recording_ids: Sequence[str], title: str) -> None:
        """Hide recordings now and remove them later."""
        until_s = time.monotonic() + self._undo_ms / 1000
        removal = Removal(tuple(recording_ids), title, until_s)
        self._pending.append(removal)
        self._set_timer()
        self.hidden.emit(removal.recording_ids)
        self.changed.emit()

    def undo(self) -> None:
        """Take back the latest removal."""
        if not self._pending:
            return
        removal = self._pending.pop()
        self._set_timer()
        self.restored.emit(removal.recording_ids)
        self.changed.emit()

    def finish_latest(self) -> None:
        """Do the latest removal now."""
        self._finish(self._pending[-1:])

    def finish_all(self) -> None:
        """Do every removal now."""
        self._finish(list(self._pending))

    def _on_timeout(self) -> None:
        now_s = time.monotonic()
        self._finish([removal for removal in self._pending if removal.until_s <= now_s])

    def _finish(self, removals: list[Removal]) -> None:
        for removal in removals:
            self._pending.remove(removal)
            self.finished |= set(removal.recording_ids)
            self._remove(removal.recording_ids)
            self.finished_for_good.emit(removal.recording_ids)
        self._set_timer()
        if removals:
            self.changed.emit()

    def _set_timer(self) -> None:
        self._timer.stop()
        if self._pending:
            left_s = min(removal.until_s for removal in self._pending) - time.monotonic()
            self._timer.start(max(1, round(left_s * 1000) + 1))
