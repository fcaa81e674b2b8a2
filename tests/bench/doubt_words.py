"""What was heard in noise, word by word: how sure the model was, and whether it was right.

The calibration is fitted on the conversations (`is_held_out` false) and measured on the clips,
whose sentences and most of whose voices the conversations have not; nothing here decodes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.config.paths import resources
from app.core.confidence import RAW, Calibration, around
from app.core.doubt import doubtful_words, limit_of
from app.core.transcript import Segment, Word
from app.models.catalog import load_catalog
from tests.bench.report import markdown

WORDS = Path(__file__).resolve().parents[1] / "data" / "doubt" / "words.json"
_BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Noise:
    """White noise, or soft: with little above 1 kHz; `snr_db` below the speech, `None` for none."""

    kind: str = "white"
    snr_db: float | None = None

    @property
    def name(self) -> str:
        return "none" if self.snr_db is None else f"{self.kind}, {self.snr_db:.0f} dB"


HEADLINE = Noise("white", 20.0)  # as in tests/e2e/test_noise.py


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording: for each window its words' log-odds, and as digits what is known of them."""

    is_held_out: bool
    noise: Noise
    seed: int
    windows: tuple[tuple[float, ...], ...]
    wrong: tuple[str, ...]  # "1" for a word that was not said
    new_voice: tuple[str, ...]  # "1" for a voice that is not in the conversations

    def labels(self) -> npt.NDArray[np.bool_]:
        return _digits(self.wrong)

    def voices(self) -> npt.NDArray[np.bool_]:
        return _digits(self.new_voice)

    def right(self, calibration: Calibration) -> Numbers:
        """Return how probable it is that each word is right."""
        parts = [calibration.probabilities(window) for window in self.windows]
        return np.array([each for part in parts for each in part])

    def marked(self, calibration: Calibration) -> npt.NDArray[np.bool_]:
        """Return which words a person would see marked."""
        words = tuple(Word("a", 0.0, 0.0, float(each)) for each in self.right(calibration))
        segment = Segment(0.0, 0.0, "", words)
        places = doubtful_words(segment, limit_of([segment]))
        return np.isin(np.arange(len(words)), places)


def _digits(parts: Iterable[str]) -> npt.NDArray[np.bool_]:
    return np.array([digit == "1" for part in parts for digit in part])


def load_about(file: Path = WORDS) -> str:
    """Return where what was kept comes from."""
    return str(json.loads(file.read_text(encoding="utf-8"))["about"])


def load_heard(file: Path = WORDS) -> list[Heard]:
    """Return what was kept of the last full run."""
    rows = json.loads(file.read_text(encoding="utf-8"))["recordings"]
    return [
        Heard(
            is_held_out=row["is_held_out"],
            noise=Noise(**row["noise"]),
            seed=row["seed"],
            windows=tuple(map(tuple, row["windows"])),
            wrong=tuple(row["wrong"]),
            new_voice=tuple(row["new_voice"]),
        )
        for row in rows
    ]


def keep_heard(heard: Sequence[Heard], about: str, file: Path = WORDS) -> None:
    """Keep `heard` for the everyday tests, a recording a line."""
    lines = ",\n".join(json.dumps(asdict(each), separators=(",", ":")) for each in heard)
    file.parent.mkdir(exist_ok=True)
    text = f'{{"about": {json.dumps(about)}, "recordings": [\n{lines}\n]}}\n'
    file.write_text(text, encoding="utf-8")


def shipped() -> Calibration:
    """Return the built-in model's calibration."""
    return load_catalog(resources() / "models.toml")[0].calibration


def fitted(heard: Iterable[Heard]) -> Calibration:
    """Return the logistic regression over `heard`, by Newton's method."""
    kept = list(heard)
    windows = [np.array(window) for each in kept for window in each.windows if window]
    own = np.concatenate(windows)
    near = np.concatenate([around(window) for window in windows])
    known = np.stack([own, near, np.ones(len(own))], axis=1)
    right = ~np.concatenate([each.labels() for each in kept])
    weights = np.array([RAW.own, RAW.around, RAW.offset])
    for _ in range(12):
        sure = 1.0 / (1.0 + np.exp(-known @ weights))
        slope = known.T @ (right - sure)
        weights += np.linalg.solve((known.T * (sure * (1.0 - sure))) @ known, slope)
    return Calibration(*(round(float(each), 2) for each in weights))


@dataclass(slots=True)
class Tally:
    """Words, how many of them are wrong, marked, and both."""

    words: int = 0
    wrong: int = 0
    marked: int = 0
    marked_wrong: int = 0

    def add(self, is_wrong: npt.NDArray[np.bool_], is_marked: npt.NDArray[np.bool_]) -> None:
        self.words += len(is_wrong)
        self.wrong += int(is_wrong.sum())
        self.marked += int(is_marked.sum())
        self.marked_wrong += int((is_wrong & is_marked).sum())

    @property
    def base(self) -> float:
        return self.wrong / max(1, self.words)

    @property
    def share(self) -> float:
        return self.marked / max(1, self.words)

    @property
    def ratio(self) -> float:
        """How much more often marked words are wrong than all words; 0 where nothing is marked."""
        return self.marked_wrong / self.marked / self.base if self.marked and self.wrong else 0.0

    def row(self, name: str) -> list[str]:
        among = self.marked_wrong / max(1, self.marked)
        return [
            name,
            str(self.words),
            f"{self.base:.1%}",
            f"{self.share:.1%}",
            f"{among:.0%} ({self.marked_wrong} of {self.marked})",
            f"{self.ratio:.1f}×" if self.marked and self.wrong else "–",
            f"{1 / self.base:.1f}×" if self.wrong else "–",
        ]


HEAD = ["noise", "words", "wrong", "marked", "wrong among the marked", "ratio", "most possible"]


def tally(
    heard: Iterable[Heard], calibration: Calibration, *, only_new_voices: bool = False
) -> Tally:
    """Count words and marks; marks are chosen in each recording by itself."""
    found = Tally()
    for each in heard:
        taken = each.voices() if only_new_voices else np.ones(len(each.labels()), np.bool_)
        found.add(each.labels()[taken], each.marked(calibration)[taken])
    return found


def marks_table(heard: Sequence[Heard], calibration: Calibration) -> str:
    """Return a row for each noise, and some together."""
    noises = list(dict.fromkeys(each.noise for each in heard))
    rows = []
    for noise in noises:
        these = [each for each in heard if each.noise == noise]
        rows.append(tally(these, calibration).row(noise.name))
        if any(each.voices().any() for each in these):
            new = tally(these, calibration, only_new_voices=True)
            rows.append(new.row("· voices new to it"))
    loud = [each for each in heard if each.noise.snr_db is not None]
    rows.append(tally(loud, calibration).row("all noisy"))
    return markdown(HEAD, rows)


def reliability(heard: Sequence[Heard], calibration: Calibration) -> str:
    """Return how often words are wrong of which that was said."""
    said = 1.0 - np.concatenate([each.right(calibration) for each in heard])
    labels = np.concatenate([each.labels() for each in heard])
    rows = []
    for low, high in pairwise(_BINS):
        inside = (said >= low) & (said < high)
        if inside.any():
            figures = (f"{said[inside].mean():.1%}", f"{labels[inside].mean():.1%}")
            rows.append([f"{low:.0%} to {high:.0%}", str(int(inside.sum())), *figures])
    return markdown(["said to be wrong", "words", "said, mean", "wrong"], rows)
