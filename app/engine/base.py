"""What every recognizer can do, and what it is asked with.

A recognizer lives on the engine thread from load to close. Its work is written as generators: each
`next()` is one step of at most about 60 ms of device work for small models, so that more urgent
work can overtake between steps. A step yields a fact, or `None` for "one step done, nothing to
tell", or `IDLE` for "nothing to do right now" (no sound there yet): only `IDLE` hands the turn on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from app.core.agreement import Hypothesis as Hypothesis
from app.core.model import Model
from app.core.packing import Audio, Window
from app.core.transcript import Segment


class Idle(Enum):
    """The type of `IDLE`."""

    IDLE = "idle"


IDLE: Final = Idle.IDLE


@dataclass(frozen=True, slots=True)
class Options:
    """How to transcribe.

    Attributes:
        language: a code, or `None` to detect it.
        languages: when detecting, only among these; empty means all the model knows.
        translate: write English whatever is spoken (Whisper only).
        wants_words: whether each word shall have times and a probability.
        glossary: names and terms the model shall prefer, as one well-formed sentence.
        temperatures: the fallback ladder; one 0.0 means no fallback.
        beam_size: 1 is greedy.
        patience: the reference's beam patience.
        batch_size: how many windows are decoded at once.
    """

    language: str | None = None
    languages: tuple[str, ...] = ()
    translate: bool = False
    wants_words: bool = True
    glossary: str = ""
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    beam_size: int = 1
    patience: float = 1.0
    batch_size: int = 4


@dataclass(frozen=True, slots=True)
class WindowResult:
    """All that was said in one window; final.

    Attributes:
        index: the window's.
        segments: in order, times in seconds of the recording; empty when nothing was said.
        language: what it was decoded in.
        no_speech_probability: the model's own, 0…1.
        average_log_probability: per token, at the temperature that was kept.
        compression_ratio: of the text; above 2.4 it probably repeats itself.
        temperature: the one that was kept.
        tokens: how many were decoded, without prompt.
        is_truncated: whether text is missing because the model did not come to an end.
    """

    index: int
    segments: tuple[Segment, ...]
    language: str
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    compression_ratio: float = 0.0
    temperature: float = 0.0
    tokens: int = 0
    is_truncated: bool = False


# What a recognizer may carry over (which language it hears): a window's text depends on at
# most so many windows before it, in the same order.
CONTEXT_WINDOWS = 2


class WindowSource(Protocol):
    """Where a recognizer takes its windows from; it never blocks."""

    def take(self) -> Window | None:
        """Return the next window, or `None` when there is none right now."""

    @property
    def is_finished(self) -> bool:
        """Whether no window will ever come again."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """One finished utterance of a stream, final."""

    segments: tuple[Segment, ...]
    language: str | None = None


class Stream(Protocol):
    """One live utterance: fed with sound as it comes, stepped when there is time."""

    def feed(self, audio: Audio) -> None:
        """Take in (n_samples,) float32, 16 kHz mono. Thread: engine."""

    def step(self) -> Iterator[Hypothesis | Idle | None]:
        """Do what can be done with the sound so far; yields like a job."""

    def finish(self, end_s: float | None = None) -> Iterator[StreamResult | None]:
        """Decode what is left at full quality; the last thing yielded is the result.

        What was fed behind `end_s`, in seconds of the recording, is silence; a model that hears
        words in silence leaves it out.
        """


class Recognizer(Protocol):
    """The adapter of one model family, holding one loaded model. Thread: engine."""

    @property
    def model(self) -> Model: ...

    def transcribe(
        self, windows: WindowSource, options: Options
    ) -> Iterator[WindowResult | Idle | None]:
        """Decode windows until the source is finished; results may come in any order.

        Yields `IDLE` when it has nothing to decode until the source gives another window.
        """

    def open_stream(self, options: Options, start_s: float) -> Stream:
        """Begin a live utterance whose sound starts at `start_s` of its take."""

    def close(self) -> None:
        """Give the memory back."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """A `WindowSource` over windows that are all there already."""

    windows: list[Window] = field(default_factory=list)

    def take(self) -> Window | None:
        return self.windows.pop(0) if self.windows else None

    @property
    def is_finished(self) -> bool:
        return not self.windows
