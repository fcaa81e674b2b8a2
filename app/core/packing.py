"""Speech regions to windows: what the engine decodes at once.

A window never holds more sound than its model can hear and is cut at silences, never inside a word.
The same regions give the same windows, so a resumed job repeats an uninterrupted one exactly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.transcript import Segment

SAMPLE_RATE = 16_000  # samples a second, what every model hears

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the recording in which somebody speaks, in seconds."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Window:
    """Sound to decode at once.

    Attributes:
        index: 0, 1, 2 … in the order of the recording.
        start_s: where `audio[0]` lies in the recording.
        audio: (n_samples,) float32 in [-1, 1], 16 kHz mono.
        speech: where in the recording somebody speaks, inside this window, in order.
    """

    index: int
    start_s: float
    audio: Audio
    speech: tuple[Region, ...]

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.audio) / SAMPLE_RATE


class Packer:
    """Regions and sound in, windows out; a stream, owned by whoever feeds it.

    Consecutive regions share a window as long as they fit; a pause longer than `longest_gap_s`
    begins a new one, so long silences are never decoded. A region that alone is too long is cut at
    its quietest place. Only the sound of what is not packed yet is held.

    The windows depend on the regions and the sound alone, never on how they were chopped for
    `feed`.
    """

    def __init__(
        self,
        max_speech_s: float,
        *,
        target_s: float | None = None,
        longest_gap_s: float = 3.0,
        first_index: int = 0,
    ) -> None:
        """Pack for a model that can hear `max_speech_s` at once.

        Args:
            max_speech_s: no window is longer.
            target_s: regions are joined up to this length; by default up to `max_speech_s`.
            longest_gap_s: the longest pause inside a window.
            first_index: the first window's.
        """
        self._most = _samples(max_speech_s)
        self._target = min(self._most, _samples(target_s)) if target_s else self._most
        self._gap = _samples(longest_gap_s)
        self._index = first_index
        self._sound: list[Audio] = []  # from sample `_sound_start` on, without a gap
        self._sound_start = 0
        self._n_samples = 0
        self._cut_at = 0  # up to here a region that is too long has been packed
        self._joined: list[tuple[int, int]] = []  # what the next window will hold

    @property
    def held_s(self) -> float:
        """How much sound is held."""
        return (self._n_samples - self._sound_start) / SAMPLE_RATE

    def feed(
        self,
        audio: Audio,
        closed: Iterable[Region] = (),
        *,
        open_region: Region | None = None,
        open_from_s: float | None = None,
    ) -> list[Window]:
        """Take in the next sound and what is known of its regions; return the finished windows.

        Args:
            audio: (n_samples,) float32, 16 kHz mono, right after what was fed before.
            closed: regions that are final now, in order; their sound has been fed.
            open_region: one more that is certain to come and ends there or later.
            open_from_s: no further region begins before this; `None` says nothing.
        """
        if len(audio):
            self._sound.append(audio)
            self._n_samples += len(audio)
        done: list[Window] = []
        for region in closed:
            start, end = _samples(region.start_s), min(_samples(region.end_s), self._n_samples)
            start = self._cut(done, start, end)
            self._make_room(done, start, end)
            self._joined.append((start, end))
        if open_region is not None:
            # Clipped like a region that the end of the recording cuts off.
            start, end = _samples(open_region.start_s), _samples(open_region.end_s)
            end = min(end, self._n_samples)
            self._make_room(done, self._cut(done, start, end), end)
        if open_from_s is not None:
            first = max(_samples(open_from_s), self._cut_at)
            self._make_room(done, first, first)
            self._forget_before(self._joined[0][0] if self._joined else first)
        return done

    def flush(self) -> list[Window]:
        """Return the last window; the recording is over."""
        done: list[Window] = []
        self._finish(done)
        self._forget_before(self._n_samples)
        return done

    def _cut(self, done: list[Window], start: int, end: int) -> int:
        """Finish windows of a region that alone is too long; return where its rest begins."""
        start = max(start, self._cut_at)  # an open region comes again and again
        while end - start > self._most and self._n_samples >= start + self._most:
            self._finish(done)
            self._cut_at = self._quietest(start + self._most * 2 // 3, start + self._most)
            self._joined.append((start, self._cut_at))
            self._finish(done)
            start = self._cut_at
        return start

    def _make_room(self, done: list[Window], start: int, end: int) -> None:
        """Finish the open window if a region from `start` to at least `end` can't join it."""
        if not self._joined:
            return
        is_far = start - self._joined[-1][1] > self._gap
        if is_far or end - self._joined[0][0] > self._target:
            self._finish(done)

    def _finish(self, done: list[Window]) -> None:
        if not self._joined:
            return
        first, last = self._joined[0][0], self._joined[-1][1]
        speech = tuple(Region(a / SAMPLE_RATE, b / SAMPLE_RATE) for a, b in self._joined)
        done.append(Window(self._index, first / SAMPLE_RATE, self._slice(first, last), speech))
        self._index += 1
        self._joined = []

    def _quietest(self, start: int, end: int) -> int:
        """Return the middle of the quietest stretch of 0.2 s; the first of equals."""
        sound = self._slice(start, end)
        n_hops = len(sound) // _HOP
        energy = np.square(sound[: n_hops * _HOP], dtype=np.float64).reshape(n_hops, _HOP).sum(1)
        if n_hops < _QUIET_HOPS:
            return end
        summed = np.convolve(energy, np.ones(_QUIET_HOPS), "valid")
        return start + (int(summed.argmin()) + _QUIET_HOPS // 2) * _HOP

    def _slice(self, start: int, end: int) -> Audio:
        parts = []
        at = self._sound_start
        for chunk in self._sound:
            parts.append(chunk[max(0, start - at) : max(0, end - at)])
            at += len(chunk)
        return np.concatenate(parts)

    def _forget_before(self, sample: int) -> None:
        while self._sound and self._sound_start + len(self._sound[0]) <= sample:
            self._sound_start += len(self._sound.pop(0))


_HOP = SAMPLE_RATE // 100
_QUIET_HOPS = 20


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def pack(audio: Audio, regions: Sequence[Region], max_speech_s: float) -> list[Window]:
    """Return the windows of a whole recording at once; as `Packer`."""
    packer = Packer(max_speech_s)
    return packer.feed(audio, regions) + packer.flush()


def coverage(
    speech: Iterable[Region], segments: Iterable[Segment], *, least_s: float = 1.0
) -> tuple[Region, ...]:
    """Return the stretches of `speech` longer than `least_s` in which no segment has text.

    Args:
        speech: where somebody speaks, in order, for example of all windows.
        segments: what was transcribed, in any order.
        least_s: shorter stretches are a model's loose times, not missing text.
    """
    said = sorted((part.start_s, part.end_s) for part in segments if part.text.strip())
    missing: list[Region] = []
    for region in speech:
        at = region.start_s
        for start_s, end_s in said:
            if end_s <= at:
                continue
            if start_s >= region.end_s:
                break
            if start_s - at > least_s:
                missing.append(Region(at, start_s))
            at = max(at, end_s)
        if region.end_s - at > least_s:
            missing.append(Region(at, region.end_s))
    return tuple(missing)
