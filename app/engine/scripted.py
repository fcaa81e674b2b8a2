"""A recognizer that plays a script: what the pipeline and the windows are tested with.

It keeps every promise of `app.engine.base.Recognizer` and needs no model, no MLX and no time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app.core.model import Family, Model
from app.core.packing import Audio, Window
from app.core.transcript import Segment, Word
from app.engine.base import (
    IDLE,
    Hypothesis,
    Idle,
    Options,
    StreamResult,
    WindowResult,
    WindowSource,
)

SCRIPTED_MODEL = Model("scripted", "Scripted", Family.SCRIPTED, Path())


@dataclass(frozen=True, slots=True)
class ScriptedWindow:
    """What is heard in one window.

    Attributes:
        text: becomes one segment over the window's speech, its words spread evenly.
        segments: what is heard instead, times in seconds from the window's start.
        steps: how many steps it takes before the result comes.
        error: raised instead of the result.
        language: of the result; `None` says the one asked for, or English.
    """

    text: str = ""
    segments: tuple[Segment, ...] = ()
    steps: int = 1
    error: Exception | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptedStream:
    """What one live utterance believes, one hypothesis a step, and how it ends.

    Attributes:
        hypotheses: one for each piece of sound it is fed.
        result: how it ends.
        text: said in all of its sound, before what is in `result`.
        error: raised at its end.
    """

    hypotheses: tuple[Hypothesis, ...] = ()
    result: StreamResult = field(default_factory=lambda: StreamResult(()))
    text: str = ""
    error: Exception | None = None


def _nothing(index: int, step: int) -> None:
    pass


Script = Sequence[ScriptedWindow] | Mapping[int, ScriptedWindow]


@dataclass(slots=True)
class ScriptedRecognizer:
    """Plays `script` by window index and `streams` in turn; what is not in it is silence.

    Attributes:
        script: what is heard in which window.
        streams: what the live utterances hear, in the order they are opened.
        model: what it says it is.
        on_step: called before each step with the window's index and the step's; it may advance a
            clock, cancel a job or raise. A stream's index is -1.
        heard: the windows taken so far.
        options: what it was last asked with.
        is_closed: whether `close` was called.
    """

    script: Script = ()
    streams: Sequence[ScriptedStream] = ()
    model: Model = SCRIPTED_MODEL
    on_step: Callable[[int, int], None] = _nothing
    heard: list[Window] = field(default_factory=list)
    opened: "list[PlayedStream]" = field(default_factory=list)
    options: Options | None = None
    is_closed: bool = False

    def transcribe(
        self, windows: WindowSource, options: Options
    ) -> Iterator[WindowResult | Idle | None]:
        self.options = options
        while True:
            window = windows.take()
            if window is not None:
                yield from self._hear(window, options)
            elif windows.is_finished:
                return
            else:
                yield IDLE

    def _hear(self, window: Window, options: Options) -> Iterator[WindowResult | None]:
        self.heard.append(window)
        played = self._played(window.index)
        for step in range(played.steps):
            self.on_step(window.index, step)
            yield None
        if played.error is not None:
            raise played.error
        segments = tuple(segment.shifted(window.start_s) for segment in played.segments)
        if played.text:
            segments = (_spoken(played.text, window, options.wants_words), *segments)
        language = played.language or options.language or "en"
        yield WindowResult(window.index, segments, language, tokens=len(played.text.split()))

    def _played(self, index: int) -> ScriptedWindow:
        if isinstance(self.script, Mapping):
            return self.script.get(index, ScriptedWindow())
        return self.script[index] if index < len(self.script) else ScriptedWindow()

    def open_stream(self, options: Options, start_s: float) -> "PlayedStream":
        self.options = options
        number = len(self.opened)
        played = self.streams[number] if number < len(self.streams) else ScriptedStream()
        stream = PlayedStream(played, start_s, self.on_step)
        self.opened.append(stream)
        return stream

    def close(self) -> None:
        self.is_closed = True


@dataclass(slots=True)
class PlayedStream:
    """A live utterance that plays a `ScriptedStream`: each feed allows one more hypothesis."""

    played: ScriptedStream
    start_s: float
    on_step: Callable[[int, int], None]
    fed: list[Audio] = field(default_factory=list)
    shown: int = 0

    def feed(self, audio: Audio) -> None:
        self.fed.append(audio)

    def step(self) -> Iterator[Hypothesis | Idle | None]:
        while self.shown < min(len(self.fed), len(self.played.hypotheses)):
            self.on_step(-1, self.shown)
            self.shown += 1
            yield self.played.hypotheses[self.shown - 1]

    def finish(self, end_s: float | None = None) -> Iterator[StreamResult | None]:  # noqa: ARG002
        yield None
        if self.played.error is not None:
            raise self.played.error
        result = self.played.result
        if self.played.text:
            heard = Window(0, self.start_s, np.concatenate(self.fed), ())
            whole = _spoken(self.played.text, heard, wants_words=False)
            result = replace(result, segments=(whole, *result.segments))
        yield result


def _spoken(text: str, window: Window, wants_words: bool) -> Segment:
    start_s = window.speech[0].start_s if window.speech else window.start_s
    end_s = window.speech[-1].end_s if window.speech else window.end_s
    parts = text.split()
    length_s = (end_s - start_s) / max(1, len(parts))
    words = tuple(
        Word(part, start_s + place * length_s, start_s + (place + 1) * length_s, 0.9)
        for place, part in enumerate(parts)
    )
    return Segment(start_s, end_s, text, words if wants_words else (), confidence=0.9)
