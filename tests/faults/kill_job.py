"""Kills a transcribing process at random moments and looks at what is left.

After every kill the library must open, hold every segment that was final before, in order, and
nothing that the uninterrupted run does not have. In the end the job must finish with the same text.

    python -m tests.faults.kill_job --rounds 50
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from app.library.reader import LibraryReader
from app.library.search import ListQuery

SPEECH = Path(__file__).parents[1] / "data" / "speech"
CLIPS = ("en-01", "en-02", "en-03", "en-05", "en-08", "en-10", "en-12", "en-15", "en-18", "en-20")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of this script saw."""

    kills: int
    finished_before_kill: int
    libraries: int
    most_segments_kept: int


def long_file(folder: Path, repeats: int) -> Path:
    """Write the clips one after the other, with pauses, `repeats` times, and return the file."""
    pause = np.zeros(16_000, np.float32)
    parts: list[np.ndarray] = []
    for _ in range(repeats):
        for clip in CLIPS:
            audio, _rate = soundfile.read(SPEECH / f"{clip}.flac", dtype="float32")
            parts += [audio, pause]
    file = folder / "talk.wav"
    soundfile.write(file, np.concatenate(parts), 16_000)
    return file


def transcribe(file: Path, home: Path) -> "subprocess.Popen[str]":
    """Start the command line on `file` with its library in `home`."""
    command = [sys.executable, "-m", "app", "transcribe", str(file), "--format", "json"]
    return subprocess.Popen(
        [*command, "--language", "en"],
        env={**os.environ, "UNDERTONE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def texts(output: str) -> list[str]:
    """Return the segments' texts of a JSON export."""
    return [segment["text"] for segment in json.loads(output)["segments"]]


def finish(file: Path, home: Path) -> list[str]:
    """Run the job to its end and return its segments' texts."""
    process = transcribe(file, home)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return texts(out)


def kept(home: Path) -> list[str]:
    """Return the final segments' texts in the library at `home`."""
    library = home / "library.sqlite"
    if not library.exists():
        return []
    reader = LibraryReader(library)
    try:
        recordings = reader.recordings(ListQuery(), 0, 10)
        if not recordings:
            return []
        assert len(recordings) == 1, "a killed job must not leave a second recording"
        return [s.text for s in reader.transcript(recordings[0].recording_id).segments]
    finally:
        reader.close()


def run(rounds: int, seed: int = 1, repeats: int = 3) -> Outcome:
    """Kill `rounds` times; raise `AssertionError` on any loss."""
    dice = random.Random(seed)
    early = libraries = most = kills = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = long_file(folder, repeats)
        started = time.monotonic()
        expected = finish(file, folder / "whole")
        whole_s = time.monotonic() - started
        while kills < rounds:
            home = folder / f"home-{libraries}"
            libraries += 1
            before: list[str] = []
            while kills < rounds:
                process = transcribe(file, home)
                try:
                    process.wait(timeout=dice.uniform(0.3, whole_s))
                    early += 1
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
                process.communicate()
                now = kept(home)
                assert now[: len(before)] == before, "a final segment was lost or changed"
                assert now == expected[: len(now)], "text differs from an uninterrupted run"
                most = max(most, len(now))
                if process.returncode == 0 or dice.random() < 0.2:
                    break
                before = now
            assert finish(file, home) == expected
    return Outcome(kills, early, libraries, most)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=50)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    print(run(given.rounds, given.seed))
