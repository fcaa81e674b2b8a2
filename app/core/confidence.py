"""How probable it is that a word is right, from how sure the model was of it and of its neighbours.

Everything is in log-odds and nothing knows a language: a model that is twice as sure of all it
writes moves the figures, not their order. `tests/bench/doubt` fits and measures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_LEAST, _MOST = 1e-4, 1.0 - 1e-3  # what a model says beyond is no longer more or less likely wrong
_REACH = 2  # words on either side

Odds = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a model's probabilities are worth: the weights of a logistic regression.

    Attributes:
        own: what the word's own log-odds count.
        around: what the mean log-odds of the words around it count.
        offset: what is added.
    """

    own: float
    around: float
    offset: float

    def probabilities(self, odds: Sequence[float]) -> list[float]:
        """Return how probable it is that each word is right, always between 0 and 1.

        Args:
            odds: `log_odds` of the words of one window, in order.
        """
        if not odds:
            return []
        own = np.asarray(odds, np.float64)
        right = self.own * own + self.around * around(own) + self.offset
        found: list[float] = (1.0 / (1.0 + np.exp(-right))).tolist()
        return found


# As the model says it.
RAW = Calibration(own=1.0, around=0.0, offset=0.0)
# For models that nobody has measured: the built-in model's, rounded.
USUAL = Calibration(own=0.7, around=0.5, offset=-1.0)


def log_odds(probability: float) -> float:
    """Return log(p / (1 - p)) of a probability, kept away from both ends."""
    kept = min(max(probability, _LEAST), _MOST)
    return math.log(kept / (1.0 - kept))


def around(own: Odds) -> Odds:
    """Return for each word the mean of its neighbours; a word without any is its own.

    Args:
        own: (n,) log-odds of the words of one window.
    """
    places = np.arange(len(own))
    first, last = np.maximum(places - _REACH, 0), np.minimum(places + _REACH + 1, len(own))
    sums = np.concatenate(([0.0], np.cumsum(own)))
    counts = last - first - 1
    others: Odds = (sums[last] - sums[first] - own) / np.maximum(counts, 1)
    return np.where(counts > 0, others, own)
