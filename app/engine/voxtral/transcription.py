"""Windows to text with Voxtral 2507: hear one window at a time, decode several at once.

A window that looped or ran out of budget is halved at its quietest moment and decoded again; only
what still fails then is cut, and its result says so.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import mlx.core as mx
import numpy as np

from app.core.packing import SAMPLE_RATE, Audio, Region, Window
from app.core.transcript import Segment
from app.engine.base import IDLE, Idle, Options, WindowResult, WindowSource
from app.engine.voxtral.decode import Decoded, End, decode_steps
from app.engine.voxtral.features import HOP_SAMPLES, window_mel
from app.engine.voxtral.guards import compression_ratio, token_budget, without_loop
from app.engine.voxtral.offline import Voxtral
from app.engine.voxtral.prompt import marks_of, transcription_prompt
from app.engine.voxtral.tekken import Tekken
from app.engine.voxtral.timing import spread

_LEAST_PIECE_S = 2.0  # shorter windows are not halved again
_MOST_HALVINGS = 3
_FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Loaded:
    """One model in memory."""

    network: Voxtral
    tekken: Tekken

    @property
    def window_samples(self) -> int:
        """The most sound one window can hold."""
        return self.network.frames * HOP_SAMPLES


class Transcription:
    """One job's way through its windows."""

    def __init__(self, loaded: Loaded, options: Options) -> None:
        self._network, self._tekken = loaded.network, loaded.tekken
        self._window_samples = loaded.window_samples
        self._marks = marks_of(loaded.tekken)
        only = options.languages[0] if len(options.languages) == 1 else None
        self._language = options.language or only
        self._batch_size = max(1, options.batch_size)
        self._prompt = transcription_prompt(
            loaded.tekken, loaded.network.audio_tokens, self._language
        )

    def run(self, windows: WindowSource) -> Iterator[WindowResult | Idle | None]:
        """Decode windows until the source is finished."""
        while True:
            batch: list[Window] = []
            while len(batch) < self._batch_size and (window := windows.take()) is not None:
                batch.append(window)
            if batch:
                yield from (yield from self._decode(batch))
            elif windows.is_finished:
                return
            else:
                yield IDLE

    def _decode(self, batch: Sequence[Window]) -> Generator[None, None, list[WindowResult]]:
        # A window in which nobody speaks is not asked: the model would invent something.
        spoken = [window for window in batch if window.speech and len(window.audio)]
        silent = [window for window in batch if not (window.speech and len(window.audio))]
        results = [WindowResult(window.index, (), self._language or "") for window in silent]
        decoded = yield from self._tokens([window.audio for window in spoken])
        for window, row in zip(spoken, decoded, strict=True):
            is_long = len(window.audio) > self._window_samples
            if row.end is not End.SAID or is_long:
                results.append((yield from self._again(window, 0, row)))
            else:
                results.append(self._result(window, row))
        return results

    def _tokens(self, sounds: Sequence[Audio]) -> Generator[None, None, list[Decoded]]:
        if not sounds:
            return []
        heard = []
        for sound in sounds:
            shape = self._network.shape.audio
            mel = window_mel(sound, shape.n_mels, self._network.frames)
            yield
            heard.append((yield from self._network.hear(mel)))
            yield
        embedded = self._network.embed(self._prompt, self._marks.audio, heard)
        mx.eval(embedded)
        budgets = [
            token_budget(min(len(sound), self._window_samples) / SAMPLE_RATE) for sound in sounds
        ]
        return (yield from decode_steps(self._network, embedded, budgets, self._marks.ends))

    def _again(
        self, window: Window, halvings: int, first: Decoded
    ) -> Generator[None, None, WindowResult]:
        """Decode the halves of a window whose whole failed."""
        is_long = len(window.audio) > self._window_samples
        least = 2 * _LEAST_PIECE_S * SAMPLE_RATE
        if not is_long and (halvings >= _MOST_HALVINGS or len(window.audio) < least):
            return replace(self._result(window, first), is_truncated=True)
        results = []
        for half in _halves(window):
            if not half.speech:
                continue
            (row,) = yield from self._tokens([half.audio])
            if row.end is End.SAID and len(half.audio) <= self._window_samples:
                results.append(self._result(half, row))
            else:
                results.append((yield from self._again(half, halvings + 1, row)))
        return self._joined(window, results)

    def _result(self, window: Window, row: Decoded) -> WindowResult:
        tokens = without_loop(row.tokens) if row.end is End.LOOPED else row.tokens
        text = self._tekken.decode(tokens).strip()
        average = float(np.mean(row.log_probabilities)) if row.log_probabilities else 0.0
        return WindowResult(
            index=window.index,
            segments=spread(text, window.speech, math.exp(average) if tokens else None),
            language=self._language or "",
            average_log_probability=average,
            compression_ratio=compression_ratio(text),
            tokens=len(tokens),
        )

    def _joined(self, window: Window, results: Sequence[WindowResult]) -> WindowResult:
        segments: tuple[Segment, ...] = ()
        for result in results:
            segments += result.segments
        tokens = sum(result.tokens for result in results)
        total = sum(result.average_log_probability * result.tokens for result in results)
        return WindowResult(
            index=window.index,
            segments=segments,
            language=self._language or "",
            average_log_probability=total / tokens if tokens else 0.0,
            compression_ratio=compression_ratio(" ".join(part.text for part in segments)),
            tokens=tokens,
            is_truncated=any(result.is_truncated for result in results),
        )


def quietest_sample(audio: Audio, first: int, last: int) -> int:
    """Return where between `first` and `last` the sound is quietest."""
    size = int(_FRAME_S * SAMPLE_RATE)
    count = (last - first) // size
    if count < 2:
        return (first + last) // 2
    frames = audio[first : first + count * size].reshape(count, size)
    energy = np.convolve(np.sum(frames * frames, axis=1), np.ones(5), mode="same")
    return first + int(np.argmin(energy)) * size + size // 2


def _halves(window: Window) -> tuple[Window, Window]:
    """Cut a window at the quietest moment of its middle third."""
    length = len(window.audio)
    cut = quietest_sample(window.audio, length // 3, 2 * length // 3)
    cut_s = window.start_s + cut / SAMPLE_RATE
    before = _within(window.speech, window.start_s, cut_s)
    after = _within(window.speech, cut_s, window.end_s)
    return (
        replace(window, audio=window.audio[:cut], speech=before),
        replace(window, start_s=cut_s, audio=window.audio[cut:], speech=after),
    )


def _within(speech: Sequence[Region], start_s: float, end_s: float) -> tuple[Region, ...]:
    return tuple(
        Region(max(region.start_s, start_s), min(region.end_s, end_s))
        for region in speech
        if min(region.end_s, end_s) > max(region.start_s, start_s)
    )
