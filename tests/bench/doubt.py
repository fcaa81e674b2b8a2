"""How much more often doubtful words are wrong, on clips with noise over them.

Words are compared with what was spoken; the table shows, for each strength of noise, the share of
wrong words among all and among the marked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import soundfile

from app.core.agreement import normal_form
from app.core.doubt import doubtful_words, limit_of
from app.core.packing import SAMPLE_RATE, Audio, Region, Window
from app.core.transcript import Segment
from app.engine.base import Options, WindowResult
from app.engine.whisper.recognizer import WhisperRecognizer
from tests.bench.ours import load_nano
from tests.bench.report import markdown

DATA = Path(__file__).resolve().parents[1] / "data"
SNRS_DB = (40.0, 30.0, 20.0, 10.0)


class One:
    """A `WindowSource` of a single window."""

    def __init__(self, audio: Audio) -> None:
        span = len(audio) / SAMPLE_RATE
        self._window: Window | None = Window(0, 0.0, audio, (Region(0.0, span),))

    def take(self) -> Window | None:
        window, self._window = self._window, None
        return window

    @property
    def is_finished(self) -> bool:
        return self._window is None


@dataclass(slots=True)
class Tally:
    words: int = 0
    wrong: int = 0
    marked: int = 0
    marked_wrong: int = 0

    def row(self, name: str) -> list[str]:
        base = self.wrong / max(1, self.words)
        among = self.marked_wrong / max(1, self.marked)
        return [
            name,
            str(self.words),
            f"{base:.1%}",
            f"{self.marked / max(1, self.words):.1%}",
            f"{among:.1%}",
            f"{among / base:.1f}×" if base else "–",
        ]


HEAD = ["noise", "words", "wrong", "marked", "wrong among the marked", "ratio"]


def noisy(audio: Audio, snr_db: float, seed: int) -> Audio:
    """Return the sound with babble-like noise `snr_db` below it."""
    dice = np.random.default_rng(seed)
    noise = np.convolve(dice.standard_normal(len(audio)), np.ones(8) / 8, "same")
    power = float(np.mean(audio**2)) / 10 ** (snr_db / 10)
    scaled = noise * np.sqrt(power / float(np.mean(noise**2)))
    mixed: Audio = (audio + scaled).astype(np.float32)
    return mixed


def transcribed(recognizer: WhisperRecognizer, audio: Audio) -> tuple[Segment, ...]:
    """Return what is heard, with words."""
    options = Options(language="en", wants_words=True)
    results = recognizer.transcribe(One(audio), options)
    found = [each for each in results if isinstance(each, WindowResult)]
    return tuple(segment for each in found for segment in each.segments)


def count(tally: Tally, spoken: Sequence[str], segments: Sequence[Segment]) -> None:
    """Add one transcript to `tally`."""
    limit = limit_of(segments)
    heard: list[str] = []
    marked: list[bool] = []
    for segment in segments:
        doubtful = set(doubtful_words(segment, limit))
        for place, word in enumerate(segment.words):
            heard.append(normal_form(word.text))
            marked.append(place in doubtful)
    right: set[int] = set()
    for block in SequenceMatcher(None, spoken, heard, autojunk=False).get_matching_blocks():
        right.update(range(block.b, block.b + block.size))
    tally.words += len(heard)
    tally.wrong += len(heard) - len(right)
    tally.marked += sum(marked)
    tally.marked_wrong += sum(is_marked and at not in right for at, is_marked in enumerate(marked))


def run(every: int = 1, together: int = 6) -> str:
    """Return the table; clips are heard one by one and counted `together`, as a recording."""
    recognizer = load_nano()
    listed = json.loads((DATA / "speech" / "reference.json").read_text(encoding="utf-8"))
    clips = [each for each in listed if each["language"] == "en"][::every]
    rows = []
    whole = Tally()
    for snr_db in SNRS_DB:
        tally = Tally()
        for first in range(0, len(clips), together):
            spoken: list[str] = []
            segments: list[Segment] = []
            for seed, clip in enumerate(clips[first : first + together]):
                audio, _rate = soundfile.read(DATA / "speech" / clip["file"], dtype="float32")
                segments += transcribed(recognizer, noisy(audio, snr_db, seed))
                spoken += [normal_form(word) for word in clip["text"].split()]
            for each in (tally, whole):
                count(each, spoken, segments)
        rows.append(tally.row(f"{snr_db:.0f} dB below"))
        print(rows[-1], flush=True)
    rows.append(whole.row("all"))
    return markdown(HEAD, rows)
