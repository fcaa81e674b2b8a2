"""Two texts of the same sound, word by word: where they differ, and one made of both.

What was not chosen stays as it is, to the word and its time; a chosen difference brings the words
of the other text with their own times. Choosing nothing gives back the very same segments.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import Match, SequenceMatcher
from itertools import accumulate

from app.core.spans import is_dense, joined, retold, spans, tidy, tokens
from app.core.transcript import Segment, Word

_ANCHOR = 3  # so many words in a row, once in both texts, are the same place in both
_STEPS_A_WORD, _MOST_STEPS = 1_000, 2_000_000  # of one stretch; so many take half a second
_SAME_S = 0.05

Opcode = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text: the segment it is in, and where in that segment's tidy text."""

    text: str
    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The words `first` … `last` of the one text, for which the other has its own."""

    first: int
    last: int
    other_first: int
    other_last: int


def tokens_of(segments: Sequence[Segment]) -> list[Token]:
    """Return the words of a text in order; of scripts without blanks each character."""
    found = []
    for at, segment in enumerate(segments):
        text, place = tidy(segment.text), 0
        for said in tokens(text):
            start = text.index(said, place)
            place = start + len(said)
            found.append(Token(said, at, start, place))
    return found


def opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Return how `old` becomes `new`, as `SequenceMatcher` says it, quickly for long texts too.

    Long texts are cut where a few words in a row stand once in both; what lies between is compared
    word by word, where it says the same few words for minutes as far as that is worth its time.
    """
    found: list[Opcode] = []
    a = c = 0
    for b, d in (*_anchors(old, new), (len(old), len(new))):
        left, right = old[a:b], new[c:d]
        if left == right:
            parts: list[Opcode] = [("equal", 0, b - a, 0, d - c)]
        else:
            parts = list(_Matcher(left, right).get_opcodes())
        for kind, i, j, k, m in parts:
            _add(found, (kind, a + i, a + j, c + k, c + m))
        a, c = b, d
    return found


