"""Text that goes round in circles, which Whisper writes where it has lost its place.

Speech repeats a word a few times, never a phrase four times in one breath.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_LONGEST_PERIOD = 32  # tokens
_REPEATS = 4
_LEAST_TOKENS = 16  # a loop is at least this long in all


def has_loop(tokens: Sequence[int]) -> bool:
    """Whether part of `tokens` (text only) repeats itself as speech never does."""
    return bool(_looping(np.asarray(tokens)).any())


def outside_loops(tokens: Sequence[int], eot: int) -> list[int]:
    """Return the places in `tokens` that are no repetition; timestamps stay."""
    places = [at for at, token in enumerate(tokens) if token < eot]
    text = np.asarray([tokens[at] for at in places])
    dropped = {places[at] for at in np.flatnonzero(_looping(text))}
    return [at for at in range(len(tokens)) if at not in dropped]


def _looping(tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which tokens only repeat what stands one period before them."""
    looping = np.zeros(len(tokens), bool)
    for period in range(1, min(_LONGEST_PERIOD, len(tokens) // _REPEATS) + 1):
        same = np.concatenate([[False], tokens[period:] == tokens[:-period], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            length = end - start + period
            if length >= max(_LEAST_TOKENS, _REPEATS * period):
                looping[start + period : end + period] = True
    return looping
