import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.vad import (
    DICTATION_ENDPOINTING,
    FILE_ENDPOINTING,
    FRAME_S,
    FRAME_SAMPLES,
    Endpointing,
    SpeechDetector,
    Vad,
    load_weights,
)
from app.core.packing import SAMPLE_RATE, Audio, Region
from tests.helpers.media import SPEECH, jfk, load

REFERENCE = Path(__file__).resolve().parents[1] / "data" / "vad" / "silero_v6.onnx"


def reference(audio: Audio) -> list[float]:
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(REFERENCE), options)
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32)
    found = []
    for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        frame = audio[start : start + FRAME_SAMPLES]
        sound = np.concatenate((context, frame))[None]
        given_ = {"input": sound, "state": state, "sr": np.array(SAMPLE_RATE)}
        probability, state = session.run(None, given_)
        found.append(float(probability[0, 0]))
        context = frame[-64:]
    return found


@pytest.mark.parametrize("clip", ["jfk.flac", "en-01.flac", "fr-35.flac", "noise", "silence"])
def test_the_network_equals_the_published_one(clip: str) -> None:
    if clip == "noise":
        audio = np.random.default_rng(3).normal(0, 0.1, 3 * SAMPLE_RATE).astype(np.float32)
    elif clip == "silence":
        audio = np.zeros(3 * SAMPLE_RATE, np.float32)
    else:
        audio = load(SPEECH / clip)
    expected = reference(audio)
    found = Vad().feed(audio)
    assert len(found) == len(expected) == len(audio) // FRAME_SAMPLES
    # Both are float32 and stray from exact arithmetic by up to 1.4e-5 on some clips.
    assert np.abs(found - expected).max() < (1e-5 if clip == "jfk.flac" else 5e-5)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=12))
def test_the_network_may_be_fed_in_any_chunks(sizes: list[int]) -> None:
    audio, weights = jfk(3), load_weights()
    whole = Vad(weights)
    expected = np.concatenate((whole.feed(audio), whole.flush()))
    chunked, found, at = Vad(weights), [], 0
    for size in [*sizes, len(audio)]:
        found.append(chunked.feed(audio[at : at + size]))
        at += size
    found.append(chunked.flush())
    joined = np.concatenate(found)
    assert len(joined) == math.ceil(len(audio) / FRAME_SAMPLES)
    assert np.abs(joined - expected).max() < 1e-5


def test_a_reset_forgets_everything() -> None:
    vad = Vad()
    first = vad.feed(jfk(1))
    vad.reset()
    assert np.array_equal(vad.feed(jfk(1)), first)
    assert vad.flush().shape == (1,)  # 1 s is 31.25 frames
    assert vad.flush().shape == (0,)


def test_a_recording_is_found_speaking_where_it_speaks() -> None:
    audio = jfk()
    detector = SpeechDetector()
    regions = detector.feed(Vad().feed(audio).tolist()) + detector.flush(len(audio) / SAMPLE_RATE)
    # By ear: four phrases, "and so my fellow Americans / ask not / what your country … / ask …".
    starts = [region.start_s for region in regions]
    assert starts == pytest.approx([0.25, 3.2, 5.3, 8.1], abs=0.2)
    assert regions[-1].end_s == pytest.approx(10.7, abs=0.2)


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "clicks"])
def test_no_speech_is_found_where_nobody_speaks(kind: str) -> None:
    n_samples = 20 * SAMPLE_RATE
    rng = np.random.default_rng(5)
    sound = {
        "silence": np.zeros(n_samples),
        "noise": rng.normal(0, 10 ** (-35 / 20), n_samples),
        "hum": 0.05 * np.sin(2 * np.pi * 50 * np.arange(n_samples) / SAMPLE_RATE),
        "clicks": np.where(rng.random(n_samples) < 1e-4, 0.7, 0.0),
    }[kind].astype(np.float32)
    detector = SpeechDetector()
    assert detector.feed(Vad().feed(sound).tolist()) + detector.flush() == []


# The rules


def frames(*runs: tuple[float, int]) -> list[float]:
    return [probability for probability, count in runs for _ in range(count)]


def regions(
    probabilities: list[float], rules: Endpointing = FILE_ENDPOINTING, end_s: float | None = None
) -> list[Region]:
    detector = SpeechDetector(rules)
    return detector.feed(probabilities) + detector.flush(end_s)


