"""`./run soak`: every fault script at full length, one after the other; writes RESULTS.md.

./run soak              all of them
./run soak kill_job     only those named
./run soak --short      each in its everyday length
"""

import argparse
import platform
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults import (
    damage_library,
    full_disk,
    fuzz_media,
    kill_download,
    kill_job,
    kill_keeping,
    kill_library,
    kill_take,
    long_file,
    long_take,
    offline,
    quiet_hours,
)

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True, slots=True)
class Fault:
    """One script: what it promises, and how to run it long and short; it raises on any loss."""

    name: str
    promise: str
    long: Callable[[], object]
    short: Callable[[], object]


FAULTS = (
    Fault(
        "kill_take",
        "kill -9 while somebody speaks: ≤ 0.5 s lost, no gap inside, offered with equal FLAC",
        lambda: kill_take.run(200),
        lambda: kill_take.run(20, 0.3),
    ),
    Fault(
        "full_disk",
        "the disk fills up during a take: closed cleanly, ≤ 0.5 s lost, packed once there is room",
        lambda: full_disk.run(4),
        lambda: full_disk.run(4),
    ),
    Fault(
        "long_take",
        "an 8-hour take: memory ≤ 1 MB/h, the scan after a crash ≤ 2 s",
        lambda: long_take.run(8),
        lambda: long_take.run(0.05),
    ),
    Fault(
        "kill_job",
        "kill -9 while a file is transcribed: no final segment lost, same text in the end",
        lambda: kill_job.run(50),
        lambda: kill_job.run(10),
    ),
    Fault(
        "long_file",
        "a 3-hour file: under 700 MB, no growth with length, progress moves, stops within 1 s",
        lambda: long_file.run(3),
        lambda: long_file.run(0.1),
    ),
    Fault(
        "quiet_hours",
        "an hour each of zeros, noise, clicks, hum, music, breath: no word, ≤ 1 segment an hour",
        lambda: quiet_hours.run(60),
        lambda: quiet_hours.run(1),
    ),
    Fault(
        "kill_library",
        "kill -9 while the library is written: no acknowledged row lost, it always opens",
        lambda: kill_library.run(500),
        lambda: kill_library.run(20),
    ),
    Fault(
        "kill_keeping",
        "kill -9 while rules run, a library is salvaged, all is erased: nothing half",
        lambda: kill_keeping.run(60),
        lambda: kill_keeping.run(3),
    ),
    Fault(
        "damage_library",
        "1–3 random pages overwritten, salvaged: ≥ 98 % of the rows, nothing invented",
        lambda: damage_library.run(100, 100),
        lambda: damage_library.run(6, 40),
    ),
    Fault(
        "kill_download",
        "kill -9 while a model is downloaded: a verified model or none, no byte fetched twice",
        lambda: kill_download.run(50),
        lambda: kill_download.run(5),
    ),
    Fault(
        "offline",
        "the app and the command line offline under strace: 0 connects beyond loopback",
        lambda: offline.run(),
        lambda: offline.run(),
    ),
    Fault(
        "fuzz_media",
        "mutated media files in 16 formats: no crash, no hang, worker ≤ 1 GB, neighbours unharmed",
        lambda: fuzz_media.run(1600),
        lambda: fuzz_media.run(100),
    ),
)


def main() -> int:
    """Run the scripts and return 1 when one of them failed."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("names", nargs="*", choices=[[], *(fault.name for fault in FAULTS)])
    words.add_argument("--short", action="store_true")
    given = words.parse_args()
    chosen = [fault for fault in FAULTS if not given.names or fault.name in given.names]
    rows, failed = _rows(), 0
    for fault in chosen:
        print(f"{fault.name}: {fault.promise} …", flush=True)
        started = time.monotonic()
        try:
            outcome = str((fault.short if given.short else fault.long)())
        except Exception:  # noqa: BLE001  # the other scripts still run
            traceback.print_exc()
            outcome, failed = "FAILED", failed + 1
        took = time.monotonic() - started
        print(f"  {outcome} ({took:.0f} s)", flush=True)
        rows[fault.name] = (
            f"| {fault.name} | {fault.promise} | {outcome} | {took:.0f} s | {time.strftime('%F')} |"
        )
        if not given.short:
            RESULTS.write_text(_table(rows), encoding="utf-8")
    return 1 if failed else 0


def _rows() -> dict[str, str]:
    """Return the rows that RESULTS.md has, so that a run of some scripts keeps the others'."""
    if not RESULTS.exists():
        return {}
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    names = {fault.name for fault in FAULTS}
    return {
        n: line
        for line in lines
        if (n := line.split("|")[1].strip() if "|" in line else "") in names
    }


def _table(rows: dict[str, str]) -> str:
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return "\n".join(
        [
            "# Fault runs at full length",
            "",
            f"Written by `./run soak` on {machine}.",
            "",
            "| script | promise | seen | took | on |",
            "|---|---|---|---|---|",
            *(rows[fault.name] for fault in FAULTS if fault.name in rows),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