class Comparison:
    """Where `theirs` differs from `mine`, and the text a person makes of both."""

    def __init__(self, mine: Sequence[Segment], theirs: Sequence[Segment]) -> None:
        self.mine, self.theirs = tuple(mine), tuple(theirs)
        self.my_tokens, self.their_tokens = tokens_of(self.mine), tokens_of(self.theirs)
        mine_said = [each.text for each in self.my_tokens]
        theirs_said = [each.text for each in self.their_tokens]
        self.differences = [
            Difference(a, b, c, d)
            for kind, a, b, c, d in opcodes(mine_said, theirs_said)
            if kind != "equal"
        ]

    def merged(self, chosen: Collection[int]) -> tuple[Segment, ...]:
        """Return `mine` with the chosen differences as `theirs` has them."""
        gone: dict[int, int] = {}  # whole segments: the first -> behind the last
        come: dict[int, list[Segment]] = {}  # whole segments before one of mine
        edits: dict[int, list[tuple[int, int, list[Token]]]] = {}
        for number in sorted(chosen):
            difference = self.differences[number]
            whole = self._whole(difference)
            if whole is not None:
                first, last, other_first, other_last = whole
                if first < last:
                    gone[first] = last
                speakers = spoken_by(self.theirs[other_first:other_last], self.mine)
                come.setdefault(first, []).extend(speakers)
                continue
            for at, start, end, said in self._inside(difference):
                edits.setdefault(at, []).append((start, end, said))
        made: list[Segment] = []
        at = 0
        while at <= len(self.mine):
            made += come.get(at, [])
            if at in gone:
                at = gone[at]
                continue
            if at < len(self.mine):
                segment = self.mine[at]
                made.append(self._rewritten(segment, edits[at]) if at in edits else segment)
            at += 1
        empty = {each for each in self.mine if not each.text}
        return tuple(each for each in made if each.text or each in empty)

    # Inside

    def _whole(self, difference: Difference) -> tuple[int, int, int, int] | None:
        """Return the segments on both sides when a difference is about whole ones only."""
        mine = _edges(self.my_tokens, difference.first, difference.last, len(self.mine))
        theirs = _edges(
            self.their_tokens, difference.other_first, difference.other_last, len(self.theirs)
        )
        if mine is None or theirs is None:
            return None
        (first, last), (other_first, other_last) = mine, theirs
        if first == last and other_first < other_last and not self._has_room(first, theirs):
            return None
        return first, last, other_first, other_last

    def _has_room(self, place: int, theirs: tuple[int, int]) -> bool:
        """Whether their segments fit in time before my segment `place`."""
        new = self.theirs[theirs[0] : theirs[1]]
        before_s = self.mine[place - 1].end_s if place else 0.0
        after_s = self.mine[place].start_s if place < len(self.mine) else float("inf")
        return before_s <= new[0].start_s + _SAME_S and new[-1].end_s <= after_s + _SAME_S

    def _inside(self, difference: Difference) -> list[tuple[int, int, int, list[Token]]]:
        """Return what changes inside my segments: segment, start, end, words that come."""
        said = self.their_tokens[difference.other_first : difference.other_last]
        gone = self.my_tokens[difference.first : difference.last]
        if not gone:
            at, place = self._place_of(difference.first, said)
            return [(at, place, place, said)]
        parts: dict[int, list[Token]] = {}
        for each in gone:
            parts.setdefault(each.at, []).append(each)
        new: dict[int, list[Token]] = {at: [] for at in parts}
        among = list(parts)
        ends_s = list(accumulate((self.mine[at].end_s for at in among), max))
        for token in said:  # each goes into the first of my segments that ends after it
            place = bisect_right(ends_s, self._time_of(token))
            new[among[min(place, len(among) - 1)]].append(token)
        return [(at, part[0].start, part[-1].end, new[at]) for at, part in parts.items()]

    def _place_of(self, number: int, said: Sequence[Token]) -> tuple[int, int]:
        """Return the segment and the place in it before my word `number`."""
        before = self.my_tokens[number - 1] if number else None
        after = self.my_tokens[number] if number < len(self.my_tokens) else None
        if after is None:
            if before is None:
                return 0, 0
            return before.at, before.end
        if before is None or before.at == after.at:
            return after.at, after.start
        middle_s = (self.mine[before.at].end_s + self.mine[after.at].start_s) / 2
        if self._time_of(said[0]) < middle_s:
            return before.at, before.end
        return after.at, after.start

    def _time_of(self, token: Token) -> float:
        segment = self.theirs[token.at]
        words = _words_in(segment, token.start, token.end)
        if words:
            return (words[0].start_s + words[-1].end_s) / 2
        share = (token.start + token.end) / 2 / max(1, len(tidy(segment.text)))
        return segment.start_s + (segment.end_s - segment.start_s) * share

    def _rewritten(
        self, segment: Segment, edits: Sequence[tuple[int, int, list[Token]]]
    ) -> Segment:
        """Return a segment of mine with some of its words replaced by theirs."""
        old = tidy(segment.text)
        text, done = "", 0
        words: list[Word] | None = [] if segment.words else None
        places = spans(old, segment.words)
        for start, end, said in (
            *sorted(edits, key=lambda each: each[0]),
            (len(old), len(old), []),
        ):
            kept, came = old[done:start], self._said(said)
            has_gap = start < end and kept != kept.rstrip()
            text = _glued(text, kept, keeps_blank=old[done : done + 1].isspace())
            text = _glued(text, came, keeps_blank=has_gap)
            if words is not None:
                words += [
                    word
                    for word, (left, right) in zip(segment.words, places, strict=False)
                    if left >= done and right <= start and left < right
                ]
                new = self._words_of(said)
                words = None if new is None else words + new
            done = end
        retimed = retold(segment, text)
        if words is None or len(spans(retimed.text, words)) != len(words):
            return retimed
        if "".join(tidy(word.text) for word in words) != retimed.text.replace(" ", ""):
            return retimed
        return replace(retimed, words=_in_order(words, segment))

    def _said(self, said: Sequence[Token]) -> str:
        text = ""
        for at, (first, last) in _runs(said).items():
            text = joined(text, tidy(self.theirs[at].text)[first:last])
        return text

    def _words_of(self, said: Sequence[Token]) -> list[Word] | None:
        """Return the timed words of some of their tokens; `None` when there are none."""
        found: list[Word] = []
        for at, (first, last) in _runs(said).items():
            words = _words_in(self.theirs[at], first, last)
            if not words:
                return None
            found += words
        return found


def spoken_by(new: Sequence[Segment], old: Sequence[Segment]) -> list[Segment]:
    """Return `new` segments, those without a speaker spoken by whoever speaks then in `old`."""
    made = []
    first = 0
    for each in new:
        while first < len(old) and old[first].end_s <= each.start_s:
            first += 1
        best, longest_s = None, 0.0
        for other in old[first:]:
            if other.start_s >= each.end_s:
                break
            shared_s = min(other.end_s, each.end_s) - max(other.start_s, each.start_s)
            if shared_s > longest_s:
                best, longest_s = other.speaker, shared_s
        made.append(each if each.speaker or not best else replace(each, speaker=best))
    return made


def part_of(segments: Sequence[Segment], from_s: float, until_s: float | None) -> tuple[int, int]:
    """Return the first and behind the last of the segments that are said in a stretch of time."""
    if until_s is None:
        return 0, len(segments)
    middles = [(each.start_s + each.end_s) / 2 for each in segments]
    first = bisect_left(middles, from_s)
    return first, max(first, bisect_left(middles, until_s))


def fitted(
    segments: Sequence[Segment], first: int, last: int, part: Sequence[Segment]
) -> list[Segment]:
    """Return all segments with `part` in place of `first` … `last`, not running into the others."""
    low = segments[first - 1].end_s if first else 0.0
    high = segments[last].start_s if last < len(segments) else float("inf")
    return [*segments[:first], *(_within(each, low, high) for each in part), *segments[last:]]


