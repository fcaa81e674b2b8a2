"""How probable it is that each word of a window is right.

The model is heard twice, as it wrote the text and as it read it again for the word times; the
weakest token of either decides, for one wrong token makes a wrong word. Marks that stand alone
(they are no words) keep what the model says of them.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from app.core.confidence import Calibration, log_odds
from app.engine.whisper.align import Timing


def judged(
    timings: Sequence[Timing], written: Sequence[float], calibration: Calibration
) -> list[Timing]:
    """Return `timings` with the probability that the word is right.

    Args:
        timings: all the words of one window, in order.
        written: the log probability of each of their tokens when the text was written.
        calibration: the model's.
    """
    result = list(timings)
    places: list[int] = []
    odds: list[float] = []
    at = 0
    for place, timing in enumerate(timings):
        own = written[at : at + len(timing.tokens)]
        at += len(timing.tokens)
        if any(map(str.isalnum, timing.text)):
            places.append(place)
            odds.append(log_odds(min(timing.least_probability, math.exp(min(own)))))
    for place, probability in zip(places, calibration.probabilities(odds), strict=True):
        result[place] = replace(result[place], probability=probability)
    return result
