import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.capture_events import MicrophoneReady, SoundReturned, SoundSilent, TakeEvent
from app.audio.devices import Device
from app.audio.measure import Meter
from app.audio.microphone import CLOSE_S
from app.audio.ring import Ring
from app.audio.watchdog import Limits, SampleClock, StreamWatch

RATE = 48_000
TICK_NS = 50_000_000


def run(clock: SampleClock, seconds: float, at_ns: int, samples: float, rate: float) -> list[int]:
    """Deliver evenly and return what was found missing, tick by tick."""
    found = []
    for tick in range(int(seconds * 1e9) // TICK_NS):
        now = at_ns + (tick + 1) * TICK_NS
        found.append(clock.observe(now, int(samples + rate * (now - at_ns) / 1e9)))
    return found


def test_a_healthy_stream_has_no_gap_even_when_its_clock_is_off() -> None:
    clock = SampleClock(RATE, 0)
    assert sum(run(clock, 1800, 0, 0, RATE * 0.9997)) == 0  # 300 ppm: 1 s an hour
    assert clock.stalled_s(1800 * 10**9) == 0.0


@settings(max_examples=20, deadline=None)
@given(
    jitter_ms=st.lists(st.integers(0, 400), min_size=400, max_size=400),
    drift=st.floats(-3e-4, 3e-4),
)
def test_jitter_is_never_a_gap(jitter_ms: list[int], drift: float) -> None:
    """Blocks come late in bursts, but some are on time within every two seconds."""
    clock = SampleClock(RATE, 0)
    written = 0
    for tick, late in enumerate(jitter_ms):
        now = (tick + 1) * TICK_NS
        late = 0 if tick % 20 == 0 else late
        written = max(written, int(RATE * (1 + drift) * max(now / 1e9 - late / 1000, 0)))
        assert clock.observe(now, written) == 0


@pytest.mark.parametrize("gap_s", [0.3, 0.9, 1.95, 60.0])
def test_lost_samples_are_found_once_and_measured(gap_s: float) -> None:
    clock = SampleClock(RATE, 0)
    assert sum(run(clock, 10, 0, 0, RATE)) == 0
    later = int((10 + gap_s) * 1e9)
    assert clock.stalled_s(later) == pytest.approx(gap_s)
    found = run(clock, 10, later, 10 * RATE, RATE)
    assert sum(found) == pytest.approx(gap_s * RATE, abs=RATE * 0.06)
    assert sum(missing > 0 for missing in found) == 1
    assert next(tick for tick, missing in enumerate(found) if missing) <= 2.2e9 / TICK_NS


def test_a_late_burst_that_fills_the_hole_is_no_gap() -> None:
    clock = SampleClock(RATE, 0)
    run(clock, 10, 0, 0, RATE)
    assert sum(run(clock, 1, 13 * 10**9, 10 * RATE, RATE)) == 0  # 3 s behind for one second
    assert sum(run(clock, 10, 14 * 10**9, 14 * RATE, RATE)) == 0


class ManualStream:
    rate_hz = RATE
    has_ended = False
    overflows = 0

    def __init__(self, *, is_bluetooth: bool = False) -> None:
        self.device = Device("uid", "Mic", RATE, is_bluetooth=is_bluetooth)
        self.ring = Ring(20 * RATE)

    def close(self, deadline_s: float = CLOSE_S) -> bool:
        return True


class Watched:
    def __init__(self, *, is_bluetooth: bool = False) -> None:
        self.now_ns = 0
        self.stream = ManualStream(is_bluetooth=is_bluetooth)
        self.watch = StreamWatch(self.stream, 3, Meter(RATE), Limits(), lambda: self.now_ns)

    def play(self, seconds: float, value: int) -> list[TakeEvent]:
        events: list[TakeEvent] = []
        for _ in range(round(seconds * 20)):
            self.now_ns += TICK_NS
            self.stream.ring.write(np.full((RATE // 20, 1), value, np.int16))
            events += self.watch.look()
        return events


def test_a_headset_is_ready_with_its_first_sample_that_is_not_zero() -> None:
    watched = Watched(is_bluetooth=True)
    assert watched.play(1.0, 0) == []
    warning = watched.play(1.0, 0)
    assert [type(event) for event in warning] == [SoundSilent]
    ready = watched.play(0.05, 5)
    assert ready == [
        MicrophoneReady(watched.stream.device, 3),
        SoundReturned(watched.stream.device),
    ]
    assert watched.play(1.0, 5) == []


def test_a_wired_device_that_gives_zeros_is_ready_but_told() -> None:
    watched = Watched()
    assert [type(event) for event in watched.play(0.6, 0)] == [MicrophoneReady]
    events = watched.play(11, 0)
    assert [(type(event), getattr(event, "is_long", None)) for event in events] == [
        (SoundSilent, False),
        (SoundSilent, True),
    ]
    silent = events[0]
    assert isinstance(silent, SoundSilent)
    assert silent.silent_s == pytest.approx(1.5)
    assert [type(event) for event in watched.play(0.1, 9)] == [SoundReturned]
    assert [type(event) for event in watched.play(1.6, 0)] == [SoundSilent]


def test_a_stream_that_never_gives_anything_is_stalled_from_its_opening() -> None:
    watched = Watched()
    watched.now_ns = 1_200_000_000
    assert watched.watch.look() == []
    assert watched.watch.stalled_s() == pytest.approx(1.2)
