"""Kill a recording process at random moments and count what is lost.

    python -m tests.faults.kill_take --rounds 200

Each round forks a process that records numbered samples from a fake microphone, kills it with
SIGKILL after a random time, and reads its journal as the next start would: at most half a second of
sound may be missing at the end and nothing inside, the rest must pack to an equal FLAC file, and no
written file may have been shortened.
"""

import argparse
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from app.audio.ballast import Ballast
from app.audio.capture import Capture, Clocks
from app.audio.devices import Device, FakeDevices
from app.audio.finalise import finalise
from app.audio.journal import scan
from app.audio.journal_cursor import JournalSound
from app.audio.microphone import FakeMicrophone
from app.audio.take_folder import TakeFolder, make_take_folder
from app.audio.watchdog import Limits
from tests.faults.alone import run_alone

RATE = 48_000
ALLOWED_LOSS_S = 0.5
_COUNT = struct.Struct("<Q")
_PERIOD = 30011


@dataclass(frozen=True, slots=True)
class Round:
    """One kill: what the microphone had given, what was there afterwards."""

    given_s: float
    kept_s: float
    tail_bytes: int

    @property
    def lost_s(self) -> float:
        return self.given_s - self.kept_s


def numbered() -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return (1 + np.arange(_PERIOD)).astype(np.int16)


def record_for_ever(folder: TakeFolder, given: mmap.mmap, speed: float) -> None:
    """Record in this process until somebody kills it."""

    def count(samples: int) -> None:
        given[: _COUNT.size] = _COUNT.pack(samples)

    microphone = FakeMicrophone(
        numbered(), RATE, speed=speed, block_samples=RATE // 100, loops=True, on_block=count
    )
    patient = replace(Limits(), heartbeat_s=60, gap_s=60, low_space_bytes=0)
    capture = Capture(
        folder,
        microphone,
        FakeDevices(Device("fake", "Fake", RATE, is_default=True)),
        lambda _: None,
        ballast=Ballast(folder.folder / ".ballast", 1 << 20),
        limits=patient,
        clocks=Clocks(monotonic_ns=lambda: int(time.monotonic_ns() * speed)),
    )
    capture.start()
    capture.join()


def kill_once(folder: Path, run_s: float, speed: float) -> Round:
    """Start a take, kill it `run_s` after its first block, and look at what is left."""
    take = make_take_folder(folder, "take", {})
    given = mmap.mmap(-1, _COUNT.size)
    child = os.fork()
    if child == 0:
        try:
            record_for_ever(take, given, speed)
        finally:
            os._exit(3)
    until = time.monotonic() + 20
    while not _COUNT.unpack(given[: _COUNT.size])[0] and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(run_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the recording ended by itself: {status}"
    samples = _COUNT.unpack(given[: _COUNT.size])[0]
    given.close()
    return check(take, samples)


def check(take: TakeFolder, given: int) -> Round:
    """Read a dead process's take; every sample must be where it was said."""
    size = take.journal.stat().st_size
    found = scan(take.journal)
    assert found.end_reason is None
    assert found.take_id == take.take_id
    assert found.damaged == 0
    assert found.missing_s == 0
    source = JournalSound(take.journal)
    pieces = []
    while (piece := source.next(is_growing=False)) is not None:
        pieces.append(piece.samples[:, 0])
    source.close()
    sound = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    expected = numbered()[np.arange(len(sound)) % _PERIOD]
    assert np.array_equal(sound, expected), "a gap or a wrong sample inside"
    assert len(sound) == round(found.duration_s * RATE)
    if len(sound):
        finalise(take.journal, take.flac)
        packed, _ = soundfile.read(take.flac, dtype="int16")
        assert np.array_equal(packed, sound)
    assert take.journal.stat().st_size == size
    return Round(given / RATE, len(sound) / RATE, found.tail_bytes)


def kill_often(rounds: int, seed: int, speed: float, longest_s: float) -> list[Round]:
    """Kill `rounds` times and print how it went."""
    chance = random.Random(seed)
    results = []
    for _ in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="kill-take-"))
        try:
            results.append(kill_once(folder, chance.uniform(0.0, longest_s), speed))
        finally:
            shutil.rmtree(folder)
    return results


def run(rounds: int, longest_s: float = 0.8) -> str:
    """Run alone and return what was seen; raises when a promise is broken."""
    return run_alone("kill_take", "--rounds", rounds, "--longest-s", longest_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--longest-s", type=float, default=0.8)
    chosen = parser.parse_args()
    results = kill_often(chosen.rounds, chosen.seed, chosen.speed, chosen.longest_s)
    lost = [result.lost_s for result in results]
    print(
        f"{len(results)} kills (seed {chosen.seed}, {chosen.speed:g}x): "
        f"lost at most {max(lost):.3f} s, on average {sum(lost) / len(lost):.3f} s; "
        f"{sum(result.kept_s for result in results):.1f} s kept, "
        f"{sum(result.tail_bytes > 0 for result in results)} torn tails, no gap inside"
    )
    return 0 if max(lost) <= ALLOWED_LOSS_S else 1


if __name__ == "__main__":
    sys.exit(main())
