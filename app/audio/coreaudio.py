"""What macOS knows about sound devices and PortAudio does not tell: UID and how it is connected.

Read only: no property is ever set. Written from Apple's documentation of `AudioObject`
(CoreAudio/AudioHardware.h, AudioHardwareBase.h), called by ctypes, so that it needs no package.
"""

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

_SYSTEM_OBJECT = 1
_ELEMENT_MAIN = 0
_UTF8 = 0x08000100


def four_cc(text: str) -> int:
    """Return a four-character code as the number the system uses."""
    return int.from_bytes(text.encode("ascii"), "big")


DEVICES = four_cc("dev#")
DEFAULT_INPUT = four_cc("dIn ")
DEFAULT_OUTPUT = four_cc("dOut")
DEVICE_UID = four_cc("uid ")
NAME = four_cc("lnam")
TRANSPORT = four_cc("tran")
STREAMS = four_cc("slay")
RATE = four_cc("nsrt")
SCOPE_GLOBAL = four_cc("glob")
SCOPE_INPUT = four_cc("inpt")

BUILT_IN = four_cc("bltn")
BLUETOOTH = frozenset({four_cc("blue"), four_cc("blea")})


class Address(ctypes.Structure):
    """AudioObjectPropertyAddress."""

    _fields_ = (
        ("selector", ctypes.c_uint32),
        ("scope", ctypes.c_uint32),
        ("element", ctypes.c_uint32),
    )


