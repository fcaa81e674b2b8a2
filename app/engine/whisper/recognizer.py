"""The Whisper recognizer: one loaded model, for files and for live speech.

It is made, used and closed on the engine thread; after `close` its memory is given back.
"""

from collections.abc import Generator, Iterator

import mlx.core as mx
import numpy as np

from app.core.model import Model
from app.core.packing import SAMPLE_RATE, Audio, Region, Window
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
from app.engine.whisper.tokens import Tokens
from app.engine.whisper.transcription import Loaded, Transcription
from app.engine.whisper.weights import load_steps


class WhisperRecognizer:
    """One loaded Whisper model. Thread: engine."""

    def __init__(self, model: Model, loaded: Loaded) -> None:
        self._model = model
        self._loaded: Loaded | None = loaded

    @classmethod
    def load(cls, model: Model) -> Generator[None, None, "WhisperRecognizer"]:
        """Load `model` step by step; the generator returns the recognizer.

        Raises:
            ModelMissing: a file is not there.
            ModelDamaged: a file is not what it should be.
        """
        is_cpu = mx.default_device() == mx.Device(mx.cpu)
        dtype = mx.float32 if is_cpu else mx.float16
        network, config, heads = yield from load_steps(model.folder, dtype)
        tokens = Tokens(config.dimensions.is_multilingual, config.dimensions.n_languages)
        return cls(model, Loaded(network, tokens, config.suppressed, heads))

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
        try:
            yield from Transcription(self.loaded, windows, options).run()
        finally:
            mx.clear_cache()

    def open_stream(self, options: Options, start_s: float) -> Stream:
        """Begin a live utterance whose sound starts at `start_s` of its take."""
        return _WholeUtterance(self, options, start_s)

    def close(self) -> None:
        """Give the memory back."""
        self._loaded = None
        mx.clear_cache()


class _WholeUtterance:
    """A stream without partials: the utterance is decoded when it ends."""

    def __init__(self, recognizer: WhisperRecognizer, options: Options, start_s: float) -> None:
        self._recognizer = recognizer
        self._options = options
        self._start_s = start_s
        self._blocks: list[Audio] = []

    def feed(self, audio: Audio) -> None:
        self._blocks.append(audio)

    def step(self) -> Iterator[Hypothesis | None]:
        yield None

    def finish(self) -> Iterator[StreamResult | None]:
        audio = np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)
        most = int(self._recognizer.model.max_speech_s * SAMPLE_RATE)
        windows = []
        for index, start in enumerate(range(0, len(audio), most)):
            begin_s = self._start_s + start / SAMPLE_RATE
            part = audio[start : start + most]
            region = Region(begin_s, begin_s + len(part) / SAMPLE_RATE)
            windows.append(Window(index, begin_s, part, (region,)))
        results: list[WindowResult] = []
        for result in self._recognizer.transcribe(ListSource(windows), self._options):
            if isinstance(result, WindowResult):
                results.append(result)
            yield None
        results.sort(key=lambda result: result.index)
        segments = tuple(segment for result in results for segment in result.segments)
        yield StreamResult(segments, results[0].language if results else None)
