"""Where in the window each word was spoken, from where the decoder looked.

The text is read once more over the sound its row still holds; the attention of a few heads gives a
picture whose cheapest path pairs tokens with frames.
Source: openai-whisper `timing.py` (MIT), find_alignment; the path search is our own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from app.engine.whisper.kernels import log_sum_exp
from app.engine.whisper.model import KeysValues, Whisper
from app.engine.whisper.tokens import Tokens

_MEDIAN_WIDTH = 7
_FRAMES_A_SECOND = 50  # of features: two mel frames each
_TOKENS_BUCKET = 16  # few lengths mean few buffers and kernels

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Timing:
    """One word as the alignment found it; times in seconds of the window.

    `probability` is the mean of its tokens' and `least_probability` the smallest.
    """

    text: str
    tokens: tuple[int, ...]
    start_s: float
    end_s: float
    probability: float
    least_probability: float = 1.0


def find_timings(
    model: Whisper,
    vocabulary: Tokens,
    cross: Sequence[KeysValues],
    text: Sequence[int],
    *,
    language: str | None,
    translate: bool,
    heads: Sequence[tuple[int, int]],
    duration_s: float,
) -> list[Timing]:
    """Return the words of `text` and where they lie.

    Args:
        model: what wrote the text.
        vocabulary: its tokens.
        cross: the window's sound, of one row.
        text: tokens without timestamps and special ones.
        language: what it was decoded in.
        translate: whether it was translated.
        heads: which heads to follow.
        duration_s: how much of the window is sound.
    """
    words, parts = vocabulary.split_words([*text, vocabulary.eot], language)
    if not text or len(parts) <= 1:
        return []
    start = vocabulary.start(language, translate=translate)
    frames = max(1, int(duration_s * 2 * _FRAMES_A_SECOND) // 2)
    probabilities, matrix = _look(model, vocabulary, cross, start, text, heads, frames)
    text_at, time_at = cheapest_path(-matrix)
    jumps = np.pad(np.diff(text_at), (1, 0), constant_values=1).astype(bool)
    times = time_at[jumps] / _FRAMES_A_SECOND
    edges = np.pad(np.cumsum([len(part) for part in parts[:-1]]), (1, 0))
    return [
        Timing(
            word,
            tuple(part),
            float(times[begin]),
            float(times[end]),
            float(np.mean(probabilities[begin:end])),
            float(np.min(probabilities[begin:end])),
        )
        for word, part, begin, end in zip(words, parts, edges[:-1], edges[1:], strict=False)
    ]


def _look(
    model: Whisper,
    vocabulary: Tokens,
    cross: Sequence[KeysValues],
    start: Sequence[int],
    text: Sequence[int],
    heads: Sequence[tuple[int, int]],
    frames: int,
) -> tuple[Matrix, Matrix]:
    """Return each token's probability, and (tokens + 1, frames) of how much it looks where."""
    eot = vocabulary.eot
    tokens = [*start, vocabulary.no_timestamps, *text, eot]
    count = len(tokens)
    # What follows a token cannot change it: padding costs little and keeps shapes few.
    room = min(model.dimensions.n_text_ctx, -(-count // _TOKENS_BUCKET) * _TOKENS_BUCKET)
    padded = mx.array([tokens + [eot] * (room - count)])
    hidden, scores = model.decoder.look(padded, cross, heads)
    first = len(start)
    logits = model.decoder.logits(hidden[0, first : first + len(text)])[:, :eot]
    chosen = mx.take_along_axis(logits, mx.array(list(text))[:, None], axis=-1)[:, 0]
    probabilities = mx.exp(chosen - log_sum_exp(logits))
    weights = mx.softmax(scores[0, :, :count, :frames], axis=-1)
    mean = mx.mean(weights, axis=-2, keepdims=True)
    deviation = mx.sqrt(mx.var(weights, axis=-2, keepdims=True))
    weights = (weights - mean) / mx.maximum(deviation, 1e-20)
    mx.eval(weights, probabilities)
    picture = median_filter(np.array(weights), _MEDIAN_WIDTH).mean(axis=0)
    return np.array(probabilities), picture[first : count - 1]


def median_filter(values: Matrix, width: int) -> Matrix:
    """Return the running median along the last axis, mirrored at both ends."""
    half = width // 2
    if values.shape[-1] <= half:
        return values
    padding = [(0, 0)] * (values.ndim - 1) + [(half, half)]
    padded = np.pad(values, padding, mode="reflect")
    length = values.shape[-1]
    lanes = [padded[..., at : at + length].copy() for at in range(width)]
    # Bubble the largest to the end until the middle one is settled: whole rows at a time.
    for end in range(width - 1, half - 1, -1):
        for at in range(end):
            low = np.minimum(lanes[at], lanes[at + 1])
            np.maximum(lanes[at], lanes[at + 1], out=lanes[at + 1])
            lanes[at] = low
    return lanes[half]


def cheapest_path(
    costs: npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the cheapest monotone path through `costs`, one diagonal at a time.

    Args:
        costs: (rows, columns); ties go the way the reference's do.

    Returns:
        row and column of each point of the path, in order.
    """
    rows, columns = costs.shape
    # One line a diagonal: skewed[d, i] is costs[i, d - i].
    skewed = np.full((rows + columns - 1, rows), np.inf)
    for row in range(rows):
        skewed[row : row + columns, row] = costs[row]
    trace = np.full((rows + columns + 1, rows + 1), 2, np.int8)
    older = np.full(rows + 1, np.inf, np.float32)  # two diagonals ago
    older[0] = 0.0
    newer = np.full(rows + 1, np.inf, np.float32)
    for diagonal in range(2, rows + columns + 1):
        aslant, above, beside = older[:-1], newer[:-1], newer[1:]
        is_aslant = (aslant < above) & (aslant < beside)
        is_above = ~is_aslant & (above < aslant) & (above < beside)
        least = np.where(is_aslant, aslant, np.where(is_above, above, beside))
        following = np.full(rows + 1, np.inf, np.float32)
        following[1:] = skewed[diagonal - 2] + least
        trace[diagonal, 1:] = np.where(is_aslant, 0, np.where(is_above, 1, 2))
        older, newer = newer, following
    return _walk_back(trace, rows, columns)


def _walk_back(
    trace: npt.NDArray[np.int8], rows: int, columns: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    path: list[tuple[int, int]] = []
    row, column = rows, columns
    while row > 0 or column > 0:
        path.append((row - 1, column - 1))
        way = 2 if row == 0 else 1 if column == 0 else trace[row + column, row]
        row -= way != 2
        column -= way != 1
    points = np.array(path[::-1], dtype=np.int64)
    return points[:, 0], points[:, 1]
