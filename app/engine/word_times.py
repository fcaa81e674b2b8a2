"""Word times for a model that has none: another model finds its words in the same sound.

The text, its order and its windows stay those of the first model; only times are added.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from app.core.model import Family, Model
from app.core.packing import Window
from app.engine.base import Idle, Options, Recognizer, Stream, WindowResult, WindowSource


class Aligner(Protocol):
    """A recognizer that can find given words in a window. Thread: engine."""

    def align(self, window: Window, result: WindowResult) -> "Iterator[WindowResult | None]":
        """Do it step by step; the last thing yielded is the result with its words."""


def choose_aligner(models: Sequence[Model], model: Model) -> Model | None:
    """Return the model that finds words for `model`: the smallest Whisper model that hears as much.

    Args:
        models: what is installed.
        model: the model that writes the text.
    """
    if model.has_word_times:
        return None
    able = [
        one
        for one in models
        if one.family is Family.WHISPER
        and not one.is_demo
        and one.max_speech_s >= model.max_speech_s
    ]
    return min(able, key=lambda one: one.memory_bytes, default=None)


class WithWordTimes:
    """A recognizer whose results get their words from an aligner.

    It owns neither: whoever acquired the two releases them.
    """

    def __init__(self, recognizer: Recognizer, aligner: Aligner) -> None:
        self._recognizer = recognizer
        self._aligner = aligner

    @property
    def model(self) -> Model:
        return self._recognizer.model

    def transcribe(
        self, windows: WindowSource, options: Options
    ) -> Iterator[WindowResult | Idle | None]:
        """Decode windows and find their words; results come in the first model's order."""
        kept = _Kept(windows)
        for fact in self._recognizer.transcribe(kept, options):
            if not isinstance(fact, WindowResult):
                yield fact
                continue
            window = kept.windows.pop(fact.index)
            if fact.segments and not any(segment.words for segment in fact.segments):
                yield from self._aligner.align(window, fact)
            else:
                yield fact

    def open_stream(self, options: Options, start_s: float) -> Stream:
        """Begin a live utterance; its words keep the times of the first model."""
        return self._recognizer.open_stream(options, start_s)

    def close(self) -> None:
        """Do nothing: the two recognizers belong to whoever acquired them."""


class _Kept:
    """A source that keeps the windows it gave until their results are there."""

    def __init__(self, source: WindowSource) -> None:
        self._source = source
        self.windows: dict[int, Window] = {}

    def take(self) -> Window | None:
        window = self._source.take()
        if window is not None:
            self.windows[window.index] = window
        return window

    @property
    def is_finished(self) -> bool:
        return self._source.is_finished
