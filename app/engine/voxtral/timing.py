"""Where text without word times lies: its sentences spread over the speech the VAD found.

Voxtral 2507 says what was said, not when. Sentences get their share of the speech by length, and a
boundary snaps to a pause near it, because people breathe between sentences. Segments are in order,
don't overlap, and lie within the speech.
"""

import re
from collections.abc import Sequence

from app.core.packing import Region
from app.core.transcript import Segment

_SENTENCE = re.compile(r".+?(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+|$)", re.DOTALL)
_SNAP_S = 1.5  # a pause this near to where a sentence should end is taken for its end


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`, stripped, none empty."""
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return [sentence for sentence in found if sentence]


def spread(
    text: str, speech: Sequence[Region], confidence: float | None = None
) -> tuple[Segment, ...]:
    """Return `text` as segments over `speech`.

    Args:
        text: all that was said.
        speech: where, in order; not empty unless `text` is.
        confidence: what each segment gets.
    """
    parts = sentences(text)
    if not parts or not speech:
        return ()
    total_s = sum(region.duration_s for region in speech)
    pauses_s, run_s = [], 0.0
    for region in speech[:-1]:
        run_s += region.duration_s
        pauses_s.append(run_s)
    weight = sum(len(part) for part in parts)
    bounds_s, done = [0.0], 0
    for part in parts[:-1]:
        done += len(part)
        even_s = total_s * done / weight
        near_s = min(pauses_s, key=lambda pause_s: abs(pause_s - even_s), default=even_s)
        is_pause = abs(near_s - even_s) <= _SNAP_S and near_s > bounds_s[-1]
        bounds_s.append(max(bounds_s[-1], near_s if is_pause else even_s))
    bounds_s.append(total_s)
    return tuple(
        Segment(
            _begin_s(speech, start_s),
            max(_begin_s(speech, start_s), _end_s(speech, end_s)),
            part,
            confidence=confidence,
        )
        for part, start_s, end_s in zip(parts, bounds_s, bounds_s[1:], strict=False)
    )


def _begin_s(speech: Sequence[Region], run_s: float) -> float:
    """Return when the speech that follows `run_s` of speech begins."""
    for region in speech:
        if run_s < region.duration_s:
            return region.start_s + run_s
        run_s -= region.duration_s
    return speech[-1].end_s


def _end_s(speech: Sequence[Region], run_s: float) -> float:
    """Return when `run_s` of speech are over."""
    for region in speech:
        if run_s <= region.duration_s:
            return region.start_s + run_s
        run_s -= region.duration_s
    return speech[-1].end_s
