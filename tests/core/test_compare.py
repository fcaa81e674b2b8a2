"""Two texts of the same sound: what differs is found, and any choice makes a sound whole."""

import random
import time
from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import edit
from app.core.compare import (
    Comparison,
    Opcode,
    _Matcher,
    fitted,
    opcodes,
    part_of,
    spoken_by,
    tokens_of,
)
from app.core.edit import History
from app.core.spans import spans, tidy
from app.core.transcript import Segment, Word
from tests.core.test_edit import assert_monotone, segment

ANY = (
    "the",
    "river",
    "rose",
    "and",
    "we",
    "went",
    "home,",
    "so.",
    "Ada",
    "parish",
    "明日",
    "の5時",
)


def texts(segments: list[Segment] | tuple[Segment, ...]) -> list[str]:
    return [each.text for each in segments]


def test_one_word_is_taken_over_with_its_own_time() -> None:
    mine = [segment("we met in parish today", 0.0, 5.0, speaker="Ada")]
    words = (Word("we", 0, 1, 0.9), Word("met", 1, 2, 0.9), Word("in", 2, 3, 0.9))
    theirs = [Segment(0, 5, "we met in Paris today", (*words, Word("Paris", 3.1, 3.8, 0.7),
                                                     Word("today", 4, 5, 0.9)))]  # fmt: skip
    found = Comparison(mine, theirs)
    assert len(found.differences) == 1
    (made,) = found.merged({0})
    assert (made.text, made.speaker, made.confidence) == ("we met in Paris today", "Ada", 0.5)
    assert made.words[3] == Word("Paris", 3.1, 3.8, 0.7)
    assert made.words[4] == mine[0].words[4]
    assert found.merged(()) == tuple(mine)


def test_differences_are_chosen_one_by_one() -> None:
    mine = [segment("one two three four five six", 0, 6), segment("seven eight nine", 6, 9)]
    theirs = [segment("one 2 three 4 five six seven", 0, 7), segment("eight 9 ten", 7, 10)]
    found = Comparison(mine, theirs)
    assert len(found.differences) == 3
    assert texts(found.merged({1})) == ["one two three 4 five six", "seven eight nine"]
    assert texts(found.merged({0, 2})) == ["one 2 three four five six", "seven eight 9 ten"]


def test_what_was_left_out_comes_as_a_segment_of_its_own() -> None:
    mine = [segment("one two", 0, 2, speaker="Ada"), segment("five six", 20, 22)]
    theirs = [segment("one two", 0, 2), segment("three four", 8, 10), segment("five six", 20, 22)]
    found = Comparison(mine, theirs)
    made = found.merged({0})
    assert texts(made) == ["one two", "three four", "five six"]
    assert (made[0], made[2]) == (mine[0], mine[1])
    assert texts(Comparison(theirs, mine).merged({0})) == ["one two", "five six"]


def test_scripts_without_blanks_are_compared_by_character() -> None:
    mine = [Segment(0, 4, "明日の会議は5時です。")]
    theirs = [Segment(0, 4, "明日の大会議は6時です。")]
    found = Comparison(mine, theirs)
    assert len(found.differences) == 2
    assert texts(found.merged({0, 1})) == ["明日の大会議は6時です。"]
    assert texts(found.merged({1})) == ["明日の会議は6時です。"]


def test_speakers_stay_with_the_time() -> None:
    old = [segment("a b", 0, 10, speaker="Ada"), segment("c d", 10, 20, speaker="Ben")]
    new = [segment("x", 1, 8), segment("y", 8, 13), segment("z", 30, 31)]
    assert [each.speaker for each in spoken_by(new, old)] == ["Ada", "Ben", None]


def test_a_part_is_put_between_the_others() -> None:
    old = [segment("a", 0, 10), segment("b", 10, 20), segment("c", 20, 30)]
    assert part_of(old, 9.8, 20.2) == (1, 2)
    assert part_of(old, 0.0, None) == (0, 3)
    made = fitted(old, 1, 2, [segment("x y", 9.7, 20.3)])
    assert [(each.start_s, each.end_s) for each in made] == [(0, 10), (10, 20), (20, 30)]
    assert_monotone(made)


