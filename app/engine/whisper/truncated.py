"""A window whose text met the model's limit before its end: what is kept and what is decoded next.

No word is lost and none written twice: the text up to the last closed timestamp is kept, and the
sound behind it is a window of its own. Where no timestamp was closed nobody knows how far the text
came; then each half of the sound is one.
Source: openai-whisper `transcribe.py` (MIT), which goes on at the last closed timestamp.
"""

from collections.abc import Sequence

from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.base import WindowResult
from app.engine.whisper.segments import Cut
from app.engine.whisper.utterance import quiet_cut

_LEAST_REST_S = 1.0  # a shorter rest is a model's loose times
_LEAST_STEP_S = 3.0  # text that fills the limit and gets on less is none
_LEAST_HALVED_S = 8.0


def what_to_keep(
    window: Window, cuts: Sequence[Cut], timestamp_begin: int, *, may_halve: bool
) -> tuple[list[Cut], tuple[Window, ...]]:
    """Return the segments to keep of a text that was cut off, and the windows to decode after it.

    Args:
        window: what the text is of.
        cuts: its segments; only the last one may not be closed.
        timestamp_begin: the first token that is a timestamp.
        may_halve: whether all of the text may be given up for that of the halves.
    """
    closed = [cut for cut in cuts if cut.tokens[-1] >= timestamp_begin]
    reached_s = closed[-1].end_s if closed else 0.0
    spoken_s = window.speech[-1].end_s if window.speech else window.end_s
    if spoken_s - (window.start_s + reached_s) < _LEAST_REST_S:
        return list(cuts), ()
    if reached_s >= _LEAST_STEP_S:
        return closed, (_part(window, round(reached_s * SAMPLE_RATE), len(window.audio)),)
    if may_halve and window.end_s - window.start_s >= _LEAST_HALVED_S:
        middle = quiet_cut(window.audio[: len(window.audio) * 3 // 4])
        halves = _part(window, 0, middle), _part(window, middle, len(window.audio))
        return [], tuple(half for half in halves if half.speech or not window.speech)
    return list(cuts), ()


def together(before: WindowResult, after: WindowResult) -> WindowResult:
    """Return the results of two parts of a window as one."""
    tokens = before.tokens + after.tokens
    total = sum(part.average_log_probability * part.tokens for part in (before, after))
    return WindowResult(
        index=before.index,
        segments=before.segments + after.segments,
        language=before.language,
        no_speech_probability=min(before.no_speech_probability, after.no_speech_probability),
        average_log_probability=total / tokens if tokens else 0.0,
        compression_ratio=max(before.compression_ratio, after.compression_ratio),
        temperature=max(before.temperature, after.temperature),
        tokens=tokens,
        is_truncated=before.is_truncated or after.is_truncated,
    )


def _part(window: Window, first: int, last: int) -> Window:
    """Return the samples from `first` to `last` as a window of the same index."""
    start_s = window.start_s + first / SAMPLE_RATE
    end_s = window.start_s + last / SAMPLE_RATE
    clipped = [Region(max(r.start_s, start_s), min(r.end_s, end_s)) for r in window.speech]
    speech = tuple(region for region in clipped if region.duration_s > 0)
    return Window(window.index, start_s, window.audio[first:last], speech)
