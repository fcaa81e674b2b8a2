"""The contract of hotkeys, held by the fake and by X11; and the rules without a system."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import HotkeyRefused
from app.macos.hotkey import (
    LONE_MODIFIERS,
    SHORTCUT_S,
    Chord,
    FakeHotkeys,
    HotkeyEvent,
    HotkeyMoment,
    Hotkeys,
    Modifier,
    ModifierWatch,
    NoHotkeys,
    for_this_system,
    parse_chord,
)
from app.macos.hotkey_x11 import ServerClock, X11Hotkeys
from app.macos.x11 import KEYSYM_NAMES
from tests.macos.desktop import Desktop

P, R, BROKEN = HotkeyMoment.PRESSED, HotkeyMoment.RELEASED, HotkeyMoment.INTERRUPTED
TALK = parse_chord("ctrl+alt+space")
LONE = parse_chord("right_ctrl")
X11 = pytest.param("x11", marks=pytest.mark.serial)


@dataclass
class Rig:
    """Hotkeys, the hands that press keys, and what was told."""

    hotkeys: Hotkeys
    press: Callable[[Chord], None]
    release: Callable[[Chord], None]
    heard: "queue.Queue[HotkeyEvent]"
    use_elsewhere: Callable[[Chord], None]

    def expect(self, *wanted: tuple[str, HotkeyMoment]) -> None:
        for name, moment in wanted:
            event = self.heard.get(timeout=5)
            assert (event.name, event.moment) == (name, moment)

    def expect_nothing(self) -> None:
        """Everything said so far was expected: a marker hotkey is the next thing heard."""
        marker = parse_chord("f12")
        self.hotkeys.bind("marker", marker)
        self.press(marker)
        self.release(marker)
        self.expect(("marker", P), ("marker", R))
        self.hotkeys.unbind("marker")


def keysyms(chord: Chord) -> list[str]:
    held = [
        KEYSYM_NAMES[f"left_{modifier}"] for modifier in Modifier if modifier in chord.modifiers
    ]
    key = KEYSYM_NAMES.get(chord.key, chord.key)
    return [*held, key.upper() if key.startswith("f1") else key]


@pytest.fixture(params=["fake", X11])
def rig(request: pytest.FixtureRequest, desktop: Desktop | None) -> Iterator[Rig]:
    heard: queue.Queue[HotkeyEvent] = queue.Queue()
    if request.param == "fake":
        fake = FakeHotkeys(heard.put)
        yield Rig(fake, fake.press, fake.release, heard, fake.used.add)
        fake.close()
        return
    display: Desktop = request.getfixturevalue("display")

    def press(chord: Chord) -> None:
        for name in keysyms(chord):
            display.key(name, is_down=True)

    def release(chord: Chord) -> None:
        for name in reversed(keysyms(chord)):
            display.key(name, is_down=False)

    others: list[X11Hotkeys] = []

    def use_elsewhere(chord: Chord) -> None:
        other = X11Hotkeys(lambda event: None)
        others.append(other)
        other.bind("theirs", chord)

    hotkeys = for_this_system(heard.put)
    assert isinstance(hotkeys, X11Hotkeys)
    yield Rig(hotkeys, press, release, heard, use_elsewhere)
    hotkeys.close()
    for other in others:
        other.close()


def test_a_chord_is_told_down_and_up(rig: Rig) -> None:
    rig.hotkeys.bind("talk", TALK)
    for _ in range(2):
        rig.press(TALK)
        rig.expect(("talk", P))
        rig.release(TALK)
        rig.expect(("talk", R))


def test_a_held_chord_is_told_once(rig: Rig) -> None:
    rig.hotkeys.bind("talk", TALK)
    rig.press(TALK)
    rig.press(TALK)
    rig.expect(("talk", P))
    rig.release(TALK)
    rig.expect(("talk", R))
    rig.expect_nothing()


def test_a_lone_modifier_is_told_down_and_up(rig: Rig) -> None:
    rig.hotkeys.bind("talk", LONE)
    rig.press(LONE)
    rig.expect(("talk", P))
    rig.release(LONE)
    rig.expect(("talk", R))


def test_a_shortcut_with_the_lone_modifier_interrupts(rig: Rig) -> None:
    rig.hotkeys.bind("talk", LONE)
    letter = Chord("c")
    rig.press(LONE)
    rig.press(letter)
    rig.release(letter)
    rig.release(LONE)
    rig.expect(("talk", P), ("talk", BROKEN))
    rig.expect_nothing()


def test_the_other_side_is_another_key(rig: Rig) -> None:
    rig.hotkeys.bind("talk", LONE)
    rig.press(parse_chord("left_ctrl"))
    rig.release(parse_chord("left_ctrl"))
    rig.expect_nothing()


def test_an_unbound_hotkey_is_silent(rig: Rig) -> None:
    rig.hotkeys.bind("talk", TALK)
    rig.hotkeys.unbind("talk")
    rig.hotkeys.unbind("never bound")
    rig.press(TALK)
    rig.release(TALK)
    rig.expect_nothing()


def test_binding_again_replaces(rig: Rig) -> None:
    rig.hotkeys.bind("talk", TALK)
    other = parse_chord("cmd+shift+d")
    rig.hotkeys.bind("talk", other)
    rig.press(TALK)
    rig.release(TALK)
    rig.press(other)
    rig.expect(("talk", P))
    rig.release(other)
    rig.expect(("talk", R))


def test_escape_is_only_taken_while_bound(rig: Rig) -> None:
    escape = parse_chord("esc")
    rig.hotkeys.bind("talk", TALK)
    rig.hotkeys.bind("cancel", escape)
    rig.press(escape)
    rig.release(escape)
    rig.expect(("cancel", P), ("cancel", R))
    rig.hotkeys.unbind("cancel")
    rig.press(escape)
    rig.release(escape)
    rig.expect_nothing()


def test_a_taken_chord_is_refused_by_name_and_the_old_one_stays(rig: Rig) -> None:
    rig.hotkeys.bind("talk", TALK)
    theirs = parse_chord("ctrl+alt+k")
    rig.use_elsewhere(theirs)
    with pytest.raises(HotkeyRefused, match="already used") as refusal:
        rig.hotkeys.bind("talk", theirs)
    assert theirs.shown() in str(refusal.value)
    assert str(refusal.value.hint)
    rig.press(TALK)
    rig.release(TALK)
    rig.expect(("talk", P), ("talk", R))


def test_one_chord_serves_one_name(rig: Rig) -> None:
    rig.hotkeys.bind("talk", TALK)
    with pytest.raises(HotkeyRefused):
        rig.hotkeys.bind("note", TALK)


@pytest.mark.serial
def test_num_lock_and_caps_lock_do_not_matter(display: Desktop) -> None:
    heard: queue.Queue[HotkeyEvent] = queue.Queue()
    hotkeys = X11Hotkeys(heard.put)
    hotkeys.bind("talk", TALK)
    locks = ["Caps_Lock", "Num_Lock"]
    for lock in locks:
        display.key(lock, is_down=True)
        display.key(lock, is_down=False)
    for is_down in (True, False):
        for name in ("Control_L", "Alt_L", "space"):
            display.key(name, is_down=is_down)
    assert heard.get(timeout=5).moment is P
    assert heard.get(timeout=5).moment is R
    for lock in locks:
        display.key(lock, is_down=True)
        display.key(lock, is_down=False)
    hotkeys.close()


@pytest.mark.serial
def test_modifiers_let_go_during_a_chord_are_not_thought_held(display: Desktop) -> None:
    heard: queue.Queue[HotkeyEvent] = queue.Queue()
    hotkeys = X11Hotkeys(heard.put)
    hotkeys.bind("talk", TALK)
    hotkeys.bind("push", LONE)
    for is_down in (True, False):
        for name in ("Control_L", "Alt_L", "space"):
            display.key(name, is_down=is_down)
    display.key("Control_R", is_down=True)
    display.key("Control_R", is_down=False)
    events = [heard.get(timeout=5) for _ in range(4)]
    hotkeys.close()
    assert [(e.name, e.moment) for e in events] == [
        ("talk", P),
        ("talk", R),
        ("push", P),
        ("push", R),
    ]


def test_server_times_do_not_suffer_from_a_late_thread() -> None:
    now = [100.0]
    clock = ServerClock(lambda: now[0])
    assert clock.at(5_000) == 100.0
    now[0] = 103.0  # two seconds late
    assert clock.at(6_000) == 101.0
    now[0] = 103.5
    assert clock.at(8_500) == 103.5
    now[0] = 200.0
    assert clock.at(3) == 200.0  # the server's counter began anew


def test_without_a_display_there_are_no_hotkeys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    hotkeys = for_this_system(lambda event: None)
    assert isinstance(hotkeys, NoHotkeys)
    with pytest.raises(HotkeyRefused):
        hotkeys.bind("talk", TALK)
    hotkeys.unbind("talk")
    assert hotkeys.problem() is None
    hotkeys.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ctrl + Option+Space", "Ctrl+Alt+Space"),
        ("cmd+shift+d", "Shift+Cmd+D"),
        ("F5", "F5"),
        ("Esc", "Escape"),
        ("right cmd", "Right Cmd"),
        ("super+;", "Cmd+;"),
    ],
)
def test_chords_are_read_and_shown(text: str, shown: str) -> None:
    chord = parse_chord(text)
    assert chord.shown(is_mac=False) == shown
    assert parse_chord(str(chord)) == chord


def test_a_mac_sees_its_own_signs() -> None:
    assert parse_chord("ctrl+alt+shift+cmd+a").shown(is_mac=True) == "⌃⌥⇧⌘A"


@pytest.mark.parametrize(
    "text", ["", "+", "a", "shift+a", "ctrl+", "hyper+a", "cmd+right_ctrl", "ü"]
)
def test_what_is_no_hotkey_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(HotkeyRefused) as refusal:
        parse_chord(text)
    assert str(refusal.value.hint)


def test_a_late_second_key_does_not_end_a_long_dictation() -> None:
    heard: list[HotkeyEvent] = []
    watch = ModifierWatch(heard.append)
    watch.bind("talk", "right_cmd")
    watch.modifier_changed("right_cmd", True, 10.0)
    watch.other_key_pressed(10.0 + SHORTCUT_S + 0.01)
    watch.modifier_changed("right_cmd", False, 20.0)
    assert [event.moment for event in heard] == [P, R]


def test_a_missed_release_is_made_up_for() -> None:
    heard: list[HotkeyEvent] = []
    watch = ModifierWatch(heard.append)
    watch.bind("talk", "right_cmd")
    watch.modifier_changed("right_cmd", True, 1.0)
    watch.reconcile({"right_cmd"}, 2.0)
    watch.reconcile((), 3.0)
    assert [(event.moment, event.at_s) for event in heard] == [(P, 1.0), (R, 3.0)]


@given(
    st.lists(
        st.tuples(st.sampled_from([*LONE_MODIFIERS, "other", "reconcile"]), st.booleans()),
        max_size=40,
    )
)
def test_every_press_is_followed_by_exactly_one_end(steps: list[tuple[str, bool]]) -> None:
    heard: list[HotkeyEvent] = []
    watch = ModifierWatch(heard.append)
    watch.bind("talk", "right_cmd")
    for at, (key, is_down) in enumerate(steps):
        if key == "other":
            watch.other_key_pressed(at * 0.2)
        elif key == "reconcile":
            watch.reconcile(["right_cmd"] if is_down else [], at * 0.2)
        else:
            watch.modifier_changed(key, is_down, at * 0.2)
    watch.reconcile((), len(steps) * 0.2)
    moments = [event.moment for event in heard]
    assert moments[::2] == [P] * ((len(moments) + 1) // 2)
    assert P not in moments[1::2]
    assert len(moments) % 2 == 0
