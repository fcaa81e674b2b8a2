"""A listen-only event tap: the only way to see a modifier key that is pressed alone.

The tap lives on a run loop and thread of its own and its callback does nothing but put what it saw
into a queue: a slow callback makes the system switch the tap off. When that happens all the same it
is switched on again, and what is really held is reported, since a release may have been missed.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from app.core.errors import PermissionMissing, mark

_START_S = 3.0
_CHECK_S = 1.0

# kVK_… of HIToolbox/Events.h and NX_DEVICE…KEYMASK of IOKit/hidsystem/IOLLEvent.h
MODIFIER_CODES = {
    54: "right_cmd",
    55: "left_cmd",
    56: "left_shift",
    58: "left_alt",
    59: "left_ctrl",
    60: "right_shift",
    61: "right_alt",
    62: "right_ctrl",
    63: "fn",
}
_DEVICE_BITS = {
    "left_ctrl": 0x0001,
    "left_shift": 0x0002,
    "right_shift": 0x0004,
    "left_cmd": 0x0008,
    "right_cmd": 0x0010,
    "left_alt": 0x0020,
    "right_alt": 0x0040,
    "right_ctrl": 0x2000,
    "fn": 0x800000,
}


class Sight(Enum):
    """What the tap saw."""

    MODIFIER_DOWN = auto()
    MODIFIER_UP = auto()
    OTHER_KEY = auto()
    HELD = auto()


@dataclass(frozen=True, slots=True)
class TapEvent:
    """One thing seen; `keys` is the modifier, or for `HELD` all that are down."""

    sight: Sight
    keys: frozenset[str]
    at_s: float


def read_modifier(keycode: int, flags: int) -> tuple[str, bool] | None:
    """Return which modifier a flags-changed event is about and whether it is down now."""
    key = MODIFIER_CODES.get(keycode)
    return None if key is None else (key, bool(flags & _DEVICE_BITS[key]))


class EventTap:
    """The tap and its thread; `put` gets each `TapEvent` and must only enqueue."""

    def __init__(self, put: Callable[[TapEvent], None]) -> None:
        self._put = put
        self._tap: Any = None
        self._loop: Any = None
        self._stopped = threading.Event()
        self._started = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen.

        Raises:
            PermissionMissing: the system refuses the tap.
        """
        if self._thread is not None:
            return
        self._stopped.clear()
        self._started.clear()
        self._thread = threading.Thread(target=self._run, name="event-tap")
        self._thread.start()
        self._started.wait(_START_S)
        if self._tap is None:
            self.stop()
            raise input_monitoring_missing()

    def stop(self) -> None:
        """End the tap and its thread."""
        if self._thread is None:
            return
        import Quartz

        self._stopped.set()
        if self._loop is not None:
            Quartz.CFRunLoopStop(self._loop)
        self._thread.join()
        self._thread = self._loop = None

    @property
    def is_on(self) -> bool:
        import Quartz

        return self._tap is not None and bool(Quartz.CGEventTapIsEnabled(self._tap))

    def _run(self) -> None:
        import Quartz

        mask = 1 << Quartz.kCGEventFlagsChanged | 1 << Quartz.kCGEventKeyDown
        tap = Quartz.CGEventTapCreate(
            Quartz.kCGSessionEventTap,
            Quartz.kCGTailAppendEventTap,
            Quartz.kCGEventTapOptionListenOnly,
            mask,
            self._on_event,
            None,
        )
        if tap is None:
            self._started.set()
            return
        source = Quartz.CFMachPortCreateRunLoopSource(None, tap, 0)
        loop = Quartz.CFRunLoopGetCurrent()
        Quartz.CFRunLoopAddSource(loop, source, Quartz.kCFRunLoopDefaultMode)
        Quartz.CGEventTapEnable(tap, True)
        self._tap, self._loop = tap, loop
        self._started.set()
        while not self._stopped.is_set():
            self._run_once()
            if not Quartz.CGEventTapIsEnabled(tap):
                self._switch_on_again()
        self._tap = None
        Quartz.CGEventTapEnable(tap, False)
        Quartz.CFRunLoopRemoveSource(loop, source, Quartz.kCFRunLoopDefaultMode)
        Quartz.CFMachPortInvalidate(tap)

    def _run_once(self) -> None:
        import objc
        import Quartz

        with objc.autorelease_pool():
            Quartz.CFRunLoopRunInMode(Quartz.kCFRunLoopDefaultMode, _CHECK_S, False)

    def _on_event(self, _proxy: object, kind: int, event: object, _data: object) -> object:
        import Quartz

        if kind in (Quartz.kCGEventTapDisabledByTimeout, Quartz.kCGEventTapDisabledByUserInput):
            self._switch_on_again()
            return event
        now = time.monotonic()
        if kind == Quartz.kCGEventKeyDown:
            self._put(TapEvent(Sight.OTHER_KEY, frozenset(), now))
        elif kind == Quartz.kCGEventFlagsChanged:
            code = Quartz.CGEventGetIntegerValueField(event, Quartz.kCGKeyboardEventKeycode)
            change = read_modifier(code, Quartz.CGEventGetFlags(event))
            if change is not None:
                key, is_down = change
                sight = Sight.MODIFIER_DOWN if is_down else Sight.MODIFIER_UP
                self._put(TapEvent(sight, frozenset({key}), now))
        return event

    def _switch_on_again(self) -> None:
        import Quartz

        if self._tap is None:
            return
        Quartz.CGEventTapEnable(self._tap, True)
        state = Quartz.kCGEventSourceStateCombinedSessionState
        held = [k for c, k in MODIFIER_CODES.items() if Quartz.CGEventSourceKeyState(state, c)]
        self._put(TapEvent(Sight.HELD, frozenset(held), time.monotonic()))


def input_monitoring_missing() -> PermissionMissing:
    """Return the error for a system that shows Undertone no keys."""
    return PermissionMissing(
        mark("macOS does not let Undertone notice this hotkey."),
        mark("Allow Undertone under Privacy & Security → Input Monitoring, or use a key chord."),
    )
