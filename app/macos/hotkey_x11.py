"""Global hotkeys under X11: grabbed chords, and lone modifiers from raw key events.

One thread owns the connection and the watch; the server repeats a held key as release and press,
and only a release after which the key really is up counts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core.errors import AppError
from app.macos.hotkey import (
    LONE_MODIFIERS,
    Chord,
    HotkeyEvent,
    HotkeyMoment,
    Modifier,
    ModifierWatch,
    Post,
    impossible,
    taken,
)
from app.macos.x11 import X11Worker, keycode_of

# In an XIRawEvent after its type: device id (2 bytes), time (4), key code (4).
_RAW_TIME_OFFSET = 2
_RAW_DETAIL_OFFSET = 6
_CLOCK_JUMP_S = 60.0
_REPEAT_MS = 5  # the server puts the release and the press of a repeat at one moment
_SETTLE_S = 0.01
_ALL_MASTER_DEVICES = 1


@dataclass(slots=True)
class _Grab:
    chord: Chord
    keycode: int
    masks: tuple[int, ...]
    is_down: bool = False
    released_ms: int | None = None  # a release that may turn out to be a repeat


class ServerClock:
    """Puts the server's times on our clock, so that a late thread does not shift a key press.

    The quickest event seen so far tells how far the clocks are apart.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._apart_s: float | None = None

    def at(self, server_ms: int) -> float:
        """Return when the server's `server_ms` was, never later than now."""
        apart = self._now() - server_ms / 1000
        known = self._apart_s
        if known is None or apart < known or apart - known > _CLOCK_JUMP_S:
            self._apart_s = known = apart
        return server_ms / 1000 + known


