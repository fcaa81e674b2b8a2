"""Questions to the library that the window does not wait for.

One thread answers them, one after the other. Of those with the same key only the newest counts:
an older one that waits is forgotten, one that is being read is broken off, and what came of it is
dropped. Answers arrive in the main thread.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal
from shiboken6 import isValid

from app.core.errors import AppError


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    key: str
    ask: Callable[[], Any]
    use: Callable[[Any], object]


class Desk(QObject):
    """Asks on a thread of its own. Thread: main.

    Args:
        interrupt: breaks off what a thread is reading.
    """

    failed = Signal(object)  # AppError
    _came = Signal(object, object, object)  # question, answer, error

    def __init__(
        self, interrupt: Callable[[threading.Thread], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._interrupt = interrupt
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, _Question] = OrderedDict()
        self._asking: _Question | None = None
        self._newest: dict[str, _Question] = {}  # of each key, until it is answered; main thread
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._came.connect(self._on_came)

    def ask(self, key: str, question: Callable[[], Any], answer: Callable[[Any], object]) -> None:
        """Answer `question` elsewhere and hand what it returns to `answer`, here.

        Whatever was asked with the same `key` and is not answered yet is forgotten.
        """
        if self._is_closed:
            return
        asked = _Question(key, question, answer)
        self._newest[key] = asked
        with self._changed:
            self._waiting.pop(key, None)
            self._waiting[key] = asked
            if self._asking is not None and self._asking.key == key and self._thread is not None:
                self._interrupt(self._thread)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="library-desk")
            self._thread.start()

    def settle(self, patience_s: float) -> bool:
        """Wait until everything is answered, and hand the answers over; whether it was in time."""
        deadline = time.monotonic() + patience_s
        while self._newest:
            with self._changed:
                is_done = self._changed.wait_for(
                    lambda: not self._waiting and self._asking is None,
                    max(0.0, deadline - time.monotonic()),
                )
            QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall.value)
            if not is_done:
                return False
        return True

    def close(self) -> None:
        """Break off what is being read, forget the rest and end the thread."""
        self._is_closed = True
        self._newest.clear()
        with self._changed:
            self._waiting.clear()
            if self._asking is not None and self._thread is not None:
                self._interrupt(self._thread)
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (question := self._next()) is not None:
            answer: Any = None
            error: BaseException | None = None
            try:
                answer = question.ask()
            except Exception as caught:  # noqa: BLE001  # raised again in the main thread
                error = caught
            with contextlib.suppress(RuntimeError):  # the window is gone
                self._came.emit(question, answer, error)
            with self._changed:
                self._asking = None
                self._changed.notify_all()

    def _next(self) -> _Question | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if self._is_closed:
                return None
            _key, self._asking = self._waiting.popitem(last=False)
            return self._asking

    def _on_came(self, question: _Question, answer: Any, error: Exception | None) -> None:
        if self._newest.get(question.key) is not question:
            return  # something newer was asked meanwhile
        del self._newest[question.key]
        owner = getattr(question.use, "__self__", None)
        if isinstance(owner, QObject) and not isValid(owner):
            return  # who wanted to know is gone
        if error is None:
            question.use(answer)
        elif isinstance(error, AppError):
            self.failed.emit(error)
        else:
            raise error
