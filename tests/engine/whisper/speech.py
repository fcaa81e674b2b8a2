"""The spoken clips of `tests/data/speech` as windows, and how well a text matches what was said."""

import json
import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import soundfile

from app.config.paths import resources
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.whisper.recognizer import WhisperRecognizer

FOLDER = Path(__file__).resolve().parents[2] / "data" / "speech"
NANO = Model(
    "nano", "Demonstration", Family.WHISPER, resources() / "models" / "nano", max_speech_s=9.0
)

T = TypeVar("T")


@dataclass(frozen=True)
class Clip:
    window: Window
    language: str
    text: str


def clips(languages: Iterable[str] = (), every: int = 1) -> list[Clip]:
    """Return the clips in `languages` (all when empty), only every n-th of them."""
    chosen = []
    for index, entry in enumerate(json.loads((FOLDER / "reference.json").read_text())):
        if index % every or (languages and entry["language"] not in languages):
            continue
        audio, rate = soundfile.read(FOLDER / entry["file"], dtype="float32")
        assert rate == SAMPLE_RATE
        window = Window(index, 0.0, audio, (Region(0.0, len(audio) / SAMPLE_RATE),))
        chosen.append(Clip(window, entry["language"], entry["text"]))
    return chosen


def drive(steps: Generator[object, None, T]) -> T:
    """Run a generator to its end and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value


@cache
def nano() -> WhisperRecognizer:
    return drive(WhisperRecognizer.load(NANO))


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def word_errors(said: str, heard: str) -> int:
    """Return the least number of words to change, add or remove."""
    right = words(heard)
    row = list(range(len(right) + 1))
    for number, word in enumerate(words(said), start=1):
        above, row = row, [number]
        for column, other in enumerate(right, start=1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (word != other)))
    return row[-1]
