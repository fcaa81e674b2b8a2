"""Tokens to segments: where the timestamps cut, in seconds of the recording.

Segments are in order and lie inside their window. Text is not dropped here because its closing
timestamp is missing (see `truncated` for text that was cut off); but what the model says after the
sound has ended is invented.
Source: openai-whisper `transcribe.py` (MIT), how consecutive timestamps cut.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.whisper.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment's tokens, from `start` to `end` in the window's; times in seconds of the window."""

    start_s: float
    end_s: float
    tokens: tuple[int, ...]
    first: int

    def text_tokens(self, eot: int) -> tuple[int, ...]:
        return tuple(token for token in self.tokens if token < eot)


def cut_segments(tokens: Sequence[int], vocabulary: Tokens, duration_s: float) -> list[Cut]:
    """Return the segments of one window.

    Args:
        tokens: what was decoded, without prompt and end.
        vocabulary: the model's.
        duration_s: the window's length; no segment reaches past it.
    """
    begin = vocabulary.timestamp_begin
    is_stamp = [token >= begin for token in tokens]
    edges = [at for at in range(1, len(tokens)) if is_stamp[at - 1] and is_stamp[at]]
    cuts: list[Cut] = []
    reached = 0.0
    for start, end in zip([0, *edges], [*edges, len(tokens)], strict=True):
        part = tuple(tokens[start:end])
        if not any(token < vocabulary.eot for token in part):
            continue
        opens = vocabulary.seconds(part[0]) if part[0] >= begin else reached
        if opens >= duration_s and part[0] >= begin:
            continue
        closes = vocabulary.seconds(part[-1]) if part[-1] >= begin else duration_s
        opens = min(max(opens, reached), duration_s)
        closes = min(max(closes, opens), duration_s)
        reached = closes
        cuts.append(Cut(opens, closes, part, start))
    return cuts


def compression_ratio(text: str) -> float:
    """Return how much `text` shrinks when compressed; repetition shrinks much."""
    written = text.encode("utf-8")
    return len(written) / len(zlib.compress(written))
