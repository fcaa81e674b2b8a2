"""Edits of a transcript, each as the segments it takes out and the segments it puts in.

Pure: a function looks at the segments and returns an `Edit`; applying it and its inverse gives back
the very same segments, so undoing is exact by construction. No edit lets times run backwards,
and none takes the last segment away, for without one there is no place to type.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.core.spans import joined, retold, spans, tidy
from app.core.transcript import Segment, Word


@dataclass(frozen=True, slots=True)
class Splice:
    """From place `first` on, `old` goes and `new` comes."""

    first: int
    old: tuple[Segment, ...]
    new: tuple[Segment, ...]

    @property
    def inverse(self) -> "Splice":
        """What takes it back."""
        return Splice(self.first, self.new, self.old)


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of a person.

    `kind` says what it was; edits of one `run` in a row are one step when they are taken back, as
    the letters of a word are.
    """

    kind: str
    splice: Splice
    run: str = ""

    @property
    def inverse(self) -> "Edit":
        return Edit(self.kind, self.splice.inverse)


def applied(segments: Sequence[Segment], splice: Splice) -> list[Segment]:
    """Return the segments after `splice`.

    Raises:
        ValueError: it was made for other segments.
    """
    last = splice.first + len(splice.old)
    if tuple(segments[splice.first : last]) != splice.old:
        raise ValueError("the transcript is not what this edit was made for")
    return [*segments[: splice.first], *splice.new, *segments[last:]]


def between(old: Sequence[Segment], new: Sequence[Segment], kind: str) -> Edit | None:
    """Return the smallest edit that leads from `old` to `new`; `None` when they are equal."""
    first = 0
    most = min(len(old), len(new))
    while first < most and (old[first] is new[first] or old[first] == new[first]):
        first += 1
    last, most = 0, most - first
    while last < most and (old[-1 - last] is new[-1 - last] or old[-1 - last] == new[-1 - last]):
        last += 1
    out, into = tuple(old[first : len(old) - last]), tuple(new[first : len(new) - last])
    return Edit(kind, Splice(first, out, into)) if out or into else None


# The text


def retext(segments: Sequence[Segment], at: int, text: str) -> Edit | None:
    """Give a segment another text; words that stay keep their times."""
    old = segments[at]
    if tidy(text) == tidy(old.text):
        return None
    return Edit("type", Splice(at, (old,), (retold(old, text),)), run=f"type {at}")


def split(segments: Sequence[Segment], at: int, offset: int) -> Edit | None:
    """Divide a segment before character `offset`; nothing at its very ends."""
    old = segments[at]
    text = tidy(old.text)
    left, right = tidy(text[:offset]), tidy(text[offset:])
    if not left or not right:
        return None
    first, second = _divided(old, text, offset)
    border_s = first[-1].end_s if first else _share_s(old, offset / len(text))
    start_s = second[0].start_s if second else max(border_s, _share_s(old, offset / len(text)))
    border_s = min(max(border_s, old.start_s), old.end_s)
    start_s = min(max(start_s, border_s), old.end_s)
    parts = (
        replace(old, text=left, words=first, end_s=border_s, raw=None),
        replace(old, text=right, words=second, start_s=start_s, raw=None),
    )
    return Edit("split", Splice(at, (old,), parts))


def merge(segments: Sequence[Segment], at: int) -> Edit | None:
    """Join a segment to the one before it."""
    if not 0 < at < len(segments):
        return None
    first, second = segments[at - 1], segments[at]
    return Edit("merge", Splice(at - 1, (first, second), (_merged(first, second),)))


def delete(segments: Sequence[Segment], first: int, count: int = 1) -> Edit | None:
    """Take segments out; of all of them an empty one stays, to type in."""
    old = tuple(segments[first : first + count])
    new = (emptied(old),) if old and len(old) == len(segments) else ()
    return Edit("delete", Splice(first, old, new)) if old != new else None


