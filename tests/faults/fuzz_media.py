"""Decodes mutated media files and looks at what the worker and its neighbours do.

Each file must end as sound or as one sentence: no other exception here, no crashed worker, none
that hangs, none past its memory. A good file decoded all the while must keep giving the same
samples.

    python -m tests.faults.fuzz_media --n 1600
"""

import argparse
import hashlib
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from threading import Lock

from app.audio.decode import Limits, open_media
from app.core.errors import DecodeFailed
from tests.faults.alone import run_alone
from tests.helpers.media import RECIPES, jfk, make

FORMATS = (
    "pcm24-96k.wav", "ulaw-8k.wav", "clip.aiff", "clip.flac", "clip.mp3", "vorbis.ogg",
    "clip.opus", "aac.m4a", "clip.mp4", "clip.mov", "opus.mkv", "clip.webm", "clip.amr",
    "clip.3gp", "clip.wma", "clip.aac",
)  # fmt: skip
CLIP_S = 2.0
STALL_S = 20.0
MEMORY_BYTES = 1 << 30
WORKERS = 2
NEIGHBOUR_EVERY = 25

Mutation = Callable[[bytearray, random.Random, list[bytes]], bytearray]


@dataclass(slots=True)
class Outcome:
    """What a run of this script saw."""

    n: int = 0
    decoded: int = 0
    cut_short: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_bytes: int = 0
    neighbours: int = 0

    def __str__(self) -> str:
        refused = ", ".join(f"{count} {what}" for what, count in self.refused.most_common())
        return (
            f"{self.n} files: {self.decoded} decoded ({self.cut_short} said to be damaged); "
            f"refused: {refused or 'none'}; slowest {self.slowest_s:.2f} s; "
            f"worker at most {self.peak_bytes >> 20} MB; "
            f"{self.neighbours} good files beside them unchanged"
        )


def flip_bits(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    for _ in range(dice.randint(1, 60)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return data


def truncate(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    return data[: dice.randrange(1, len(data))]


def zero_run(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    start = dice.randrange(len(data))
    length = min(len(data) - start, dice.randint(1, 5000))
    data[start : start + length] = bytes(length)
    return data


def swap_chunks(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    a, b, c = sorted(dice.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def garble_header(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    start = dice.randint(0, 64)
    garbage = dice.randbytes(dice.randint(1, 200))
    data[start : start + len(garbage)] = garbage
    return data


def lie_about_lengths(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    odd = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000000, dice.getrandbits(32))
    for _ in range(dice.randint(1, 6)):
        start = dice.randrange(max(1, min(len(data), 2000) - 4))
        order = dice.choice(("little", "big"))
        data[start : start + 4] = dice.choice(odd).to_bytes(4, order)  # type: ignore[arg-type]
    return data


def concatenate(data: bytearray, dice: random.Random, others: list[bytes]) -> bytearray:
    other = dice.choice(others)
    return data[: dice.randrange(1, len(data))] + other[dice.randrange(len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, truncate, zero_run, swap_chunks, garble_header, lie_about_lengths, concatenate,
)  # fmt: skip


def mutated(number: int, seed: int, originals: dict[str, bytes]) -> tuple[str, bytes]:
    """Return name and bytes of one mutated file; the same for the same numbers."""
    dice = random.Random(f"{seed}/{number}")
    name = FORMATS[number % len(FORMATS)]
    mutation = MUTATIONS[number // len(FORMATS) % len(MUTATIONS)]
    data = mutation(bytearray(originals[name]), dice, list(originals.values()))
    return f"{number}-{mutation.__name__}-{name}", bytes(data)


class _Run:
    """One run's files and what was seen so far; several threads add to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        recipes = [recipe for recipe in RECIPES if recipe.name in FORMATS]
        made = {recipe.name: make(recipe, jfk(CLIP_S), folder) for recipe in recipes}
        self.seen = Outcome()
        self._folder, self._seed = folder, seed
        self._originals = {name: file.read_bytes() for name, file in made.items()}
        self._good = made["clip.mp4"]
        self._good_sum = self._sum(self._good)
        self._lock = Lock()

    def one(self, number: int) -> None:
        """Decode the mutated file of this number; raise `AssertionError` on any harm."""
        name, data = mutated(number, self._seed, self._originals)
        file = self._folder / name
        file.write_bytes(data)
        started = time.monotonic()
        said, is_damaged, peak = self._decode(file)
        took_s = time.monotonic() - started
        file.unlink()
        with self._lock:
            seen = self.seen
            seen.n += 1
            seen.slowest_s = max(seen.slowest_s, took_s)
            seen.peak_bytes = max(seen.peak_bytes, peak)
            seen.decoded += said is None
            seen.cut_short += said is None and is_damaged
            if said is not None:
                seen.refused[said] += 1
        harmless = said is None or not any(
            harm in said for harm in ("failed unexpectedly", "took too long", "too much memory")
        )
        assert harmless, f"{name} (seed {self._seed}): {said}"
        if number % NEIGHBOUR_EVERY == 0:
            assert self._sum(self._good) == self._good_sum, f"{name} changed its neighbour"
            with self._lock:
                self.seen.neighbours += 1

    @staticmethod
    def _decode(file: Path) -> tuple[str | None, bool, int]:
        limits = Limits(stall_s=STALL_S, memory_bytes=MEMORY_BYTES)
        try:
            with open_media(file, limits=limits) as stream:
                n_samples = sum(len(block) for block in stream)
        except DecodeFailed as error:
            refusal = error
        else:
            assert n_samples > 0
            return None, stream.is_truncated, stream.peak_bytes
        assert str(refusal.hint), "every refusal names a way out"
        return refusal.message.source.replace("“{name}” ", "").rstrip("."), False, 0

    @staticmethod
    def _sum(file: Path) -> str:
        digest = hashlib.sha256()
        with open_media(file) as stream:
            for block in stream:
                digest.update(block.tobytes())
        return digest.hexdigest()


def fuzz(n: int, seed: int) -> Outcome:
    """Decode `n` mutated files; raise `AssertionError` on any harm."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(WORKERS) as pool:
        work = _Run(Path(name), seed)
        for done, _ in enumerate(pool.map(work.one, range(n)), 1):
            if done % 100 == 0:
                print(work.seen, file=sys.stderr, flush=True)
        # Refused files say nothing about memory; the system does. It counts a child from its
        # fork on, so this process's own size is the least it can say.
        unit = 1 if sys.platform == "darwin" else 1024
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
        work.seen.peak_bytes = max(work.seen.peak_bytes, children)
        assert work.seen.peak_bytes <= MEMORY_BYTES
        return work.seen


def run(n: int) -> Outcome:
    """Decode `n` mutated files from a process of its own, which is small."""
    said = json.loads(run_alone("fuzz_media", "--n", n))
    return Outcome(**{**said, "refused": Counter(said["refused"])})


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--n", type=int, default=1600)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    seen = fuzz(given.n, given.seed)
    print(json.dumps({each.name: getattr(seen, each.name) for each in fields(seen)}))
