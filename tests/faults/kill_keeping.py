"""Kills a process while the retention rules run, while a library is salvaged, while all is erased.

After a kill nothing may be half: every sound is with its recording or in its bin, the damaged
library or the new one is there, and what was to be erased is erased by the next start.

    python -m tests.faults.kill_keeping --rounds 60
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.config.paths import Paths, write_private
from app.config.settings import Settings
from app.core.ids import new_id
from app.core.recording import RecordingKind, RecordingStatus
from app.core.retention import Rule, Takes, lines_of
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.erase import erase_everything, finish_erasing
from app.pipeline.retention import Retention
from app.pipeline.salvage import finish_salvage, salvage_library, set_aside_files
from app.pipeline.sound_bin import SoundBin
from tests.library.builders import make_recording, make_segment

_COUNT = 40
_SETTINGS = Settings(
    retention=lines_of(
        [Rule(RecordingKind.FILE, Takes.ALL, 30), Rule(RecordingKind.QUICK, Takes.SOUND, 30)]
    )
)


def _fill(paths: Paths) -> None:
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        for number in range(_COUNT):
            name = new_id()
            sound = paths.recordings / name / "audio.flac"
            write_private(sound, f"sound of {name}".encode())
            row = make_recording(
                name,
                f"Title {number}",
                kind=RecordingKind.FILE if number % 2 else RecordingKind.QUICK,
                status=RecordingStatus.DONE,
                audio_path=sound,
                is_copy=True,
                is_favourite=number % 5 == 0,
            )
            writer.add_finished(row, [make_segment(f"text {name} " * 20)]).result()
        writer.checkpoint().result()


def _run_rules(paths: Paths) -> None:
    with (
        LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer,
        LibraryReader(paths.library) as reader,
    ):
        Retention(paths, writer, reader, lambda: _SETTINGS).run(is_confirmed=True)


def _check_rules(paths: Paths) -> None:
    with (
        LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer,
        LibraryReader(paths.library) as reader,
    ):
        SoundBin(paths, writer, reader).tidy()
        ids = [path.name for path in paths.recordings.iterdir()]
        assert len(ids) == _COUNT
        for name in ids:
            recording = reader.recording(name)
            assert recording is not None
            places = [paths.recordings / name / "audio.flac", paths.sound_bin / name / "audio.flac"]
            there = [place for place in places if place.exists()]
            assert len(there) == 1, f"a sound is in {len(there)} places"
            assert there[0].read_bytes() == f"sound of {name}".encode()
            assert (recording.audio_path == there[0]) == (there[0] == places[0])
            assert not (recording.is_favourite and recording.deleted_at)
        Retention(paths, writer, reader, lambda: _SETTINGS).run(is_confirmed=True)
        left = [one for one in reader.recordings() if not one.is_favourite]
        assert all(one.audio_path is None for one in left)
        assert all(one.kind is RecordingKind.QUICK for one in left)


def _ruin(paths: Paths) -> None:
    content = bytearray(paths.library.read_bytes())
    content[:4096] = os.urandom(4096)
    paths.library.write_bytes(content)


def _check_salvage(paths: Paths) -> None:
    finish_salvage(paths)
    with LibraryReader(paths.library) as reader:
        try:
            is_new = reader.count() == _COUNT
        except Exception:  # noqa: BLE001  # still the damaged one, whole as it was
            is_new = False
    if not is_new:
        salvage_library(paths)
    with LibraryReader(paths.library) as reader:
        assert reader.count() == _COUNT
    assert set_aside_files(paths), "the damaged file was lost"


def _erase(paths: Paths) -> None:
    erase_everything(paths, has_models=True)


def _check_erase(paths: Paths) -> None:
    if paths.erasing.exists():
        assert finish_erasing(paths) is not None
        assert not paths.home.exists()
    elif paths.home.exists():  # killed before it began, or behind the last name
        left = {path.name for path in paths.home.iterdir()}
        assert "library.sqlite" in left or left <= {"owners", "library.lock"}


MODES: dict[str, tuple[Callable[[Paths], None], Callable[[Paths], None]]] = {
    "rules": (_run_rules, _check_rules),
    "salvage": (lambda paths: (salvage_library(paths), None)[1], _check_salvage),
    "erase": (_erase, _check_erase),
}


def _round(mode: str, dice: random.Random, longest_s: float) -> float:
    """Kill one process; return how long it would have taken, if it came to its end."""
    with tempfile.TemporaryDirectory() as name:
        paths = Paths(Path(name) / "home")
        _fill(paths)
        if mode == "salvage":
            _ruin(paths)
        command = [sys.executable, "-m", "tests.faults.kill_keeping", "--child", mode]
        child = subprocess.Popen(
            [*command, "--home", str(paths.home)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "begin\n"
        started = time.monotonic()
        try:
            child.wait(timeout=dice.uniform(0, longest_s))
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
        took = time.monotonic() - started
        MODES[mode][1](paths)
        return took if child.returncode == 0 else 0.0


def run(rounds: int, seed: int = 1) -> str:
    """Kill `rounds` processes of each kind; raise `AssertionError` on anything half."""
    dice = random.Random(seed)
    kills = 0
    for mode in MODES:
        longest_s = 5.0
        for number in range(rounds + 1):
            took = _round(mode, dice, 1e9 if number == 0 else longest_s)
            kills += took == 0.0
            longest_s = took if number == 0 else longest_s
    return f"{kills} kills in {3 * rounds} runs of rules, salvage and erasing; nothing half"


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=60)
    words.add_argument("--child", choices=tuple(MODES))
    words.add_argument("--home", type=Path)
    given = words.parse_args()
    if given.child:
        print("begin", flush=True)
        MODES[given.child][0](Paths(given.home))
    else:
        print(run(given.rounds))
