"""The edits of one open transcript: one undo stack, and each change saved at once.

The segments here are the truth while the transcript is open; the library follows with every splice,
in order. What could not be saved is kept and tried again as a whole, also when another transcript
has been opened meanwhile.
"""

import contextlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.edit import Edit, History, Splice
from app.core.errors import AppError
from app.core.transcript import Segment
from app.ui.ports import Organiser

_TYPING_MS = 250  # letters of one segment are saved together
_AGAIN_MS = 5_000


@dataclass(slots=True)
class _Left:
    """A transcript that was left before all of it was saved."""

    segments: tuple[Segment, ...]
    saving: "Future[bool] | None"  # under way; without one it is to be tried again


class EditSession(QObject):
    """Owns the segments of the open transcript. Thread: main."""

    spliced = Signal(object)  # Splice, after it was applied
    changed = Signal()  # what undo and redo would do, or whether all is saved
    failed = Signal(object)  # AppError
    _saved = Signal(object)  # recording id and a finished future

    def __init__(self, organiser: Organiser | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._organiser = organiser
        self._recording_id = ""
        self._history = History()
        self._waiting: deque[Splice] = deque()  # not handed to the library yet
        self._saving: Future[bool] | None = None
        self._is_behind = False  # a save failed; the next one replaces everything
        self._left: dict[str, _Left] = {}  # by recording id
        self.again_ms = _AGAIN_MS
        self._saved.connect(self._on_saved)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._save_left)

    @property
    def segments(self) -> Sequence[Segment]:
        return self._history.segments

    @property
    def recording_id(self) -> str:
        return self._recording_id

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    @property
    def has_edits(self) -> bool:
        """Whether the library follows this session rather than the other way round."""
        return self.can_undo or self.can_redo or not self.is_saved

    @property
    def is_saved(self) -> bool:
        return not (self._waiting or self._saving is not None or self._is_behind)

    def open(self, recording_id: str, segments: Sequence[Segment]) -> None:
        """Begin with the segments as the library has them, or as they were left unsaved."""
        self._save_all()
        if self._saving is not None:  # who knows whether it will be
            self._left[self._recording_id] = _Left(tuple(self.segments), self._saving)
            self._saving = None
        left = self._left.pop(recording_id, None)
        self._recording_id = recording_id
        self._history = History(segments if left is None else left.segments, self._on_splice)
        if left is not None:
            self._is_behind = True
            self._timer.start(_TYPING_MS)
        self.changed.emit()

    def append(self, segments: Sequence[Segment]) -> None:
        """Take over segments that the engine finished and that are in the library already."""
        self._save_all()
        self._history = History([*self.segments, *segments], self._on_splice)
        self.changed.emit()

    def do(self, edit: Edit | None) -> bool:
        """Apply an edit; return whether there was one."""
        if edit is None or self._organiser is None or not self._history.do(edit):
            return False
        if edit.kind != "type":
            self.flush()
        self.changed.emit()
        return True

    def end_run(self) -> None:
        """Let what is typed next be a step of its own."""
        self._history.end_run()

    def undo(self) -> tuple[Edit, ...]:
        edits = self._history.undo()
        self.flush()
        self.changed.emit()
        return edits

    def redo(self) -> tuple[Edit, ...]:
        edits = self._history.redo()
        self.flush()
        self.changed.emit()
        return edits

    def flush(self) -> None:
        """Hand what was typed to the library now."""
        self._timer.stop()
        self._write_next()

    def finish(self) -> None:
        """Hand everything that is not saved to the library, in one piece, before leaving."""
        self._save_all()
        self._save_left()

    # Inside

    def _save_all(self) -> None:
        self._timer.stop()
        if self._waiting or self._is_behind:
            self._waiting.clear()
            self._is_behind = False
            self._write(0, None, tuple(self.segments))

    def _save_left(self) -> None:
        """Try again to save what was left."""
        for key, left in list(self._left.items()):
            if left.saving is None and self._organiser is not None:
                left.saving = self._organiser.splice_segments(key, 0, None, left.segments)
                self._follow(key, left.saving)

    def _on_splice(self, splice: Splice) -> None:
        last = self._waiting[-1] if self._waiting else None
        is_typing = len(splice.old) == len(splice.new) == 1
        if (
            last is not None
            and is_typing
            and splice.first == last.first
            and len(last.old) == len(last.new) == 1
        ):
            self._waiting[-1] = Splice(splice.first, last.old, splice.new)
        elif not self._is_behind:
            self._waiting.append(splice)
        self._timer.start(_TYPING_MS)
        self.spliced.emit(splice)

    def _write_next(self) -> None:
        """Save the next change once the one before is on the disk."""
        if self._saving is not None:
            return
        if self._is_behind:
            self._is_behind = False
            self._waiting.clear()
            self._write(0, None, tuple(self.segments))
        elif self._waiting:
            splice = self._waiting.popleft()
            self._write(splice.first, len(splice.old), splice.new)

    def _write(self, first: int, removed: int | None, segments: tuple[Segment, ...]) -> None:
        if self._organiser is None:
            return
        key = self._recording_id
        self._saving = self._organiser.splice_segments(key, first, removed, segments)
        self._follow(key, self._saving)

    def _follow(self, key: str, future: "Future[bool]") -> None:
        future.add_done_callback(lambda done: self._tell(key, done))

    def _tell(self, key: str, future: "Future[bool]") -> None:
        """Bring the answer to the main thread. Thread: writer."""
        with contextlib.suppress(RuntimeError):  # the window is gone; the text is saved
            self._saved.emit((key, future))

    def _on_saved(self, answer: "tuple[str, Future[bool]]") -> None:
        key, future = answer
        error = future.exception()
        left = self._left.get(key)
        if future is self._saving:
            self._saving = None
            if error is None:
                self._write_next()
            else:
                self._is_behind = True
                self._waiting.clear()
                self._timer.start(self.again_ms)
        elif left is not None and left.saving is future and error is None:
            del self._left[key]
        elif left is not None and left.saving is future:
            left.saving = None
            self._again.start(self.again_ms)
        if isinstance(error, AppError):
            self.failed.emit(error)
        elif error is not None:
            raise error
        self.changed.emit()