class _Buffer(ctypes.Structure):
    """AudioBuffer; the pointer is aligned as in C."""

    _fields_ = (
        ("channels", ctypes.c_uint32),
        ("byte_size", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    )


class _BufferListHead(ctypes.Structure):
    """AudioBufferList up to its first buffer."""

    _fields_ = (("count", ctypes.c_uint32), ("first", _Buffer))


@dataclass(frozen=True, slots=True)
class CoreAudioDevice:
    """One device with at least one input channel."""

    uid: str
    name: str
    rate_hz: int
    channels: int
    is_default: bool
    is_bluetooth: bool
    is_builtin: bool


class CoreAudio:
    """Reads properties of sound devices.

    Args:
        audio: the CoreAudio framework as a ctypes library, or a stand-in.
        foundation: CoreFoundation, likewise.
    """

    def __init__(self, audio: Any, foundation: Any) -> None:
        self._audio = audio
        self._foundation = foundation

    def inputs(self) -> tuple[CoreAudioDevice, ...]:
        """Return the devices with input channels, in the system's order (PortAudio's too).

        A device that vanishes while it is asked is left out.
        """
        default = self._number(_SYSTEM_OBJECT, DEFAULT_INPUT)
        found = []
        for device in self._device_ids():
            channels = self._input_channels(device)
            uid = self._text(device, DEVICE_UID)
            if not channels or not uid:
                continue
            transport = self._number(device, TRANSPORT)
            found.append(
                CoreAudioDevice(
                    uid=uid,
                    name=self._text(device, NAME) or uid,
                    rate_hz=round(self._float(device, RATE) or 0),
                    channels=channels,
                    is_default=device == default,
                    is_bluetooth=transport in BLUETOOTH,
                    is_builtin=transport == BUILT_IN,
                )
            )
        return tuple(found)

    def output_is_bluetooth(self) -> bool:
        """Whether the default output is a Bluetooth device."""
        output = self._number(_SYSTEM_OBJECT, DEFAULT_OUTPUT)
        return bool(output) and self._number(output or 0, TRANSPORT) in BLUETOOTH

    def _device_ids(self) -> list[int]:
        raw = self._bytes(_SYSTEM_OBJECT, DEVICES)
        return [int.from_bytes(raw[at : at + 4], sys.byteorder) for at in range(0, len(raw), 4)]

    def _input_channels(self, device: int) -> int:
        raw = self._bytes(device, STREAMS, SCOPE_INPUT)
        if len(raw) < ctypes.sizeof(ctypes.c_uint32):
            return 0
        count = int.from_bytes(raw[:4], sys.byteorder)
        first, size = _BufferListHead.first.offset, ctypes.sizeof(_Buffer)
        count = min(count, (len(raw) - first) // size if len(raw) >= first else 0)
        buffers = (_Buffer.from_buffer_copy(raw, first + number * size) for number in range(count))
        return sum(buffer.channels for buffer in buffers)

    def _bytes(self, target: int, selector: int, scope: int = SCOPE_GLOBAL) -> bytes:
        """Return a property of variable size; empty when there is none."""
        address = Address(selector, scope, _ELEMENT_MAIN)
        size = ctypes.c_uint32(0)
        status = self._audio.AudioObjectGetPropertyDataSize(
            ctypes.c_uint32(target), ctypes.byref(address), ctypes.c_uint32(0), None,
            ctypes.byref(size),
        )  # fmt: skip
        if status or not size.value:
            return b""
        buffer = ctypes.create_string_buffer(size.value)
        if self._get(target, address, size, buffer):
            return b""
        return buffer.raw[: size.value]

    def _number(self, target: int, selector: int) -> int | None:
        value = ctypes.c_uint32(0)
        return value.value if self._fixed(target, selector, value) else None

    def _float(self, target: int, selector: int) -> float | None:
        value = ctypes.c_double(0.0)
        return value.value if self._fixed(target, selector, value) else None

    def _text(self, target: int, selector: int) -> str:
        """Return a CFString property; the caller of the system owns it, so it is released."""
        reference = ctypes.c_void_p(None)
        if not self._fixed(target, selector, reference) or not reference.value:
            return ""
        cf = self._foundation
        try:
            length = cf.CFStringGetLength(reference)
            room = cf.CFStringGetMaximumSizeForEncoding(length, _UTF8) + 1
            buffer = ctypes.create_string_buffer(room)
            if not cf.CFStringGetCString(reference, buffer, room, _UTF8):
                return ""
            return buffer.value.decode("utf-8", "replace")
        finally:
            cf.CFRelease(reference)

    def _fixed(self, target: int, selector: int, value: Any) -> bool:
        size = ctypes.c_uint32(ctypes.sizeof(value))
        address = Address(selector, SCOPE_GLOBAL, _ELEMENT_MAIN)
        status = self._get(target, address, size, value)
        return not status and size.value == ctypes.sizeof(value)

    def _get(self, target: int, address: Address, size: Any, value: Any) -> int:
        status = self._audio.AudioObjectGetPropertyData(
            ctypes.c_uint32(target), ctypes.byref(address), ctypes.c_uint32(0), None,
            ctypes.byref(size), ctypes.byref(value),
        )  # fmt: skip
        return int(status)


def load_core_audio() -> CoreAudio | None:
    """Return the system's CoreAudio, `None` where there is none."""
    return _load() if sys.platform == "darwin" else None


def _load() -> CoreAudio | None:
    frameworks = "/System/Library/Frameworks/{0}.framework/{0}"
    try:
        audio = ctypes.CDLL(frameworks.format("CoreAudio"))
        foundation = ctypes.CDLL(frameworks.format("CoreFoundation"))
    except OSError:
        return None
    pointer, uint32, c_long = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_long
    audio.AudioObjectGetPropertyDataSize.argtypes = (uint32, pointer, uint32, pointer, pointer)
    audio.AudioObjectGetPropertyDataSize.restype = ctypes.c_int32
    audio.AudioObjectGetPropertyData.argtypes = (
        uint32, pointer, uint32, pointer, pointer, pointer,
    )  # fmt: skip
    audio.AudioObjectGetPropertyData.restype = ctypes.c_int32
    foundation.CFStringGetLength.argtypes = (pointer,)
    foundation.CFStringGetLength.restype = c_long
    foundation.CFStringGetMaximumSizeForEncoding.argtypes = (c_long, uint32)
    foundation.CFStringGetMaximumSizeForEncoding.restype = c_long
    foundation.CFStringGetCString.argtypes = (pointer, ctypes.c_char_p, c_long, uint32)
    foundation.CFStringGetCString.restype = ctypes.c_ubyte
    foundation.CFRelease.argtypes = (pointer,)
    foundation.CFRelease.restype = None
    return CoreAudio(audio, foundation)
