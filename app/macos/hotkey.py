"""Global hotkeys: pressed and released anywhere, told as events.

A hotkey only says that its keys went down and up. Hold is both, toggle is the first alone; which of
them counts is the listener's choice. Every event is posted from the form's own thread, so `post`
must be thread-safe and quick (a queue, a Qt signal).
"""

import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.core.errors import AppError, HotkeyRefused, mark

SHORTCUT_S = 0.6
"""A second key this soon after a lone modifier means a shortcut, not push-to-talk."""


class Modifier(StrEnum):
    """A key that changes others; `cmd` is Super under X11."""

    CONTROL = "ctrl"
    ALT = "alt"
    SHIFT = "shift"
    COMMAND = "cmd"


_ALIASES = {
    "control": "ctrl",
    "option": "alt",
    "opt": "alt",
    "command": "cmd",
    "super": "cmd",
    "win": "cmd",
    "meta": "cmd",
    "esc": "escape",
    "enter": "return",
}
LONE_MODIFIERS: dict[str, Modifier | None] = {
    **{f"{side}_{modifier}": modifier for side in ("left", "right") for modifier in Modifier},
    "fn": None,
}
CHARACTER_KEYS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789`-=[]\\;',./")
FUNCTION_KEYS = frozenset(f"f{number}" for number in range(1, 21))
NAMED_KEYS = frozenset(
    {
        *("space", "return", "tab", "escape", "backspace", "delete"),
        *("left", "right", "up", "down", "home", "end", "page_up", "page_down"),
    }
)
_SAFE_ALONE = FUNCTION_KEYS | {"escape"}
_SIGNS = {"ctrl": "⌃", "alt": "⌥", "shift": "⇧", "cmd": "⌘"}


@dataclass(frozen=True, slots=True)
class Chord:
    """One key with modifiers, or one modifier key alone (`right_cmd`, `fn`).

    Attributes:
        key: a name from the sets above.
        modifiers: what is held with it; empty for a lone modifier.
    """

    key: str
    modifiers: frozenset[Modifier] = frozenset()

    @property
    def is_lone_modifier(self) -> bool:
        return self.key in LONE_MODIFIERS

    def __str__(self) -> str:
        return "+".join([*(m.value for m in Modifier if m in self.modifiers), self.key])

    def shown(self, is_mac: bool = sys.platform == "darwin") -> str:
        """Return the chord as its system writes it (`⌃⌥Space`, `Ctrl+Alt+Space`)."""
        key = self.key.replace("_", " ").title()
        held = [m.value for m in Modifier if m in self.modifiers]
        if is_mac:
            return "".join(_SIGNS[m] for m in held) + key
        return "+".join([*(m.title() for m in held), key])


def parse_chord(text: str) -> Chord:
    """Return the chord written as `ctrl+alt+space`, `f5` or `right_cmd`.

    Raises:
        HotkeyRefused: it names no key, or a key that is needed for typing.
    """
    parts = [part.strip().lower().replace(" ", "_") for part in text.split("+")]
    parts = [_ALIASES.get(part, part) for part in parts]
    *held, key = parts
    known = CHARACTER_KEYS | FUNCTION_KEYS | NAMED_KEYS | set(LONE_MODIFIERS)
    if key not in known or any(part not in set(Modifier) for part in held):
        raise HotkeyRefused(
            mark("“{text}” is not a hotkey."),
            mark("Press the keys you want in the hotkey field."),
            text=text,
        )
    chord = Chord(key, frozenset(Modifier(part) for part in held))
    is_bare = not chord.modifiers - {Modifier.SHIFT}
    if chord.is_lone_modifier and chord.modifiers:
        raise HotkeyRefused(
            mark("“{text}” is made of modifier keys only."),
            mark("Use a single modifier key, or add another key to it."),
            text=text,
        )
    if is_bare and not chord.is_lone_modifier and key not in _SAFE_ALONE:
        raise HotkeyRefused(
            mark("“{text}” is needed for typing."),
            mark("Add Control, Option or Command to it."),
            text=text,
        )
    return chord


class HotkeyMoment(StrEnum):
    """What happened to a hotkey.

    `INTERRUPTED` replaces `RELEASED`: a lone modifier turned out to be part of a shortcut.
    """

    PRESSED = "pressed"
    RELEASED = "released"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class HotkeyEvent:
    """One hotkey went down or up; `at_s` is on the `time.monotonic` clock."""

    name: str
    moment: HotkeyMoment
    at_s: float


Post = Callable[[HotkeyEvent], None]


class Hotkeys(Protocol):
    """Global hotkeys by name; `bind` and `unbind` belong to the main thread.

    Escape is bound when recording begins and unbound when it ends, so that it is never taken from
    another program for longer.
    """

    def bind(self, name: str, chord: Chord) -> None:
        """Listen for `chord` as `name`, in place of what `name` was before.

        Raises:
            HotkeyRefused: another program or the system has it, or it cannot be had here.
            PermissionMissing: the system lets Undertone see no keys.
        """

    def unbind(self, name: str) -> None:
        """Stop listening for `name`; unknown names are fine."""

    def problem(self) -> AppError | None:
        """Return why hotkeys may not arrive at this moment, if there is a reason."""

    def close(self) -> None:
        """Let go of every key and end the listening threads."""


def taken(chord: Chord, by: str = "") -> HotkeyRefused:
    """Return the error for a chord that `by` (or some program) already has."""
    if by:
        return HotkeyRefused(
            mark("The hotkey {chord} is already used by {by}."),
            mark("Choose another hotkey, or free this one there."),
            chord=chord.shown(),
            by=by,
        )
    return HotkeyRefused(
        mark("The hotkey {chord} is already used by another program."),
        mark("Choose another hotkey, or quit the program that uses it."),
        chord=chord.shown(),
    )


def impossible(chord: Chord) -> HotkeyRefused:
    """Return the error for a chord that this system or keyboard does not have."""
    return HotkeyRefused(
        mark("The hotkey {chord} cannot be used on this computer."),
        mark("Choose another hotkey."),
        chord=chord.shown(),
    )


class ModifierWatch:
    """Turns single key changes into events of lone-modifier hotkeys; owned by one thread."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._names: dict[str, str] = {}
        self._down: set[str] = set()
        self._active: dict[str, float] = {}

    def bind(self, name: str, key: str) -> None:
        self.unbind(name)
        self._names[name] = key

    def unbind(self, name: str) -> None:
        self._names.pop(name, None)
        self._active.pop(name, None)

    @property
    def is_idle(self) -> bool:
        return not self._names

    def modifier_changed(self, key: str, is_down: bool, at_s: float) -> None:
        """Take in that the modifier `key` went down or up."""
        if is_down == (key in self._down):
            return
        if is_down:
            others_down = bool(self._down)
            self._interrupt(at_s)
            self._down.add(key)
            if not others_down:
                for name in [n for n, k in self._names.items() if k == key]:
                    self._active[name] = at_s
                    self._post(HotkeyEvent(name, HotkeyMoment.PRESSED, at_s))
            return
        self._down.discard(key)
        for name in [n for n in self._active if self._names[n] == key]:
            del self._active[name]
            self._post(HotkeyEvent(name, HotkeyMoment.RELEASED, at_s))

    def other_key_pressed(self, at_s: float) -> None:
        """Take in that a key that is no modifier went down."""
        self._interrupt(at_s)

    def reconcile(self, held: Collection[str], at_s: float) -> None:
        """Release what is no longer held: its release was missed."""
        for key in [key for key in self._down if key not in held]:
            self.modifier_changed(key, is_down=False, at_s=at_s)

    def _interrupt(self, at_s: float) -> None:
        for name in [n for n, since in self._active.items() if at_s - since <= SHORTCUT_S]:
            del self._active[name]
            self._post(HotkeyEvent(name, HotkeyMoment.INTERRUPTED, at_s))


class NoHotkeys:
    """Hotkeys where there is no way to have them: each is refused with a sentence."""

    def bind(self, name: str, chord: Chord) -> None:  # noqa: ARG002
        raise HotkeyRefused(
            mark("Global hotkeys need a desktop session."),
            mark("Record from the main window instead."),
        )

    def unbind(self, name: str) -> None: ...

    def problem(self) -> AppError | None:
        return None

    def close(self) -> None: ...


class FakeHotkeys:
    """Hotkeys for tests: `press` and `release` play the person; others have those in `used`."""

    def __init__(self, post: Post, used: Collection[Chord] = ()) -> None:
        self._post = post
        self.used = set(used)
        self._watch = ModifierWatch(post)
        self._held: set[str] = set()
        self.bound: dict[str, Chord] = {}
        self.trouble: AppError | None = None

    def bind(self, name: str, chord: Chord) -> None:
        if chord in self.used or chord in [c for n, c in self.bound.items() if n != name]:
            raise taken(chord)
        self.unbind(name)
        self.bound[name] = chord
        if chord.is_lone_modifier:
            self._watch.bind(name, chord.key)

    def unbind(self, name: str) -> None:
        self.bound.pop(name, None)
        self._held.discard(name)
        self._watch.unbind(name)

    def problem(self) -> AppError | None:
        return self.trouble

    def close(self) -> None:
        for name in list(self.bound):
            self.unbind(name)

    def press(self, chord: Chord, at_s: float | None = None) -> None:
        """Play the keys of `chord` going down."""
        at_s = time.monotonic() if at_s is None else at_s
        if chord.is_lone_modifier:
            self._watch.modifier_changed(chord.key, is_down=True, at_s=at_s)
            return
        self._watch.other_key_pressed(at_s)
        for name in [n for n, c in self.bound.items() if c == chord and n not in self._held]:
            self._held.add(name)
            self._post(HotkeyEvent(name, HotkeyMoment.PRESSED, at_s))

    def release(self, chord: Chord, at_s: float | None = None) -> None:
        """Play the keys of `chord` going up."""
        at_s = time.monotonic() if at_s is None else at_s
        if chord.is_lone_modifier:
            self._watch.modifier_changed(chord.key, is_down=False, at_s=at_s)
            return
        for name in [n for n in self._held if self.bound[n] == chord]:
            self._held.discard(name)
            self._post(HotkeyEvent(name, HotkeyMoment.RELEASED, at_s))


def for_this_system(post: Post) -> Hotkeys:
    """Return the hotkeys of the system this process runs on. Thread: main."""
    if sys.platform == "darwin":
        from app.macos.hotkey_mac import MacHotkeys

        return MacHotkeys(post)
    from app.macos.x11 import has_display

    if not has_display():
        return NoHotkeys()
    from app.macos.hotkey_x11 import X11Hotkeys

    return X11Hotkeys(post)
