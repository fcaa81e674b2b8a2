"""One X11 connection with the thread that owns it.

Only that thread touches the connection: others hand it functions and, if they want, wait for the
answer. It sleeps until the server, a caller or a due timer wakes it.
"""

import contextlib
import heapq
import itertools
import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from Xlib.display import Display

_T = TypeVar("_T")
_ANSWER_S = 5.0
KEYSYM_NAMES = {
    "space": "space",
    "return": "Return",
    "tab": "Tab",
    "escape": "Escape",
    "backspace": "BackSpace",
    "delete": "Delete",
    "left": "Left",
    "right": "Right",
    "up": "Up",
    "down": "Down",
    "home": "Home",
    "end": "End",
    "page_up": "Page_Up",
    "page_down": "Page_Down",
    "left_ctrl": "Control_L",
    "right_ctrl": "Control_R",
    "left_alt": "Alt_L",
    "right_alt": "Alt_R",
    "left_shift": "Shift_L",
    "right_shift": "Shift_R",
    "left_cmd": "Super_L",
    "right_cmd": "Super_R",
}
_PUNCTUATION = {
    "`": "grave",
    "-": "minus",
    "=": "equal",
    "[": "bracketleft",
    "]": "bracketright",
    "\\": "backslash",
    ";": "semicolon",
    "'": "apostrophe",
    ",": "comma",
    ".": "period",
    "/": "slash",
}


def has_display() -> bool:
    """Return whether an X11 server is named and answers."""
    if not os.environ.get("DISPLAY"):
        return False
    try:
        open_display().close()
    except OSError:
        return False
    return True


def open_display() -> "Display":
    """Return a new connection to the X11 server.

    Raises:
        OSError: there is no server, or it refuses.
    """
    from Xlib import error
    from Xlib.display import Display

    try:
        return Display()
    except (error.DisplayError, error.XError, OSError) as problem:
        raise OSError(f"no X11 server: {problem}") from problem


def keycode_of(display: "Display", key: str) -> int:
    """Return the key code that gives `key` on the present layout, 0 when no key does."""
    from Xlib import XK

    name = KEYSYM_NAMES.get(key) or _PUNCTUATION.get(key) or key
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        name = key.upper()
    keysym = XK.string_to_keysym(name)
    return int(display.keysym_to_keycode(keysym)) if keysym else 0


def text_property(window: Any, name: str) -> str:
    """Return a window's text property, "" when it has none or is gone."""
    from Xlib import X, error

    try:
        atom = window.display.get_atom(name)
        answer = window.get_full_property(atom, X.AnyPropertyType)
    except error.XError:
        return ""
    if answer is None:
        return ""
    value = answer.value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class X11Worker:
    """The thread that owns one connection; `on_event` gets each event there."""

    def __init__(self, name: str, on_event: Callable[[Any], None]) -> None:
        self.display = open_display()
        self._on_event = on_event
        self._calls: list[Callable[[], None]] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._wake_out, self._wake_in = os.pipe()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    def call(self, function: Callable[[], _T]) -> _T:
        """Run `function` in the owning thread and return what it returns."""
        if threading.current_thread() is self._thread:
            return function()
        answer: Future[_T] = Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except Exception as problem:  # noqa: BLE001  # the caller waits for it
                answer.set_exception(problem)

        self.post(run)
        return answer.result(_ANSWER_S)

    def post(self, function: Callable[[], None]) -> None:
        """Run `function` in the owning thread, some time soon."""
        with self._lock:
            if not self._is_open:
                raise OSError("the X11 connection is closed")
            self._calls.append(function)
            os.write(self._wake_in, b"x")

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        """Run `function` in the owning thread once `delay_s` has passed. Thread: the owning one."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), function))

    def close(self) -> None:
        """End the thread and the connection."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.write(self._wake_in, b"x")
        self._thread.join()
        if self._wake_in >= 0:
            os.close(self._wake_in)
            os.close(self._wake_out)
            self._wake_in = self._wake_out = -1

    def _run(self) -> None:
        from Xlib import error

        try:
            while self._is_open:
                self._wait()
                with self._lock:
                    calls, self._calls = self._calls, []
                for function in calls:
                    function()
                self._run_due_timers()
                while self._is_open and self.display.pending_events():
                    self._on_event(self.display.next_event())
                self.display.flush()
        except error.ConnectionClosedError:
            pass  # the server is gone; callers learn it from `post`
        finally:
            with self._lock:
                self._is_open = False
            with contextlib.suppress(error.ConnectionClosedError, OSError):
                self.display.close()

    def _wait(self) -> None:
        if self.display.pending_events():
            return
        timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        readable, _, _ = select.select([self.display, self._wake_out], [], [], timeout)
        if self._wake_out in readable:
            os.read(self._wake_out, 4096)

    def _run_due_timers(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, function = heapq.heappop(self._timers)
            function()
