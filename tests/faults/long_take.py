"""Record for hours, many times as fast as the clock, and watch the memory.

    python -m tests.faults.long_take --hours 8

The whole capture runs, from a fake microphone to the disk, measuring included. Then a journal as
long, in frames as short as a real take's, is scanned as at a start after a crash. Then somebody
speaks through the whole of live dictation: stage machine, detector of speech, engine and library.
"""

import argparse
import queue
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.audio.capture import Capture, Clocks
from app.audio.capture_events import TakeEnded, TakeEvent
from app.audio.devices import Device, FakeDevices
from app.audio.journal import JournalWriter, SectionFormat, scan
from app.audio.journal_thread import PERIOD_S
from app.audio.microphone import FakeMicrophone
from app.audio.take_folder import make_take_folder
from app.audio.watchdog import Limits
from app.core.dictation import Outcome
from app.core.events import SegmentsFinal
from app.core.recording import RecordingKind
from tests.faults.alone import run_alone
from tests.helpers.dictation import RATE as LIVE_RATE
from tests.helpers.dictation import Desk, Loads, says, speech

PAGE_BYTES = 4096
ALLOWED_MB_AN_HOUR = 1.0
ALLOWED_SCAN_S = 2.0
WARM_AFTER = 8  # finals


@dataclass(frozen=True, slots=True)
class Result:
    """How a long take went."""

    hours: float
    journal_mb: float
    first_mb: float
    last_mb: float
    mb_an_hour: float
    missing_s: float
    took_s: float


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE_BYTES / 1e6


def record(folder: Path, hours: float, rate_hz: int, speed: float) -> Result:
    """Record `hours` of sound into `folder` and measure."""
    noise = np.random.default_rng(2).integers(-3000, 3000, rate_hz * 7, dtype=np.int16)
    microphone = FakeMicrophone(
        noise, rate_hz, speed=speed, block_samples=rate_hz // 10, loops=True
    )
    events: queue.SimpleQueue[TakeEvent] = queue.SimpleQueue()
    take = make_take_folder(folder, "take", {})
    patient = replace(Limits(), heartbeat_s=1e6, gap_s=1e6, low_space_bytes=0, drain_s=0.01)
    capture = Capture(
        take,
        microphone,
        FakeDevices(Device("fake", "Fake", rate_hz, is_default=True)),
        events.put,
        limits=patient,
        clocks=Clocks(monotonic_ns=lambda: int(time.monotonic_ns() * speed)),
    )
    begun = time.monotonic()
    capture.start()
    seen: list[tuple[float, float]] = []
    while capture.duration_s < hours * 3600:
        time.sleep(0.1)
        now_h = capture.duration_s / 3600
        if now_h >= 0.15 * hours:  # what is imported and allocated once is there by then
            seen.append((now_h, resident_mb()))
    capture.stop()
    while not isinstance(event := events.get(timeout=60), TakeEnded):
        pass
    capture.join()
    assert event.error is None, event
    took = time.monotonic() - begun
    at, memory = np.array(seen).T
    slope = float(np.polyfit(at, memory, 1)[0])
    found = scan(take.journal)
    assert found.end_reason == "stopped"
    assert abs(found.duration_s - event.duration_s) < 1e-6
    return Result(
        found.duration_s / 3600,
        take.journal.stat().st_size / 1e6,
        float(memory[0]),
        float(memory[-1]),
        slope,
        found.missing_s,
        took,
    )


def scan_of_a_crashed_take(folder: Path, hours: float, rate_hz: int) -> tuple[float, float]:
    """Write a journal nobody closed; return the seconds its scan takes: processor, wall clock.

    The check is about processor time: the machine may have other things to do meanwhile.
    """
    writer = JournalWriter(folder / "crashed.journal", "crashed", wall_s=0.0)
    writer.begin_section(SectionFormat(rate_hz))
    block = np.zeros((round(rate_hz * PERIOD_S), 1), np.int16)
    for _ in range(round(hours * 3600 / PERIOD_S)):
        writer.audio(block)
    writer.close()
    begun, begun_cpu = time.monotonic(), time.process_time()
    found = scan(writer.file)
    took = time.process_time() - begun_cpu, time.monotonic() - begun
    assert abs(found.duration_s - hours * 3600) < 1
    assert found.end_reason is None
    return took


