"""`./run bench engine`: our recognizer against `mlx_whisper.transcribe`, side by side.

Both sides get the same windows, one after the other in the same run, in turns; the best of a side's
turns counts. On a busy machine the seconds say little, so processor seconds are compared as well.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench import voxtral
from tests.bench.child import Stored
from tests.bench.ggml import write_ggml
from tests.bench.memory import compare_memory
from tests.bench.ours import NANO
from tests.bench.report import RESULTS, difference, machine, markdown, write_section
from tests.bench.shapes import compare_shapes
from tests.bench.sides import Answer, Side, float32_copy, peer_python
from tests.bench.sound import Input, join_talks, prepare

_BATCHES = (1, 2, 4, 8)
_USUAL_BATCH = 4
_LONG_HOURS = 3.0
_LONGEST_FOR_BATCHES = 5.0  # minutes
_GOALS = {False: 3.0, True: 4.0}


@dataclass(frozen=True)
class Turns:
    """The best turn of each side, by whether words have times; ours also by batch."""

    peer: dict[bool, Answer]
    ours: dict[tuple[bool, int], Answer]
    stages: dict[str, float]
    peer_peak: int
    our_peak: int


def take_turns(peer: Side, ours: Side, rounds: int, batches: tuple[int, ...] = _BATCHES) -> Turns:
    """Let both sides work in turns."""
    for side in (peer, ours):
        side.ask(words=True, most=1)  # compiles, loads, warms up
    peers: dict[bool, list[Answer]] = {False: [], True: []}
    own: dict[tuple[bool, int], list[Answer]] = {}
    for turn in range(rounds):
        for words in (False, True):
            print(f"bench: round {turn + 1} of {rounds}, words {_on(words)}", flush=True)
            peers[words].append(peer.ask(words=words))
            usual = ours.ask(words=words, batch=_USUAL_BATCH)
            own.setdefault((words, _USUAL_BATCH), []).append(usual)
    peer_peak, our_peak = peers[True][-1]["peak_bytes"], usual["peak_bytes"]
    for _ in range(rounds):
        for words in (False, True):
            for batch in batches:
                own.setdefault((words, batch), []).append(ours.ask(words=words, batch=batch))
    stages = ours.ask(words=True, stages=True)["stages"]
    return Turns(
        {words: _best(answers) for words, answers in peers.items()},
        {key: _best(answers) for key, answers in own.items()},
        stages,
        peer_peak,
        our_peak,
    )


def _best(answers: list[Answer]) -> Answer:
    best = min(answers, key=lambda answer: float(answer["seconds"]))
    return {**best, "cpu_s": min(float(answer["cpu_s"]) for answer in answers)}


def _on(words: bool) -> str:
    return "on" if words else "off"


def describe(given: Input, turns: Turns) -> str:
    """Return the tables of one input."""
    return "\n\n".join(
        [
            f"### {given.sound_s / 60:.1f} minutes of sound",
            f"{given.windows} windows, {given.speech_s:.0f} s of {given.sound_s:.0f} s; "
            "× real time is of the whole sound, on the CPU.",
            _sides(given, turns),
            _batches(turns),
            _stages(given, turns),
        ]
    )


def _sides(given: Input, turns: Turns) -> str:
    rows = []
    for words in (False, True):
        peer, ours = turns.peer[words], turns.ours[words, _USUAL_BATCH]
        own_s, peer_s = ours["seconds"], peer["seconds"]
        own_cpu_s, peer_cpu_s = ours["cpu_s"], peer["cpu_s"]
        whole_s = own_cpu_s + given.preparing_cpu_s
        a_token = (peer_cpu_s / peer["tokens"]) / (own_cpu_s / ours["tokens"])
        rows.append(
            [
                _on(words),
                f"{peer_s:.1f} s",
                f"{own_s:.1f} s",
                _judged(peer_s / own_s, _GOALS[words]),
                f"{peer_cpu_s:.1f} s",
                f"{own_cpu_s:.1f} s",
                _judged(peer_cpu_s / own_cpu_s, _GOALS[words]),
                f"{peer_cpu_s / whole_s:.2f}×",
                f"{a_token:.2f}×",
                f"{_GOALS[words]:.0f}×",
                f"{given.sound_s / given.speech_s:.2f}×",
                f"{given.sound_s / peer_s:.1f} / {given.sound_s / own_s:.1f}",
                f"{peer['tokens']} / {ours['tokens']}",
                f"{peer['passes']} / {ours['passes']}",
                f"{difference(peer['texts'], ours['texts']):.1%}",
            ]
        )
    head = ["word times", "peer", "ours", "ratio", "peer CPU", "ours CPU", "CPU ratio"]
    head += ["CPU with VAD", "CPU per token", "goal", "skipping silence"]
    head += ["× real time (CPU)", "tokens"]
    head += ["decodings", "words differ"]
    peaks = f"Peak memory: peer {_mb(turns.peer_peak)}, ours {_mb(turns.our_peak)} (VmHWM)."
    return markdown(head, rows) + "\n\n" + peaks


def _judged(ratio: float, goal: float) -> str:
    return f"{ratio:.2f}×" + ("" if ratio >= goal else " (below)")


def _batches(turns: Turns) -> str:
    rows = []
    for batch in sorted({batch for _, batch in turns.ours}):
        off, on = turns.ours[False, batch], turns.ours[True, batch]
        ratios = [turns.peer[w]["cpu_s"] / turns.ours[w, batch]["cpu_s"] for w in (False, True)]
        rows.append(
            [str(batch)]
            + [f"{one['cpu_s']:.1f} s" for one in (off, on)]
            + [f"{ratio:.2f}×" for ratio in ratios]
        )
    head = ["our batch (CPU)", "words off", "words on", "ratio off", "ratio on"]
    return markdown(head, rows)


def _stages(given: Input, turns: Turns) -> str:
    named = {
        "decode the file, VAD, pack": given.preparing_cpu_s,
        "mel and encoder": turns.stages.get("encode", 0.0),
        "decode tokens": turns.stages.get("decode", 0.0),
        "word times": turns.stages.get("words", 0.0),
    }
    total = sum(named.values())
    rows = [[name, f"{spent:.1f} s", f"{spent / total:.0%}"] for name, spent in named.items()]
    return markdown([f"our stages (batch {_USUAL_BATCH})", "CPU", "share"], rows)


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def compare(minutes: float, rounds: int, python: Path) -> str:
    """Compare all sides on `minutes` of sound and return the tables."""
    with tempfile.TemporaryDirectory(prefix="undertone-bench-") as made:
        folder = Path(made)
        joined, stored = folder / "talks.flac", Stored(folder)
        join_talks(joined, minutes * 60)
        given = prepare(joined, stored)
        print(f"bench: {minutes:g} minutes are {given.windows} windows", flush=True)
        model = float32_copy(NANO.folder, folder)
        with (
            Side(python, "tests.bench.peer", model, folder) as peer,
            Side(Path(sys.executable), "tests.bench.ours", folder) as ours,
        ):
            # On long sound the usual batch says enough.
            batches = _BATCHES if minutes <= _LONGEST_FOR_BATCHES else ()
            turns = take_turns(peer, ours, rounds, batches)
        return describe(given, turns) + "\n\n" + _cpp(folder, python, turns)


def _cpp(folder: Path, python: Path, turns: Turns) -> str:
    """Return the table against whisper.cpp, which reads the same numbers as half floats."""
    file = folder / "nano.bin"
    write_ggml(NANO.folder, file)
    rows = []
    with Side(python, "tests.bench.cpp", file, folder) as cpp:
        cpp.ask(words=False, most=1)
        for words in (False, True):
            peer, ours = cpp.ask(words=words), turns.ours[words, _USUAL_BATCH]
            rows.append(
                [
                    _on(words),
                    f"{peer['cpu_s']:.1f} s",
                    f"{ours['cpu_s']:.1f} s",
                    f"{peer['cpu_s'] / ours['cpu_s']:.2f}×",
                    _mb(peer["peak_bytes"]),
                    f"{difference(peer['texts'], ours['texts']):.1%}",
                ]
            )
    head = ["word times", "whisper.cpp CPU", "ours CPU", "ratio", "its peak", "words differ"]
    return markdown(head, rows)


def run(minutes: list[float], rounds: int, *, small_windows: int, every: int, writes: bool) -> None:
    """Print every comparison, and write it down if asked to.

    Args:
        minutes: how much speech of the conversations, a table each.
        rounds: how many turns each side has.
        small_windows: windows of small's shapes; 0 leaves them out.
        every: which windows of the 3-hour file ours decodes, every n-th; 0 leaves it out.
        writes: whether RESULTS.md is written.
    """
    python = peer_python()
    began = time.strftime("%F %H:%M")
    load = os.getloadavg()[0]
    parts = [_heading(began, load, rounds)]
    parts += [compare(length, rounds, python) for length in minutes]
    with tempfile.TemporaryDirectory(prefix="undertone-bench-") as made:
        folder = Path(made)
        if every:
            model = float32_copy(NANO.folder, folder)
            table = compare_memory(folder, python, model, _LONG_HOURS, every)
            parts.append("### Memory of a long file\n\n" + table)
        if small_windows:
            is_short = small_windows < _USUAL_BATCH
            batches = (small_windows,) if is_short else (1, _USUAL_BATCH)
            tokens = 60 if is_short else 115
            table = compare_shapes(folder, python, small_windows, batches, tokens)
            parts.append("### The shapes of Whisper small, random weights\n\n" + table)
    text = "\n\n".join(parts) + "\n"
    print(text)
    if writes:
        write_section(RESULTS, "engine", text)
    voxtral.run(writes=writes)


def _heading(began: str, load: float, rounds: int) -> str:
    return (
        "## The engine against mlx-whisper\n\n"
        f"Written by `./run bench engine` on {began}: {machine()}; "
        f"load average {load:.1f} when it began. The peer is `mlx_whisper.transcribe` 0.4.3 with "
        "its own numba and scipy; both sides: the built-in nano model, float32, temperature 0, "
        "English, no text carried over, the same windows in the same order, read from disk, best "
        f"of {rounds} turns each. “With VAD” adds to our side what the peer is spared: decoding "
        "the file, finding speech, packing. “Skipping silence” is how much less sound is decoded "
        "because of the VAD; it is in none of the ratios. “Words differ” is the word error rate "
        "between the two texts, not against what was said. whisper.cpp runs the same weights as "
        "half floats and, because it takes two decoder layers for a distilled model, writes no "
        "timestamps, so it has fewer tokens to decode."
    )
