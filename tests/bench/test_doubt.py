"""The calibration of doubtful words, on what the last full run heard (`tests/data/doubt`)."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.packing import Audio
from tests.bench.doubt import NEW_VOICES, NOISES, Spoken, noisy, pairs
from tests.bench.doubt_words import (
    HEADLINE,
    Heard,
    Noise,
    fitted,
    load_heard,
    marks_table,
    reliability,
    shipped,
    tally,
)
from tests.bench.report import RESULTS
from tests.helpers.words import CONVERSATIONS, clips, errors, words_of

GOAL = 3.0


@cache
def kept(*, is_held_out: bool) -> list[Heard]:
    return [each for each in load_heard() if each.is_held_out == is_held_out]


def test_marked_words_are_wrong_three_times_as_often_as_others_in_noise() -> None:
    held_out = [each for each in kept(is_held_out=True) if each.noise == HEADLINE]
    everybody = tally(held_out, shipped())
    new_voices = tally(held_out, shipped(), only_new_voices=True)
    assert everybody.words > 1000
    assert everybody.marked > 40
    assert everybody.ratio >= GOAL
    assert new_voices.marked > 15
    assert new_voices.ratio >= GOAL


@pytest.mark.parametrize("noise", NOISES, ids=[noise.name for noise in NOISES])
def test_marks_are_few_in_every_recording_and_mostly_right_where_it_is_loud(noise: Noise) -> None:
    for each in [*kept(is_held_out=True), *kept(is_held_out=False)]:
        if each.noise == noise:
            marked = each.marked(shipped())
            assert marked.sum() <= len(marked) / 20
    found = tally([each for each in kept(is_held_out=True) if each.noise == noise], shipped())
    if noise.snr_db is not None:
        # Where many words are wrong 3 times as many cannot be: most of what can be, then.
        assert found.ratio >= min(GOAL, 0.7 / found.base)


def test_what_is_said_to_be_wrong_is_wrong_so_often() -> None:
    held_out = kept(is_held_out=True)
    said = 1.0 - np.concatenate([each.right(shipped()) for each in held_out])
    wrong = np.concatenate([each.labels() for each in held_out])
    order = np.argsort(said)
    apart = [abs(said[part].mean() - wrong[part].mean()) for part in np.array_split(order, 10)]
    assert np.mean(apart) < 0.05
    assert max(apart) < 0.15


def test_what_ships_is_fitted_on_the_conversations_only() -> None:
    best, mine = fitted(kept(is_held_out=False)), shipped()
    assert mine.own == pytest.approx(best.own, abs=0.02)
    assert mine.around == pytest.approx(best.around, abs=0.02)
    assert mine.offset == pytest.approx(best.offset, abs=0.02)


def test_the_published_tables_are_those_of_the_kept_words() -> None:
    published = RESULTS.read_text(encoding="utf-8")
    for is_held_out in (True, False):
        heard = kept(is_held_out=is_held_out)
        assert marks_table(heard, shipped()) in published
        assert reliability(heard, shipped()) in published


def test_no_sentence_is_in_both_sets() -> None:
    spoken = [
        " ".join(words_of(turn["text"]))
        for file in CONVERSATIONS.glob("*.json")
        for turn in json.loads(file.read_text(encoding="utf-8"))["turns"]
    ]
    sentences = [" ".join(words_of(clip["text"])) for clip in clips() if clip["language"] == "en"]
    assert len(sentences) == 30
    assert not [each for each in sentences if any(each in turn for turn in spoken)]


def test_half_of_the_clips_have_voices_of_their_own() -> None:
    voices = {
        voice.removeprefix("espeak-")
        for file in CONVERSATIONS.glob("*.json")
        for voice in json.loads(file.read_text(encoding="utf-8"))["voices"].values()
    }
    assert not voices & NEW_VOICES
    own = [clip["voice"] in NEW_VOICES for clip in clips() if clip["language"] == "en"]
    assert 0.4 < np.mean(own) < 0.6


def test_noise_lies_so_far_below_the_speech() -> None:
    tone: Audio = (np.sin(np.arange(32_000) / 5) / 4).astype(np.float32)
    spoken = Spoken(tone, float(np.mean(np.square(tone))), (), ())
    for noise in (HEADLINE, Noise("soft", 20.0)):
        added = noisy(spoken, noise, 1) - spoken.audio
        snr_db = 10 * np.log10(spoken.power / np.mean(np.square(added)))
        assert snr_db == pytest.approx(20.0, abs=0.3)
    assert noisy(spoken, Noise(), 1) is spoken.audio


@settings(max_examples=50)
@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_words_are_paired_with_as_few_errors_as_can_be(spoken: list[str], heard: list[str]) -> None:
    found = list(pairs(spoken, heard))
    assert sorted(column for column, _, _ in found) == list(range(len(heard)))
    right = [(row, column) for column, row, is_right in found if is_right]
    assert all(spoken[row] == heard[column] for row, column in right)
    assert sorted(right, reverse=True) == right
    assert len({row for row, _ in right}) == len(right)
    fewest, _ = errors(" ".join(spoken), " ".join(heard))
    assert fewest >= max(len(spoken), len(heard)) - len(right)
