"""The main thread's queue of calls, by Qt: what other threads hand over runs between two events."""

import threading
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

Call = Callable[[], None]


class QtMainThread(QObject):
    """Implements `pipeline.main_thread.MainThread`. Lives in the main thread."""

    _came = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()
        self._is_closed = False
        self._came.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Call) -> None:
        """Run `call` in the main thread, soon. Thread: any. After `close` it is dropped."""
        with self._lock:
            if self._is_closed:
                return
            self._calls.append(call)
            if len(self._calls) == 1:
                self._came.emit()

    def after(self, delay_s: float, call: Call) -> None:
        """Run `call` in the main thread after `delay_s`. Thread: main."""
        if not self._is_closed:
            QTimer.singleShot(round(delay_s * 1000), self, call)

    def close(self) -> None:
        """Run nothing any more."""
        with self._lock:
            self._is_closed = True
            self._calls.clear()

    @Slot()
    def _run(self) -> None:
        """Run what was there when this began; what comes meanwhile has a turn of its own."""
        with self._lock:
            calls, self._calls = self._calls, deque()
        try:
            while calls:
                calls.popleft()()
        finally:
            if calls:  # one of them raised, which is a bug; the others still run
                with self._lock:
                    self._calls.extendleft(reversed(calls))
                self._came.emit()
