"""The thread that carries sound from the ring to the journal, and the one that syncs it.

The journal thread waits for nothing but the disk; making the disk safe against a power cut happens
beside it, so that a slow sync delays no sample. What was asked for takes its place behind all sound
that was in the ring at that moment. Whatever fails is told: a take never seems to record.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from app.audio.frames import Kind
from app.audio.journal import Clock, JournalWriter, SectionFormat
from app.audio.ring import Ring, RingReader
from app.core.errors import AppError, AudioError, mark

_log = logging.getLogger(__name__)

PERIOD_S = 0.08
SYNC_PERIOD_S = 0.3
_FRAME_S = 1.0  # sound of one frame at most


class JournalThread:
    """Writes one take. Owner of its `JournalWriter`; the methods may be called from any thread."""

    def __init__(
        self,
        writer: JournalWriter,
        *,
        clock: Clock = time.monotonic_ns,
        period_s: float = PERIOD_S,
        sync_period_s: float = SYNC_PERIOD_S,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._period_s = period_s
        self._sync_period_s = sync_period_s
        self._asked: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._reader: RingReader | None = None
        self._sound: SectionFormat | None = None
        self._gap_reason = ""
        self._last_sound_ns = 0
        self._failure: AppError | None = None
        self._threads = (
            threading.Thread(target=self._run, name="journal"),
            threading.Thread(target=self._keep_synced, name="journal-sync"),
        )

    @property
    def failure(self) -> AppError | None:
        """Why the journal could not be written any further."""
        return self._failure

    @property
    def used_ballast(self) -> bool:
        """Whether the disk is full and the take lives on the ballast's room: close it now."""
        return self._writer.used_ballast

    @property
    def duration_s(self) -> float:
        """Length of the take on disk, gaps included."""
        return self._writer.duration_s

    def start(self) -> None:
        """Begin; `finish` must follow."""
        for thread in self._threads:
            thread.start()

    def attach(self, ring: Ring, sound: SectionFormat, *, gap_reason: str = "") -> None:
        """Take the sound from `ring` from now on; the ring before it is emptied first.

        With `gap_reason` the time between the last old and the first new sample is a gap.
        """

        def switch() -> None:
            self._writer.begin_section(sound)
            self._sound = sound
            self._reader = RingReader(ring, start=0)
            self._gap_reason = gap_reason if self._last_sound_ns else ""

        self._ask(switch)

    def detach(self) -> None:
        """Stop taking sound, after all that is in the ring."""

        def let_go() -> None:
            self._reader = None

        self._ask(let_go)

    def gap(self, missing_samples: int, reason: str) -> None:
        """Mark missing sound behind what is in the ring now."""
        self._ask(lambda: self._writer.gap(missing_samples, reason))

    def marker(self, kind: Kind, **details: object) -> None:
        """Append a marker behind what is in the ring now."""
        self._ask(lambda: self._writer.marker(kind, **details))

    def finish(self, reason: str) -> AppError | None:
        """Empty the ring, close the journal, sync it; return what failed, if anything did.

        What is on disk stays there whatever failed.
        """
        self._ask(lambda: None)
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        for last in (self._step, lambda: self._writer.end(reason), self._writer.sync):
            self._attempt(last)
        self._writer.close()
        return self._failure

    def _ask(self, command: Callable[[], None]) -> None:
        self._asked.append(command)
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._period_s)
            self._wake.clear()
            if self._failure is not None:
                continue  # `finish` tries once more; until then the ring holds what it can
            self._attempt(self._step)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except AppError as error:
            self._failure = self._failure or error
        except Exception as error:  # noqa: BLE001  # else the take goes on, and no sound to disk
            _log.exception("the journal failed")
            self._failure = self._failure or AudioError(
                mark("The recording could not go on; all of it up to here is kept."),
                mark("Start a new recording."),
                reason=str(error),
            )

    def _step(self) -> None:
        while self._asked:
            self._drain()
            self._asked.popleft()()
        self._drain()

    def _drain(self) -> None:
        """Write all that is in the ring."""
        if self._reader is None or self._sound is None:
            return
        limit = int(_FRAME_S * self._sound.rate_hz)
        while self._reader.waiting:
            chunk = self._reader.read(limit)
            if chunk.lost:
                self._writer.gap(chunk.lost, "overrun")
            if not len(chunk.samples):
                return
            now = self._clock()
            if self._gap_reason:
                self._mark_gap_before(now, len(chunk.samples) + self._reader.waiting)
            self._writer.audio(chunk.samples)
            self._last_sound_ns = now

    def _mark_gap_before(self, now_ns: int, samples: int) -> None:
        assert self._sound is not None
        elapsed = (now_ns - self._last_sound_ns) * self._sound.rate_hz / 1e9
        missing = round(elapsed) - samples
        if missing > 0:
            self._writer.gap(missing, self._gap_reason)
        self._gap_reason = ""

    def _keep_synced(self) -> None:
        while self._failure is None and not self._stop.wait(self._sync_period_s):
            if self._writer.written_bytes > self._writer.synced_bytes:
                self._attempt(self._writer.sync)
