"""Segments, words, loops and the glossary: what becomes of tokens, without a model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.whisper.align import Timing
from app.engine.whisper.glossary import glossary_prompt, is_leaked
from app.engine.whisper.loops import has_loop, outside_loops
from app.engine.whisper.mel import log_mel
from app.engine.whisper.segments import compression_ratio, cut_segments
from app.engine.whisper.tokens import Tokens
from app.engine.whisper.words import time_cuts

TOKENS = Tokens(is_multilingual=True, n_languages=99)
BEGIN, EOT = TOKENS.timestamp_begin, TOKENS.eot


def stamp(seconds: float) -> int:
    return BEGIN + round(seconds / 0.02)


def test_consecutive_timestamps_cut() -> None:
    hello, world = TOKENS.encode(" Hello"), TOKENS.encode(" world")
    tokens = [stamp(0), *hello, stamp(1.5), stamp(2), *world, stamp(3)]
    cuts = cut_segments(tokens, TOKENS, 9.0)
    assert [(cut.start_s, cut.end_s) for cut in cuts] == [(0.0, 1.5), (2.0, 3.0)]
    assert [TOKENS.decode(cut.tokens) for cut in cuts] == [" Hello", " world"]


def test_text_without_a_closing_timestamp_stays() -> None:
    tokens = [stamp(0), *TOKENS.encode(" One"), stamp(1), stamp(1), *TOKENS.encode(" two")]
    cuts = cut_segments(tokens, TOKENS, 4.0)
    assert [(cut.start_s, cut.end_s) for cut in cuts] == [(0.0, 1.0), (1.0, 4.0)]


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(0, EOT - 1), st.integers(BEGIN, BEGIN + 1500)), max_size=40))
def test_segments_are_in_order_and_inside(tokens: list[int]) -> None:
    cuts = cut_segments(tokens, TOKENS, 7.0)
    reached = 0.0
    for cut in cuts:
        assert reached <= cut.start_s <= cut.end_s <= 7.0
        reached = cut.end_s
    everything = cut_segments(tokens, TOKENS, 31.0)
    kept = [t for cut in everything for t in cut.text_tokens(EOT)]
    assert kept == [t for t in tokens if t < EOT]


def test_what_is_said_after_the_end_is_invented() -> None:
    tokens = [stamp(0), *TOKENS.encode(" One"), stamp(2), stamp(4), 7, stamp(5)]
    assert [TOKENS.decode(cut.tokens) for cut in cut_segments(tokens, TOKENS, 3.0)] == [" One"]


times = st.floats(0, 8, allow_nan=False)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([" a", " b", ".", " (", "!"]), times, times), max_size=9))
def test_words_are_monotone_and_inside(parts: list[tuple[str, float, float]]) -> None:
    text = [TOKENS.encode(word)[0] for word, _, _ in parts]
    timings = [
        Timing(word, (token,), min(a, b), max(a, b), 0.5)
        for token, (word, a, b) in zip(text, parts, strict=True)
    ]
    half = len(text) // 2
    tokens = [stamp(0), *text[:half], stamp(3), stamp(4), *text[half:], stamp(6)]
    cuts = cut_segments(tokens, TOKENS, 7.0)
    reached = 0.0
    for timed in time_cuts(cuts, timings, EOT, 7.0):
        assert timed.start_s <= timed.end_s
        for word in timed.words:
            assert reached <= word.start_s <= word.end_s <= 7.0
            reached = word.end_s
    joined = "".join(w.text for t in time_cuts(cuts, timings, EOT, 7.0) for w in t.words)
    assert joined.replace(" ", "") == "".join(word for word, _, _ in parts).replace(" ", "")


def test_punctuation_goes_with_its_word() -> None:
    parts = [" (", "Yes", ")", " no", "."]
    timings = [Timing(p, (n,), n / 2, n / 2 + 0.5, 1.0) for n, p in enumerate(parts)]
    cuts = cut_segments([stamp(0), 0, 1, 2, 3, 4, stamp(3)], TOKENS, 3.0)
    (timed,) = time_cuts(cuts, timings, EOT, 3.0)
    assert [word.text for word in timed.words] == ["(Yes)", "no."]


def test_loops_are_found_and_cut() -> None:
    once = [10, 11, 12, 13, 14]
    assert has_loop([1, 2, *once * 5])
    assert not has_loop([1, 2, *once * 3])
    assert not has_loop(list(range(100)))
    assert has_loop([7] * 16)
    assert not has_loop([7] * 6)
    tokens = [stamp(0), 1, 2, *once * 5, stamp(4)]
    assert [tokens[at] for at in outside_loops(tokens, EOT)] == [stamp(0), 1, 2, *once, stamp(4)]


def test_repetition_compresses() -> None:
    assert compression_ratio("thank you " * 30) > 2.4
    assert compression_ratio("and so my fellow americans") < 2.4


def test_a_short_glossary_is_the_prompt() -> None:
    assert TOKENS.decode(glossary_prompt("Undertone,  Kubernetes.", TOKENS.encode)) == (
        " Undertone, Kubernetes."
    )
    assert glossary_prompt("  ", TOKENS.encode) == ()


def test_a_long_glossary_keeps_whole_terms() -> None:
    terms = [f"Term number {n}" for n in range(100)]
    tokens = glossary_prompt(", ".join(terms) + ".", TOKENS.encode)
    assert 80 < len(tokens) <= 100
    text = TOKENS.decode(tokens)
    assert text.endswith(".")
    assert all(part.strip(" .") in terms for part in text.split(","))


@pytest.mark.parametrize(
    ("text", "leaked"),
    [
        ("Undertone, Kubernetes, PySide, MLX.", True),
        ("undertone kubernetes pyside mlx undertone kubernetes", True),
        ("We use Undertone with Kubernetes.", False),
        ("Kubernetes.", False),
        ("", False),
    ],
)
def test_only_the_glossary_itself_is_a_leak(text: str, leaked: bool) -> None:
    assert is_leaked(text, "Undertone, Kubernetes, PySide, MLX.") is leaked


def test_what_pads_a_picture() -> None:
    sound = np.random.default_rng(0).standard_normal(4_000).astype(np.float32) * 0.1
    picture = log_mel(sound, 80, 100)
    assert picture.shape == (100, 80)
    assert not picture[25:].any()
    live = log_mel(sound, 80, 100, is_live=True)
    assert np.array_equal(live[:25], picture[:25])
    padded = log_mel(np.pad(sound, (0, 12_000)), 80, 100)
    assert np.allclose(live, padded, atol=1e-6)