def some_text(dice: random.Random) -> list[Segment]:
    made, at_s = [], 0.0
    for _ in range(dice.randint(0, 6)):
        at_s += dice.choice([0.0, 0.0, 3.0])
        said = " ".join(dice.choice(ANY) for _ in range(dice.randint(1, 7)))
        length_s = dice.uniform(0.5, 6)
        each = segment(said, at_s, at_s + length_s, speaker=dice.choice([None, "Ada"]))
        made.append(each if dice.random() < 0.8 else Segment(at_s, at_s + length_s, said))
        at_s += length_s
    return made


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_any_choice_keeps_words_and_order(seed: int) -> None:
    dice = random.Random(seed)
    mine, theirs = some_text(dice), some_text(dice)
    found = Comparison(mine, theirs)
    assert found.merged(()) == tuple(mine)
    chosen = {at for at in range(len(found.differences)) if dice.random() < 0.5}
    made = found.merged(chosen)
    wanted: list[str] = []
    done = 0
    for number, each in enumerate(found.differences):
        wanted += [token.text for token in found.my_tokens[done : each.first]]
        side = (
            found.their_tokens[each.other_first : each.other_last]
            if number in chosen
            else found.my_tokens[each.first : each.last]
        )
        wanted += [token.text for token in side]
        done = each.last
    wanted += [token.text for token in found.my_tokens[done:]]
    assert "".join(token.text for token in tokens_of(made)) == "".join(wanted)
    for part in made:
        at_s = part.start_s
        for word in part.words:
            assert at_s - 1e-9 <= word.start_s <= word.end_s <= part.end_s + 1e-9
            at_s = word.start_s
        if part.words:
            assert len(spans(tidy(part.text), part.words)) == len(part.words)
    history = History(mine)
    if history.do(edit.between(mine, made, "retake")):
        assert len(history.undo()) == 1
    assert history.segments == mine


def rebuilt(found: list[Opcode], old: list[str], new: list[str]) -> list[str]:
    """Return `new` as it comes out of `old`."""
    made: list[str] = []
    for kind, a, b, c, d in found:
        assert (kind == "equal") is (old[a:b] == new[c:d])
        made += old[a:b] if kind == "equal" else new[c:d]
    return made


def test_long_texts_are_compared_at_once() -> None:
    dice = random.Random(3)
    old = [
        dice.choice(["the", "of", "a", "and", f"w{dice.randint(0, 4000)}"]) for _ in range(20_000)
    ]
    new = [dice.choice(["x", "the"]) if dice.random() < 0.05 else word for word in old]
    began = time.process_time()
    found = opcodes(old, new)
    assert time.process_time() - began < 3.0
    assert rebuilt(found, old, new) == new


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("Thank you. " * 1_500, "Thank you very much. " * 1_500),
        ("you " * 8_000, "you know " * 4_000),
        ("you " * 30_000, "you " * 29_000),
    ],
    ids=["thanks", "you know", "you"],
)
def test_texts_that_loop_are_compared_at_once(mine: str, theirs: str) -> None:
    old, new = ["so", *mine.split(), "so", "on"], ["so", *theirs.split(), "so", "on"]
    found = opcodes(old, new)  # many minutes, where every repetition is looked at
    assert found[0][:2] == ("equal", 0)
    assert found[-1][0] == "equal"
    assert found[-1][2::2] == (len(old), len(new))
    assert found[-1][2] - found[-1][1] >= 2
    assert rebuilt(found, old, new) == new


def test_a_long_difference_is_merged_in_one_pass() -> None:
    count = 8_000
    mine = [Segment(n, n + 1, "you") for n in range(count)]
    theirs = [Segment(n, n + 4, "you know what so") for n in range(0, count, 4)]
    found = Comparison(mine, theirs)
    made = found.merged(range(len(found.differences)))
    assert "".join(texts(made)) == "youknowwhatso" * (count // 4)


@settings(max_examples=50, deadline=None)
@given(*[st.lists(st.sampled_from(["you", "know", "so"]), max_size=60)] * 2)
def test_short_texts_that_loop_are_compared_exactly(old: list[str], new: list[str]) -> None:
    exact = SequenceMatcher(None, old, new, autojunk=False)
    assert _Matcher(old, new).get_opcodes() == exact.get_opcodes()


def test_texts_that_share_only_common_words_are_compared_exactly() -> None:
    dice = random.Random(4)
    said, often = [f"w{n}" for n in range(3_000)], [1 / (n + 1) for n in range(3_000)]
    old, new = (dice.choices(said, often, k=2_000) for _ in range(2))
    exact = SequenceMatcher(None, old, new, autojunk=False)
    assert _Matcher(old, new).get_opcodes() == exact.get_opcodes()
