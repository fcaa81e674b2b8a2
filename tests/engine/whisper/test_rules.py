"""The block-wise choice equals the plain masked vocabulary."""

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.whisper.kernels import log_sum_exp
from app.engine.whisper.rules import Past, Rules
from app.engine.whisper.tokens import Tokens
from tests.engine.whisper.random_model import SMALL

TOKENS = Tokens(is_multilingual=True, n_languages=99)
BEGIN = TOKENS.timestamp_begin
TIMED = Rules(TOKENS, SMALL, timestamps=True)
PLAIN = Rules(TOKENS, SMALL, timestamps=False)

token = st.one_of(st.integers(0, 50256), st.integers(BEGIN, BEGIN + 1500))


def past_of(rows: list[list[int]]) -> Past:
    stamps = [[t for t in row if t >= BEGIN] for row in rows]
    return Past(
        mx.array([row[-1] for row in rows], dtype=mx.int32),
        mx.array([row[-2] if len(row) > 1 else BEGIN for row in rows], dtype=mx.int32),
        mx.array([found[-1] if found else -1 for found in stamps], dtype=mx.int32),
    )


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.lists(token, min_size=1, max_size=4), min_size=3, max_size=3),
    seed=st.integers(0, 1000),
    lift=st.sampled_from([-6.0, 0.0, 6.0]),
)
def test_choice_is_the_best_of_the_filtered(rows: list[list[int]], seed: int, lift: float) -> None:
    scores = np.random.default_rng(seed).standard_normal((3, SMALL.n_vocab), np.float32) * 2
    scores[:, BEGIN:] += lift
    logits, past = mx.array(scores), past_of(rows)
    for rules in (TIMED, PLAIN):
        masked = rules.filtered(logits, past)
        chosen, sure = rules.choose(logits, past)
        assert chosen.tolist() == mx.argmax(masked, axis=-1).tolist()
        expected = mx.max(masked, axis=-1) - mx.logsumexp(masked, axis=-1)
        assert np.allclose(np.array(sure), np.array(expected), atol=3e-4)


def allowed(rules: Rules, row: list[int]) -> np.ndarray:
    # Text is likely enough here that timestamps do not push it out.
    flat = mx.where(mx.arange(SMALL.n_vocab) < BEGIN, 20.0, 0.0)[None]
    return np.isfinite(np.array(rules.filtered(flat, past_of([row])))[0])


def test_timestamps_never_go_back() -> None:
    found = allowed(TIMED, [BEGIN + 500, 100, BEGIN + 1000])
    assert not found[BEGIN : BEGIN + 1000].any()
    assert found[BEGIN + 1000 :].all()
    assert not found[: TOKENS.eot].any()  # a closing timestamp is followed by another, or the end
    assert found[TOKENS.eot]


def test_a_segment_has_a_length() -> None:
    found = allowed(TIMED, [BEGIN + 500, 100])
    assert not found[BEGIN : BEGIN + 501].any()
    assert found[BEGIN + 501 :].all()
    assert found[101]


def test_many_likely_timestamps_outweigh_one_likely_word() -> None:
    flat = mx.zeros((1, SMALL.n_vocab))
    found = np.isfinite(np.array(TIMED.filtered(flat, past_of([[BEGIN + 500, 100]])))[0])
    assert not found[:BEGIN].any()
    assert found[BEGIN + 501 :].all()


def test_an_opening_timestamp_is_followed_by_text() -> None:
    found = allowed(TIMED, [BEGIN + 10])
    assert not found[BEGIN:].any()
    assert found[100]


def test_the_first_token_is_an_early_timestamp() -> None:
    first = np.isfinite(np.array(TIMED.first(mx.zeros((1, SMALL.n_vocab)))))[0]
    assert not first[:BEGIN].any()
    assert first[BEGIN:].sum() == round(1.0 / (30 / SMALL.n_audio_ctx)) + 1


def test_nothing_begins_blank() -> None:
    first = np.isfinite(np.array(PLAIN.first(mx.zeros((1, SMALL.n_vocab)))))[0]
    assert not first[list(TOKENS.blank)].any()
    assert not first[TOKENS.no_speech]


@pytest.mark.parametrize("shape", [(3, 50257), (2, 1501), (1, 3)])
def test_sums_over_the_vocabulary(shape: tuple[int, int]) -> None:
    scores = np.random.default_rng(0).standard_normal(shape).astype(np.float32) * 8
    scores[0, 1:] = -np.inf
    scores[-1, 1::2] = -np.inf
    expected = np.log(np.exp(scores.astype(np.float64)).sum(axis=-1))
    assert np.allclose(np.array(log_sum_exp(mx.array(scores))), expected, atol=1e-5)
    nothing = mx.full((1, 10), -mx.inf)
    assert log_sum_exp(nothing).tolist() == [-np.inf]
