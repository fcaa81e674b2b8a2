"""Hotkeys are tried the moment they are chosen; a refused one leaves the one before."""

import pytest

from app.config.settings import Settings
from app.core.errors import AppError
from app.macos.hotkey import FakeHotkeys, HotkeyEvent, Post, parse_chord
from app.pipeline.hotkeys import CANCEL, CANCELS, DICTATE, QUICK, HotkeyBindings

CHORD = "ctrl+alt+space"
OTHER = parse_chord("ctrl+alt+j")


class Scene:
    """Bindings over fake hotkeys."""

    def __init__(self) -> None:
        self.told: list[AppError] = []
        self.events: list[HotkeyEvent] = []
        self.keys: FakeHotkeys | None = None
        self.bindings = HotkeyBindings(self._make, self.events.append, self.told.append)
        self.bindings.apply(Settings(dictate_hotkey=CHORD, quick_hotkey="f9"))

    def _make(self, post: Post) -> FakeHotkeys:
        self.keys = FakeHotkeys(post)
        return self.keys

    @property
    def bound(self) -> dict[str, str]:
        assert self.keys is not None
        return {name: str(chord) for name, chord in self.keys.bound.items()}

    def use(self, chord: str) -> None:
        """Let another program have `chord`."""
        assert self.keys is not None
        self.keys.used.add(parse_chord(chord))


def test_a_free_chord_is_bound_at_once() -> None:
    scene = Scene()
    assert scene.bindings.trial(DICTATE, OTHER) is None
    assert scene.bound == {DICTATE: "ctrl+alt+j", QUICK: "f9"}
    scene.bindings.apply(Settings(dictate_hotkey="ctrl+alt+j", quick_hotkey="f9"))
    assert scene.bound == {DICTATE: "ctrl+alt+j", QUICK: "f9"}
    assert scene.bindings.shown(DICTATE) == OTHER.shown()


def test_a_chord_of_another_program_leaves_the_one_before() -> None:
    scene = Scene()
    scene.use("ctrl+alt+j")
    refusal = scene.bindings.trial(DICTATE, OTHER)
    assert refusal is not None
    assert "already used" in str(refusal)
    assert scene.bound[DICTATE] == CHORD
    assert scene.told == []


def test_a_chord_of_our_own_is_refused_by_name() -> None:
    scene = Scene()
    refusal = scene.bindings.trial(QUICK, parse_chord(CHORD))
    assert refusal is not None
    assert "something else in Undertone" in str(refusal)
    assert scene.bound == {DICTATE: CHORD, QUICK: "f9"}


def test_a_chord_can_be_let_go() -> None:
    scene = Scene()
    assert scene.bindings.trial(QUICK, None) is None
    assert scene.bound == {DICTATE: CHORD}
    assert scene.bindings.shown(QUICK) == ""


def test_no_key_acts_while_a_new_one_is_pressed() -> None:
    scene = Scene()
    scene.bindings.hold_escape(is_wanted=True)
    scene.bindings.rest(is_resting=True)
    escapes = {CANCEL: "escape", "cancel while dictate": "ctrl+alt+escape"}
    assert scene.bound == escapes
    scene.bindings.rest(is_resting=False)
    assert scene.bound == {**escapes, DICTATE: CHORD, QUICK: "f9"}


@pytest.mark.parametrize(
    ("dictate", "quick", "escapes"),
    [
        ("ctrl+alt+d", "", {"escape", "ctrl+alt+escape"}),
        ("right_cmd", "ctrl+shift+q", {"escape", "cmd+escape", "ctrl+shift+escape"}),
        ("ctrl+alt+d", "ctrl+alt+q", {"escape", "ctrl+alt+escape"}),
        ("ctrl+alt+d", "ctrl+alt+escape", {"escape"}),
        ("alt+cmd+d", "alt+shift+cmd+d", {"escape"}),  # with these it quits programs by force
        ("fn", "f9", {"escape"}),
        ("banana", "", {"escape"}),
    ],
)
def test_escape_cancels_while_the_keys_of_a_hotkey_are_held(
    dictate: str, quick: str, escapes: set[str]
) -> None:
    scene = Scene()
    scene.bindings.apply(Settings(dictate_hotkey=dictate, quick_hotkey=quick))
    before = scene.bound
    scene.bindings.hold_escape(is_wanted=True)
    added = {name: chord for name, chord in scene.bound.items() if name not in before}
    assert set(added.values()) == escapes
    assert added.keys() <= CANCELS
    scene.bindings.hold_escape(is_wanted=False)
    assert scene.bound == before


def test_a_refused_hotkey_is_tried_again_and_told_once() -> None:
    scene = Scene()
    scene.use("ctrl+alt+j")
    settings = Settings(dictate_hotkey="ctrl+alt+j", quick_hotkey="f9")
    scene.bindings.apply(settings)
    scene.bindings.apply(settings)
    assert len(scene.told) == 1
    assert DICTATE not in scene.bound
    assert scene.keys is not None
    scene.keys.used.clear()  # the other program has quit
    scene.bindings.apply(settings)
    assert scene.bound[DICTATE] == "ctrl+alt+j"
    assert scene.bindings.problem(DICTATE) is None


def test_why_a_hotkey_does_not_come_is_remembered() -> None:
    scene = Scene()
    scene.use("ctrl+alt+j")
    scene.bindings.apply(Settings(dictate_hotkey="ctrl+alt+j", quick_hotkey="f9"))
    assert len(scene.told) == 1
    assert scene.bindings.problem(DICTATE) is scene.told[0]
    assert scene.bindings.problem(QUICK) is None
    scene.bindings.apply(Settings(dictate_hotkey=CHORD, quick_hotkey="f9"))
    assert scene.bindings.problem(DICTATE) is None


def test_a_chord_that_is_none_is_told_in_a_sentence() -> None:
    scene = Scene()
    scene.bindings.apply(Settings(dictate_hotkey="banana"))
    assert "banana" in str(scene.told[0])
    assert scene.bindings.shown(DICTATE) == ""
