"""A word's probability follows its own and its neighbours', and stays one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.confidence import RAW, USUAL, around, log_odds

ODDS = st.lists(st.floats(-9, 7), max_size=12)


@settings(max_examples=50)
@given(ODDS)
def test_it_is_a_probability_for_each_word(odds: list[float]) -> None:
    found = USUAL.probabilities(odds)
    assert len(found) == len(odds)
    assert all(0.0 < each < 1.0 for each in found)


@settings(max_examples=50)
@given(ODDS.filter(bool), st.data())
def test_a_word_that_is_surer_makes_nobody_less_sure(
    odds: list[float], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(odds) - 1))
    surer = [*odds[:at], odds[at] + 1.0, *odds[at + 1 :]]
    before, after = USUAL.probabilities(odds), USUAL.probabilities(surer)
    assert after[at] > before[at]
    assert all(b >= a - 1e-12 for a, b in zip(before, after, strict=True))


@settings(max_examples=50)
@given(ODDS)
def test_around_is_the_mean_of_two_words_on_either_side(odds: list[float]) -> None:
    wanted = []
    for at, own in enumerate(odds):
        others = [*odds[max(0, at - 2) : at], *odds[at + 1 : at + 3]]
        wanted.append(sum(others) / len(others) if others else own)
    assert around(np.array(odds, np.float64)).tolist() == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=50)
@given(st.floats(0, 1))
def test_log_odds_are_finite_and_undone_by_the_model_s_own(probability: float) -> None:
    odds = log_odds(probability)
    assert math.isfinite(odds)
    kept = min(max(probability, 1e-4), 0.999)
    assert RAW.probabilities([odds]) == [pytest.approx(kept, abs=1e-9)]


def test_an_unsure_word_is_more_doubtful_among_unsure_ones() -> None:
    among_sure = USUAL.probabilities([5.0, 5.0, 0.0, 5.0, 5.0])[2]
    among_unsure = USUAL.probabilities([0.0, 0.0, 0.0, 0.0, 0.0])[2]
    assert among_unsure < 0.5 < among_sure
