"""Work that is done elsewhere, tells how far it is, and can be stopped."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from app.core.errors import AppError, mark

_log = logging.getLogger(__name__)

Progress = Callable[[float], None]
IsStopped = Callable[[], bool]
Work = Callable[[Progress, IsStopped], Any]
Submit = Callable[[Callable[[], Any]], "Future[Any]"]


class Errand(QObject):
    """One errand at a time; a later one supersedes the one before. Thread: main."""

    progressed = Signal(float)
    done = Signal(object)
    failed = Signal(object)  # AppError
    _came = Signal(int, object, object)
    _moved = Signal(int, float)

    def __init__(self, submit: Submit, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._submit = submit
        self._number = 0
        self._stop = threading.Event()
        self.is_running = False
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)
        self._moved.connect(self._on_moved, Qt.ConnectionType.QueuedConnection)

    def begin(self, work: Work) -> None:
        """Have `work` done on another thread."""
        self.stop()
        self._number += 1
        self._stop = threading.Event()
        self.is_running = True
        number, is_stopped = self._number, self._stop.is_set

        def tell(fraction: float) -> None:
            self._tell(self._moved, number, fraction)

        def finish(future: "Future[Any]") -> None:
            if future.cancelled():
                return
            error = future.exception()
            self._tell(self._came, number, None if error else future.result(), error)

        self._submit(lambda: work(tell, is_stopped)).add_done_callback(finish)

    def stop(self) -> None:
        """Ask what runs to stop; it still tells how it ended."""
        self._stop.set()

    def _tell(self, signal: Any, *values: object) -> None:
        """Bring something to the main thread. Thread: the work's."""
        try:
            signal.emit(*values)
        except RuntimeError:
            _log.info("an errand ended after its window")  # which is gone; nobody asks any more

    def _on_moved(self, number: int, fraction: float) -> None:
        if number == self._number:
            self.progressed.emit(fraction)

    def _on_came(self, number: int, result: object, error: BaseException | None) -> None:
        if number != self._number:
            return
        self.is_running = False
        if error is None:
            self.done.emit(result)
        elif isinstance(error, AppError):
            self.failed.emit(error)
        else:
            _log.error("an errand failed", exc_info=error)
            self.failed.emit(_unexpected(error))


def _unexpected(error: BaseException) -> AppError:
    return AppError(
        mark("Something unexpected went wrong ({kind})."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )
