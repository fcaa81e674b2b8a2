"""Does the stream still deliver, and as much as the clock says?

No flag of the sound system is trusted: only samples counted against the monotonic clock. Nothing
here waits: the caller brings the time.
"""

from dataclasses import dataclass

import numpy as np

from app.audio.capture_events import (
    GapFound,
    MicrophoneReady,
    SoundReturned,
    SoundSilent,
    TakeEvent,
)
from app.audio.journal import Clock
from app.audio.journal_thread import PERIOD_S
from app.audio.measure import Meter
from app.audio.microphone import CLOSE_S, MicrophoneStream
from app.audio.ring import RingReader, Samples

GAP_S = 0.2
CONFIRM_S = 2.0  # a late burst fills a hole within this time; a real gap stays
_CONFIRM_SIGHTINGS = 10
_DRIFT_S = 5.0  # how often the baseline follows the device's own clock


@dataclass(frozen=True, slots=True)
class Limits:
    """When something counts as wrong, in seconds of `clock` unless said otherwise.

    Attributes:
        tick_s: how often the stream is looked at (real time).
        drain_s: how often the ring is emptied to disk (real time).
        gap_s: fewer samples than the clock says, by this much and for good, are a gap.
        heartbeat_s: no block for so long: the stream is dead.
        first_block_s: an opened device must deliver within this time.
        first_block_bluetooth_s: likewise, for a headset that has to change its mode.
        ready_without_sound_s: a wired device that gives only zeros counts as ready after this.
        silent_s: zeros for so long are told.
        offer_s: zeros for so long: another microphone is offered.
        give_up_s: for so long a new microphone is looked for when one was lost.
        wake_s: for so long one is looked for after the machine slept; the list fills slowly then.
        flapping_s: a device lost twice within this time is tried only where no other one works.
        post_roll_s: how long after `stop` sound is still taken (real time).
        close_s: how long a device may take to close (real time).
        low_space_bytes: less free disk is told.
    """

    tick_s: float = 0.05
    drain_s: float = PERIOD_S
    gap_s: float = GAP_S
    heartbeat_s: float = 1.0
    first_block_s: float = 1.5
    first_block_bluetooth_s: float = 4.0
    ready_without_sound_s: float = 0.5
    silent_s: float = 1.5
    offer_s: float = 10.0
    give_up_s: float = 4.0
    wake_s: float = 15.0
    flapping_s: float = 15.0
    post_roll_s: float = 0.15
    close_s: float = CLOSE_S
    low_space_bytes: int = 500 * 1024 * 1024


class SampleClock:
    """Watches one stream's sample count. Owner: the capture thread.

    The *lag* is the clock's time minus the time the samples make up. Jitter only ever raises it, so
    its minimum over a while is the truth: it stays put on a healthy stream and jumps up for good
    when samples are lost.
    """

    def __init__(self, rate_hz: int, now_ns: int, gap_s: float = GAP_S) -> None:
        self._rate_hz = rate_hz
        self._gap_s = gap_s
        self._written = 0
        self._last_ns = now_ns
        self._baseline: float | None = None
        self._high_since: float | None = None  # from when on every lag was a gap's
        self._high_lowest = 0.0
        self._high_sightings = 0
        self._window_since = 0.0
        self._window_lowest = float("inf")

    def stalled_s(self, now_ns: int) -> float:
        """For how long nothing has come."""
        return (now_ns - self._last_ns) / 1e9

    def observe(self, now_ns: int, written: int) -> int:
        """Take in the count of samples; return how many are now known to be missing."""
        if written == self._written:
            return 0
        self._written, self._last_ns = written, now_ns
        now_s = now_ns / 1e9
        lag = now_s - written / self._rate_hz
        if self._baseline is None or lag < self._baseline:
            self._baseline = lag
        self._follow_drift(now_s, lag)
        return self._missing(now_s, lag)

    def _missing(self, now_s: float, lag: float) -> int:
        assert self._baseline is not None
        if lag - self._baseline <= self._gap_s:
            self._high_since = None
            return 0
        if self._high_since is None:
            self._high_since, self._high_lowest, self._high_sightings = now_s, lag, 0
        self._high_lowest = min(self._high_lowest, lag)
        self._high_sightings += 1
        if now_s - self._high_since < CONFIRM_S or self._high_sightings < _CONFIRM_SIGHTINGS:
            return 0
        missing_s = self._high_lowest - self._baseline
        self._baseline = self._high_lowest
        self._high_since = None
        return round(missing_s * self._rate_hz)

    def _follow_drift(self, now_s: float, lag: float) -> None:
        assert self._baseline is not None
        self._window_lowest = min(self._window_lowest, lag)
        if now_s - self._window_since < _DRIFT_S:
            return
        if self._window_lowest - self._baseline <= self._gap_s:
            self._baseline = self._window_lowest
        self._window_since, self._window_lowest = now_s, float("inf")


class StreamWatch:
    """Looks at one stream: readiness, gaps, silence. Owner: the capture thread."""

    def __init__(
        self,
        stream: MicrophoneStream,
        generation: int,
        meter: Meter,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._stream = stream
        self._generation = generation
        self._meter = meter
        self._limits = limits
        self._clock = clock
        self._samples = SampleClock(stream.rate_hz, clock(), limits.gap_s)
        self._reader = RingReader(stream.ring, start=0)
        self._heard_samples = 0
        self._zero_samples = 0  # at the end of what was heard
        self._is_ready = False
        self._told_silent = self._told_long = False

    def stalled_s(self) -> float:
        return self._samples.stalled_s(self._clock())

    def look(self) -> list[TakeEvent]:
        """Take in what came since the last look."""
        missing = self._samples.observe(self._clock(), self._stream.ring.written)
        self._listen()
        events: list[TakeEvent] = []
        if missing:
            events.append(GapFound(missing / self._stream.rate_hz))
        silent_s = self._zero_samples / self._stream.rate_hz
        if not self._is_ready and self._counts_as_ready(silent_s):
            self._is_ready = True
            events.append(MicrophoneReady(self._stream.device, self._generation))
        return events + self._silence(silent_s)

    def _listen(self) -> None:
        while self._reader.waiting:  # a second at a time: a backlog must not cost memory
            self._hear(self._reader.read(self._stream.rate_hz).samples)

    def _hear(self, samples: Samples) -> None:
        self._meter.feed(samples)
        self._heard_samples += len(samples)
        sounding = np.flatnonzero(samples.any(axis=1))
        if len(sounding):
            self._zero_samples = len(samples) - 1 - int(sounding[-1])
        else:
            self._zero_samples += len(samples)

    def _counts_as_ready(self, silent_s: float) -> bool:
        if self._heard_samples > self._zero_samples:
            return True
        # A headset that warms up gives exact zeros; a wired device that does is merely quiet.
        is_wired = not self._stream.device.is_bluetooth
        return is_wired and silent_s >= self._limits.ready_without_sound_s

    def _silence(self, silent_s: float) -> list[TakeEvent]:
        events: list[TakeEvent] = []
        device = self._stream.device
        if silent_s < self._limits.silent_s:
            if self._told_silent:
                events.append(SoundReturned(device))
            self._told_silent = self._told_long = False
        elif not self._told_silent:
            self._told_silent = True
            events.append(SoundSilent(device, silent_s, is_long=False))
        if silent_s >= self._limits.offer_s and not self._told_long:
            self._told_long = True
            events.append(SoundSilent(device, silent_s, is_long=True))
        return events