def spans(found: list[Region]) -> list[tuple[int, int]]:
    """Return first and past-the-last frame of regions of the default rules, without padding."""
    return [
        (round((region.start_s + 0.12) / FRAME_S), round((region.end_s - 0.12) / FRAME_S))
        for region in found
    ]


def test_speech_is_padded() -> None:
    (region,) = regions(frames((0.0, 50), (0.9, 30), (0.0, 50)))
    assert region.start_s == pytest.approx(50 * FRAME_S - 0.12)
    assert region.end_s == pytest.approx(80 * FRAME_S + 0.12)


def test_padding_stays_inside_the_recording() -> None:
    assert regions(frames((0.9, 30)), end_s=30 * FRAME_S) == [Region(0.0, 30 * FRAME_S)]


def test_one_loud_frame_is_no_beginning() -> None:
    assert regions(frames((0.0, 20), (0.9, 1), (0.0, 20), (0.9, 1), (0.0, 20))) == []


def test_a_short_click_is_dropped_and_a_short_word_kept() -> None:
    assert regions(frames((0.0, 20), (0.9, 6), (0.0, 20))) == []
    assert spans(regions(frames((0.0, 20), (0.9, 7), (0.0, 20)))) == [(20, 27)]


def test_between_the_thresholds_it_stays_what_it_was() -> None:
    assert regions(frames((0.4, 100))) == []
    assert spans(regions(frames((0.0, 20), (0.9, 10), (0.4, 50), (0.0, 20)))) == [(20, 80)]


def test_short_pauses_stay_inside_and_long_ones_split() -> None:
    short = frames((0.0, 20), (0.9, 20), (0.0, 9), (0.9, 20), (0.0, 20))
    long = frames((0.0, 20), (0.9, 20), (0.0, 10), (0.9, 20), (0.0, 20))
    assert spans(regions(short)) == [(20, 69)]
    assert spans(regions(long)) == [(20, 40), (50, 70)]


def test_a_dictation_waits_longer_and_looks_further_back() -> None:
    pause = frames((0.0, 20), (0.9, 20), (0.0, 18), (0.9, 20), (0.0, 20))
    (region,) = regions(pause, DICTATION_ENDPOINTING)
    assert region.start_s == pytest.approx(20 * FRAME_S - 0.3)


def test_overlapping_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Endpointing(end_s=0.2, pad_start_s=0.12, pad_end_s=0.12)


def test_a_region_comes_as_soon_as_it_is_closed() -> None:
    detector = SpeechDetector()
    speaking = []
    for run in ((0.0, 5), (0.9, 20), (0.0, 9)):
        assert detector.feed(frames(run)) == []
        speaking.append(detector.is_speaking)
    assert speaking == [False, True, False]
    assert len(detector.feed([0.0])) == 1
    assert detector.flush() == []


PROBABILITIES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.34, 0.4, 0.5, 0.9]), st.integers(1, 25)), max_size=30
).map(lambda runs: frames(*runs))


@given(PROBABILITIES, st.lists(st.integers(0, 40)))
def test_regions_do_not_depend_on_the_chunks(probabilities: list[float], cuts: list[int]) -> None:
    end_s = len(probabilities) * FRAME_S
    detector, found, at = SpeechDetector(), [], 0
    for size in [*cuts, len(probabilities)]:
        found += detector.feed(probabilities[at : at + size])
        at += size
    assert found + detector.flush(end_s) == regions(probabilities, end_s=end_s)


@given(PROBABILITIES)
def test_regions_are_ordered_and_what_is_announced_comes_true(probabilities: list[float]) -> None:
    end_s = len(probabilities) * FRAME_S
    final = regions(probabilities, end_s=end_s)
    assert all(one.end_s < other.start_s for one, other in pairwise(final))
    assert all(region.duration_s > 0.2 for region in final)
    detector, n_closed, open_from_s = SpeechDetector(), 0, 0.0
    for probability in probabilities:
        n_closed += len(detector.feed([probability]))
        assert detector.open_from_s >= open_from_s
        open_from_s = detector.open_from_s
        assert all(region.start_s >= open_from_s for region in final[n_closed:])
        if detector.open_region is not None:
            coming = final[n_closed]
            assert coming.start_s == detector.open_region.start_s
            assert coming.end_s >= min(detector.open_region.end_s, end_s)
