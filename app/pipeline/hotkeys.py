"""The global hotkeys of dictation: bound as the person wants them, Escape only while recording.

A hotkey that cannot be had is told once, in a sentence, and the others work. Systems compare
modifiers exactly, so Escape is bound with those of the hotkeys, too: it must cancel while they are
held.
"""

import sys
from collections.abc import Callable

from app.config.settings import Settings
from app.core.errors import AppError, HotkeyRefused, mark
from app.macos.hotkey import (
    LONE_MODIFIERS,
    Chord,
    HotkeyEvent,
    Hotkeys,
    Modifier,
    NoHotkeys,
    Post,
    parse_chord,
)

DICTATE, QUICK, CANCEL = "dictate", "quick", "cancel"
_CANCEL_WHILE = {name: f"cancel while {name}" for name in (DICTATE, QUICK)}
CANCELS = frozenset({CANCEL, *_CANCEL_WHILE.values()})
# Needs no permission anywhere, and no system or common program uses it.
DEFAULT_DICTATE = "ctrl+alt+d" if sys.platform == "darwin" else "ctrl+alt+space"
_ESCAPE = Chord("escape")
_ALT_COMMAND = frozenset({Modifier.ALT, Modifier.COMMAND})
_FORCE_QUIT = frozenset({_ALT_COMMAND, _ALT_COMMAND | {Modifier.SHIFT}})  # macOS, with Escape


class HotkeyBindings:
    """What is bound now. Owner: the main thread.

    Args:
        make: makes the system's hotkeys, given where to post their events.
        post: gets the events, on the hotkeys' own thread.
        on_problem: is told why a hotkey cannot be had.
    """

    def __init__(
        self,
        make: Callable[[Post], Hotkeys],
        post: Callable[[HotkeyEvent], None],
        on_problem: Callable[[AppError], None],
    ) -> None:
        self._hotkeys = make(post)
        self._on_problem = on_problem
        self._bound: dict[str, str] = {}
        self._refusals: dict[str, AppError] = {}

    def apply(self, settings: Settings) -> None:
        """Bind what `settings` says, unless it is bound so already."""
        if isinstance(self._hotkeys, NoHotkeys):
            return  # without a desktop nobody misses them
        self._want(DICTATE, settings.dictate_hotkey or DEFAULT_DICTATE)
        self._want(QUICK, settings.quick_hotkey)

    def hold_escape(self, *, is_wanted: bool) -> None:
        """Take Escape for cancelling, or give it back to everybody else."""
        if is_wanted == (CANCEL in self._bound):
            return
        if is_wanted:
            for name, escape in self._escapes().items():
                self._bound[name] = str(escape)
                self._bind(name, escape, is_told=False)  # another way to cancel is always there
        else:
            for name in CANCELS & self._bound.keys():
                del self._bound[name]
                self._refusals.pop(name, None)
                self._hotkeys.unbind(name)

    def problem(self, name: str = "") -> AppError | None:
        """Return why `name`, or any hotkey, may not arrive at this moment, if there is a reason."""
        return self._refusals.get(name) or self._hotkeys.problem()

    def shown(self, name: str) -> str:
        """Return the hotkey of that name as its system writes it; "" for none."""
        try:
            chord = self._bound.get(name, "")
            return parse_chord(chord).shown() if chord else ""
        except AppError:
            return ""

    def trial(self, name: str, chord: Chord | None) -> AppError | None:
        """Bind another chord; when it cannot be had, return why and keep the one before."""
        before = self._bound.get(name, "")
        if chord is None:
            self._want(name, "")
            return None
        others = [held for key, held in self._bound.items() if key not in CANCELS | {name}]
        if str(chord) in others:
            return _same_as_another(chord)
        self._hotkeys.unbind(name)
        try:
            self._hotkeys.bind(name, chord)
        except AppError as error:
            self._bound.pop(name, None)
            if before:
                self._want(name, before)
            return error
        self._bound[name] = str(chord)
        self._refusals.pop(name, None)
        return None

    def rest(self, is_resting: bool) -> None:
        """Let go of every key while a person presses a new one; take them back after."""
        names = [name for name in self._bound if name not in CANCELS]
        for name in names:
            if is_resting:
                self._hotkeys.unbind(name)
            else:
                chord = self._bound.pop(name)
                self._want(name, chord, is_told=False)

    def close(self) -> None:
        """Let go of every key."""
        self._hotkeys.close()

    def _want(self, name: str, chord: str, *, is_told: bool = True) -> None:
        is_same = self._bound.get(name, "") == chord
        if is_same and name not in self._refusals:
            return
        is_told = is_told and not is_same  # what was refused before is only tried once more
        self._hotkeys.unbind(name)
        self._refusals.pop(name, None)
        self._bound[name] = chord
        if not chord:
            return
        try:
            wanted = parse_chord(chord)
        except AppError as error:
            self._refusals[name] = error
            if is_told:
                self._on_problem(error)
        else:
            self._bind(name, wanted, is_told=is_told)

    def _escapes(self) -> dict[str, Chord]:
        """Return Escape alone, and as it arrives while a hotkey is held; each once."""
        escapes = {CANCEL: _ESCAPE}
        for name, cancel in _CANCEL_WHILE.items():
            modifiers = _held_with(self._bound.get(name, ""))
            escape = Chord("escape", modifiers)
            is_free = escape not in escapes.values() and str(escape) not in self._bound.values()
            if is_free and modifiers not in _FORCE_QUIT:
                escapes[cancel] = escape
        return escapes

    def _bind(self, name: str, chord: Chord, *, is_told: bool) -> None:
        try:
            self._hotkeys.bind(name, chord)
        except AppError as error:
            self._refusals[name] = error
            if is_told:
                self._on_problem(error)


def _held_with(chord: str) -> frozenset[Modifier]:
    """Return the modifiers that are down while `chord` is; none where it is no chord."""
    try:
        held = parse_chord(chord)
    except AppError:
        return frozenset()
    alone = LONE_MODIFIERS.get(held.key)
    return held.modifiers | ({alone} if alone is not None else set())


def _same_as_another(chord: Chord) -> HotkeyRefused:
    return HotkeyRefused(
        mark("The hotkey {chord} already does something else in Undertone."),
        mark("Choose another hotkey, or clear the other field first."),
        chord=chord.shown(),
    )
