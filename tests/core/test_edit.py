"""Edits: exact to undo, and times never run backwards."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import edit, find
from app.core.edit import Edit, History
from app.core.find import Hit, Wanted
from app.core.spans import retold, spans, tidy
from app.core.transcript import Segment, Word
from app.library.revise import pack_segments


def segment(text: str, start_s: float = 0.0, end_s: float = 10.0, **fields: object) -> Segment:
    """Return a segment whose words share its time evenly."""
    said = text.split()
    step = (end_s - start_s) / max(1, len(said))
    words = tuple(
        Word(word, start_s + at * step, start_s + (at + 1) * step, 0.5)
        for at, word in enumerate(said)
    )
    return Segment(start_s, end_s, text, words, 0.5, **fields)  # type: ignore[arg-type]


def talk(count: int = 6, words: int = 5) -> list[Segment]:
    made = []
    for at in range(count):
        text = " ".join(f"w{at}x{word}" for word in range(words))
        made.append(segment(text, at * 10.0, at * 10.0 + 9.0, speaker="AB"[at % 2]))
    return made


def assert_monotone(segments: list[Segment]) -> None:
    before_s = 0.0
    for each in segments:
        assert before_s <= each.start_s <= each.end_s
        before_s = each.start_s
        at_s = each.start_s
        for word in each.words:
            assert at_s - 1e-9 <= word.start_s <= word.end_s <= each.end_s + 1e-9
            at_s = word.start_s
        if each.words:
            assert len(spans(tidy(each.text), each.words)) == len(each.words)


def test_a_corrected_word_takes_the_time_of_the_wrong_one() -> None:
    old = segment("we met in parish today", 0.0, 5.0)
    new = retold(old, "we met in Paris today")
    assert [word.text for word in new.words] == ["we", "met", "in", "Paris", "today"]
    assert [(word.start_s, word.end_s) for word in new.words] == [
        (word.start_s, word.end_s) for word in old.words
    ]
    assert [word.probability for word in new.words] == [0.5, 0.5, 0.5, 1.0, 0.5]


def test_a_sign_behind_a_blank_is_a_word_of_its_own() -> None:
    old = segment("明-日", 0.0, 2.0)
    new = retold(retold(old, "明日"), "明 -日")
    assert [word.text for word in new.words] == ["明", "-", "日"]
    assert len(spans(new.text, new.words)) == 3


def test_typed_words_share_the_pause_they_stand_in() -> None:
    words = (Word("one", 0.0, 1.0, 0.5), Word("two", 3.0, 4.0, 0.5))
    new = retold(Segment(0.0, 4.0, "one two", words), "one and a two")
    assert [(word.text, word.start_s, word.end_s) for word in new.words] == [
        ("one", 0.0, 1.0),
        ("and", 1.0, 2.5),
        ("a", 2.5, 3.0),
        ("two", 3.0, 4.0),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("one two", "ones two", ["ones", "two"]),
        ("one two", "one stwo", ["one", "stwo"]),
        ("one two", "onetwo", ["onetwo"]),
        ("one two", "one", ["one"]),
        ("one two", "", []),
        ("one two three", "one three", ["one", "three"]),
        ("a a a", "a a a a", ["a", "a", "a", "a"]),
    ],
)
def test_words_follow_what_is_typed(old: str, new: str, words: list[str]) -> None:
    assert [word.text for word in retold(segment(old), new).words] == words


def test_scripts_without_blanks_keep_their_words() -> None:
    parts = ("明日", "の", "会議", "は")
    words = tuple(Word(part, at, at + 1.0, 0.5) for at, part in enumerate(parts))
    new = retold(Segment(0.0, 4.0, "明日の会議は", words), "明日の大会議は。")
    assert "".join(word.text for word in new.words) == "明日の大会議は。"
    assert new.words[0] == words[0]
    assert new.words[-2:][0].probability == 0.5


def test_without_word_times_only_the_text_changes() -> None:
    old = Segment(1.0, 4.0, "one two")
    assert retold(old, "one three") == Segment(1.0, 4.0, "one three")


def test_splitting_divides_words_and_time() -> None:
    change = edit.split([segment("one two three four", 0.0, 4.0, speaker="A")], 0, 8)
    assert change is not None
    first, second = change.splice.new
    assert (first.text, first.start_s, first.end_s, first.speaker) == ("one two", 0.0, 2.0, "A")
    assert (second.text, second.start_s, second.end_s) == ("three four", 2.0, 4.0)
    assert edit.split([segment("one")], 0, 0) is None
    assert edit.split([segment("one")], 0, 3) is None


def test_a_word_that_is_cut_shares_its_time() -> None:
    change = edit.split([segment("another", 0.0, 7.0)], 0, 2)
    assert change is not None
    assert [word.text for part in change.splice.new for word in part.words] == ["an", "other"]
    assert change.splice.new[0].end_s == pytest.approx(2.0)


def test_splitting_and_merging_again_gives_the_same_words() -> None:
    old = segment("one two three", 0.0, 3.0)
    history = History([old])
    history.do(edit.split(history.segments, 0, 4))
    history.do(edit.merge(history.segments, 1))
    assert history.segments[0].words == old.words
    assert history.segments[0].text == old.text


def test_merging_joins_wide_scripts_without_a_blank() -> None:
    change = edit.merge([Segment(0, 1, "明日の"), Segment(1, 2, "会議")], 1)
    assert change is not None
    assert change.splice.new[0].text == "明日の会議"


def test_deleting_across_segments_keeps_both_ends() -> None:
    history = History(talk(3))
    history.do(edit.replace_range(history.segments, (0, 4), (2, 5), "new "))
    assert [each.text for each in history.segments] == ["w0x0new w2x1 w2x2 w2x3 w2x4"]
    assert (history.segments[0].start_s, history.segments[0].end_s) == (0.0, 29.0)
    assert_monotone(history.segments)


@pytest.mark.parametrize(
    "change",
    [
        edit.delete(talk(3), 0, 3),
        edit.replace_range(talk(3), (0, 0), (2, 99), ""),
        find.replace_all([segment("x x", 0.0, 9.0), segment("x", 20.0, 29.0)], Wanted("x"), ""),
        find.replace_hit([segment("x", 0.0, 29.0)], Hit(0, 0, 1), ""),
    ],
)
def test_the_last_segment_stays_so_that_something_can_be_typed(change: Edit | None) -> None:
    assert change is not None
    (left,) = change.splice.new
    assert (left.text, left.words, left.start_s, left.end_s) == ("", (), 0.0, 29.0)
    again = edit.retext([left], 0, "all new")
    assert again is not None
    assert [word.text for word in again.splice.new[0].words] == ["all", "new"]
    assert again.splice.new[0].words[-1].end_s == 29.0
    assert edit.delete([left], 0) is None


def test_times_move_as_far_as_the_neighbours() -> None:
    segments = talk(3)
    later = edit.shift(segments, 1, 1, 5.0)
    earlier = edit.shift(segments, 1, 1, -5.0)
    assert later is not None
    assert earlier is not None
    assert later.splice.new[0].start_s == 11.0
    assert earlier.splice.new[0].start_s == 9.0
    everything = edit.shift(segments, 0, 3, 100.0)
    assert everything is not None
    assert everything.splice.new[2].words[0].start_s == 120.0
    assert edit.shift(segments, 0, 3, -1.0) is None
    wider = edit.set_times(segments, 1, 5.0, 40.0)
    assert wider is not None
    assert (wider.splice.new[0].start_s, wider.splice.new[0].end_s) == (9.0, 20.0)


def test_speakers_are_assigned_and_renamed() -> None:
    history = History(talk(4))
    history.do(edit.assign(history.segments, 1, 2, "  Ada  L. "))
    assert [each.speaker for each in history.segments] == ["A", "Ada L.", "Ada L.", "B"]
    history.do(edit.rename_speaker(history.segments, "Ada L.", "A"))
    assert [each.speaker for each in history.segments] == ["A", "A", "A", "B"]
    assert edit.assign(history.segments, 0, 1, "A") is None


def test_find_and_replace() -> None:
    segments = [segment("Ann can. an CAN"), segment("canal can")]
    assert len(find.find(segments, Wanted("can"))) == 4
    assert len(find.find(segments, Wanted("can", is_whole_word=True))) == 3
    assert find.find(segments, Wanted("CAN", is_case_kept=True)) == [Hit(0, 12, 15)]
    assert find.find(segments, Wanted("  ")) == []
    assert find.find(segments, Wanted("(.*")) == []
    history = History(segments)
    history.do(find.replace_hit(history.segments, Hit(0, 4, 7), r"\1 will"))
    assert history.segments[0].text == r"Ann \1 will. an CAN"
    history.do(find.replace_all(history.segments, Wanted("can", is_whole_word=True), "may"))
    assert [each.text for each in history.segments] == [r"Ann \1 will. an may", "canal may"]
    history.undo()
    history.undo()
    assert history.segments == segments


def test_letters_in_a_row_are_one_step() -> None:
    history = History([segment("ab")])
    for text in ("abc", "abcd", "abcde"):
        history.do(edit.retext(history.segments, 0, text))
    history.end_run()
    history.do(edit.retext(history.segments, 0, "abcde f"))
    assert len(history.undo()) == 1
    assert history.segments[0].text == "abcde"
    assert len(history.undo()) == 3
    assert history.segments[0].text == "ab"
    assert not history.can_undo
    history.redo()
    assert history.segments[0].text == "abcde"


def test_an_edit_for_other_segments_is_refused() -> None:
    change = edit.delete(talk(2), 0)
    assert change is not None
    with pytest.raises(ValueError, match="not what this edit was made for"):
        History(talk(2)[1:]).do(change)


def test_a_doubtful_word_is_confirmed() -> None:
    history = History([segment("one two")])
    assert history.do(edit.confirm(history.segments, 0, 1))
    assert [word.probability for word in history.segments[0].words] == [0.5, 1.0]
    assert not history.do(edit.confirm(history.segments, 0, 1))


PIECES = ("und", "the", "é", "明日", "会議は。", "x y", "", " ", "-", "word word", "مرحبا")


def any_edit(dice: random.Random, segments: list[Segment]) -> Edit | None:
    """Return a random edit of `segments`, or `None` when it would change nothing."""
    if not segments:
        return edit.between([], talk(3), "paste")
    at = dice.randrange(len(segments))
    text = tidy(segments[at].text)
    left = dice.randint(0, len(text))
    right = dice.randint(left, len(text))
    count = dice.randint(1, 3)
    last = min(len(segments) - 1, at + dice.randint(0, 2))
    end = dice.randint(left if last == at else 0, len(tidy(segments[last].text)))
    piece = dice.choice(PIECES)
    makers = (
        lambda: edit.retext(segments, at, text[:left] + piece + text[right:]),
        lambda: edit.split(segments, at, left),
        lambda: edit.merge(segments, at),
        lambda: edit.delete(segments, at, count),
        lambda: edit.shift(segments, at, count, dice.uniform(-8, 8)),
        lambda: edit.set_times(segments, at, dice.uniform(0, 99), dice.uniform(0, 99)),
        lambda: edit.assign(segments, at, count, dice.choice(["Ada", "Ben", None])),
        lambda: edit.rename_speaker(segments, "Ada", dice.choice(["Ada B.", "Ben"])),
        lambda: edit.replace_range(segments, (at, left), (last, end), piece),
        lambda: find.replace_all(segments, Wanted("w" + str(dice.randint(0, 9))), piece),
        lambda: edit.confirm(segments, at, dice.randint(0, 5)),
    )
    return dice.choice(makers)()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_five_hundred_random_steps_undo_to_the_original_byte_for_byte(seed: int) -> None:
    dice = random.Random(seed)
    original = talk(8)
    kept = list(original)  # as somebody who only hears of the splices keeps them

    def follow(splice: edit.Splice) -> None:
        kept[:] = edit.applied(kept, splice)

    history = History(original, follow)
    before = pack_segments(tuple(original))
    for _ in range(500):
        move = dice.random()
        if move < 0.1:
            history.undo()
        elif move < 0.15:
            history.redo()
        else:
            if move < 0.3:
                history.end_run()
            history.do(any_edit(dice, history.segments))
        assert_monotone(history.segments)

    assert kept == history.segments
    after = list(history.segments)
    steps = 0
    while history.can_undo:
        history.undo()
        steps += 1
    assert steps > 50
    assert pack_segments(tuple(history.segments)) == before
    assert kept == original
    for _ in range(steps):
        history.redo()
    assert history.segments == after


@given(
    st.lists(st.text("abcö.", min_size=1, max_size=4), min_size=1, max_size=8),
    st.text("abcö", min_size=1, max_size=2),
    st.text("abcxé", min_size=1, max_size=3),
    st.booleans(),
)
def test_replacing_in_all_changes_each_word_in_its_place(
    said: list[str], wanted: str, into: str, is_whole: bool
) -> None:
    before = segment(" ".join(said))
    change = find.replace_all([before], Wanted(wanted, is_whole_word=is_whole), into)
    edge = r"(?<!\w){}(?!\w)" if is_whole else "{}"
    expected = [re.sub(edge.format(wanted), into, text) for text in said]
    if change is None:
        assert expected == said
        return
    (after,) = change.splice.new
    assert after.text == " ".join(expected)
    assert [word.text for word in after.words] == expected
    assert [(word.start_s, word.end_s) for word in after.words] == [
        (word.start_s, word.end_s) for word in before.words
    ]


@pytest.mark.parametrize(
    ("into", "text", "words"),
    [
        ("two  parts", "a two parts. z", ["a", "two", "parts.", "z"]),
        ("two\nparts", "a two parts. z", ["a", "two", "parts.", "z"]),
        ("", "a . z", ["a", ".", "z"]),
        ("文字", "a 文字. z", ["a", "文", "字.", "z"]),
        (r"\1", r"a \1. z", ["a", r"\1.", "z"]),
    ],
)
def test_what_replaces_in_all_may_be_more_than_a_word(
    into: str, text: str, words: list[str]
) -> None:
    change = find.replace_all([segment("a b. z")], Wanted("b"), into)
    assert change is not None
    (after,) = change.splice.new
    assert after.text == text
    assert [word.text for word in after.words] == words
