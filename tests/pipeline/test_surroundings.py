"""Everything around the app that can be wrong is named, each with a way out."""

import numpy as np
import pytest

from app.audio.devices import Device, FakeDevices
from app.audio.ring import Ring
from app.config.settings import Settings
from app.core.errors import AppError, AudioError, HotkeyRefused, mark
from app.core.finding import Finding, Severity
from app.macos.hotkey import Chord, FakeHotkeys, Hotkeys, Modifier, NoHotkeys, Post, parse_chord
from app.macos.permissions import FakePermissions, Grant
from app.macos.secure_input import FakeSecureInput
from app.pipeline.hotkeys import DEFAULT_DICTATE
from app.pipeline.surroundings import (
    Surroundings,
    listen,
    look_around,
    trial_of_hotkeys,
    uses_lone_modifier,
)

BUILTIN = Device("a", "MacBook Microphone", 48_000, is_default=True, is_builtin=True)
HEADSET = Device("b", "AirPods", 24_000, is_default=True, is_bluetooth=True)
LONE = Settings(dictate_hotkey="right_cmd")


def around(**changes: object) -> Surroundings:
    return Surroundings(**{"devices": FakeDevices(BUILTIN), **changes})  # type: ignore[arg-type]


def kinds(surroundings: Surroundings) -> dict[str, Finding]:
    found = {finding.kind: finding for finding in look_around(surroundings)}
    for finding in found.values():
        assert str(finding.message)
        assert str(finding.hint)
    return found


def test_where_all_is_well_nothing_is_said() -> None:
    assert kinds(around()) == {}


@pytest.mark.parametrize(
    ("settings", "grants", "kind", "severity"),
    [
        (Settings(), {"microphone": Grant.NOT_ASKED}, "microphone_not_asked", Severity.NOTE),
        (Settings(), {"microphone": Grant.DENIED}, "microphone_denied", Severity.WARNING),
        (Settings(), {"accessibility": Grant.DENIED}, "accessibility_missing", Severity.WARNING),
        (Settings(), {"accessibility": Grant.STALE}, "accessibility_stale", Severity.ERROR),
        (LONE, {"input_monitoring": Grant.DENIED}, "input_monitoring_missing", Severity.WARNING),
        (LONE, {"input_monitoring": Grant.STALE}, "input_monitoring_stale", Severity.ERROR),
    ],
)
def test_each_permission_is_named(
    settings: Settings, grants: dict[str, Grant], kind: str, severity: Severity
) -> None:
    found = kinds(around(settings=settings, permissions=FakePermissions(**grants)))
    assert list(found) == [kind]
    assert found[kind].severity is severity
    if "stale" in kind:
        assert "tccutil reset" in str(found[kind].hint)


def test_input_monitoring_is_only_missed_where_it_is_needed() -> None:
    assert not uses_lone_modifier(Settings())
    assert uses_lone_modifier(LONE)
    denied = FakePermissions(input_monitoring=Grant.DENIED)
    assert kinds(around(permissions=denied)) == {}


def test_who_holds_the_keyboard_is_named() -> None:
    found = kinds(around(secure_input=FakeSecureInput("1Password")))
    assert "1Password" in str(found["secure_input"].message)
    found = kinds(around(secure_input=FakeSecureInput("")))
    assert "Another program" in str(found["secure_input"].message)


def test_a_hotkey_that_cannot_be_had_is_named() -> None:
    taken = HotkeyRefused(mark("Taken."), mark("Choose another."))
    assert list(kinds(around(hotkey_problem=lambda: taken))) == ["hotkey_conflict"]
    assert list(kinds(around(settings=Settings(dictate_hotkey="a")))) == ["hotkey_conflict"]


def test_a_hotkey_is_tried_and_given_back() -> None:
    made: list[FakeHotkeys] = []

    def make(post: Post) -> Hotkeys:
        made.append(FakeHotkeys(post, used={parse_chord("ctrl+alt+x")}))
        return made[-1]

    assert trial_of_hotkeys(make, Settings(), is_app_running=False) is None
    assert made[-1].bound == {}
    wanted = Settings(dictate_hotkey=str(Chord("x", frozenset({Modifier.CONTROL, Modifier.ALT}))))
    problem = trial_of_hotkeys(make, wanted, is_app_running=False)
    assert isinstance(problem, AppError)
    assert trial_of_hotkeys(make, wanted, is_app_running=True) is None
    assert len(made) == 2
    nowhere = trial_of_hotkeys(lambda _post: NoHotkeys(), wanted, is_app_running=False)
    assert nowhere is None
    assert parse_chord(DEFAULT_DICTATE).modifiers


class NoDevices(FakeDevices):
    def inputs(self) -> tuple[Device, ...]:
        raise AudioError(mark("No sound system answers."), mark("Start one."))


def test_missing_microphones_are_named() -> None:
    assert list(kinds(around(devices=FakeDevices()))) == ["no_microphone"]
    assert list(kinds(around(devices=NoDevices()))) == ["no_sound_system"]


@pytest.mark.parametrize(
    ("prefers_builtin", "also_builtin", "is_told"),
    [(True, True, False), (False, True, True), (True, False, True)],
)
def test_a_headset_that_would_drop_to_call_quality_is_named(
    prefers_builtin: bool, also_builtin: bool, is_told: bool
) -> None:
    inputs = [HEADSET]
    if also_builtin:
        inputs.append(Device("a", "MacBook Microphone", 48_000, is_builtin=True))
    found = kinds(
        around(
            devices=FakeDevices(*inputs, output_is_bluetooth=True),
            settings=Settings(builtin_while_bluetooth=prefers_builtin),
        )
    )
    assert ("bluetooth_profile" in found) is is_told


# Listening


class Room:
    """A microphone that hears `level` while somebody waits; `None` is a stream without blocks."""

    def __init__(self, level: int | None) -> None:
        self.level = level
        self.waited = 0
        self.open_streams = 0
        self.ring = Ring(48_000)

    def open(self, device: Device) -> "Room":
        self.open_streams += 1
        return self

    def close(self, deadline_s: float = 2.0) -> bool:
        self.open_streams -= 1
        return True

    def wait(self, _seconds: float) -> None:
        self.waited += 1
        if self.level is not None:
            self.ring.write(np.full((480, 1), self.level, dtype=np.int16))


@pytest.mark.parametrize(
    ("level", "sentence"),
    [(900, ""), (0, "gives only silence"), (None, "gives no sound")],
)
def test_silence_is_told_from_sound(level: int | None, sentence: str) -> None:
    room = Room(level)
    found = listen(around(), room, for_s=0.5, wait=room.wait)  # type: ignore[arg-type]
    assert bool(found) is bool(sentence)
    if found:
        assert found[0].kind == "microphone_silent"
        assert sentence in str(found[0].message)
    assert room.waited == 10
    assert room.open_streams == 0


def test_a_microphone_that_cannot_be_opened_is_told() -> None:
    class Broken:
        open_streams = 0

        def open(self, device: Device) -> Room:
            raise AudioError(mark("It is in use."), mark("Close the other program."))

    found = listen(around(), Broken(), for_s=0.1)  # type: ignore[arg-type]
    assert [finding.kind for finding in found] == ["microphone_unreachable"]
    assert listen(around(devices=FakeDevices()), Broken(), for_s=0.1) == []  # type: ignore[arg-type]
