"""The engine loop: many jobs, one model thread, one step at a time.

A job is a generator, a step is one `next()` of it, and cancelling is not taking the next step. The
loop always advances the most urgent job that has something to do, so live work overtakes files
between two steps; it never takes a job's step, or closes it, outside the thread that calls `step`
or `run`. A job that raises ends alone and the loop lives on.

A step yields an `Event` to tell, `None` for "one step done, nothing to tell", or `IDLE` for
"nothing to do right now", which hands the turn to the next job.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.core.errors import AppError, EngineFailed, mark
from app.core.events import Event, JobEnded
from app.core.job import Priority
from app.engine.base import IDLE, Idle

Steps = Iterator[Event | Idle | None]

IDLE_WAIT_S = 0.02  # how soon an idle job is asked again
LOOK_AGAIN_S = 1.0  # so long after a look that failed
PATIENCE_S = 0.5  # how long files and summaries let live work and calls go first

_log = logging.getLogger(__name__)


def _no_look() -> float | None:
    return None


@dataclass(slots=True, eq=False)
class _Entry:
    """One job in the loop. Owner: the loop, under its lock; `steps` belongs to its thread."""

    job_id: str
    priority: Priority
    start: Callable[[], Steps]
    steps: Steps | None = None
    is_paused: bool = False
    is_cancelled: bool = False

    @property
    def is_background(self) -> bool:
        return self.priority >= Priority.FILE


class EngineLoop:
    """Schedules jobs on the one model thread.

    `submit`, `cancel`, `pause`, `resume`, `wake`, `stop` and `busy_for_s` may be called from any
    thread; `step` and `run` belong to the engine thread, on which `emit` is called too.
    """

    def __init__(
        self, emit: Callable[[Event], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._emit = emit
        self._clock = clock
        self._look: Callable[[], float | None] = _no_look
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._entries: list[_Entry] = []  # in the order they came
        self._is_stopping = False
        self._busy_since: float | None = None
        self._background_served_s = clock()

    def look_after(self, look: Callable[[], float | None]) -> None:
        """Call `look` on the engine thread between steps and before sleeping, from now on.

        It returns after how many seconds of sleep it wants to be called again, or `None`.
        """
        self._look = look

    def submit(self, job_id: str, priority: Priority, start: Callable[[], Steps]) -> None:
        """Queue a job; `start` makes its generator and is called on the engine thread.

        After `stop` this does nothing.

        Raises:
            ValueError: a job of that id is here already.
        """
        with self._lock:
            if self._is_stopping:
                return
            if any(entry.job_id == job_id for entry in self._entries):
                raise ValueError(f"job {job_id} is here already")
            self._entries.append(_Entry(job_id, priority, start))
        self._woken.set()

    def cancel(self, job_id: str) -> None:
        """Take no further step of the job; `JobEnded` follows. Unknown and ended jobs are fine."""
        self._change(job_id, lambda entry: setattr(entry, "is_cancelled", True))

    def pause(self, job_id: str) -> None:
        """Take no step of the job until `resume`."""
        self._change(job_id, lambda entry: setattr(entry, "is_paused", True))

    def resume(self, job_id: str) -> None:
        """Let a paused job go on where it stopped."""
        self._change(job_id, lambda entry: setattr(entry, "is_paused", False))

    def wake(self) -> None:
        """Ask idle jobs again at once, because something came for them."""
        self._woken.set()

    def stop(self) -> None:
        """Take no further step of any job.

        The engine thread closes them; no `JobEnded` is told, for they are to go on at next start.
        """
        with self._lock:
            self._is_stopping = True
        self._woken.set()

    def busy_for_s(self) -> float:
        """Return how long the current step has been running; 0 between steps."""
        since = self._busy_since
        return 0.0 if since is None else max(0.0, self._clock() - since)

    def step(self) -> bool:
        """Advance the most urgent job that has something to do; return whether there was one."""
        if self._is_stopping:
            self._close_all()
            return False
        did_end_some = self._end_cancelled()
        for entry in self._in_turn():
            if self._advance(entry):
                return True
        return did_end_some

    def run(self) -> None:
        """Take steps until `stop`, then close what is left. Thread: engine."""
        try:
            while not self._is_stopping:
                self._woken.clear()
                is_busy = self.step()
                again_s = self._looked()
                if not is_busy:
                    self._woken.wait(IDLE_WAIT_S if self._in_turn() else again_s)
        finally:
            self.stop()
            self._close_all()

    def _looked(self) -> float | None:
        try:
            return self._look()
        except Exception:  # noqa: BLE001  # nor must the tidying-up between jobs
            _log.exception("looking after what is loaded failed")
            return LOOK_AGAIN_S

    def _change(self, job_id: str, change: Callable[[_Entry], None]) -> None:
        with self._lock:
            for entry in self._entries:
                if entry.job_id == job_id:
                    change(entry)
        self._woken.set()

    def _in_turn(self) -> list[_Entry]:
        """Return who may go, most urgent first; first come, first served among equals."""
        with self._lock:
            ready = [entry for entry in self._entries if not entry.is_paused]
        ready.sort(key=lambda entry: entry.priority)
        now = self._clock()
        if not any(entry.is_background for entry in ready):
            self._background_served_s = now
        elif now - self._background_served_s >= PATIENCE_S:
            ready.sort(key=lambda entry: not entry.is_background)
        return ready

    def _advance(self, entry: _Entry) -> bool:
        """Take one step of the job; return whether it had something to do."""
        if entry.is_paused or entry.is_cancelled or self._is_stopping:
            return False
        self._busy_since = self._clock()
        try:
            if entry.steps is None:
                entry.steps = entry.start()
            fact = next(entry.steps)
            if fact is IDLE:
                return False
            if fact is not None:
                self._emit(fact)
        except StopIteration:
            self._end(entry)
        except Exception as error:  # noqa: BLE001  # a job must not take the loop with it
            self._end(entry, error)
        finally:
            self._busy_since = None
            if entry.is_background:
                self._background_served_s = self._clock()
        return True

    def _end_cancelled(self) -> bool:
        with self._lock:
            cancelled = [entry for entry in self._entries if entry.is_cancelled]
        for entry in cancelled:
            self._close(entry)
            self._forget(entry)
            self._emit(JobEnded(entry.job_id, was_cancelled=True))
        return bool(cancelled)

    def _end(self, entry: _Entry, error: Exception | None = None) -> None:
        self._close(entry)
        self._forget(entry)
        if error is not None and not isinstance(error, AppError):
            _log.error("job %s failed", entry.job_id, exc_info=error)
            error = EngineFailed(
                mark("The speech engine failed in the middle of this job."),
                mark("Try again. If it fails once more, choose another model."),
            )
        if error is not None and entry.is_cancelled:
            self._emit(JobEnded(entry.job_id, was_cancelled=True))
        else:
            self._emit(JobEnded(entry.job_id, error))

    def _forget(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.remove(entry)

    def _close(self, entry: _Entry) -> None:
        close = getattr(entry.steps, "close", None)
        try:
            if close is not None:
                close()
        except Exception:  # noqa: BLE001  # nor must its own tidying-up
            _log.exception("job %s failed while it was closed", entry.job_id)

    def _close_all(self) -> None:
        with self._lock:
            entries, self._entries = self._entries, []
        for entry in entries:
            self._close(entry)
