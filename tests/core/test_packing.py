from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.packing import SAMPLE_RATE, Audio, Packer, Region, Window, coverage, pack
from app.core.transcript import Segment

NOISE = np.random.default_rng(0).uniform(-0.1, 0.1, 260 * SAMPLE_RATE).astype(np.float32)


def sound(seconds: float) -> Audio:
    return NOISE[: round(seconds * SAMPLE_RATE)].copy()


def spans(windows: list[Window]) -> list[list[tuple[float, float]]]:
    return [
        [(round(part.start_s, 3), round(part.end_s, 3)) for part in window.speech]
        for window in windows
    ]


def test_silence_gives_no_windows() -> None:
    assert pack(sound(60), [], 30) == []


def test_neighbours_share_a_window_as_long_as_they_fit() -> None:
    regions = [Region(1, 4), Region(4.5, 7), Region(7.5, 9.9), Region(10.5, 12)]
    windows = pack(sound(15), regions, 9)
    assert spans(windows) == [[(1, 4), (4.5, 7), (7.5, 9.9)], [(10.5, 12)]]
    assert [window.index for window in windows] == [0, 1]
    assert [(window.start_s, window.end_s) for window in windows] == [(1, 9.9), (10.5, 12)]


def test_a_window_holds_the_sound_of_its_place() -> None:
    audio = sound(20)
    for window in pack(audio, [Region(1, 4), Region(5, 7), Region(12, 18)], 9):
        start = round(window.start_s * SAMPLE_RATE)
        assert np.array_equal(window.audio, audio[start : start + len(window.audio)])


def test_a_long_silence_begins_a_new_window() -> None:
    windows = pack(sound(30), [Region(1, 2), Region(4.9, 6), Region(9.5, 11)], 30)
    assert spans(windows) == [[(1, 2), (4.9, 6)], [(9.5, 11)]]


def test_a_target_joins_less_and_cuts_nothing() -> None:
    packer = Packer(30, target_s=5)
    regions = [Region(0, 2), Region(2.5, 4.5), Region(5, 7), Region(7.5, 20)]
    windows = packer.feed(sound(21), regions) + packer.flush()
    assert spans(windows) == [[(0, 2), (2.5, 4.5)], [(5, 7)], [(7.5, 20)]]


def test_a_region_that_is_too_long_is_cut_where_it_is_quietest() -> None:
    audio = sound(25)
    for quiet_s in (4.0, 8.2, 15.0):  # the first lies outside of the last third
        audio[int(quiet_s * SAMPLE_RATE) : int((quiet_s + 0.2) * SAMPLE_RATE)] *= 0.01
    windows = pack(audio, [Region(0.5, 22), Region(23, 24)], 9)
    assert spans(windows)[:2] == [[(0.5, 8.3)], [(8.3, 15.1)]]
    assert [window.speech[0].start_s for window in windows][:3] == [0.5, 8.3, 15.1]
    assert windows[-1].speech[-1] == Region(23, 24)
    assert max(len(window.audio) for window in windows) <= 9 * SAMPLE_RATE


def test_a_region_running_off_the_end_is_clipped() -> None:
    (window,) = pack(sound(5), [Region(1, 5.1)], 9)
    assert window.speech == (Region(1, 5),)


def test_long_silence_and_long_speech_hold_little_sound() -> None:
    packer, n_windows = Packer(9), 0
    second = sound(1)
    for t in range(1, 3600):  # an hour of silence, then an hour without a pause
        packer.feed(second, open_from_s=t - 0.5)
        assert packer.held_s < 3
    for t in range(3600, 7200):
        open_region = Region(3600, t + 1)
        n_windows += len(packer.feed(second, open_region=open_region, open_from_s=3600))
        assert packer.held_s < 2 * 9 + 3
    assert n_windows > 3600 / 9


REGIONS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(2, 250)), min_size=1, max_size=8
)  # pause and length in tenths of a second


