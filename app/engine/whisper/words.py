"""Aligned words put into their segments, punctuation with the word it belongs to.

Words are in order, never overlap and never leave the window; a segment reaches from its first word
to its last.
Source: openai-whisper `timing.py` (MIT), add_word_timestamps and merge_punctuations: the rules, not
the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.transcript import Word
from app.engine.whisper.align import Timing
from app.engine.whisper.segments import Cut

_OPENING = "\"'“¿([{-"
_CLOSING = "\"'.。,，!！?？:：”)]}、"
_SENTENCE_ENDS = ".。!！?？"
_LONGEST_MEDIAN_S = 0.7
_TRUSTED_STAMP_S = 0.5  # a timestamp this far inside a word's time is believed more than the word


@dataclass(frozen=True, slots=True)
class TimedCut:
    """A segment's words and its times, in seconds of the window."""

    start_s: float
    end_s: float
    words: tuple[Word, ...]


def time_cuts(
    cuts: Sequence[Cut], timings: Sequence[Timing], eot: int, duration_s: float
) -> list[TimedCut]:
    """Return each of `cuts` with its words.

    Args:
        cuts: the window's segments, in order.
        timings: the words of all their text, in order.
        eot: the first token that is no text.
        duration_s: the window's length.
    """
    lengths = [t.end_s - t.start_s for t in timings if t.end_s != t.start_s]
    usual = min(_LONGEST_MEDIAN_S, float(np.median(lengths))) if lengths else 0.0
    merged = _merged(_shortened(timings, 2 * usual) if lengths else list(timings))
    timed: list[TimedCut] = []
    reached = 0.0
    at = 0
    for cut in cuts:
        wanted = len(cut.text_tokens(eot))
        own: list[Timing] = []
        while at < len(merged) and wanted > 0:
            own.append(merged[at])
            wanted -= len(merged[at].tokens)
            at += 1
        words = _settled(_fitted(own, cut, reached, usual), reached, duration_s)
        if words:
            timed.append(TimedCut(words[0].start_s, words[-1].end_s, words))
        else:
            start = min(max(cut.start_s, reached), duration_s)
            timed.append(TimedCut(start, min(max(cut.end_s, start), duration_s), ()))
        reached = timed[-1].end_s
    return timed


def _shortened(timings: Sequence[Timing], most_s: float) -> list[Timing]:
    """Cut what is far too long where a sentence ends: there the pause was counted in."""
    result = list(timings)
    for at in range(1, len(result)):
        timing = result[at]
        if timing.end_s - timing.start_s <= most_s:
            continue
        if timing.text in _SENTENCE_ENDS:
            result[at] = replace(timing, end_s=timing.start_s + most_s)
        elif result[at - 1].text in _SENTENCE_ENDS:
            result[at] = replace(timing, start_s=timing.end_s - most_s)
    return result


def _merged(timings: Sequence[Timing]) -> list[Timing]:
    """Join opening punctuation to the word after it, closing punctuation to the one before."""
    opened: list[Timing] = []
    for timing in reversed(timings):
        is_opening = timing.text.startswith(" ") and timing.text.strip() in _OPENING
        if opened and is_opening:
            following = opened.pop()
            joined = (*timing.tokens, *following.tokens)
            opened.append(replace(following, text=timing.text + following.text, tokens=joined))
        else:
            opened.append(timing)
    closed: list[Timing] = []
    for timing in reversed(opened):
        if closed and timing.text in _CLOSING and not closed[-1].text.endswith(" "):
            before = closed.pop()
            joined = (*before.tokens, *timing.tokens)
            closed.append(replace(before, text=before.text + timing.text, tokens=joined))
        else:
            closed.append(timing)
    return closed


def _fitted(words: list[Timing], cut: Cut, reached: float, usual: float) -> list[Timing]:
    """Correct the first and last word of a segment, whose times may hold a pause."""
    if not words:
        return words
    most = 2 * usual
    first = words[0]
    is_after_pause = first.end_s - reached > 4 * usual
    is_long = first.end_s - first.start_s > most
    is_long_pair = len(words) > 1 and words[1].end_s - first.start_s > 2 * most
    if is_after_pause and (is_long or is_long_pair):
        if len(words) > 1 and words[1].end_s - words[1].start_s > most:
            edge = max(words[1].end_s / 2, words[1].end_s - most)
            first = replace(first, end_s=edge)
            words[1] = replace(words[1], start_s=edge)
        first = replace(first, start_s=max(0.0, first.end_s - most))
    if first.start_s + _TRUSTED_STAMP_S < cut.start_s < first.end_s:
        first = replace(first, start_s=max(0.0, min(first.end_s - usual, cut.start_s)))
    words[0] = first
    last = words[-1]
    if last.start_s < cut.end_s < last.end_s - _TRUSTED_STAMP_S:
        words[-1] = replace(last, end_s=max(last.start_s + usual, cut.end_s))
    return words


def _settled(timings: Sequence[Timing], reached: float, duration_s: float) -> tuple[Word, ...]:
    words: list[Word] = []
    for timing in timings:
        text = timing.text.strip()
        if not text:
            continue
        start = min(max(timing.start_s, reached), duration_s)
        end = min(max(timing.end_s, start), duration_s)
        words.append(Word(text, start, end, min(1.0, max(0.0, timing.probability))))
        reached = end
    return tuple(words)
