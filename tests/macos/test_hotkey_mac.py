"""The Mac's hotkeys against stand-ins of Carbon and Quartz."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.errors import HotkeyRefused, PermissionMissing
from app.macos.carbon import ANSI_CODES, SIGNATURES, Carbon, HotKeyID
from app.macos.event_tap import EventTap, Sight, TapEvent, read_modifier
from app.macos.hotkey import HotkeyEvent, HotkeyMoment, parse_chord
from app.macos.hotkey_mac import MacHotkeys
from app.macos.secure_input import FakeSecureInput, MacSecureInput
from tests.helpers.macsdk import MacStandIn

TALK = parse_chord("ctrl+alt+space")
LONE = parse_chord("right_cmd")
RIGHT_CMD_DOWN, NOTHING_DOWN = 0x100010, 0x100


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> MacStandIn:
    mac = MacStandIn()
    mac.install(monkeypatch)
    mac.answers |= {
        "RegisterEventHotKey": 0,
        "CopySymbolicHotKeys": 0,
        "CGEventTapIsEnabled": True,
        "CGEventSourceKeyState": False,
        "CFMachPortCreateRunLoopSource": object(),
        "CFRunLoopGetCurrent": object(),
    }
    return mac


class TapRig:
    """A run loop that turns until it is stopped, and a way to send it events."""

    def __init__(self, mac: MacStandIn) -> None:
        self._mac = mac
        self._turn = threading.Event()
        self.tap = object()
        mac.answers["CGEventTapCreate"] = lambda *_: self.tap
        mac.answers["CFRunLoopRunInMode"] = lambda *_: self._turn.wait(0.005)
        mac.answers["CFRunLoopStop"] = lambda *_: self._turn.set()

    def send(self, kind: int, keycode: int = 0, flags: int = 0) -> None:
        self._mac.answers["CGEventGetIntegerValueField"] = keycode
        self._mac.answers["CGEventGetFlags"] = flags
        event = object()
        callback = self._mac.args("CGEventTapCreate")[-1][4]
        assert callback(None, kind, event, None) is event


@pytest.fixture
def heard() -> "queue.Queue[HotkeyEvent]":
    return queue.Queue()


@pytest.fixture
def hotkeys(mac: MacStandIn, heard: "queue.Queue[HotkeyEvent]") -> Iterator[MacHotkeys]:
    hotkeys = MacHotkeys(heard.put, Carbon(mac.library(SIGNATURES)), FakeSecureInput())
    yield hotkeys
    hotkeys.close()


def carbon_event(mac: MacStandIn, number: int, is_down: bool) -> None:
    """Play Carbon calling the installed handler."""

    def fill(*args: Any) -> int:
        hotkey = HotKeyID.from_address(args[6])
        hotkey.signature, hotkey.id = int.from_bytes(b"Undt", "big"), number
        return 0

    mac.answers["GetEventParameter"] = fill
    mac.answers["GetEventKind"] = 5 if is_down else 6
    assert mac.args("InstallEventHandler")[0][1](None, None, None) == 0


def test_a_chord_is_registered_and_told(
    mac: MacStandIn, hotkeys: MacHotkeys, heard: "queue.Queue[HotkeyEvent]"
) -> None:
    hotkeys.bind("talk", TALK)
    code, modifiers, identity, *_ = mac.args("RegisterEventHotKey")[0]
    assert (code, modifiers) == (49, 0x1000 | 0x0800)
    carbon_event(mac, identity.id, is_down=True)
    carbon_event(mac, identity.id, is_down=False)
    carbon_event(mac, 99, is_down=True)  # another program's number
    events = [heard.get_nowait(), heard.get_nowait()]
    assert [(e.name, e.moment) for e in events] == [
        ("talk", HotkeyMoment.PRESSED),
        ("talk", HotkeyMoment.RELEASED),
    ]
    assert heard.empty()
    hotkeys.unbind("talk")
    assert len(mac.args("UnregisterEventHotKey")) == 1


def test_a_taken_chord_is_named_and_the_old_one_stays(mac: MacStandIn, hotkeys: MacHotkeys) -> None:
    hotkeys.bind("talk", TALK)
    mac.answers["RegisterEventHotKey"] = -9878
    with pytest.raises(HotkeyRefused, match="already used"):
        hotkeys.bind("talk", parse_chord("cmd+shift+d"))
    assert mac.args("UnregisterEventHotKey") == []
    mac.answers["RegisterEventHotKey"] = -9868
    with pytest.raises(HotkeyRefused, match="cannot be used"):
        hotkeys.bind("other", parse_chord("alt+shift+d"))


def test_what_macos_itself_uses_is_refused_by_name(mac: MacStandIn, hotkeys: MacHotkeys) -> None:
    def copy(array: Any) -> int:
        array[0] = 1234
        return 0

    entry = {
        "kHISymbolicHotKeyEnabled": True,
        "kHISymbolicHotKeyCode": 49,
        "kHISymbolicHotKeyModifiers": 0x100,
    }
    mac.answers["CopySymbolicHotKeys"] = copy
    mac.answers["objc.objc_object"] = [entry]
    with pytest.raises(HotkeyRefused, match="Spotlight"):
        hotkeys.bind("talk", parse_chord("cmd+space"))
    mac.answers["objc.objc_object"] = [entry | {"kHISymbolicHotKeyEnabled": False}]
    hotkeys.bind("talk", parse_chord("cmd+space"))
    assert mac.args("CFRelease") == [(1234,), (1234,)]


def test_a_lone_modifier_is_heard_through_the_tap(
    mac: MacStandIn, hotkeys: MacHotkeys, heard: "queue.Queue[HotkeyEvent]"
) -> None:
    rig = TapRig(mac)
    hotkeys.bind("talk", LONE)
    tap, place, options, mask, _, _ = mac.args("CGEventTapCreate")[0]
    assert (tap, place, options) == (1, 1, 1)
    assert mask == 1 << 12 | 1 << 10
    rig.send(12, 54, RIGHT_CMD_DOWN)
    assert heard.get(timeout=5).moment is HotkeyMoment.PRESSED
    rig.send(12, 54, NOTHING_DOWN)
    assert heard.get(timeout=5).moment is HotkeyMoment.RELEASED
    rig.send(12, 54, RIGHT_CMD_DOWN)
    rig.send(10, 8)
    assert heard.get(timeout=5).moment is HotkeyMoment.PRESSED
    assert heard.get(timeout=5).moment is HotkeyMoment.INTERRUPTED
    assert hotkeys.problem() is None


@pytest.mark.parametrize("kind", [4294967294, 4294967295], ids=["timeout", "user input"])
def test_a_tap_that_was_switched_off_is_on_again_and_a_missed_release_made_up(
    mac: MacStandIn, hotkeys: MacHotkeys, heard: "queue.Queue[HotkeyEvent]", kind: int
) -> None:
    rig = TapRig(mac)
    hotkeys.bind("talk", LONE)
    rig.send(12, 54, RIGHT_CMD_DOWN)
    assert heard.get(timeout=5).moment is HotkeyMoment.PRESSED
    before = len(mac.args("CGEventTapEnable"))
    rig.send(kind)
    assert heard.get(timeout=5).moment is HotkeyMoment.RELEASED
    assert mac.args("CGEventTapEnable")[before] == (rig.tap, True)


def test_a_tap_found_off_is_switched_on(mac: MacStandIn) -> None:
    seen: queue.Queue[TapEvent] = queue.Queue()
    TapRig(mac)
    tap = EventTap(seen.put)
    tap.start()
    tap.start()  # a second start is fine
    mac.answers["CGEventTapIsEnabled"] = False
    mac.answers["CGEventSourceKeyState"] = lambda _state, code: code == 54
    event = seen.get(timeout=5)
    assert event.sight is Sight.HELD
    assert event.keys == frozenset({"right_cmd"})
    assert not tap.is_on
    tap.stop()
    tap.stop()
    assert mac.args("CFMachPortInvalidate")


def test_a_refused_tap_names_the_permission(mac: MacStandIn, hotkeys: MacHotkeys) -> None:
    TapRig(mac)
    mac.answers["CGEventTapCreate"] = None
    with pytest.raises(PermissionMissing) as refusal:
        hotkeys.bind("talk", LONE)
    assert "Input Monitoring" in str(refusal.value.hint)
    assert hotkeys.problem() is None  # nothing is bound


def test_a_grant_taken_back_later_is_a_problem(mac: MacStandIn, hotkeys: MacHotkeys) -> None:
    TapRig(mac)
    hotkeys.bind("talk", LONE)
    mac.answers["CGEventTapIsEnabled"] = False
    assert isinstance(hotkeys.problem(), PermissionMissing)


@pytest.mark.parametrize(("holder", "words"), [("Terminal", "“Terminal”"), ("", "Another program")])
def test_secure_input_is_a_problem_that_names_its_holder(
    mac: MacStandIn, holder: str, words: str
) -> None:
    TapRig(mac)
    hotkeys = MacHotkeys(
        lambda event: None, Carbon(mac.library(SIGNATURES)), FakeSecureInput(holder)
    )
    hotkeys.bind("talk", LONE)
    problem = hotkeys.problem()
    hotkeys.close()
    assert isinstance(problem, HotkeyRefused)
    assert words in str(problem)


def test_the_holder_of_secure_input_is_looked_up(mac: MacStandIn) -> None:
    secure = MacSecureInput(Carbon(mac.library(SIGNATURES)))
    mac.answers["IsSecureEventInputEnabled"] = 0
    assert not secure.is_on()
    mac.answers["IsSecureEventInputEnabled"] = 1
    assert secure.is_on()
    assert secure.holder() == ""  # no session
    mac.answers["CGSessionCopyCurrentDictionary"] = {"kCGSSessionSecureInputPID": 77}
    assert secure.holder() == ""  # a program that is gone
    lookup = "NSRunningApplication.runningApplicationWithProcessIdentifier_"
    mac.answers[lookup] = mac.instance("NSRunningApplication")
    mac.answers["NSRunningApplication.localizedName"] = "1Password"
    assert secure.holder() == "1Password"
    assert mac.args(lookup)[-1] == (77,)


def test_key_codes_follow_the_layout(mac: MacStandIn) -> None:
    """On a layout where V sits elsewhere under Command, the code is that place's."""
    places = {(47, 1): "v", (9, 0): "k"}

    def translate(*args: Any) -> int:
        _, code, _, state, _, _, _, most, length, text = args
        assert most == 4
        character = places.get((code, state), "")
        length[0] = len(character)
        if character:
            text.contents[0] = ord(character)
        return 0

    mac.answers |= {
        "TISCopyCurrentKeyboardLayoutInputSource": 10,
        "TISCopyCurrentASCIICapableKeyboardLayoutInputSource": 11,
        "TISGetInputSourceProperty": 20,
        "CFDataGetBytePtr": 30,
        "LMGetKbdType": 40,
        "UCKeyTranslate": translate,
    }
    carbon = Carbon(mac.library(SIGNATURES))
    assert carbon.key_code("v", with_command=True) == 47
    assert carbon.key_code("k") == 9
    assert carbon.key_code("q") == ANSI_CODES["q"]  # nowhere on it
    assert carbon.key_code("escape") == 53
    mac.answers["TISGetInputSourceProperty"] = None  # an input method without a layout
    assert carbon.key_code("v") == 9


def test_sides_of_modifiers_are_told_apart() -> None:
    assert read_modifier(54, RIGHT_CMD_DOWN) == ("right_cmd", True)
    assert read_modifier(55, RIGHT_CMD_DOWN) == ("left_cmd", False)
    assert read_modifier(63, 0x800000) == ("fn", True)
    assert read_modifier(57, 0x10000) is None  # Caps Lock