def placed(runs: list[tuple[int, int]]) -> list[Region]:
    at, found = 0, []
    for pause, length in runs:
        found.append(Region((at + pause) / 10, (at + pause + length) / 10))
        at += pause + length
    return found


@settings(max_examples=40, deadline=None)
@given(REGIONS, st.lists(st.integers(1, 60), max_size=40), st.sampled_from([2.0, 9.0, 30.0]))
def test_windows_do_not_depend_on_the_chunks(
    runs: list[tuple[int, int]], chunks: list[int], most_s: float
) -> None:
    """Feed as a detector would: a region is open, then closed 0.3 s after it ended."""
    regions = placed(runs)
    end_s = regions[-1].end_s
    audio = sound(end_s)
    expected = pack(audio, regions, most_s)
    packer, found, now = Packer(most_s), [], 0.0
    waiting = list(regions)
    while now < end_s:
        before, now = now, min(end_s, now + (chunks.pop() / 10 if chunks else 5.0))
        block = audio[round(before * SAMPLE_RATE) : round(now * SAMPLE_RATE)]
        closed = [region for region in waiting if region.end_s + 0.3 <= now]
        waiting = waiting[len(closed) :]
        is_open = bool(waiting) and waiting[0].start_s < now
        found += packer.feed(
            block,
            closed,
            open_region=Region(waiting[0].start_s, min(waiting[0].end_s, now)) if is_open else None,
            open_from_s=waiting[0].start_s if is_open else now - 0.05,
        )
    found += packer.feed(np.zeros(0, np.float32), waiting) + packer.flush()
    assert [(window.index, window.start_s, window.speech) for window in found] == [
        (window.index, window.start_s, window.speech) for window in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.audio, other.audio)


@settings(max_examples=40, deadline=None)
@given(REGIONS, st.sampled_from([2.0, 9.0, 30.0]))
def test_windows_hold_all_speech_once_and_never_too_much(
    runs: list[tuple[int, int]], most_s: float
) -> None:
    regions = placed(runs)
    windows = pack(sound(regions[-1].end_s), regions, most_s)
    assert [window.index for window in windows] == list(range(len(windows)))
    assert all(len(window.audio) <= most_s * SAMPLE_RATE for window in windows)
    assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(windows))
    heard = sum(part.duration_s for window in windows for part in window.speech)
    assert heard == pytest.approx(sum(region.duration_s for region in regions))
    for window in windows:
        assert window.speech[0].start_s == window.start_s
        assert window.speech[-1].end_s == pytest.approx(window.end_s)


# Coverage


def said(start_s: float, end_s: float, text: str = "words") -> Segment:
    return Segment(start_s, end_s, text)


def test_speech_with_text_is_covered() -> None:
    assert coverage([Region(1, 5), Region(6, 9)], [said(0.8, 4.6), said(6.4, 9)]) == ()


def test_a_region_without_text_is_missing() -> None:
    speech = [Region(1, 5), Region(6, 9), Region(10, 12)]
    assert coverage(speech, [said(10, 12), said(1, 5)]) == (Region(6, 9),)
    assert coverage(speech, []) == tuple(speech)


def test_the_untold_part_of_a_region_is_missing() -> None:
    assert coverage([Region(0, 10)], [said(0, 2), said(6, 9.5)]) == (Region(2, 6),)
    assert coverage([Region(0, 10)], [said(0, 6)]) == (Region(6, 10),)


def test_text_of_nothing_covers_nothing() -> None:
    assert coverage([Region(0, 3)], [said(0, 3, "  ")]) == (Region(0, 3),)


def test_loose_times_are_no_gap() -> None:
    assert coverage([Region(0, 10)], [said(0.9, 4), said(4.9, 9.1)]) == ()
    assert coverage([Region(0, 0.8)], []) == ()
    assert coverage([Region(0, 10)], [said(0.9, 4), said(4.9, 9.1)], least_s=0.5) == (
        Region(0, 0.9), Region(4, 4.9), Region(9.1, 10),
    )  # fmt: skip
