"""Speech without text: found by comparing what was heard with what was written, and read again.

A model sometimes ends its text before the sound ends. What it left out is decoded once more as a
window of its own; like the window itself, that depends on nothing but the window and the options.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from app.core.agreement import normal_form
from app.core.packing import SAMPLE_RATE, Region, Window, coverage
from app.core.transcript import Segment
from app.engine.base import Idle, ListSource, Options, Recognizer, WindowResult

_BEFORE_S = 0.1  # segment times are rounded to 0.02 s and often a little late
_MOST_NO_SPEECH = 0.6  # openai-whisper's `no_speech_threshold`
_INDEX_STRIDE = 64  # more gaps than a window can have


@dataclass(frozen=True, slots=True)
class Reread:
    """A window's segments with its gaps filled, and the speech that still has no text."""

    segments: tuple[Segment, ...]
    missing: tuple[Region, ...] = ()


def fill_gaps(
    recognizer: Recognizer, window: Window, result: WindowResult, options: Options
) -> Generator[Idle | None, None, Reread]:
    """Decode again what `result` leaves out of `window`'s speech. Thread: engine."""
    gaps = coverage(window.speech, result.segments)
    is_judged_silent = result.no_speech_probability > _MOST_NO_SPEECH and not result.segments
    if not gaps or is_judged_silent:
        return Reread(result.segments)
    source = ListSource([_cut(window, gap, number) for number, gap in enumerate(gaps)])
    again = replace(options, language=result.language)
    found: list[Segment] = []
    for fact in recognizer.transcribe(source, again):
        if isinstance(fact, WindowResult):
            found.extend(fact.segments)
        else:
            yield fact
    new = [segment for segment in found if not _is_repeated(segment, result.segments)]
    merged = tuple(sorted((*result.segments, *new), key=lambda segment: segment.start_s))
    return Reread(merged, coverage(gaps, merged))


def _cut(window: Window, gap: Region, number: int) -> Window:
    """Return the part of `window` in which `gap` lies as a window of its own."""
    first = max(0, round((gap.start_s - _BEFORE_S - window.start_s) * SAMPLE_RATE))
    last = round((gap.end_s - window.start_s) * SAMPLE_RATE)
    start_s = window.start_s + first / SAMPLE_RATE
    index = window.index * _INDEX_STRIDE + number
    return Window(index, start_s, window.audio[first:last], (gap,))


def _is_repeated(segment: Segment, known: Sequence[Segment]) -> bool:
    """Whether `segment` only says again what stands right before or after it."""
    said = _words(segment)
    before = [other for other in known if other.start_s <= segment.start_s]
    after = [other for other in known if other.start_s > segment.start_s]
    return bool(
        (before and _words(before[-1])[-len(said) :] == said)
        or (after and _words(after[0])[: len(said)] == said)
    )


def _words(segment: Segment) -> list[str]:
    return [normal_form(word) for word in segment.text.split()]
