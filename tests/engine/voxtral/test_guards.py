from hypothesis import given
from hypothesis import strategies as st

from app.engine.voxtral.guards import compression_ratio, loop_period, token_budget, without_loop


@given(
    st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(6, 9), min_size=1, max_size=9)
)
def test_a_loop_is_seen_and_cut_to_one_round(start: list[int], block: list[int]) -> None:
    tokens = start + block * 30
    period = loop_period(tokens)
    assert period
    assert len(block) % period == 0
    kept = without_loop(tokens)
    assert kept[: len(start)] == start
    assert len(kept) <= len(start) + len(block)


@given(st.lists(st.integers(0, 3), max_size=60))
def test_what_is_no_loop_stays(tokens: list[int]) -> None:
    kept = without_loop(tokens)
    assert kept == tokens[: len(kept)]
    if not loop_period(tokens):
        assert kept == tokens


def test_people_repeat_themselves_too() -> None:
    assert not loop_period([1, 2, 3, 4, 5] * 4)
    assert not loop_period([7] * 12)
    assert loop_period([7] * 24) == 1
    assert loop_period(list(range(10)) * 4) == 10


def test_budgets_follow_the_length() -> None:
    assert token_budget(0) == token_budget(-1) == 24
    assert token_budget(10) == 144


def test_compression() -> None:
    assert compression_ratio("") == 0.0
    assert compression_ratio("no " * 100) > 2.4
    assert compression_ratio("A short sentence of its own.") < 1.5