def dictate(home: Path, hours: float, speed: float) -> tuple[float, float, int]:
    """Speak for `hours`; return the memory early and late in MB, and the count of finals."""
    sound = np.concatenate([speech("en-01"), speech("en-02"), np.zeros(2 * LIVE_RATE, np.int16)])
    heard = says(*["what was said"] * round(hours * 3600))
    desk = Desk(
        home,
        sound,
        Loads({"big": heard}),
        speed=speed,
        loops=True,
        limits=replace(Limits(), heartbeat_s=1e6, gap_s=1e6, low_space_bytes=0, drain_s=0.02),
    )
    seen: list[float] = []
    told = 0
    try:
        desk.machine.start(RecordingKind.QUICK)
        while desk.machine.elapsed_s() < hours * 3600 or not seen:
            desk.main.run_until(lambda: False, 0.2)
            finals = [e for e in desk.events if isinstance(e, SegmentsFinal)]
            told += len(finals)
            desk.events.clear()
            for stream in heard.opened[:-1]:  # what the fake keeps is not ours
                stream.fed.clear()
            # What is imported and allocated once is there after some words.
            if desk.machine.elapsed_s() > 0.2 * hours * 3600 and told >= WARM_AFTER:
                seen.append(resident_mb())
        desk.machine.stop()
        desk.until(lambda: desk.now.outcome is not None, 600)
        assert desk.now.outcome is Outcome.SAVED, desk.now
        desk.settle()
        stored = desk.reader.segment_count(desk.now.take_id)
        told += sum(isinstance(e, SegmentsFinal) for e in desk.events)
        assert stored == told - 1, (stored, told)  # the last one only says where the sound ends
    finally:
        desk.close()
    return seen[0], seen[-1], told


def run(hours: float) -> str:
    """Run alone and return what was seen; raises when a promise is broken."""
    return run_alone("long_take", "--hours", hours)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--rate-hz", type=int, default=48_000)
    parser.add_argument("--speed", type=float, default=100.0)
    parser.add_argument("--live-speed", type=float, default=40.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="long-take-") as folder:
        result = record(Path(folder), chosen.hours, chosen.rate_hz, chosen.speed)
    with tempfile.TemporaryDirectory(prefix="long-take-") as folder:
        cpu_s, wall_s = scan_of_a_crashed_take(Path(folder), chosen.hours, chosen.rate_hz)
    print(
        f"{result.hours:.2f} h at {chosen.rate_hz} Hz in {result.took_s:.0f} s: "
        f"journal {result.journal_mb:.0f} MB, memory {result.first_mb:.1f} → {result.last_mb:.1f}"
        f" MB ({result.mb_an_hour:+.3f} MB/h), missing {result.missing_s:.2f} s, "
        f"scan {cpu_s:.2f} s of processor ({wall_s:.2f} s)"
    )
    with tempfile.TemporaryDirectory(prefix="long-take-") as folder:
        early, late, finals = dictate(Path(folder) / "home", chosen.hours, chosen.live_speed)
    live_growth = (late - early) / (0.8 * chosen.hours)
    print(
        f"live: {finals} finals in {chosen.hours:g} h of speech, memory {early:.1f} → {late:.1f} MB"
        f" ({live_growth:+.2f} MB/h)"
    )
    # Over a short take the slope is the allocator's noise; then the growth itself counts.
    growth = result.last_mb - result.first_mb
    is_flat = result.mb_an_hour <= ALLOWED_MB_AN_HOUR or growth <= 2.0
    # What a few minutes of live words need at first (measured 4.4 MB) says nothing of hours.
    warming_mb = 8.0 if chosen.hours < 0.5 else 2.0
    is_live_flat = live_growth <= ALLOWED_MB_AN_HOUR or late - early <= warming_mb
    return 0 if is_flat and is_live_flat and cpu_s <= ALLOWED_SCAN_S else 1


if __name__ == "__main__":
    sys.exit(main())
