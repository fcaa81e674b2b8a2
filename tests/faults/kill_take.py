"""Kill a recording process at random moments and count what is lost.

    python -m tests.faults.kill_take --rounds 200

Each round forks a process that records numbered samples through the whole of live dictation (stage
machine, capture, journal, library, engine), kills it with SIGKILL after a random time, and does
what the next start does. At most half a second of sound may be missing at the end and nothing
inside, and the take is offered in the library with a FLAC file that holds the very samples.
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

from app.audio.journal import scan
from app.audio.microphone import FakeMicrophone
from app.audio.take_folder import TakeFolder, take_folders
from app.audio.watchdog import Limits
from app.config.paths import Paths
from app.core.events import Event, TakesRecovered
from app.core.recording import RecordingKind, RecordingStatus
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.recover import recover_takes
from tests.faults.alone import run_alone
from tests.helpers.dictation import Desk, Loads, says

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


def record_for_ever(home: Path, given: mmap.mmap, speed: float) -> None:
    """Record in this process until somebody kills it."""

    def count(samples: int) -> None:
        given[: _COUNT.size] = _COUNT.pack(samples)

    microphone = FakeMicrophone(
        numbered(), RATE, speed=speed, block_samples=RATE // 100, loops=True, on_block=count
    )
    desk = Desk(
        home,
        numbered(),
        Loads({"big": says(*["said"] * 1000)}),
        microphone=microphone,
        limits=replace(Limits(), heartbeat_s=60, gap_s=60, low_space_bytes=0),
    )
    desk.machine.start(RecordingKind.QUICK)
    desk.main.run_until(lambda: False)


def kill_once(home: Path, run_s: float, speed: float) -> Round:
    """Start a take, kill it `run_s` after its first block, and start anew."""
    given = mmap.mmap(-1, _COUNT.size)
    child = os.fork()
    if child == 0:
        try:
            record_for_ever(home, given, speed)
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
    assert samples, "the microphone was never opened"
    return check(Paths(home), samples)


def check(paths: Paths, given: int) -> Round:
    """Do what the next start does; every sample must be where it was said."""
    (take,) = take_folders(paths.recordings)
    size = take.journal.stat().st_size
    found = scan(take.journal, thorough=True)
    assert (found.end_reason, found.damaged, found.missing_s) == (None, 0, 0)
    assert found.take_id in ("", take.take_id)
    assert take.journal.stat().st_size == size
    kept = round(found.duration_s * RATE)
    events = start_anew(paths, take, kept)
    if kept:
        assert events == [TakesRecovered((take.take_id,))]
        sound, rate_hz = soundfile.read(take.flac, dtype="int16")
        assert rate_hz == RATE
        expected = numbered()[np.arange(kept) % _PERIOD]
        assert np.array_equal(sound, expected), "a gap or a wrong sample inside"
        assert not take.journal.exists()
    else:
        assert not take.folder.exists()
    return Round(given / RATE, kept / RATE, found.tail_bytes)


def start_anew(paths: Paths, take: TakeFolder, kept: int) -> list[Event]:
    """Open the library as a new process does; return what was told of the take."""
    told: list[Event] = []
    with (
        LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer,
        LibraryReader(paths.library) as reader,
        Owner.take(paths) as owner,
    ):
        recover_takes(paths, writer, reader, owner, told.append)
        rows = reader.recordings()
    if kept:
        (row,) = rows
        assert (row.recording_id, row.status) == (take.take_id, RecordingStatus.FAILED)
        assert (row.audio_path, row.hint) == (take.flac, "Choose “Retry” to transcribe it.")
    else:
        assert rows == []
    return told


def kill_often(rounds: int, seed: int, speed: float, longest_s: float) -> list[Round]:
    """Kill `rounds` times and print how it went."""
    chance = random.Random(seed)
    results = []
    for _ in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="kill-take-"))
        try:
            results.append(kill_once(folder / "home", chance.uniform(0.0, longest_s), speed))
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