def replace_range(
    segments: Sequence[Segment], start: tuple[int, int], end: tuple[int, int], text: str
) -> Edit | None:
    """Put `text` in place of all between two (segment, offset) places, across segments."""
    (first, left), (last, right) = start, end
    old = tuple(segments[first : last + 1])
    head, tail = tidy(old[0].text)[:left], tidy(old[-1].text)[right:]
    if first == last:
        return retext(segments, first, f"{head}{text}{tail}")
    whole = retold(old[0], head + text)
    rest = retold(old[-1], tail)
    new = whole if not tail else rest if not whole.text else _merged(whole, rest)
    if not tail:
        new = replace(new, end_s=max(new.start_s, old[0].end_s))
    if not new.text and len(old) == len(segments):
        new = emptied(old)
    is_left = bool(new.text) or len(old) == len(segments)
    return Edit("delete", Splice(first, old, (new,) if is_left else ()))


def emptied(segments: Sequence[Segment]) -> Segment:
    """Return one segment without text in place of all these: what is typed next is said in it."""
    end_s = max(each.end_s for each in segments)
    return replace(segments[0], text="", words=(), end_s=end_s)


def confirm(segments: Sequence[Segment], at: int, word: int) -> Edit | None:
    """Say that a word is right as it stands."""
    old = segments[at]
    if not 0 <= word < len(old.words) or old.words[word].probability >= 1.0:
        return None
    words = [*old.words]
    words[word] = replace(words[word], probability=1.0)
    return Edit("confirm", Splice(at, (old,), (replace(old, words=tuple(words)),)))


# Times


def shift(segments: Sequence[Segment], first: int, count: int, by_s: float) -> Edit | None:
    """Move segments in time as far as their neighbours let them, and not before the beginning."""
    old = tuple(segments[first : first + count])
    if not old:
        return None
    after = first + len(old)
    floor_s = segments[first - 1].end_s if first else 0.0
    by_s = max(by_s, min(0.0, floor_s - old[0].start_s))
    if after < len(segments):
        by_s = min(by_s, max(0.0, segments[after].start_s - old[-1].end_s))
    if by_s == 0.0:
        return None
    return Edit("shift", Splice(first, old, tuple(each.shifted(by_s) for each in old)))


def set_times(segments: Sequence[Segment], at: int, start_s: float, end_s: float) -> Edit | None:
    """Give a segment other times between its neighbours; its words are stretched along."""
    old = segments[at]
    low = segments[at - 1].end_s if at else 0.0
    high = segments[at + 1].start_s if at + 1 < len(segments) else float("inf")
    low, high = min(low, old.start_s), max(high, old.end_s)
    start_s = min(max(start_s, low), high)
    end_s = min(max(end_s, start_s), high)
    if (start_s, end_s) == (old.start_s, old.end_s):
        return None
    new = replace(old, start_s=start_s, end_s=end_s, words=_stretched(old, start_s, end_s))
    return Edit("times", Splice(at, (old,), (new,)))


# Speakers


def assign(segments: Sequence[Segment], first: int, count: int, speaker: str | None) -> Edit | None:
    """Say who speaks in some segments; `None` for nobody in particular."""
    name = tidy(speaker or "") or None
    old = tuple(segments[first : first + count])
    new = tuple(replace(each, speaker=name) for each in old)
    return Edit("speaker", Splice(first, old, new)) if new != old else None


def rename_speaker(segments: Sequence[Segment], name: str, new_name: str) -> Edit | None:
    """Rename a speaker wherever they speak; a name that is taken makes the two one."""
    wanted = tidy(new_name) or None
    new = [replace(each, speaker=wanted) if each.speaker == name else each for each in segments]
    return between(segments, new, "speaker")


# One stack


