"""Whether the system is short of memory right now."""

import ctypes
import platform
from ctypes import byref, c_int, c_size_t, sizeof
from typing import Protocol

_NORMAL = 1  # 2 is a warning, 4 is critical


class MemoryPressure(Protocol):
    """Asked every few seconds; never waits."""

    def is_pressed(self) -> bool:
        """Return whether the system would rather have memory back."""


class MacMemoryPressure:
    """What macOS says of itself.

    Source: XNU `kern_memorystatus.c`, `kern.memorystatus_vm_pressure_level`.
    """

    def __init__(self, library: ctypes.CDLL | None = None) -> None:
        self._library = library or ctypes.CDLL(None)

    def is_pressed(self) -> bool:
        level, size = c_int(_NORMAL), c_size_t(sizeof(c_int))
        name = b"kern.memorystatus_vm_pressure_level"
        status = self._library.sysctlbyname(name, byref(level), byref(size), None, c_size_t(0))
        return bool(status == 0 and level.value > _NORMAL)


class NoMemoryPressure:
    """Says never; for systems that say nothing, and for tests."""

    def is_pressed(self) -> bool:
        return False


def memory_pressure() -> MemoryPressure:
    """Return the one of this system."""
    return MacMemoryPressure() if platform.system() == "Darwin" else NoMemoryPressure()
