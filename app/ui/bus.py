"""Where facts reach the windows: every event becomes a typed signal in the main thread.

`post` may be called from any thread and never waits. Events arrive in the order they were posted;
only partials are thinned out, to 15 a second with the newest winning, and none arrives after the
final that replaces it.
"""

import threading
import time
from collections import deque

from PySide6.QtCore import QObject, Qt, QTimer, Signal, SignalInstance, Slot

from app.core.backup import BackupChanged
from app.core.dictation import StageChanged
from app.core.events import (
    DownloadChanged,
    Event,
    Exported,
    Failed,
    FilesChecked,
    JobChanged,
    JobEnded,
    LibraryChanged,
    ModelChanged,
    ModelsChanged,
    PartialChanged,
    SegmentsFinal,
    TakesRecovered,
)

PARTIALS_PER_S = 15
_TURN_S = 0.01  # how long one delivery may keep the windows from painting


class Bus(QObject):
    """Re-emits events as signals. Lives in the main thread; connect bound methods of objects there.

    A lambda or plain function would run in the thread that posts, so connect none.
    """

    segments_final = Signal(SegmentsFinal)
    stage_changed = Signal(StageChanged)
    partial_changed = Signal(PartialChanged)
    job_changed = Signal(JobChanged)
    job_ended = Signal(JobEnded)
    model_changed = Signal(ModelChanged)
    download_changed = Signal(DownloadChanged)
    models_changed = Signal(ModelsChanged)
    library_changed = Signal(LibraryChanged)
    files_checked = Signal(FilesChecked)
    exported = Signal(Exported)
    takes_recovered = Signal(TakesRecovered)
    backup_changed = Signal(BackupChanged)
    failed = Signal(Failed)

    _came = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self._is_called = False  # whether a delivery is on its way already
        self._is_closed = False
        self._partials: dict[str, PartialChanged] = {}  # newest of each take, not yet shown
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(round(1000 / PARTIALS_PER_S))
        self._pause.timeout.connect(self._show_partials)
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def post(self, event: Event) -> None:
        """Let `event` be told in the main thread. Thread: any. After `close` it is dropped."""
        with self._lock:
            if self._is_closed:
                return
            self._waiting.append(event)
            if self._is_called:
                return
            self._is_called = True
            self._came.emit()

    def close(self) -> None:
        """Tell nothing any more."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
        self._partials.clear()
        self._pause.stop()

    @Slot()
    def _deliver(self) -> None:
        until = time.monotonic() + _TURN_S
        while (event := self._next()) is not None:
            if isinstance(event, PartialChanged):
                self._partials[event.take_id] = event
                if not self._pause.isActive():
                    self._show_partials()
                continue
            if isinstance(event, SegmentsFinal | JobEnded | StageChanged):
                self._flush_partials()
            self._signal_of(event).emit(event)
            if time.monotonic() > until:
                self._came.emit()  # the rest comes after what the windows have to do
                return

    def _next(self) -> Event | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._is_called = False
            return None

    @Slot()
    def _show_partials(self) -> None:
        if self._partials:
            self._flush_partials()
            self._pause.start()

    def _flush_partials(self) -> None:
        partials, self._partials = self._partials, {}
        for partial in partials.values():
            self.partial_changed.emit(partial)

    def _signal_of(self, event: Event) -> SignalInstance:
        signals: dict[type, SignalInstance] = {
            SegmentsFinal: self.segments_final,
            StageChanged: self.stage_changed,
            PartialChanged: self.partial_changed,
            JobChanged: self.job_changed,
            JobEnded: self.job_ended,
            ModelChanged: self.model_changed,
            DownloadChanged: self.download_changed,
            ModelsChanged: self.models_changed,
            LibraryChanged: self.library_changed,
            FilesChecked: self.files_checked,
            Exported: self.exported,
            TakesRecovered: self.takes_recovered,
            BackupChanged: self.backup_changed,
            Failed: self.failed,
        }
        return signals[type(event)]
