"""Record onto a disk of a few megabytes until it is full.

    python -m tests.faults.full_disk --mb 4

Mounts a tmpfs in a mount name space of its own (no trace is left outside). The take must be closed
cleanly with its reason, hold every sample the microphone gave but the last half second, refuse to
be packed for want of room without being harmed, and be packed once there is room.
"""

import argparse
import os
import queue
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from app.audio.ballast import Ballast
from app.audio.capture import Capture, Clocks, EndReason
from app.audio.capture_events import TakeEnded, TakeEvent
from app.audio.devices import Device, FakeDevices
from app.audio.finalise import finalise
from app.audio.journal import scan
from app.audio.microphone import FakeMicrophone
from app.audio.take_folder import SegmentLog, make_take_folder, read_segments, take_folders
from app.audio.watchdog import Limits
from app.config.paths import make_private_folder
from app.core.errors import DiskFull
from app.core.recording import RecordingKind
from app.core.transcript import Segment
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.recover import recover_takes
from tests.faults.alone import run_alone
from tests.helpers.dictation import Desk, Loads, says

RATE = 96_000
CHANNELS = 8
SPEED = 1
INSIDE = "--inside"


def in_a_name_space(arguments: list[str]) -> int:
    """Run this script where it may mount; return its exit status."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    words = ["unshare", "--mount", *as_root, sys.executable, "-m", "tests.faults.full_disk"]
    return subprocess.run([*words, INSIDE, *arguments], check=False).returncode


def record_until_full(disk: Path, *, has_ballast: bool) -> None:
    """Fill `disk` with a take and check what is on it."""
    noise = np.random.default_rng(5).integers(-32768, 32768, (RATE, CHANNELS), dtype=np.int16)
    microphone = FakeMicrophone(noise, RATE, speed=SPEED, block_samples=RATE // 100, loops=True)
    events: queue.SimpleQueue[TakeEvent] = queue.SimpleQueue()
    folder = make_take_folder(disk / "recordings", "take", {"kind": "dictation"})
    ballast = Ballast(disk / "recordings" / ".ballast", (1 << 20) if has_ballast else 0)
    print(f"ballast {ballast.ensure() / 1e6:.2f} MB", end="; ")
    log = SegmentLog(folder.segments)
    log.append(0, Segment(0.0, 1.0, "said before the disk was full"))
    capture = Capture(
        folder,
        microphone,
        FakeDevices(Device("fake", "Fake", RATE, 8, is_default=True)),
        events.put,
        ballast=ballast,
        limits=replace(Limits(), heartbeat_s=60, gap_s=60, low_space_bytes=0, post_roll_s=0),
        clocks=Clocks(monotonic_ns=lambda: time.monotonic_ns() * SPEED),
    )
    capture.start()
    while not isinstance(event := events.get(timeout=60), TakeEnded):
        pass
    capture.join()
    log.close()
    assert event.reason == EndReason.DISK_FULL, event
    assert isinstance(event.error, DiskFull)
    found = scan(folder.journal, thorough=True)
    assert (found.end_reason == EndReason.DISK_FULL) == has_ballast, found
    assert found.damaged == 0
    kept = round(found.duration_s * RATE)
    lost_s = (microphone.given - kept) / RATE
    print(f"{kept / RATE:.2f} s kept, {lost_s:.3f} s lost, tail {found.tail_bytes} bytes")
    assert lost_s <= 0.5
    assert read_segments(folder.segments)[0].text.startswith("said before")
    assert folder.details() == {"version": 1, "kind": "dictation"}
    before = folder.journal.stat().st_size
    try:
        finalise(folder.journal, folder.flac)
    except DiskFull as error:
        print(f"packing refused: {error}")
    else:
        raise AssertionError("there was no room to pack")
    assert sorted(path.name for path in folder.folder.iterdir()) == [
        "audio.journal",
        "segments.jsonl",
        "take.json",
    ]
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    made = finalise(folder.journal, folder.flac)
    packed, _ = soundfile.read(made.file, dtype="int16")
    rows = np.arange(kept) % RATE
    assert np.array_equal(packed, noise[rows])
    assert folder.journal.stat().st_size == before
    print(f"packed with room: {made.samples} samples equal")


def dictate_until_full(disk: Path) -> None:
    """Fill `disk` through the whole of live dictation; the take is in the library afterwards."""
    noise = np.random.default_rng(5).integers(-32768, 32768, (RATE, CHANNELS), dtype=np.int16)
    microphone = FakeMicrophone(noise, RATE, speed=SPEED, block_samples=RATE // 100, loops=True)
    desk = Desk(
        disk / "home",
        noise,
        Loads({"big": says(*["said"] * 100)}),
        microphone=microphone,
        limits=replace(Limits(), heartbeat_s=60, gap_s=60, low_space_bytes=0, post_roll_s=0),
        ballast_bytes=1 << 20,
    )
    make_private_folder(desk.paths.recordings)
    desk.ballast.ensure()
    try:
        desk.machine.start(RecordingKind.QUICK)
        desk.until_over()
        told = desk.now
        assert isinstance(told.problem, DiskFull), told
    finally:
        desk.close()
    (take,) = take_folders(desk.paths.recordings)
    kept = round(scan(take.journal, thorough=True).duration_s * RATE)
    lost_s = (microphone.given - kept) / RATE
    assert lost_s <= 0.5, lost_s
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    with (
        LibraryWriter(desk.paths.library, lambda _: None, watch_s=None) as writer,
        LibraryReader(desk.paths.library) as reader,
        Owner.take(desk.paths) as owner,
    ):
        recover_takes(desk.paths, writer, reader, owner, lambda _: None)
        (row,) = reader.recordings()
    packed, _ = soundfile.read(take.flac, dtype="int16")
    assert np.array_equal(packed, noise[np.arange(kept) % RATE])
    assert row.audio_path == take.flac
    print(
        f"whole app: {kept / RATE:.2f} s kept, {lost_s:.3f} s lost, said “{told.problem}”, "
        "packed and in the library once there was room"
    )


def run(mb: int = 4) -> str:
    """Run alone and return what was seen; raises when a promise is broken."""
    return run_alone("full_disk", "--mb", mb)


def main() -> int:
    arguments = sys.argv[1:]
    if INSIDE not in arguments:
        return in_a_name_space(arguments)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=4)
    parser.add_argument(INSIDE, action="store_true")
    chosen = parser.parse_args()
    for fill in (
        lambda disk: record_until_full(disk, has_ballast=True),
        lambda disk: record_until_full(disk, has_ballast=False),
        dictate_until_full,
    ):
        with tempfile.TemporaryDirectory(prefix="full-disk-") as folder:
            words = ["-t", "tmpfs", "-o", f"size={chosen.mb}m", "none", folder]
            subprocess.run(["mount", *words], check=True)
            try:
                fill(Path(folder))
            finally:
                subprocess.run(["umount", folder], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
