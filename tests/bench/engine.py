"""`./run bench engine`: our recognizer against `mlx_whisper.transcribe`, side by side.

Both sides get the same windows, one after the other in the same run, in turns; the best of a side's
turns counts. On a busy machine the seconds say little, so processor seconds are compared as well.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import soundfile

from app.audio.decode import MediaStream
from app.audio.speech import SpeechWindows
from app.core.packing import SAMPLE_RATE
from tests.bench.child import Stored
from tests.bench.ours import NANO
from tests.bench.report import difference, machine, markdown

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_TALKS = ROOT / "tests" / "data" / "conversations"
_BATCHES = (1, 2, 4, 8)
_USUAL_BATCH = 4
_GOALS = {False: 3.0, True: 4.0}

Answer = dict[str, Any]


class Side:
    """One side's process: a question in, an answer out."""

    def __init__(self, python: Path, module: str, *words: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), "-m", module, *map(str, words)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the other side ended with {self._process.wait()}")
        answer: Answer = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.__exit__(kind, error, trace)


@dataclass(frozen=True)
class Turns:
    """The best turn of each side, by whether words have times; ours also by batch."""

    peer: dict[bool, Answer]
    ours: dict[tuple[bool, int], Answer]
    stages: dict[str, float]
    peer_peak: int
    our_peak: int


@dataclass(frozen=True)
class Input:
    """The sound that both sides hear."""

    sound_s: float
    speech_s: float
    windows: int
    preparing_cpu_s: float  # decoding the file, finding speech, packing


def peer_python() -> Path:
    """Return the Python of the peer's environment, making it first if need be."""
    venv = ROOT / ".tools" / "bench-venv"
    made_from = hashlib.sha256(
        _REQUIREMENTS.read_bytes() + sys.version.encode() + str(ROOT).encode()
    ).hexdigest()
    python = venv / "bin" / "python"
    note = venv / "made-from"
    if note.exists() and note.read_text() == made_from:
        return python
    print("bench: installing mlx-whisper into .tools/bench-venv (once)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lines = _REQUIREMENTS.read_text().splitlines()
    torch = next(line for line in lines if line.startswith("torch"))
    # By itself, so that a local build of it is taken.
    subprocess.run([*pip, torch], check=True)
    subprocess.run([*pip, "-r", str(_REQUIREMENTS)], check=True)
    note.write_text(made_from)
    return python


def join_talks(file: Path, seconds: float) -> None:
    """Write the conversations, repeated until there are `seconds` of them, to `file`."""
    talks = sorted(_TALKS.glob("*.flac"))
    left = round(seconds * SAMPLE_RATE)
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, "PCM_16") as joined:
        while left > 0:
            for talk in talks:
                audio, _ = soundfile.read(talk, frames=left, dtype="float32")
                joined.write(audio)
                left -= len(audio)
                if left <= 0:
                    break


def prepare(file: Path, stored: Stored) -> Input:
    """Cut the windows of `file` and store them."""
    began = sum(os.times()[:4])  # the decoding child's too
    with MediaStream(file) as stream:
        windows = SpeechWindows(stream, NANO.max_speech_s)
        stored.write((window.audio, window.start_s) for window in windows)
    took = sum(os.times()[:4]) - began
    spans = stored.spans
    speech_s = sum(count for _, count, _ in spans) / SAMPLE_RATE
    return Input(windows.heard_s, speech_s, len(spans), took)


def take_turns(peer: Side, ours: Side, rounds: int) -> Turns:
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
            for batch in _BATCHES:
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
                f"{given.sound_s / peer_s:.1f} / {given.sound_s / own_s:.1f}",
                f"{peer['tokens']} / {ours['tokens']}",
                f"{peer['passes']} / {ours['passes']}",
                f"{difference(peer['texts'], ours['texts']):.1%}",
            ]
        )
    head = ["word times", "peer", "ours", "ratio", "peer CPU", "ours CPU", "CPU ratio"]
    head += ["CPU with VAD", "CPU per token", "goal", "× real time (CPU)", "tokens"]
    head += ["decodings", "words differ"]
    peaks = f"Peak memory: peer {_mb(turns.peer_peak)}, ours {_mb(turns.our_peak)} (VmHWM)."
    return markdown(head, rows) + "\n\n" + peaks


def _judged(ratio: float, goal: float) -> str:
    return f"{ratio:.2f}×" + ("" if ratio >= goal else " (below)")


def _batches(turns: Turns) -> str:
    rows = []
    for batch in _BATCHES:
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
    """Compare both sides on `minutes` of sound and return the tables."""
    with tempfile.TemporaryDirectory(prefix="undertone-bench-") as made:
        folder = Path(made)
        joined, stored = folder / "talks.flac", Stored(folder)
        join_talks(joined, minutes * 60)
        given = prepare(joined, stored)
        print(f"bench: {minutes:g} minutes are {given.windows} windows", flush=True)
        with (
            Side(python, "tests.bench.peer", NANO.folder, folder) as peer,
            Side(Path(sys.executable), "tests.bench.ours", folder) as ours,
        ):
            return describe(given, take_turns(peer, ours, rounds))


def run(minutes: list[float], rounds: int, *, writes: bool) -> None:
    """Print the comparison for each length, and write it down if asked to."""
    python = peer_python()
    began = time.strftime("%F %H:%M")
    load = os.getloadavg()[0]
    tables = [compare(length, rounds, python) for length in minutes]
    text = "\n\n".join([_heading(began, load, rounds), *tables]) + "\n"
    print(text)
    if writes:
        RESULTS.write_text(text, encoding="utf-8")


def _heading(began: str, load: float, rounds: int) -> str:
    return (
        "# The engine against mlx-whisper\n\n"
        f"Written by `./run bench engine` on {began}: {machine()}; "
        f"load average {load:.1f} when it began. The peer is `mlx_whisper.transcribe` 0.4.3 with "
        "its own numba and scipy; both sides: the built-in nano model, float32, temperature 0, "
        "English, no text carried over, the same windows in the same order, read from disk, best "
        f"of {rounds} turns each. “With VAD” adds to our side what the peer is spared: decoding "
        "the file, finding speech, packing. “Words differ” is the word error rate between the two "
        "texts, not against what was said."
    )
