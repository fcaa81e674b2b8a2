"""Kills a downloading process at random moments and looks at what is left.

After every kill there is a verified model or none, and no byte that was written is ever asked for
again.

    python -m tests.faults.kill_download --rounds 50
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.models.download import Downloads, repository_entry
from app.models.hub import Route
from app.models.part import Range
from app.models.store import PARTIAL, ModelStore
from tests.helpers.fake_hub import FakeHub, Fault

REPOSITORY = "somebody/whisper-large"
WEIGHTS = "weights.safetensors"
NAME = "whisper-large"
_SIZE = 40_000_000
_PIECE, _PAUSE_S = 1 << 17, 0.003  # slow enough to be killed in


@dataclass(slots=True)
class Outcome:
    """What a run of this script saw."""

    kills: int = 0
    models: int = 0
    resumed_bytes: int = 0
    fetched_twice: int = 0


def weights(size: int) -> bytes:
    """Return a weights file of noise."""
    numbers = np.random.default_rng(0).integers(0, 255, size, np.uint8).tobytes()
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + numbers


def child(folder: Path, address: str) -> None:
    """Download until it is done; this is what is killed."""
    store = ModelStore(folder, folder / "none", ())
    downloads = Downloads(store, lambda _event: None, lambda: Route(address))
    print("begun", flush=True)
    downloads.get(repository_entry(REPOSITORY, model_id=NAME))
    downloads.wait()
    print(downloads.all[0].state.value, flush=True)
    downloads.close()


def start(folder: Path, hub: FakeHub) -> "subprocess.Popen[str]":
    """Start the child and wait until it begins."""
    command = [sys.executable, "-m", "tests.faults.kill_download", "--child", str(folder)]
    process = subprocess.Popen(
        [*command, "--hub", hub.address],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def here(folder: Path) -> list[Range]:
    """Return what is on disk: a kill loses nothing that was written, journalled or not."""
    part = folder / PARTIAL / NAME / f"{WEIGHTS}.part"
    return [Range(0, part.stat().st_size)] if part.exists() else []


def look(folder: Path, hub: FakeHub, sure: list[Range], outcome: Outcome) -> bool:
    """Check what is there, and what was asked for; whether the model is."""
    store = ModelStore(folder, folder / "none", ())
    found = store.installed()
    for served in hub.served:
        # What was on its way to a process that was killed is written down later than its end.
        if served.name == WEIGHTS and served.epoch == hub.epoch:
            outcome.fetched_twice += sum(
                max(0, min(served.end, one.end) - max(served.start, one.start)) for one in sure
            )
    if not found:
        return False
    assert store.damaged_files(found[0]) == (), "a damaged model was made known"
    content = hub.repositories[REPOSITORY][WEIGHTS]
    assert (found[0].folder / WEIGHTS).read_bytes() == content, "the bytes differ"
    return True


def _reached(hub: FakeHub, process: "subprocess.Popen[str]", sent: float) -> bool:
    """Wait until so many bytes have left the hub, or the child has ended; whether they have."""
    reached = threading.Event()

    def count(name: str, so_far: int) -> None:
        if name == WEIGHTS and so_far >= sent:
            reached.set()

    hub.on_bytes = count
    while process.poll() is None and not reached.wait(0.01):
        pass
    hub.on_bytes = lambda _name, _count: None
    return process.poll() is None


def run(rounds: int, seed: int = 1, size: int = _SIZE) -> Outcome:
    """Kill `rounds` times; raise `AssertionError` on a bad model or a byte fetched twice."""
    dice, outcome = random.Random(seed), Outcome()
    with tempfile.TemporaryDirectory() as name, FakeHub() as hub:
        config = json.dumps({"n_audio_state": 384, "n_audio_ctx": 1500}).encode()
        hub.repositories[REPOSITORY] = {"config.json": config, WEIGHTS: weights(size)}
        hub.always[WEIGHTS] = Fault(piece=_PIECE, pause_s=_PAUSE_S)
        while outcome.kills < rounds:
            folder, is_there = Path(name) / f"models-{outcome.models}", False
            while not is_there:
                sure = here(folder)
                outcome.resumed_bytes += sum(one.size for one in sure)
                hub.epoch += 1
                process = start(folder, hub)
                if outcome.kills < rounds and _reached(
                    hub, process, dice.uniform(0.02, 0.5) * size
                ):
                    process.kill()
                    outcome.kills += 1
                process.communicate()
                is_there = look(folder, hub, sure, outcome)
            outcome.models += 1
    assert outcome.fetched_twice == 0, f"{outcome.fetched_twice} bytes were fetched twice"
    return outcome


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=50)
    words.add_argument("--child", type=Path)
    words.add_argument("--hub", default="")
    given = words.parse_args()
    if given.child:
        child(given.child, given.hub)
    else:
        print(run(given.rounds))


if __name__ == "__main__":
    main()
