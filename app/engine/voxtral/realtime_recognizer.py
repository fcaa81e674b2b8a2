"""The Voxtral Realtime recognizer: one loaded model, for live speech and for files.

It is made, used and closed on the engine thread; after `close` its memory is given back. The model
finds the language itself and takes no hints: of the options it obeys `wants_words`.
"""

from collections.abc import Callable, Generator, Iterator

import mlx.core as mx

from app.core.model import Model
from app.core.packing import SAMPLE_RATE, Audio, Window
from app.engine.base import (
    IDLE,
    Hypothesis,
    Idle,
    Options,
    Stream,
    StreamResult,
    WindowResult,
    WindowSource,
)
from app.engine.files import damaged
from app.engine.voxtral.guards import compression_ratio
from app.engine.voxtral.prompt import SLOT_MS, Marks, Pacing, marks_of, pacing_of
from app.engine.voxtral.realtime import VoxtralRealtime
from app.engine.voxtral.session import SLOT_SAMPLES, Session, Written
from app.engine.voxtral.tekken import Tekken
from app.engine.voxtral.weights import load_steps
from app.engine.voxtral.words import WordStream

DELAYS_MS = (240, 2400)  # least and most that are offered


class VoxtralRealtimeRecognizer:
    """One loaded Voxtral Realtime model. Thread: engine.

    Args:
        model: which.
        network: its network.
        tekken: its vocabulary.
        delay_ms: how far text follows behind sound, in steps of 80; more is slower and better.
            `None` is what the model recommends.
    """

    def __init__(
        self, model: Model, network: VoxtralRealtime, tekken: Tekken, delay_ms: int | None = None
    ) -> None:
        self._model = model
        self._network: VoxtralRealtime | None = network
        self._tekken = tekken
        self._marks: Marks = marks_of(tekken)
        self._pacing: Pacing
        self._scales: list[mx.array]
        self._asked_ms: int | None = None
        self._wanted_ms: Callable[[], int | None] | None = None
        self.set_delay(delay_ms)

    @classmethod
    def load(
        cls, model: Model, delay_ms: int | None = None, dtype: mx.Dtype | None = None
    ) -> Generator[None, None, "VoxtralRealtimeRecognizer"]:
        """Load `model` step by step and warm it up; the generator returns the recognizer.

        Raises:
            ModelMissing: a file is not there.
            ModelDamaged: a file is not what it should be.
        """
        tekken = Tekken(model.folder)
        yield
        network, shape = yield from load_steps(model.folder, dtype)
        if not isinstance(network, VoxtralRealtime) or shape.text.vocabulary < tekken.size:
            raise damaged(model.folder)
        recognizer = cls(model, network, tekken, delay_ms)
        # The first run compiles the device's programs: better now than under somebody's words.
        yield from recognizer.open_session().steps()
        return recognizer

    @property
    def model(self) -> Model:
        return self._model

    @property
    def delay_ms(self) -> int:
        """How far text follows behind sound."""
        return self._pacing.delay * SLOT_MS

    def set_delay(self, delay_ms: int | None) -> None:
        """Choose the delay of the streams opened from now on; clamped to what is offered."""
        self._asked_ms = delay_ms
        if delay_ms is not None:
            delay_ms = min(max(delay_ms, DELAYS_MS[0]), DELAYS_MS[1])
        self._pacing = pacing_of(self._tekken, delay_ms)
        self._scales = self._loaded().language_model.delay_scales(self._pacing.delay)

    def follow_delay(self, wanted_ms: Callable[[], int | None]) -> None:
        """Ask `wanted_ms` before each utterance, so that a changed setting counts at once."""
        self._wanted_ms = wanted_ms

    def open_session(self) -> Session:
        """Return a bare stream of tokens, at the delay that is wanted now."""
        if self._wanted_ms is not None and (wanted := self._wanted_ms()) != self._asked_ms:
            self.set_delay(wanted)
        return Session(self._loaded(), self._marks, self._pacing, self._scales)

    def open_words(self, start_s: float) -> WordStream:
        """Return what makes words of a session's tokens."""
        return WordStream(self._tekken, self._marks, self._pacing.delay, start_s)

    def transcribe(
        self, windows: WindowSource, options: Options
    ) -> Iterator[WindowResult | Idle | None]:
        """Decode windows one after the other until the source is finished."""
        while True:
            window = windows.take()
            if window is not None:
                yield (yield from self._transcribe(window, options))
            elif windows.is_finished:
                return
            else:
                yield IDLE

    def open_stream(self, options: Options, start_s: float) -> Stream:
        """Begin a live utterance whose sound starts at `start_s` of its take."""
        session, words = self.open_session(), self.open_words(start_s)
        return RealtimeStream(session, words, start_s, options.wants_words)

    def close(self) -> None:
        """Give the memory back."""
        self._network = None
        self._scales = []
        mx.clear_cache()

    def _loaded(self) -> VoxtralRealtime:
        if self._network is None:
            raise RuntimeError("the recognizer is closed")
        return self._network

    def _transcribe(self, window: Window, options: Options) -> Generator[None, None, WindowResult]:
        language = options.language or ""
        if not window.speech or not len(window.audio):
            return WindowResult(window.index, (), language)
        session, words = self.open_session(), self.open_words(window.start_s)
        # Piece by piece, so that a long window is not turned into one long row of frames.
        for first in range(0, len(window.audio), 16 * SLOT_SAMPLES):
            session.feed(window.audio[first : first + 16 * SLOT_SAMPLES])
            yield from session.steps()
        session.end()
        yield from session.steps()
        written = session.take()
        words.add(written)
        segments = words.finish(window.end_s, options.wants_words)
        text_tokens = [one for one in written if self._tekken.is_text(one.token)]
        return WindowResult(
            index=window.index,
            segments=segments,
            language=language,
            average_log_probability=_mean_log_probability(text_tokens),
            compression_ratio=compression_ratio(" ".join(segment.text for segment in segments)),
            tokens=len(text_tokens),
        )


class RealtimeStream:
    """One live utterance: words are committed as they are spoken, the delay behind them."""

    def __init__(
        self, session: Session, words: WordStream, start_s: float, wants_words: bool
    ) -> None:
        self._session, self._words = session, words
        self._start_s, self._wants_words = start_s, wants_words
        self._n_samples = 0

    def feed(self, audio: Audio) -> None:
        """Take in (n_samples,) float32, 16 kHz mono. Thread: engine."""
        self._session.feed(audio)
        self._n_samples += len(audio)

    def step(self) -> Iterator[Hypothesis | Idle | None]:
        """Write what can be written with the sound so far."""
        for _ in self._session.steps():
            yield self._words.hypothesis if self._words.add(self._session.take()) else None

    def finish(self, end_s: float | None = None) -> Iterator[StreamResult | None]:  # noqa: ARG002
        """Write the last words, which need silence behind them."""
        self._session.end()
        for _ in self._session.steps():
            self._words.add(self._session.take())
            yield None
        self._words.add(self._session.take())
        heard_s = self._start_s + self._n_samples / SAMPLE_RATE
        yield StreamResult(self._words.finish(heard_s, self._wants_words))


def _mean_log_probability(written: list[Written]) -> float:
    total = sum(one.log_probability for one in written)
    return total / len(written) if written else 0.0
