"""The Voxtral 2507 recognizer: one loaded model, for files and for finished utterances.

It is made, used and closed on the engine thread; after `close` its memory is given back. Its
segments have times and no words: the model does not say when a word was spoken.
"""

from collections.abc import Generator, Iterator
from itertools import pairwise

import mlx.core as mx
import numpy as np

from app.core.model import Model
from app.core.packing import SAMPLE_RATE, Audio, Region, Window
from app.core.transcript import Segment
from app.engine.base import (
    Hypothesis,
    Idle,
    ListSource,
    Options,
    Stream,
    StreamResult,
    WindowResult,
    WindowSource,
)
from app.engine.files import damaged
from app.engine.voxtral.offline import Voxtral
from app.engine.voxtral.tekken import Tekken
from app.engine.voxtral.transcription import Loaded, Transcription, quietest_sample
from app.engine.voxtral.weights import load_steps


class VoxtralRecognizer:
    """One loaded Voxtral 2507 model. Thread: engine."""

    def __init__(self, model: Model, loaded: Loaded) -> None:
        self._model = model
        self._loaded: Loaded | None = loaded

    @classmethod
    def load(
        cls, model: Model, dtype: mx.Dtype | None = None
    ) -> Generator[None, None, "VoxtralRecognizer"]:
        """Load `model` step by step; the generator returns the recognizer.

        Raises:
            ModelMissing: a file is not there.
            ModelDamaged: a file is not what it should be.
        """
        tekken = Tekken(model.folder)
        yield
        network, shape = yield from load_steps(model.folder, dtype)
        if not isinstance(network, Voxtral) or shape.text.vocabulary < tekken.size:
            raise damaged(model.folder)
        return cls(model, Loaded(network, tekken))

    @property
    def model(self) -> Model:
        return self._model

    @property
    def loaded(self) -> Loaded:
        if self._loaded is None:
            raise RuntimeError("the recognizer is closed")
        return self._loaded

    def transcribe(
        self, windows: WindowSource, options: Options
    ) -> Iterator[WindowResult | Idle | None]:
        """Decode windows until the source is finished; results may come in any order."""
        return Transcription(self.loaded, options).run(windows)

    def open_stream(self, options: Options, start_s: float) -> Stream:
        """Begin a live utterance; it is written when it is over, not before."""
        return _WholeStream(self.loaded, options, start_s)

    def close(self) -> None:
        """Give the memory back."""
        self._loaded = None
        mx.clear_cache()


class _WholeStream:
    """An utterance that is decoded at its end."""

    def __init__(self, loaded: Loaded, options: Options, start_s: float) -> None:
        self._loaded, self._options, self._start_s = loaded, options, start_s
        self._sound: list[Audio] = []

    def feed(self, audio: Audio) -> None:
        self._sound.append(np.array(audio, np.float32))

    def step(self) -> Iterator[Hypothesis | Idle | None]:
        return iter(())

    def finish(self, end_s: float | None = None) -> Iterator[StreamResult | None]:
        sound = np.concatenate([np.zeros(0, np.float32), *self._sound])
        if end_s is not None:
            sound = sound[: max(0, round((end_s - self._start_s) * SAMPLE_RATE))]
        windows = ListSource(_cut(sound, self._start_s, self._loaded.window_samples))
        transcription = Transcription(self._loaded, self._options)
        results: list[WindowResult] = []
        for fact in transcription.run(windows):
            if isinstance(fact, WindowResult):
                results.append(fact)
            yield None
        segments: list[Segment] = []
        for result in sorted(results, key=lambda result: result.index):
            segments.extend(result.segments)
        yield StreamResult(tuple(segments), self._options.language)


def _cut(sound: Audio, start_s: float, most_samples: int) -> list[Window]:
    """Return windows of at most `most_samples`, cut where it is quiet."""
    cuts = [0]
    while len(sound) - cuts[-1] > most_samples:
        last = cuts[-1] + most_samples
        cuts.append(quietest_sample(sound, last - most_samples // 3, last))
    if len(sound) > cuts[-1]:
        cuts.append(len(sound))
    return [
        Window(
            index,
            start_s + first / SAMPLE_RATE,
            sound[first:last],
            (Region(start_s + first / SAMPLE_RATE, start_s + last / SAMPLE_RATE),),
        )
        for index, (first, last) in enumerate(pairwise(cuts))
    ]
