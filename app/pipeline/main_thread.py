"""How other threads hand a call to the main thread, and how it does something later.

The stage machine belongs to the main thread alone, so it needs no lock: whatever happens elsewhere
is posted here as a call. The app posts through Qt; the command line and the tests have `MainQueue`.
"""

import heapq
import itertools
import queue
import time
from collections.abc import Callable
from typing import Protocol

Call = Callable[[], None]
_LOOK_S = 0.02  # how often `run_until` asks whether it is done when nobody calls


class MainThread(Protocol):
    """The main thread's queue of calls."""

    def post(self, call: Call) -> None:
        """Run `call` in the main thread, soon, in the order of posting. Thread: any."""

    def after(self, delay_s: float, call: Call) -> None:
        """Run `call` in the main thread after `delay_s`. Thread: main."""


class MainQueue:
    """A main thread without Qt: whoever owns it calls `run_until`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Call]] = []
        self._number = itertools.count()

    def post(self, call: Call) -> None:
        """Run `call` in the main thread, soon. Thread: any."""
        self._calls.put(call)

    def after(self, delay_s: float, call: Call) -> None:
        """Run `call` in the main thread after `delay_s`. Thread: main."""
        heapq.heappush(self._timers, (self._clock() + delay_s, next(self._number), call))

    def run_until(self, is_done: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Run calls as they come until `is_done`; `False` when that took longer than allowed."""
        deadline = None if timeout_s is None else self._clock() + timeout_s
        while not is_done():
            now = self._clock()
            if deadline is not None and now >= deadline:
                return False
            times = [now + _LOOK_S, *(timer[0] for timer in self._timers[:1])]
            until = min(times if deadline is None else [*times, deadline])
            self.run_once(max(until - now, 0.0))
        return True

    def run_once(self, wait_s: float = 0.0) -> bool:
        """Run what is due; wait up to `wait_s` for a call; return whether there was anything."""
        did = self._run_timers()
        while True:
            try:
                wait = 0.0 if did else wait_s
                call = self._calls.get(timeout=wait) if wait > 0 else self._calls.get_nowait()
            except queue.Empty:
                return self._run_timers() or did
            call()
            did = True

    def _run_timers(self) -> bool:
        did = False
        while self._timers and self._timers[0][0] <= self._clock():
            heapq.heappop(self._timers)[2]()
            did = True
        return did
