"""Speech regions to windows: what the engine decodes at once.

A window never holds more sound than its model can hear and is cut at silences, never inside a word.
The same regions give the same windows, so a resumed job repeats an uninterrupted one exactly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
