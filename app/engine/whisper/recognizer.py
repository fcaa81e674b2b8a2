"""The Whisper recognizer: one loaded model, for files and for live speech.

It is made, used and closed on the engine thread; after `close` its memory is given back.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace

import mlx.core as mx

from app.core.model import Model
from app.core.packing import Window
from app.engine.base import (
    Idle,
    Options,
    Stream,
    WindowResult,
    WindowSource,
)
from app.engine.whisper.aligner import WordAligner
from app.engine.whisper.heads import alignment_heads
from app.engine.whisper.stream import WhisperStream
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
        heads = heads or alignment_heads(config.dimensions)
        loaded = Loaded(network, tokens, config.suppressed, heads, model.calibration)
        return cls(model, loaded)

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
        return WhisperStream(
            self.loaded,
            self.transcribe,
            options,
            start_s,
            self._model.max_speech_s,
            short_context=self._model.has_short_context,
        )

    def align(self, window: Window, result: WindowResult) -> Iterator[WindowResult | None]:
        """Find the words of another model's `result` in its window; it is yielded last."""
        finding = WordAligner(self.loaded).align(window, result.segments, result.language)
        while True:
            try:
                next(finding)
            except StopIteration as found:
                yield replace(result, segments=found.value)
                return
            yield None

    def close(self) -> None:
        """Give the memory back."""
        self._loaded = None
        mx.clear_cache()