def _within(segment: Segment, low: float, high: float) -> Segment:
    if (low <= segment.start_s and segment.end_s <= high) or low > high:
        return segment

    def held(time_s: float) -> float:
        return min(max(time_s, low), high)

    words = tuple(
        replace(word, start_s=held(word.start_s), end_s=held(word.end_s)) for word in segment.words
    )
    return replace(segment, start_s=held(segment.start_s), end_s=held(segment.end_s), words=words)


class _Matcher(SequenceMatcher[str]):
    """A `SequenceMatcher` that is never slow.

    It takes the cube of their length for two texts that loop, as models do in silence. Where the
    next step costs more than is left, only what the two begin and end with is found to be equal.
    """

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new, autojunk=False)
        self._old, self._new = old, new
        often = Counter(new)
        self._steps = [0, *accumulate(1 + often[word] for word in old)]
        self._left = min(_STEPS_A_WORD * (len(old) + len(new)), _MOST_STEPS)

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        ahi = len(self._old) if ahi is None else ahi
        bhi = len(self._new) if bhi is None else bhi
        steps = self._steps[ahi] - self._steps[alo]
        if steps <= self._left:
            self._left -= steps
            return super().find_longest_match(alo, ahi, blo, bhi)
        most = min(ahi - alo, bhi - blo)
        head = tail = 0
        while head < most and self._old[alo + head] == self._new[blo + head]:
            head += 1
        if head:
            return Match(alo, blo, head)
        while tail < most and self._old[ahi - 1 - tail] == self._new[bhi - 1 - tail]:
            tail += 1
        return Match(ahi - tail, bhi - tail, tail)


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return places that are surely the same in both, in order in both."""

    def once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
        runs = [tuple(words[at : at + _ANCHOR]) for at in range(len(words) - _ANCHOR + 1)]
        count = Counter(runs)
        return {run: at for at, run in enumerate(runs) if count[run] == 1}

    mine, theirs = once(old), once(new)
    pairs = sorted((at, theirs[run]) for run, at in mine.items() if run in theirs)
    return _rising(pairs)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest row of pairs that rises in both."""
    ends: list[int] = []  # the smallest second number a row of each length ends with
    rows: list[int] = []  # the pair that is
    before: list[int] = []
    for number, (_first, second) in enumerate(pairs):
        place = bisect_left(ends, second)
        before.append(rows[place - 1] if place else -1)
        if place == len(ends):
            ends.append(second)
            rows.append(number)
        else:
            ends[place], rows[place] = second, number
    found = []
    number = rows[-1] if rows else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _add(found: list[Opcode], part: Opcode) -> None:
    """Add a part, joined to the one before where both are equal or both are not."""
    kind, a, b, c, d = part
    if a == b and c == d:
        return
    if found and (found[-1][0] == "equal") is (kind == "equal"):
        _kind, a, _b, c, _d = found.pop()
    if kind != "equal":
        kind = "replace" if a < b and c < d else "delete" if a < b else "insert"
    found.append((kind, a, b, c, d))


def _edges(found: Sequence[Token], first: int, last: int, count: int) -> tuple[int, int] | None:
    """Return the segments that the words `first` … `last` fill; `None` when they cut one."""
    before = found[first - 1].at if first else -1
    after = found[last].at if last < len(found) else count
    if first == last:
        return (after, after) if before < after else None
    begin, end = found[first].at, found[last - 1].at
    return (begin, end + 1) if before < begin and end < after else None


def _runs(said: Sequence[Token]) -> dict[int, tuple[int, int]]:
    """Return from where to where words stand in each segment."""
    runs: dict[int, tuple[int, int]] = {}
    for each in said:
        first, _last = runs.get(each.at, (each.start, each.end))
        runs[each.at] = first, each.end
    return runs


def _words_in(segment: Segment, start: int, end: int) -> list[Word]:
    """Return the words that stand in a stretch of a segment; none where one is cut."""
    text = tidy(segment.text)
    places = spans(text, segment.words)
    found = [
        word
        for word, (left, right) in zip(segment.words, places, strict=False)
        if start <= left < right <= end
    ]
    said = "".join(tidy(word.text) for word in found).replace(" ", "")
    return found if said == text[start:end].replace(" ", "") else []


def _glued(first: str, second: str, *, keeps_blank: bool) -> str:
    """Return two pieces as one text, with a blank where the script wants one."""
    head, tail = first.rstrip(), second.lstrip()
    if not head or not tail:
        return head or tail.rstrip()
    needs = keeps_blank or not (is_dense(head[-1]) or is_dense(tail[0]))
    return f"{head} {tail}" if needs else f"{head}{tail}"


def _in_order(words: Sequence[Word], segment: Segment) -> tuple[Word, ...]:
    """Return words whose times lie in their segment and never run backwards."""
    made = []
    at_s = segment.start_s
    for word in words:
        start_s = min(max(word.start_s, at_s), segment.end_s)
        end_s = min(max(word.end_s, start_s), segment.end_s)
        made.append(replace(word, start_s=start_s, end_s=end_s))
        at_s = start_s
    return tuple(made)
