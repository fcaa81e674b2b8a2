"""A loaded model is not a warm one: its first run compiles, and after a while weights leave RAM.

So a take's first act on the engine is one dummy step, while the person is already speaking.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.base import ListSource, Options, Recognizer

_COLD_AFTER_S = 120.0
_MOST_STEPS = 64  # a dummy that begins to write a novel is cut short


class Warmth:
    """Which recognizer was used last, and when. Owner: the engine thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recognizer: Recognizer | None = None
        self._used_s = 0.0

    def steps(self, recognizer: Recognizer, options: Options) -> Iterator[None]:
        """Warm `recognizer` up, unless it was used a moment ago."""
        is_warm = self._clock() - self._used_s < _COLD_AFTER_S
        if recognizer is self._recognizer and is_warm:
            self.used(recognizer)
            return
        rng = np.random.default_rng(0)
        noise = rng.standard_normal(SAMPLE_RATE).astype(np.float32) * np.float32(0.003)
        window = Window(0, 0.0, noise, (Region(0.0, 1.0),))
        dry = replace(options, temperatures=(0.0,), wants_words=False, glossary="")
        steps = recognizer.transcribe(ListSource([window]), dry)
        for number, _ in enumerate(steps):
            if number >= _MOST_STEPS:
                break
            yield None
        close = getattr(steps, "close", None)
        if close is not None:
            close()
        self.used(recognizer)

    def used(self, recognizer: Recognizer) -> None:
        """Note that `recognizer` has just worked."""
        self._recognizer, self._used_s = recognizer, self._clock()

    def forget(self) -> None:
        """Note that models may have been unloaded."""
        self._recognizer = None
