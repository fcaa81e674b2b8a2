"""What presses of a hotkey mean."""

import pytest

from app.pipeline.gestures import DOUBLE_S, TAP_S, Gesture, Wish

LONG = TAP_S + 0.1
SHORT = TAP_S / 2


def play(way: str, *presses: tuple[float, float]) -> list[Wish]:
    """Press and release at the given times; return every wish that does something."""
    gesture, is_recording, wishes = Gesture(way), False, []

    def take(wish: Wish) -> None:
        nonlocal is_recording
        if wish in (Wish.START, Wish.STOP):
            is_recording = wish is Wish.START
        if wish is not Wish.NOTHING:
            wishes.append(wish)

    waits_since: float | None = None
    for down, up in presses:
        if waits_since is not None and down - waits_since > DOUBLE_S:
            take(gesture.decide())
        take(gesture.pressed(down, is_recording=is_recording))
        take(gesture.pressed(down + 0.01, is_recording=is_recording))  # the key repeats itself
        wish = gesture.released(up, is_recording=is_recording)
        waits_since = up if wish is Wish.WAIT else None
        take(wish)
    if waits_since is not None:
        take(gesture.decide())
    return [wish for wish in wishes if wish is not Wish.WAIT]


@pytest.mark.parametrize("way", ["hold", "both"])
def test_a_hold_records_while_the_key_is_down(way: str) -> None:
    assert play(way, (0, LONG), (5, 5 + LONG)) == [Wish.START, Wish.STOP] * 2


def test_a_tap_starts_and_the_next_one_stops() -> None:
    assert play("both", (0, SHORT), (5, 5 + SHORT)) == [Wish.START, Wish.STOP]
    assert play("both", (0, SHORT), (5, 5 + LONG)) == [Wish.START, Wish.STOP]


def test_every_press_counts_when_the_hotkey_toggles() -> None:
    assert play("toggle", (0, LONG), (5, 5 + SHORT)) == [Wish.START, Wish.STOP]
    assert play("toggle", (0, 0.05), (0.1, 0.15), (0.2, 0.25)) == [
        Wish.START,
        Wish.STOP,
        Wish.START,
    ]


@pytest.mark.parametrize("way", ["hold", "both"])
def test_two_quick_taps_leave_the_hands_free(way: str) -> None:
    taps = (0, SHORT), (SHORT + 0.1, SHORT + 0.2)
    assert play(way, *taps) == [Wish.START]
    assert play(way, *taps, (9, 9.1)) == [Wish.START, Wish.STOP]


def test_one_tap_of_a_hold_key_ends_what_it_began() -> None:
    assert play("hold", (0, SHORT)) == [Wish.START, Wish.STOP]


def test_a_shortcut_of_another_program_leaves_no_trace() -> None:
    gesture = Gesture("both")
    assert gesture.pressed(0, is_recording=False) is Wish.START
    assert gesture.interrupted(is_recording=True) is Wish.DISCARD
    assert gesture.released(1, is_recording=False) is Wish.NOTHING
    assert gesture.pressed(2, is_recording=True) is Wish.STOP
    assert gesture.interrupted(is_recording=False) is Wish.NOTHING


def test_it_is_held_only_while_the_key_that_started_is_down() -> None:
    gesture = Gesture("both")
    held = [gesture.is_held]
    gesture.pressed(0, is_recording=False)
    held.append(gesture.is_held)
    gesture.released(LONG, is_recording=True)
    assert [*held, gesture.is_held] == [False, True, False]
