"""A media file as the windows the engine decodes: decoding, finding speech, packing.

An iterator: nothing is read before it is asked for, so memory is bounded by the longest window, and
the same file gives the same windows every time, which lets an interrupted job go on.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from app.audio.decode import MediaStream
from app.audio.vad import FILE_ENDPOINTING, Endpointing, SpeechDetector, Vad
from app.core.packing import SAMPLE_RATE, Audio, Packer, Region, Window


class Sound(Protocol):
    """Sound that is read once, from its beginning."""

    @property
    def is_complete(self) -> bool:
        """Whether the end was reached."""

    def read(self) -> Audio | None:
        """Return the next block, `None` at the end."""


class SoundPart:
    """A stretch of an open stream; what lies before it is read and dropped."""

    def __init__(self, stream: MediaStream, from_s: float, until_s: float) -> None:
        self._stream = stream
        self._at = 0  # the next sample of the stream
        self._first = round(from_s * SAMPLE_RATE)
        self._last = max(self._first, round(until_s * SAMPLE_RATE))

    @property
    def is_complete(self) -> bool:
        return self._at >= self._last or self._stream.is_complete

    def read(self) -> Audio | None:
        while self._at < self._last and (block := self._stream.read()) is not None:
            start, self._at = self._at, self._at + len(block)
            kept = block[max(0, self._first - start) : max(0, self._last - start)]
            if len(kept):
                return kept
        return None


class SpeechWindows:
    """The windows of an open stream, in order. Thread: io; `MediaStream.close` ends it early.

    After a `close` it ends without the window that was being filled; `is_complete` then stays
    false.

    Attributes:
        heard_s: how much of the recording has been read.
        speech: where somebody speaks, as far as it has been read.
    """

    def __init__(
        self,
        stream: Sound,
        max_speech_s: float,
        *,
        target_s: float | None = None,
        rules: Endpointing = FILE_ENDPOINTING,
        vad: Vad | None = None,
    ) -> None:
        self.heard_s = 0.0
        self.speech: list[Region] = []
        self.is_complete = False
        self._stream = stream
        self._vad = vad or Vad()
        self._detector = SpeechDetector(rules)
        self._packer = Packer(max_speech_s, target_s=target_s)

    def __iter__(self) -> Iterator[Window]:
        detector, packer = self._detector, self._packer
        n_samples = 0
        while (block := self._stream.read()) is not None:
            n_samples += len(block)
            self.heard_s = n_samples / SAMPLE_RATE
            closed = detector.feed(self._vad.feed(block).tolist())
            self.speech += closed
            yield from packer.feed(
                block,
                closed,
                open_region=detector.open_region,
                open_from_s=detector.open_from_s,
            )
        if not self._stream.is_complete:
            return
        closed = detector.feed(self._vad.flush().tolist()) + detector.flush(self.heard_s)
        self.speech += closed
        yield from packer.feed(_NOTHING, closed)
        yield from packer.flush()
        self.is_complete = True


_NOTHING: Audio = np.zeros(0, np.float32)
