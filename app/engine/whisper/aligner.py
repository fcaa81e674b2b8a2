"""Word times for text that another model wrote: where in the window Whisper hears each word.

The text is never changed: a segment whose words cannot be found keeps the times it came with.
"""

from collections.abc import Generator, Sequence
from dataclasses import replace

import mlx.core as mx

from app.core.packing import SAMPLE_RATE, Region, Window
from app.core.transcript import Segment, Word
from app.engine.whisper.align import find_timings
from app.engine.whisper.decode import detect_language
from app.engine.whisper.mel import log_mel
from app.engine.whisper.model import KeysValues
from app.engine.whisper.segments import Cut
from app.engine.whisper.transcription import Loaded
from app.engine.whisper.words import time_cuts

_MARKS = 8  # start, language, task, end and a little room


class WordAligner:
    """Finds words in sound with one loaded Whisper model. Thread: engine."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def align(
        self, window: Window, segments: Sequence[Segment], language: str | None
    ) -> Generator[None, None, tuple[Segment, ...]]:
        """Return `segments` with their words, step by step.

        Args:
            window: the sound they were heard in.
            segments: in order, in seconds of the recording.
            language: a code, or nothing to detect it.
        """
        tokens, dimensions = self._loaded.tokens, self._loaded.model.dimensions
        cuts = self._cuts(window, segments)
        count = sum(len(cut.tokens) for cut in cuts)
        if not count or count > dimensions.n_text_ctx - _MARKS or self._is_too_long(window):
            return tuple(segments)
        cross = yield from self._hear(window)
        duration_s = len(window.audio) / SAMPLE_RATE
        spoken = language if language in tokens.languages else self._language(cross)
        timings = find_timings(
            self._loaded.model,
            tokens,
            cross,
            [token for cut in cuts for token in cut.tokens],
            language=spoken,
            translate=False,
            heads=self._loaded.heads,
            duration_s=duration_s,
        )
        yield
        timed = time_cuts(cuts, timings, tokens.eot, duration_s)
        return tuple(
            _with_words(segment, found.words, window)
            for segment, found in zip(segments, timed, strict=True)
        )

    def _cuts(self, window: Window, segments: Sequence[Segment]) -> list[Cut]:
        # The space before a word is how the vocabulary tells words apart.
        encode, at, cuts = self._loaded.tokens.encode, 0, []
        for segment in segments:
            part = tuple(encode(" " + segment.text.strip()))
            start_s, end_s = segment.start_s - window.start_s, segment.end_s - window.start_s
            cuts.append(Cut(max(0.0, start_s), max(0.0, end_s), part, at))
            at += len(part)
        return cuts

    def _is_too_long(self, window: Window) -> bool:
        frames = 2 * self._loaded.model.dimensions.n_audio_ctx
        return len(window.audio) > (frames + 10) * SAMPLE_RATE // 100

    def _hear(self, window: Window) -> Generator[None, None, list[KeysValues]]:
        model = self._loaded.model
        picture = log_mel(window.audio, model.dimensions.n_mels, 2 * model.dimensions.n_audio_ctx)
        dtype = model.decoder.positional_embedding.dtype
        features = yield from model.encoder.steps(mx.array(picture)[None].astype(dtype))
        cross = list(model.decoder.cross(features))
        mx.eval(cross)
        yield
        return cross

    def _language(self, cross: Sequence[KeysValues]) -> str:
        tokens = self._loaded.tokens
        if not tokens.languages:
            return "en"
        codes, ids = list(tokens.languages), list(tokens.languages.values())
        probabilities = detect_language(self._loaded.model, tokens.sot, cross, ids)
        return codes[probabilities.index(max(probabilities))]


def _with_words(segment: Segment, words: Sequence[Word], window: Window) -> Segment:
    if not words:
        return segment
    moved = Segment(0.0, 0.0, "", tuple(words)).shifted(window.start_s).words
    heard = tuple(_spoken(word, window.speech) for word in moved)
    # The words' own times are truer than the share of the speech the text was given.
    return replace(segment, start_s=heard[0].start_s, end_s=heard[-1].end_s, words=heard)


def _spoken(word: Word, speech: Sequence[Region]) -> Word:
    """Return the word without the pause before it, in which nobody spoke."""
    for region in speech:
        if word.start_s < region.start_s < word.end_s:
            return replace(word, start_s=region.start_s)
    return word
