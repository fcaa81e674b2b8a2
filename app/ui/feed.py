"""Gathers the bus's events so that the window works through them at most ten times a second."""

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import LibraryChanged, SegmentsFinal
from app.core.transcript import Segment
from app.ui.job_board import JobBoard
from app.ui.ports import Events

_TELL_MS = 100


class Feed(QObject):
    """Library changes and final segments, each gathered over a moment."""

    library_changed = Signal(object)  # frozenset[str]: recordings; empty when anything may have
    segments_final = Signal(str, object, object)  # recording id, list[Segment], language or None

    def __init__(self, events: Events, board: JobBoard, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._ids: set[str] = set()
        self._is_anything = False
        self._has_change = False
        self._segments: dict[str, list[Segment]] = {}
        self._languages: dict[str, str | None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TELL_MS)
        self._timer.timeout.connect(self._tell)
        events.job_changed.connect(board.take)
        events.library_changed.connect(self._on_library_changed)
        events.segments_final.connect(self._on_segments_final)

    def _on_library_changed(self, event: LibraryChanged) -> None:
        if not event.kinds & {"recordings", "segments"}:
            return
        self._has_change = True
        self._is_anything |= not event.ids
        self._ids |= event.ids
        self._start()

    def _on_segments_final(self, event: SegmentsFinal) -> None:
        job = self._board.job(event.job_id)
        if job is None:
            return  # it is over; the library has the text
        self._segments.setdefault(job.recording_id, []).extend(event.segments)
        self._languages[job.recording_id] = event.language
        self._start()

    def _start(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        segments, self._segments = self._segments, {}
        for recording_id, parts in segments.items():
            self.segments_final.emit(recording_id, parts, self._languages.get(recording_id))
        if self._has_change:
            ids = frozenset() if self._is_anything else frozenset(self._ids)
            self._ids, self._is_anything, self._has_change = set(), False, False
            self.library_changed.emit(ids)
