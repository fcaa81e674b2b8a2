"""Overwrites random pages of a library and salvages it, again and again.

After every salvage the new library must be whole, hold no text that was never written, and almost
every row; with the recordings' folders, every text.

    python -m tests.faults.damage_library --rounds 100
"""

import argparse
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from app.core.recording import Recording, RecordingStatus
from app.core.transcript import Segment
from app.library.reader import LibraryReader
from app.library.salvage import salvage
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording, make_segment

_PAGE = 4096
_SEGMENTS = 20


def _said(name: str, at: int) -> Segment:
    return make_segment(f"{name} {at} " + f"what was said about the river {at} " * 3, at * 10.0)


class _Folders:
    """What the takes' own folders hold; with `are_there`, all of it."""

    def __init__(self, *, are_there: bool) -> None:
        self._are_there = are_there

    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        if not self._are_there or not recording_id.startswith("r"):
            return ()
        return tuple(_said(recording_id, at) for at in range(_SEGMENTS))

    def owner(self, texts: tuple[str, ...], known: frozenset[str]) -> Recording | None:
        names = {text.split()[0] for text in texts} - known
        name = names.pop() if self._are_there and len(names) == 1 else ""
        return make_recording(name, f"Title {name}") if name else None


def _build(file: Path, count: int) -> None:
    with LibraryWriter(file, lambda _: None, watch_s=None) as writer:
        for number in range(count):
            name = f"r{number}"
            row = make_recording(name, f"Title {name}", status=RecordingStatus.DONE)
            writer.add_finished(row, [_said(name, at) for at in range(_SEGMENTS)]).result()
        writer.checkpoint().result()


def _damage(file: Path, dice: random.Random) -> None:
    pages = file.stat().st_size // _PAGE
    with file.open("r+b") as out:
        for page in dice.sample(range(pages), dice.randrange(1, 4)):
            start = dice.choice([0, dice.randrange(_PAGE)])
            out.seek(page * _PAGE + start)
            out.write(dice.randbytes(dice.randrange(1, _PAGE - start + 1)))


def _check(file: Path, *, is_complete: bool, unsure: set[str]) -> int:
    """Return how many segments the salvaged library holds; none may be invented."""
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
    found = 0
    with LibraryReader(file) as reader:
        for recording in reader.recordings(limit=100_000):
            segments = reader.transcript(recording.recording_id).segments
            found += len(segments)
            if recording.title in unsure:
                continue
            for segment in segments:
                name, at = segment.text.split()[:2]
                assert segment.text == _said(name, int(at)).text
            if is_complete and recording.recording_id.startswith("r"):
                assert len(segments) == _SEGMENTS
    return found


def run(rounds: int, count: int = 400, seed: int = 1) -> str:
    """Damage and salvage `rounds` times; raise `AssertionError` on anything that is not so."""
    dice = random.Random(seed)
    shares, took = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, file, new = (folder / f"{part}.sqlite" for part in ("whole", "library", "new"))
        _build(whole, count)
        for number in range(rounds):
            shutil.copyfile(whole, file)
            _damage(file, dice)
            has_folders = number % 2 == 1
            started = time.monotonic()
            result = salvage(file, new, _Folders(are_there=has_folders))
            took.append(time.monotonic() - started)
            unsure = {*result.unsure, *result.incomplete}
            share = _check(new, is_complete=has_folders, unsure=unsure) / (count * _SEGMENTS)
            shares.append(share)
            assert share > 0.98
    return (
        f"{rounds} damaged libraries of {count * _SEGMENTS} segments: "
        f"{min(shares):.2%} … {statistics.median(shares):.2%} (median) came back, nothing wrong; "
        f"a salvage took {max(took):.1f} s at most"
    )


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=100)
    print(run(words.parse_args().rounds))
