"""A media file as the windows the engine decodes: decoding, finding speech, packing.

An iterator: nothing is read before it is asked for, so memory is bounded by the longest window, and
the same file gives the same windows every time, which lets an interrupted job go on.
"""

from collections.abc import Iterator

import numpy as np

from app.audio.decode import MediaStream
from app.audio.vad import FILE_ENDPOINTING, Endpointing, SpeechDetector, Vad
from app.core.packing import SAMPLE_RATE, Audio, Packer, Region, Window


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
        stream: MediaStream,
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