class History:
    """The segments as they now are, and every step there, back and forth.

    `on_splice` is told of each change, also of those that undo; whoever keeps the segments
    elsewhere applies the same.
    """

    def __init__(
        self, segments: Sequence[Segment] = (), on_splice: Callable[[Splice], object] = id
    ) -> None:
        self.segments = list(segments)
        self._on_splice = on_splice
        self._done: list[list[Edit]] = []
        self._undone: list[list[Edit]] = []
        self._is_open = False  # whether the next edit of the same run joins the last step

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def do(self, edit: Edit | None) -> bool:
        """Apply an edit; return whether there was one."""
        if edit is None:
            return False
        self._apply(edit.splice)
        self._undone.clear()
        if self._is_open and edit.run and self._done and self._done[-1][-1].run == edit.run:
            self._done[-1].append(edit)
        else:
            self._done.append([edit])
        self._is_open = True
        return True

    def end_run(self) -> None:
        """Let the next edit be a step of its own."""
        self._is_open = False

    def undo(self) -> tuple[Edit, ...]:
        """Take the last step back; return what was applied, empty when there was none."""
        if not self._done:
            return ()
        step = self._done.pop()
        self._undone.append(step)
        return self._walk([edit.inverse for edit in reversed(step)])

    def redo(self) -> tuple[Edit, ...]:
        """Take the last step that was undone again."""
        if not self._undone:
            return ()
        step = self._undone.pop()
        self._done.append(step)
        return self._walk(step)

    def _walk(self, edits: Sequence[Edit]) -> tuple[Edit, ...]:
        self.end_run()
        for edit in edits:
            self._apply(edit.splice)
        return tuple(edits)

    def _apply(self, splice: Splice) -> None:
        last = splice.first + len(splice.old)
        if tuple(self.segments[splice.first : last]) != splice.old:
            raise ValueError("the transcript is not what this edit was made for")
        self.segments[splice.first : last] = splice.new
        self._on_splice(splice)


# Inside


def _merged(first: Segment, second: Segment) -> Segment:
    start_s, end_s = min(first.start_s, second.start_s), max(first.end_s, second.end_s)
    words = first.words + second.words
    if (first.words and not second.words and second.text) or (
        second.words and not first.words and first.text
    ):
        words = ()  # half of the words would look like all of them
    raw = None
    if first.raw is not None or second.raw is not None:
        raw = joined(
            first.text if first.raw is None else first.raw,
            second.text if second.raw is None else second.raw,
        )
    return Segment(
        start_s,
        end_s,
        joined(first.text, second.text),
        words,
        _mean(first, second),
        first.speaker if first.speaker is not None else second.speaker,
        raw,
    )


def _mean(first: Segment, second: Segment) -> float | None:
    """Return the confidence of both together, by how much text each has."""
    if first.confidence is None or second.confidence is None:
        return first.confidence if second.confidence is None else second.confidence
    a, b = max(1, len(first.text)), max(1, len(second.text))
    return (first.confidence * a + second.confidence * b) / (a + b)


def _divided(segment: Segment, text: str, offset: int) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Return the words before and after `offset`; one that is cut becomes two."""
    places = spans(text, segment.words)
    first: list[Word] = []
    second: list[Word] = []
    for word, (start, end) in zip(segment.words, places, strict=False):
        if end <= offset:
            first.append(word)
        elif start >= offset:
            second.append(word)
        else:
            border_s = word.start_s + (word.end_s - word.start_s) * (offset - start) / (end - start)
            first.append(replace(word, text=text[start:offset], end_s=border_s))
            second.append(replace(word, text=text[offset:end], start_s=border_s))
    return tuple(first), tuple(second)


def _share_s(segment: Segment, share: float) -> float:
    return segment.start_s + (segment.end_s - segment.start_s) * share


def _stretched(segment: Segment, start_s: float, end_s: float) -> tuple[Word, ...]:
    old_s = segment.end_s - segment.start_s
    factor = (end_s - start_s) / old_s if old_s > 0 else 0.0

    def moved(time_s: float) -> float:
        return min(max(start_s + (time_s - segment.start_s) * factor, start_s), end_s)

    return tuple(
        replace(word, start_s=moved(word.start_s), end_s=moved(word.end_s))
        for word in segment.words
    )
