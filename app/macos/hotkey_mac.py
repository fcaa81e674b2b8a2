"""Global hotkeys on the Mac: Carbon for chords, an event tap for a modifier pressed alone.

Chords need no permission and arrive on the main thread. The tap is only started for a lone
modifier; what it sees goes through a queue to one thread, which owns the watch.
"""

import queue
import threading
import time

from app.core.errors import AppError, HotkeyRefused, mark
from app.macos.carbon import EVENT_HOTKEY_EXISTS, Carbon
from app.macos.event_tap import EventTap, Sight, TapEvent, input_monitoring_missing
from app.macos.hotkey import (
    Chord,
    HotkeyEvent,
    HotkeyMoment,
    ModifierWatch,
    Post,
    impossible,
    taken,
)
from app.macos.secure_input import MacSecureInput, SecureInput


class _Bind:
    def __init__(self, name: str, key: str | None) -> None:
        self.name, self.key = name, key


class MacHotkeys:
    """Hotkeys by `RegisterEventHotKey` and a listen-only `CGEventTap`. Thread: main."""

    def __init__(
        self, post: Post, carbon: Carbon | None = None, secure_input: SecureInput | None = None
    ) -> None:
        self._post = post
        self._carbon = carbon or Carbon()
        self._secure_input = secure_input or MacSecureInput(self._carbon)
        self._numbers: dict[int, str] = {}
        self._chords: dict[str, tuple[Chord, int, object]] = {}
        self._lone: dict[str, Chord] = {}
        self._next_number = 1
        self._seen: queue.SimpleQueue[TapEvent | _Bind | None] = queue.SimpleQueue()
        self._tap = EventTap(self._seen.put)
        self._thread: threading.Thread | None = None
        self._carbon.listen(self._on_hotkey)

    def bind(self, name: str, chord: Chord) -> None:
        if chord.is_lone_modifier:
            self._bind_lone(name, chord)
            return
        before = self._chords.get(name)
        if before is not None and before[0] == chord:
            return
        if any(c == chord for n, (c, _, _) in self._chords.items() if n != name):
            raise taken(chord)
        use = self._carbon.system_use(chord)
        if use:
            raise taken(chord, by=use)
        number = self._next_number
        status, handle = self._carbon.register(chord, number)
        if status == EVENT_HOTKEY_EXISTS:
            raise taken(chord)
        if status != 0:  # macOS 15.0 and 15.1 refuse chords with Option (and Shift) only
            raise impossible(chord)
        self._next_number += 1
        self.unbind(name)
        self._chords[name] = (chord, number, handle)
        self._numbers[number] = name

    def unbind(self, name: str) -> None:
        if name in self._chords:
            _, number, handle = self._chords.pop(name)
            del self._numbers[number]
            self._carbon.unregister(handle)
        if self._lone.pop(name, None) is not None:
            self._seen.put(_Bind(name, None))
            if not self._lone:
                self._end_tap()

    def problem(self) -> AppError | None:
        if self._lone and not self._tap.is_on:
            return input_monitoring_missing()
        if self._lone and self._secure_input.is_on():
            holder = self._secure_input.holder()
            if holder:
                return HotkeyRefused(
                    mark("“{program}” keeps the keyboard to itself, so hotkeys may not arrive."),
                    mark("Leave its password field, or turn off its secure keyboard entry."),
                    program=holder,
                )
            return HotkeyRefused(
                mark("Another program keeps the keyboard to itself, so hotkeys may not arrive."),
                mark("Leave the password field, or turn off secure keyboard entry."),
            )
        return None

    def close(self) -> None:
        for name in [*self._chords, *self._lone]:
            self.unbind(name)
        self._carbon.stop_listening()

    def _bind_lone(self, name: str, chord: Chord) -> None:
        if any(c == chord for n, c in self._lone.items() if n != name):
            raise taken(chord)
        self._tap.start()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="hotkeys")
            self._thread.start()
        if name in self._chords:
            self.unbind(name)
        self._lone[name] = chord
        self._seen.put(_Bind(name, chord.key))

    def _end_tap(self) -> None:
        self._tap.stop()
        self._seen.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _on_hotkey(self, number: int, is_down: bool) -> None:
        name = self._numbers.get(number)
        if name is not None:
            moment = HotkeyMoment.PRESSED if is_down else HotkeyMoment.RELEASED
            self._post(HotkeyEvent(name, moment, time.monotonic()))

    def _watch(self) -> None:
        watch = ModifierWatch(self._post)
        while (seen := self._seen.get()) is not None:
            if isinstance(seen, _Bind):
                if seen.key is None:
                    watch.unbind(seen.name)
                else:
                    watch.bind(seen.name, seen.key)
            elif seen.sight is Sight.OTHER_KEY:
                watch.other_key_pressed(seen.at_s)
            elif seen.sight is Sight.HELD:
                watch.reconcile(seen.keys, seen.at_s)
            else:
                for key in seen.keys:
                    watch.modifier_changed(key, seen.sight is Sight.MODIFIER_DOWN, seen.at_s)
