from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.core.agreement import Agreement, Hypothesis, normal_form
from app.core.transcript import Word


def _words(text: str, start_s: float = 0.0) -> list[Word]:
    return [
        Word(word, start_s + i * 0.4, start_s + i * 0.4 + 0.4, 0.9)
        for i, word in enumerate(text.split())
    ]


def _said(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def _offered(
    agreement: Agreement, words: list[Word], heard_s: float, *, may_commit: bool = True
) -> Hypothesis:
    before = len(agreement.hypothesis.committed)
    count = agreement.offer(words, heard_s, may_commit=may_commit)
    seen = agreement.hypothesis
    assert len(seen.committed) == before + count
    return seen


def test_one_pass_commits_nothing() -> None:
    seen = _offered(Agreement(), _words("one two three"), 10.0)

    assert _said(seen.committed) == ""
    assert _said(seen.tail) == "one two three"


def test_what_two_passes_share_is_committed_but_never_the_last_word() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two three"), 10.0)

    seen = _offered(agreement, _words("One, two three"), 10.0)

    assert _said(seen.committed) == "One, two"
    assert _said(seen.tail) == "three"


def test_a_word_near_the_end_of_the_sound_is_not_settled() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two three"), 1.2)

    seen = _offered(agreement, _words("one two three"), 1.2)

    assert _said(seen.committed) == "one"


def test_a_word_the_model_is_not_sure_of_waits_longer() -> None:
    agreement = Agreement()
    unsure = [replace(word, probability=0.5) for word in _words("one two three")]
    agreement.offer(unsure, 2.3)

    assert _said(_offered(agreement, unsure, 2.3).committed) == ""
    assert _said(_offered(agreement, unsure, 2.5).committed) == "one"


def test_nothing_is_committed_while_that_is_not_allowed() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two three"), 10.0, may_commit=False)

    seen = _offered(agreement, _words("one two three"), 10.0, may_commit=False)
    assert _said(seen.committed) == ""

    seen = _offered(agreement, _words("one two three"), 10.0)
    assert _said(seen.committed) == "one two"


def test_disagreement_holds_everything_behind_it_back() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two three four"), 10.0)

    seen = _offered(agreement, _words("one too three four"), 10.0)

    assert _said(seen.committed) == "one"
    assert _said(seen.tail) == "too three four"


def test_later_passes_go_on_behind_the_committed_words() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two three"), 10.0)
    agreement.offer(_words("one two three"), 10.0)
    agreement.offer(_words("three four", 0.8), 10.0)

    assert _said(agreement.hypothesis.committed) == "one two three"

    seen = _offered(agreement, _words("four five", 1.2), 10.0)
    assert _said(seen.committed) == "one two three four"


def test_what_no_pass_will_hear_again_can_be_settled() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two three"), 1.0)
    agreement.settle(2)

    assert _said(agreement.hypothesis.committed) == "one two"
    assert _said(agreement.hypothesis.tail) == "three"


def test_committed_words_never_lie_over_one_another() -> None:
    agreement = Agreement()
    agreement.offer(_words("one two", 1.0), 10.0)
    agreement.settle(2)
    agreement.offer(_words("three", 0.5), 10.0)
    agreement.settle(1)

    times = [(word.start_s, word.end_s) for word in agreement.hypothesis.committed]
    assert [t for time in times for t in time] == sorted(t for time in times for t in time)


_hypotheses = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "A,", "b."]), max_size=6), max_size=12
)


@given(_hypotheses, st.floats(0, 5))
def test_nothing_committed_is_ever_taken_back(passes: list[list[str]], heard_s: float) -> None:
    agreement = Agreement()
    before: tuple[Word, ...] = ()
    for texts in passes:
        agreement.offer(_words(" ".join(texts), len(before) * 0.4), heard_s)
        seen = agreement.hypothesis
        assert seen.committed[: len(before)] == before
        assert len(seen.committed) + len(seen.tail) == len(before) + len(texts)
        before = seen.committed


def test_passes_agree_without_regard_to_case_and_marks() -> None:
    assert normal_form("Hello,") == normal_form("hello")
    assert normal_form("ﬁne") == normal_form("fine")
    assert normal_form("…") == "..."
    assert normal_form("one") != normal_form("two")