class X11Hotkeys:
    """Hotkeys by `XGrabKey` and XInput2 raw events."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._watch = ModifierWatch(post)
        self._grabs: dict[str, _Grab] = {}
        self._lone: dict[int, str] = {}
        self._clock = ServerClock()
        self._worker = X11Worker("hotkeys-x11", self._on_event)

    def bind(self, name: str, chord: Chord) -> None:
        self._worker.call(lambda: self._bind(name, chord))

    def unbind(self, name: str) -> None:
        self._worker.call(lambda: self._unbind(name))

    def problem(self) -> AppError | None:
        return None

    def close(self) -> None:
        self._worker.close()

    def _bind(self, name: str, chord: Chord) -> None:
        display = self._worker.display
        keycode = keycode_of(display, chord.key) if chord.key != "fn" else 0
        if not keycode:
            raise impossible(chord)
        if chord.is_lone_modifier:
            self._unbind(name)
            self._listen_to_raw_keys()
            self._watch.bind(name, chord.key)
            return
        if any(g.chord == chord for n, g in self._grabs.items() if n != name):
            raise taken(chord)
        held_before = self._grabs.get(name)
        if held_before is not None and held_before.chord == chord:
            return
        grab = _Grab(chord, keycode, self._masks(chord))
        self._grab(grab)
        self._unbind(name)
        self._grabs[name] = grab

    def _unbind(self, name: str) -> None:
        self._watch.unbind(name)
        grab = self._grabs.pop(name, None)
        if grab is not None:
            self._ungrab(grab)

    def _grab(self, grab: _Grab) -> None:
        from Xlib import X, error

        display = self._worker.display
        root = display.screen().root
        failed = error.CatchError(error.BadAccess)
        for mask in grab.masks:
            root.grab_key(
                grab.keycode, mask, False, X.GrabModeAsync, X.GrabModeAsync, onerror=failed
            )
        display.sync()
        if failed.get_error() is not None:
            self._ungrab(grab)
            raise taken(grab.chord)

    def _ungrab(self, grab: _Grab) -> None:
        root = self._worker.display.screen().root
        for mask in grab.masks:
            root.ungrab_key(grab.keycode, mask)
        self._worker.display.sync()

    def _masks(self, chord: Chord) -> tuple[int, ...]:
        """Return the chord's mask with every state of Caps Lock and Num Lock."""
        from Xlib import XK, X

        display = self._worker.display
        plain = {
            Modifier.CONTROL: X.ControlMask,
            Modifier.SHIFT: X.ShiftMask,
            Modifier.ALT: X.Mod1Mask,
            Modifier.COMMAND: X.Mod4Mask,
        }
        wanted = 0
        for modifier in chord.modifiers:
            wanted |= plain[modifier]
        num_lock_code = display.keysym_to_keycode(XK.string_to_keysym("Num_Lock"))
        num_lock = 0
        for index, codes in enumerate(display.get_modifier_mapping()):
            if num_lock_code and num_lock_code in codes:
                num_lock = 1 << index
        locks = {0, X.LockMask, num_lock, X.LockMask | num_lock}
        return tuple(sorted(wanted | lock for lock in locks))

    def _listen_to_raw_keys(self) -> None:
        from Xlib.ext import xinput

        if self._lone:
            return
        display = self._worker.display
        self._lone = {
            code: key
            for key in LONE_MODIFIERS
            if key != "fn" and (code := keycode_of(display, key))
        }
        xinput.XIQueryVersion(  # from 2.1 on, raw events come during grabs too
            display=display.display,
            opcode=display.display.get_extension_major(xinput.extname),
            major_version=2,
            minor_version=2,
        )
        mask = xinput.RawKeyPressMask | xinput.RawKeyReleaseMask
        display.screen().root.xinput_select_events([(_ALL_MASTER_DEVICES, mask)])
        display.sync()

    def _on_event(self, event: Any) -> None:
        from Xlib import X
        from Xlib.ext import ge, xinput

        if event.type == X.KeyPress:
            self._key_pressed(event)
        elif event.type == X.KeyRelease:
            self._key_released(event)
        elif event.type == X.MappingNotify:
            self._worker.display.refresh_keyboard_mapping(event)
        elif event.type == ge.GenericEventCode and event.evtype in (
            xinput.RawKeyPress,
            xinput.RawKeyRelease,
        ):
            self._raw_key(event, event.evtype == xinput.RawKeyPress)

    def _key_pressed(self, event: Any) -> None:
        self._settle_others(event.detail)
        for name, grab in self._grabs.items():
            if grab.keycode == event.detail and event.state & 0xFF in grab.masks:
                if not grab.is_down:
                    grab.is_down, grab.released_ms = True, None
                    self._post(HotkeyEvent(name, HotkeyMoment.PRESSED, self._clock.at(event.time)))
                elif grab.released_ms is not None:
                    if event.time - grab.released_ms <= _REPEAT_MS:
                        grab.released_ms = None
                    else:  # let go and pressed again before we looked
                        self._settle(name, grab)
                        self._key_pressed(event)
                return

    def _key_released(self, event: Any) -> None:
        """Take in a release. A press in the same moment behind it makes it a repeat.

        Whether the key is up now does not tell: a late thread reads the repeats of a key that was
        let go meanwhile.
        """
        self._settle_others(event.detail)
        if event.detail in self._held():
            return
        for name, grab in self._grabs.items():
            if grab.keycode == event.detail and grab.is_down:
                grab.released_ms = event.time
                self._worker.after(_SETTLE_S, partial(self._settle, name, grab))

    def _settle_others(self, keycode: int) -> None:
        """Tell the releases that another key's event proves to be real, before that event."""
        for name, grab in self._grabs.items():
            if grab.keycode != keycode:
                self._settle(name, grab)

    def _settle(self, name: str, grab: _Grab) -> None:
        """Tell a release behind which no press came."""
        if grab.released_ms is None:
            return
        at_s = self._clock.at(grab.released_ms)
        grab.is_down, grab.released_ms = False, None
        self._post(HotkeyEvent(name, HotkeyMoment.RELEASED, at_s))

    def _held(self) -> frozenset[int]:
        keys = self._worker.display.query_keymap()
        return frozenset(code for code in range(256) if keys[code // 8] & (1 << code % 8))

    def _raw_key(self, event: Any, is_down: bool) -> None:
        data = bytes(event.data)
        keycode = int.from_bytes(data[_RAW_DETAIL_OFFSET : _RAW_DETAIL_OFFSET + 4], "little")
        server_ms = int.from_bytes(data[_RAW_TIME_OFFSET : _RAW_TIME_OFFSET + 4], "little")
        self._settle_others(keycode)
        if self._watch.is_idle:
            return
        at_s = self._clock.at(server_ms)
        if keycode in self._lone:
            if is_down:
                self._release_missed(at_s)
            self._watch.modifier_changed(self._lone[keycode], is_down, at_s)
        elif is_down:
            self._watch.other_key_pressed(at_s)

    def _release_missed(self, at_s: float) -> None:
        held = self._held()
        self._watch.reconcile([k for code, k in self._lone.items() if code in held], at_s)
