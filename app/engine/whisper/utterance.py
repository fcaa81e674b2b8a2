"""All the sound of one live utterance, and the windows its final text is decoded from.

Where a window ends depends on the sound alone, never on how it was fed: so the final text is the
same for any blocks, and a window can be decoded as soon as the sound behind it has begun.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from app.core.packing import SAMPLE_RATE, Audio, Region, Window
from app.core.transcript import Segment
from app.engine.base import Idle, Options, StreamResult, WindowResult, WindowSource

_FRAME_SAMPLES = SAMPLE_RATE // 100
_QUIET_FRAMES = 20  # a pause between words is about so long
_BLOCK_SAMPLES = 3 * _FRAME_SAMPLES  # long enough that the power of noise hardly differs
_LEAST_BLOCKS = 6  # 0.18 s: clicks are shorter
_LEAST_RANGE = 10 ** (4 / 10)  # noise and hum have 1, speech at 5 dB above noise has 8

Transcribe = Callable[[WindowSource, Options], Iterator[WindowResult | Idle | None]]


class Sound:
    """Samples that come at the end and are let go at the beginning; indices never change."""

    def __init__(self) -> None:
        self._samples: Audio = np.zeros(SAMPLE_RATE, np.float32)
        self._powers: Audio = np.zeros(0, np.float32)  # of each whole block, none forgotten
        self._first = 0
        self.end = 0

    def append(self, audio: Audio) -> None:
        """Take in (n_samples,) float32."""
        kept = self.end - self._first
        if kept + len(audio) > len(self._samples):
            larger = np.zeros(2 * (kept + len(audio)), np.float32)
            larger[:kept] = self._samples[:kept]
            self._samples = larger
        self._samples[kept : kept + len(audio)] = audio
        self.end += len(audio)
        begin = len(self._powers) * _BLOCK_SAMPLES
        blocks = self.between(begin, self.end - (self.end - begin) % _BLOCK_SAMPLES)
        if len(blocks):
            powers = np.square(blocks.reshape(-1, _BLOCK_SAMPLES)).mean(axis=1)
            self._powers = np.concatenate((self._powers, powers))

    def is_steady(self, start: int, end: int) -> bool:
        """Whether the loudness between two indices never stays up for as long as speech does."""
        powers = self._powers[start // _BLOCK_SAMPLES : max(1, end // _BLOCK_SAMPLES)]
        if len(powers) < _LEAST_BLOCKS:
            return False
        ordered = np.sort(powers)
        low, high = ordered[len(ordered) // 10], ordered[-_LEAST_BLOCKS]
        return bool(high <= low * _LEAST_RANGE)

    def between(self, start: int, end: int) -> Audio:
        """Return a copy of the samples from `start` to `end`, none of which was forgotten."""
        return self._samples[start - self._first : end - self._first].copy()

    def forget(self, before: int) -> None:
        """Let everything before the index `before` go, when that is worth the copying."""
        unused = min(before, len(self._powers) * _BLOCK_SAMPLES) - self._first
        if 2 * unused < len(self._samples):
            return
        kept = self._samples[unused : self.end - self._first].copy()
        self._samples, self._first = kept, self._first + unused


def quiet_cut(audio: Audio) -> int:
    """Return where in the second half of `audio` it is quietest, as an index."""
    count = len(audio) // _FRAME_SAMPLES
    power = np.square(audio[: count * _FRAME_SAMPLES].reshape(count, _FRAME_SAMPLES)).mean(axis=1)
    width = min(_QUIET_FRAMES, count)
    if not width:
        return len(audio)
    around = np.convolve(power, np.ones(width) / width, mode="valid")
    # The last of equals: windows as long as they can be.
    half = len(around) // 2
    quietest = len(around) - 1 - int(np.argmin(around[half:][::-1]))
    return (quietest + width // 2) * _FRAME_SAMPLES


class Finals:
    """The final text of an utterance, window by window; a `WindowSource` over its sound.

    Owner: one stream, on the engine thread.
    """

    def __init__(
        self,
        sound: Sound,
        transcribe: Transcribe,
        options: Options,
        start_s: float,
        max_speech_s: float,
    ) -> None:
        self._sound = sound
        self._start_s = start_s
        self._most_samples = int(max_speech_s * SAMPLE_RATE)
        self._steps = transcribe(self, replace(options, batch_size=1))
        self._windows: deque[Window] = deque()
        self._results: list[WindowResult] = []
        self._count = 0
        self._is_closed = False
        self.begin = 0  # the first sample that is in no window yet

    def take(self) -> Window | None:
        return self._windows.popleft() if self._windows else None

    @property
    def is_finished(self) -> bool:
        return self._is_closed and not self._windows

    @property
    def has_work(self) -> bool:
        """Whether a window waits or is being decoded."""
        return len(self._results) < self._count

    def cut(self) -> None:
        """Make windows of the sound that is too long for one."""
        while self._sound.end - self.begin > self._most_samples:
            audio = self._sound.between(self.begin, self.begin + self._most_samples)
            self._add(audio[: quiet_cut(audio)])

    def step(self) -> None:
        """Do one step of what there is to do."""
        fact = next(self._steps)
        if isinstance(fact, WindowResult):
            self._results.append(fact)

    def finish(self, end_s: float | None = None) -> Iterator[StreamResult | None]:
        """Decode what is left before `end_s`; the last thing yielded is the result."""
        self.cut()
        # Some models hear words in steady noise that is too short for them to know it as noise.
        is_steady = not self._count and self._sound.is_steady(0, self._sound.end)
        end = self._sound.end
        if end_s is not None:
            end = min(end, round((end_s - self._start_s) * SAMPLE_RATE))
        if end > self.begin and not is_steady:
            self._add(self._sound.between(self.begin, end))
        self._is_closed = True
        for fact in self._steps:
            if isinstance(fact, WindowResult):
                self._results.append(fact)
            yield None
        results = sorted(self._results, key=lambda result: result.index)
        segments: tuple[Segment, ...] = tuple(s for result in results for s in result.segments)
        spoken = [result.language for result in results if result.segments]
        yield StreamResult(segments, next(iter(spoken), None))

    def _add(self, audio: Audio) -> None:
        start_s = self._start_s + self.begin / SAMPLE_RATE
        region = Region(start_s, start_s + len(audio) / SAMPLE_RATE)
        self._windows.append(Window(self._count, start_s, audio, (region,)))
        self._count += 1
        self.begin += len(audio)
