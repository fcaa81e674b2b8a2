"""From a key press, as Qt tells it, to a chord of ours.

Qt names keys by what they write, so layouts need no table; only which side a modifier is on comes
from the platform's own code.
"""

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.macos.hotkey import CHARACTER_KEYS, Chord, Modifier

IS_MAC = sys.platform == "darwin"
# Qt swaps Control and Command on the Mac, so that "Ctrl+C" is ⌘C there.
_HELD = {
    Qt.KeyboardModifier.ControlModifier: Modifier.COMMAND if IS_MAC else Modifier.CONTROL,
    Qt.KeyboardModifier.MetaModifier: Modifier.CONTROL if IS_MAC else Modifier.COMMAND,
    Qt.KeyboardModifier.AltModifier: Modifier.ALT,
    Qt.KeyboardModifier.ShiftModifier: Modifier.SHIFT,
}
_NAMED = {
    Qt.Key.Key_Space: "space",
    Qt.Key.Key_Return: "return",
    Qt.Key.Key_Enter: "return",
    Qt.Key.Key_Tab: "tab",
    Qt.Key.Key_Backtab: "tab",
    Qt.Key.Key_Escape: "escape",
    Qt.Key.Key_Backspace: "backspace",
    Qt.Key.Key_Delete: "delete",
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
    Qt.Key.Key_Home: "home",
    Qt.Key.Key_End: "end",
    Qt.Key.Key_PageUp: "page_up",
    Qt.Key.Key_PageDown: "page_down",
    **{Qt.Key(Qt.Key.Key_F1 + at): f"f{at + 1}" for at in range(20)},
}
# Virtual key codes of the Mac, and keysyms of X11.
_LONE_MAC = {
    0x37: "left_cmd",
    0x36: "right_cmd",
    0x3A: "left_alt",
    0x3D: "right_alt",
    0x3B: "left_ctrl",
    0x3E: "right_ctrl",
    0x38: "left_shift",
    0x3C: "right_shift",
    0x3F: "fn",
}
_LONE_X11 = {
    0xFFE1: "left_shift",
    0xFFE2: "right_shift",
    0xFFE3: "left_ctrl",
    0xFFE4: "right_ctrl",
    0xFFE9: "left_alt",
    0xFFEA: "right_alt",
    0xFE03: "right_alt",
    0xFFEB: "left_cmd",
    0xFFEC: "right_cmd",
}
_MODIFIER_KEYS = {
    Qt.Key.Key_Control,
    Qt.Key.Key_Meta,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Shift,
    Qt.Key.Key_Super_L,
    Qt.Key.Key_Super_R,
}


def is_modifier(event: QKeyEvent) -> bool:
    """Return whether the key only changes others."""
    return Qt.Key(event.key()) in _MODIFIER_KEYS or (
        IS_MAC and event.nativeVirtualKey() in _LONE_MAC
    )


def lone_modifier(event: QKeyEvent) -> Chord | None:
    """Return the modifier key of `event` as a chord, if its side is known."""
    table = _LONE_MAC if IS_MAC else _LONE_X11
    name = table.get(event.nativeVirtualKey())
    return Chord(name) if name else None


def chord_of(event: QKeyEvent) -> Chord | None:
    """Return the chord that was pressed; `None` for a key that no hotkey can have."""
    key = _key_name(event)
    if key is None:
        return None
    held = event.modifiers()
    return Chord(key, frozenset(ours for theirs, ours in _HELD.items() if held & theirs))


def held_signs(event: QKeyEvent, is_mac: bool = IS_MAC) -> str:
    """Return what is held down, to show while the chord is not complete."""
    held = event.modifiers()
    down = frozenset(ours for theirs, ours in _HELD.items() if held & theirs)
    return Chord("", down).shown(is_mac)


def _key_name(event: QKeyEvent) -> str | None:
    try:
        key = Qt.Key(event.key())
    except ValueError:
        return None
    if key in _NAMED:
        return _NAMED[key]
    code = event.key()
    char = chr(code).lower() if code < 0x110000 else ""
    if char in CHARACTER_KEYS:
        return char
    # With Shift the key writes another sign; without it, the platform says which key it is.
    native = event.nativeVirtualKey()
    if not IS_MAC and native < 0x80 and chr(native).lower() in CHARACTER_KEYS:
        return chr(native).lower()
    return None
