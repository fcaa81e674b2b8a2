"""Removals that can still be undone.

What a person removes is hidden at once and removed for good when its time is over, or when the
window closes. Undo takes back the latest first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

UNDO_MS = 10_000


@dataclass(frozen=True, slots=True)
class Removal:
    """Recordings removed together."""

    recording_ids: tuple[str, ...]
    title: str


class Removals(QObject):
    """Keeps removals until they are undone or done; `remove` does them."""

    hidden = Signal(object)  # tuple[str, ...]
    restored = Signal(object)  # tuple[str, ...]
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
        self._pending: list[tuple[Removal, QTimer]] = []

    @property
    def latest(self) -> Removal | None:
        """What undo would take back."""
        return self._pending[-1][0] if self._pending else None

    @property
    def pending_count(self) -> int:
        """How many recordings could still be taken back."""
        return sum(len(removal.recording_ids) for removal, _timer in self._pending)

    def add(self, recording_ids: Sequence[str], title: str) -> None:
        """Hide recordings now and remove them later."""
        removal = Removal(tuple(recording_ids), title)
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._finish(removal))
        timer.start(self._undo_ms)
        self._pending.append((removal, timer))
        self.hidden.emit(removal.recording_ids)
        self.changed.emit()

    def undo(self) -> None:
        """Take back the latest removal."""
        if not self._pending:
            return
        removal, timer = self._pending.pop()
        timer.stop()
        timer.deleteLater()
        self.restored.emit(removal.recording_ids)
        self.changed.emit()

    def finish_latest(self) -> None:
        """Do the latest removal now."""
        if self._pending:
            self._finish(self._pending[-1][0])

    def finish_all(self) -> None:
        """Do every removal now."""
        for removal, _timer in list(self._pending):
            self._finish(removal)

    def _finish(self, removal: Removal) -> None:
        for entry in self._pending:
            if entry[0] is removal:
                self._pending.remove(entry)
                entry[1].stop()
                entry[1].deleteLater()
                break
        self.finished |= set(removal.recording_ids)
        self._remove(removal.recording_ids)
        self.changed.emit()
