"""What keeps a decoded window honest: a budget from its length, and an eye for endless repetition.

Nothing is cut silently: a window that repeats itself or runs out of budget is decoded again in
smaller pieces, and what is still cut after that is marked as such.
"""

import math
import zlib
from collections.abc import Sequence

_TOKENS_A_SECOND = 12  # fast speech in the most token-hungry script needs about 8
_SPARE_TOKENS = 24
_LONGEST_PERIOD = 32
_LEAST_REPEATS = 4
_LEAST_REPEATED = 24  # tokens; a chorus of five words sung four times is no loop


def token_budget(seconds: float) -> int:
    """Return how many tokens `seconds` of sound can need at most."""
    return _SPARE_TOKENS + math.ceil(max(0.0, seconds) * _TOKENS_A_SECOND)


def loop_period(tokens: Sequence[int]) -> int:
    """Return after how many tokens the end of `tokens` repeats itself; 0 when it does not."""
    for period in range(1, min(_LONGEST_PERIOD, len(tokens) // _LEAST_REPEATS) + 1):
        length = period * max(_LEAST_REPEATS, -(-_LEAST_REPEATED // period))
        if length > len(tokens):
            continue
        tail = tokens[-length:]
        if all(tail[place] == tail[place - period] for place in range(period, length)):
            return period
    return 0


def without_loop(tokens: Sequence[int]) -> list[int]:
    """Return `tokens` with a loop at their end reduced to its first round."""
    kept = list(tokens)
    period = loop_period(kept)
    if not period:
        return kept
    while len(kept) > period and kept[-1] == kept[-1 - period]:
        kept.pop()
    return kept


def compression_ratio(text: str) -> float:
    """Return how much `text` shrinks by compression; above 2.4 it probably repeats itself."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data)) if data else 0.0
