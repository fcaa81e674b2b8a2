"""Transcribes hours of sound and looks at memory, progress and how fast it stops.

python -m tests.faults.long_file --hours 3
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.helpers.words import CONVERSATIONS

MOST_BYTES = 700 * 1024**2


def long_recording(folder: Path, hours: float) -> Path:
    """Write `hours` of conversation as FLAC and return the file."""
    file = folder / "long.flac"
    source = CONVERSATIONS / "talk-3-3voices.flac"
    command = ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", str(source)]
    subprocess.run([*command, "-t", str(hours * 3600), "-c:a", "flac", str(file)], check=True)
    return file


class Run:
    """One `undertone transcribe`, watched: its memory and what it says of its progress."""

    def __init__(self, file: Path, home: Path) -> None:
        command = [sys.executable, "-m", "app", "transcribe", str(file), "--language", "en"]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "UNDERTONE_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.resident: list[int] = []  # at each line of progress
        self.percents: list[int] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"(\d+) %", line):
                self.percents.append(int(found[1]))
                self.resident.append(self._memory("VmRSS"))

    def _memory(self, name: str) -> int:
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0

    def end(self) -> int:
        """Wait for the end and return the most memory the process ever held."""
        most = 0
        while self.process.poll() is None:
            most = max(most, self._memory("VmHWM"))
            time.sleep(0.2)
        self._reader.join()
        return most

    def stop(self) -> float:
        """Interrupt it as Ctrl-C does and return how long it took to end."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        took = time.monotonic() - started
        self._reader.join()
        return took


def run(hours: float) -> str:
    """Transcribe `hours` of sound; raise `AssertionError` when a promise does not hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = long_recording(folder, hours)
        started = time.monotonic()
        whole = Run(file, folder / "whole")
        most = whole.end()
        took = time.monotonic() - started
        assert whole.process.returncode == 0
        assert most < MOST_BYTES, f"{most / 1e6:.0f} MB"
        assert whole.percents == sorted(whole.percents)
        assert len(whole.percents) >= 10, "progress does not move"
        held = [size for size in whole.resident if size]
        early, late = held[len(held) // 4], held[-1]
        assert late - early < 60e6, f"memory grew from {early / 1e6:.0f} to {late / 1e6:.0f} MB"
        stopped = Run(file, folder / "stopped")
        while not stopped.percents and stopped.process.poll() is None:
            time.sleep(0.05)
        stop_s = stopped.stop()
        assert stopped.process.returncode == 130
        assert stop_s < 1.0, f"stopping took {stop_s:.2f} s"
    return (
        f"{hours:g} h in {took:.0f} s; at most {most / 1e6:.0f} MB, "
        f"{early / 1e6:.0f} MB early and {late / 1e6:.0f} MB late; stopped in {stop_s:.2f} s"
    )


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--hours", type=float, default=3)
    print(run(words.parse_args().hours))
