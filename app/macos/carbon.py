"""The few functions of Carbon that have no other way in, called through ctypes.

`SIGNATURES` declares each function once, with all its arguments; a test holds the counts against
Apple's headers. Everything here belongs to the main thread: translating key codes elsewhere kills
the process.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import POINTER, byref, c_int32, c_ubyte, c_uint8, c_uint16, c_uint32, c_ulong, c_void_p
from typing import Any, Protocol

from app.macos.hotkey import Chord, Modifier

PATHS = (
    "/System/Library/Frameworks/Carbon.framework/Carbon",
    "/System/Library/Frameworks/CoreServices.framework/CoreServices",
    "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation",
)
EVENT_HOTKEY_EXISTS = -9878

_KEYBOARD_CLASS = int.from_bytes(b"keyb", "big")
_HOTKEY_PRESSED, _HOTKEY_RELEASED = 5, 6
_DIRECT_OBJECT = int.from_bytes(b"----", "big")
_HOTKEY_ID_TYPE = int.from_bytes(b"hkid", "big")
_SIGNATURE = int.from_bytes(b"Undt", "big")
_COMMAND_STATE = 1  # cmdKey >> 8, as UCKeyTranslate wants it
_ACTION_DISPLAY, _NO_DEAD_KEYS = 3, 1
_MODIFIER_BITS = {
    Modifier.COMMAND: 0x0100,
    Modifier.SHIFT: 0x0200,
    Modifier.ALT: 0x0800,
    Modifier.CONTROL: 0x1000,
}
# kVK_… of HIToolbox/Events.h; the characters are where the ANSI keyboard has them.
# fmt: off
KEY_CODES = {
    "return": 36, "tab": 48, "space": 49, "backspace": 51, "escape": 53, "delete": 117,
    "left": 123, "right": 124, "down": 125, "up": 126, "home": 115, "end": 119, "page_up": 116,
    "page_down": 121, "f1": 122, "f2": 120, "f3": 99, "f4": 118, "f5": 96, "f6": 97, "f7": 98,
    "f8": 100, "f9": 101, "f10": 109, "f11": 103, "f12": 111, "f13": 105, "f14": 107, "f15": 113,
    "f16": 106, "f17": 64, "f18": 79, "f19": 80, "f20": 90,
}
# fmt: on
ANSI_CODES = {
    **dict(zip("asdfhgzxcv", (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)),
    **dict(zip("bqweryt123465=97-80]ou[ip", range(11, 36), strict=True)),
    **dict(zip("lj'k;\\,/nm.", range(37, 48), strict=True)),
    "`": 50,
}
# What macOS does with chords out of the box, to name it in a refusal.
_SYSTEM_USES = {
    "cmd+space": "Spotlight",
    "alt+cmd+space": "Finder",
    "ctrl+space": "the input sources",
    "ctrl+alt+space": "the input sources",
}


class HotKeyID(ctypes.Structure):
    """`EventHotKeyID`: passed by value."""

    _fields_ = (("signature", c_uint32), ("id", c_uint32))


class EventTypeSpec(ctypes.Structure):
    """`EventTypeSpec`."""

    _fields_ = (("event_class", c_uint32), ("event_kind", c_uint32))


EventHandler = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)
SIGNATURES: Mapping[str, tuple[Any, tuple[Any, ...]]] = {
    "GetEventDispatcherTarget": (c_void_p, ()),
    "InstallEventHandler": (
        c_int32,
        (c_void_p, EventHandler, c_ulong, POINTER(EventTypeSpec), c_void_p, POINTER(c_void_p)),
    ),
    "RemoveEventHandler": (c_int32, (c_void_p,)),
    "RegisterEventHotKey": (
        c_int32,
        (c_uint32, c_uint32, HotKeyID, c_void_p, c_uint32, POINTER(c_void_p)),
    ),
    "UnregisterEventHotKey": (c_int32, (c_void_p,)),
    "GetEventKind": (c_uint32, (c_void_p,)),
    "GetEventParameter": (
        c_int32,
        (c_void_p, c_uint32, c_uint32, c_void_p, c_ulong, c_void_p, c_void_p),
    ),
    "CopySymbolicHotKeys": (c_int32, (POINTER(c_void_p),)),
    "IsSecureEventInputEnabled": (c_ubyte, ()),
    "TISCopyCurrentKeyboardLayoutInputSource": (c_void_p, ()),
    "TISCopyCurrentASCIICapableKeyboardLayoutInputSource": (c_void_p, ()),
    "TISGetInputSourceProperty": (c_void_p, (c_void_p, c_void_p)),
    "LMGetKbdType": (c_uint8, ()),
    "UCKeyTranslate": (
        c_int32,
        (
            c_void_p,
            c_uint16,
            c_uint16,
            c_uint32,
            c_uint32,
            c_uint32,
            POINTER(c_uint32),
            c_ulong,
            POINTER(c_ulong),
            POINTER(c_uint16 * 4),
        ),
    ),
    "CFDataGetBytePtr": (c_void_p, (c_void_p,)),
    "CFRelease": (None, (c_void_p,)),
}


class Library(Protocol):
    """A C library: its functions as attributes, its constants by name."""

    def __getattr__(self, name: str) -> Any: ...

    def constant(self, name: str) -> int:
        """Return the pointer that the exported variable `name` holds."""


class NativeLibrary:
    """The libraries at `paths` as one; only declared functions can be called."""

    def __init__(
        self, paths: Sequence[str], signatures: Mapping[str, tuple[Any, tuple[Any, ...]]]
    ) -> None:
        self._libraries = [ctypes.CDLL(path) for path in paths]
        self._functions: dict[str, Any] = {}
        for name, (result, arguments) in signatures.items():
            holder = next(library for library in self._libraries if hasattr(library, name))
            function = getattr(holder, name)
            function.restype, function.argtypes = result, arguments
            self._functions[name] = function

    def __getattr__(self, name: str) -> Any:
        try:
            return self._functions[name]
        except KeyError:
            raise AttributeError(f"{name} is not declared") from None

    def constant(self, name: str) -> int:
        return c_void_p.in_dll(self._libraries[0], name).value or 0


class Carbon:
    """Hot keys, secure input and the keyboard layout. Thread: main."""

    def __init__(self, library: Library | None = None) -> None:
        self._carbon = library or NativeLibrary(PATHS, SIGNATURES)
        self._handler: Any = None
        self._handler_ref = c_void_p()

    def listen(self, on_hotkey: Callable[[int, bool], None]) -> None:
        """Call `on_hotkey(number, is_down)` for each registered hot key from now on."""
        carbon = self._carbon

        def handle(_call: int, event: int, _data: int) -> int:
            hotkey = HotKeyID()
            status = carbon.GetEventParameter(
                event,
                _DIRECT_OBJECT,
                _HOTKEY_ID_TYPE,
                None,
                ctypes.sizeof(hotkey),
                None,
                byref(hotkey),
            )
            if status == 0 and hotkey.signature == _SIGNATURE:
                on_hotkey(hotkey.id, carbon.GetEventKind(event) == _HOTKEY_PRESSED)
            return 0

        self._handler = EventHandler(handle)  # Carbon keeps no reference to it
        kinds = (EventTypeSpec * 2)(
            EventTypeSpec(_KEYBOARD_CLASS, _HOTKEY_PRESSED),
            EventTypeSpec(_KEYBOARD_CLASS, _HOTKEY_RELEASED),
        )
        carbon.InstallEventHandler(
            carbon.GetEventDispatcherTarget(),
            self._handler,
            2,
            kinds,
            None,
            byref(self._handler_ref),
        )

    def stop_listening(self) -> None:
        """Undo `listen`."""
        if self._handler is not None:
            self._carbon.RemoveEventHandler(self._handler_ref)
            self._handler = None

    def register(self, chord: Chord, number: int) -> tuple[int, object]:
        """Register `chord` as hot key `number`; return the status (0 is success) and its handle."""
        carbon = self._carbon
        handle = c_void_p()
        status = carbon.RegisterEventHotKey(
            self.key_code(chord.key),
            modifier_bits(chord),
            HotKeyID(_SIGNATURE, number),
            carbon.GetEventDispatcherTarget(),
            0,
            byref(handle),
        )
        return status, handle

    def unregister(self, handle: object) -> None:
        self._carbon.UnregisterEventHotKey(handle)

    def is_secure_input_on(self) -> bool:
        return bool(self._carbon.IsSecureEventInputEnabled())

    def system_use(self, chord: Chord) -> str:
        """Return what macOS itself uses `chord` for, "" when it does not."""
        carbon = self._carbon
        array = c_void_p()
        if carbon.CopySymbolicHotKeys(byref(array)) != 0 or not array.value:
            return ""
        import objc

        entries = objc.objc_object(c_void_p=array.value)
        code, bits = self.key_code(chord.key), modifier_bits(chord)
        found = any(
            entry["kHISymbolicHotKeyEnabled"]
            and int(entry["kHISymbolicHotKeyCode"]) == code
            and int(entry["kHISymbolicHotKeyModifiers"]) == bits
            for entry in entries
        )
        carbon.CFRelease(array.value)
        return _SYSTEM_USES.get(str(chord), "macOS") if found else ""

    def key_code(self, key: str, with_command: bool = False) -> int:
        """Return the virtual key code that gives `key` on the present layout."""
        if key in KEY_CODES:
            return KEY_CODES[key]
        carbon = self._carbon
        for source in (
            carbon.TISCopyCurrentKeyboardLayoutInputSource(),
            carbon.TISCopyCurrentASCIICapableKeyboardLayoutInputSource(),
        ):
            if not source:
                continue
            code = self._search(source, key, with_command)
            carbon.CFRelease(source)
            if code is not None:
                return code
        return ANSI_CODES[key]

    def _search(self, source: int, key: str, with_command: bool) -> int | None:
        carbon = self._carbon
        data = carbon.TISGetInputSourceProperty(
            source, carbon.constant("kTISPropertyUnicodeKeyLayoutData")
        )
        layout = carbon.CFDataGetBytePtr(data) if data else None
        if not layout:
            return None
        state = _COMMAND_STATE if with_command else 0
        keyboard = carbon.LMGetKbdType()
        for code in range(128):
            dead, length, text = c_uint32(), c_ulong(), (c_uint16 * 4)()
            status = carbon.UCKeyTranslate(
                layout,
                code,
                _ACTION_DISPLAY,
                state,
                keyboard,
                _NO_DEAD_KEYS,
                byref(dead),
                4,
                byref(length),
                byref(text),
            )
            if status == 0 and length.value == 1 and chr(text[0]) == key:
                return code
        return None


def modifier_bits(chord: Chord) -> int:
    """Return the chord's modifiers as Carbon's bits."""
    return sum(_MODIFIER_BITS[modifier] for modifier in chord.modifiers)
