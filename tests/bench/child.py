"""What both sides of a comparison share: windows on disk, and a child that is told what to do.

Only NumPy and the standard library: it runs in the peer's environment too. A window is read when it
is decoded, so neither side's memory holds the sound of the others.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
_PROC = Path("/proc/self/status")


@dataclass(frozen=True)
class Stored:
    """Windows in a folder: all sound in one file, and where each window lies in it."""

    folder: Path

    @property
    def spans(self) -> list[tuple[int, int, float]]:
        """First sample, number of samples, and seconds in the recording, of each window."""
        written = json.loads((self.folder / "windows.json").read_text())
        return [(int(first), int(count), float(start_s)) for first, count, start_s in written]

    def read(self, span: tuple[int, int, float]) -> npt.NDArray[np.float32]:
        first, count, _ = span
        return np.fromfile(self.folder / "windows.f32", np.float32, count, offset=4 * first)

    def write(self, windows: Iterable[tuple[npt.NDArray[np.float32], float]]) -> None:
        spans = []
        first = 0
        with (self.folder / "windows.f32").open("wb") as file:
            for audio, start_s in windows:
                audio.astype(np.float32).tofile(file)
                spans.append((first, len(audio), start_s))
                first += len(audio)
        (self.folder / "windows.json").write_text(json.dumps(spans))


def peak_bytes() -> int:
    """Return the most memory this process ever held."""
    if _PROC.exists():
        lines = _PROC.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer each JSON line of stdin with one on stdout, its peak memory added."""
    for line in sys.stdin:
        reply = {**answer(json.loads(line)), "peak_bytes": peak_bytes()}
        print(json.dumps(reply), flush=True)
