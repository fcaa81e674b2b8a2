"""Whether some program keeps the keyboard to itself (a password field, a terminal's secure entry).

While it does, event taps hear no letters and nothing may be pasted blindly.
"""

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app.macos.carbon import Carbon


class SecureInput(Protocol):
    """The system's secure keyboard entry. Thread: main."""

    def is_on(self) -> bool:
        """Return whether any program has it on."""

    def holder(self) -> str:
        """Return the name of the program that has it on, "" when that is unknown."""


class MacSecureInput:
    """Secure input as Carbon reports it."""

    def __init__(self, carbon: "Carbon | None" = None) -> None:
        from app.macos.carbon import Carbon

        self._carbon = carbon or Carbon()

    def is_on(self) -> bool:
        return self._carbon.is_secure_input_on()

    def holder(self) -> str:
        import AppKit
        import Quartz

        session = Quartz.CGSessionCopyCurrentDictionary()
        pid = int(session.get("kCGSSessionSecureInputPID", 0)) if session else 0
        if not pid:
            return ""
        program = AppKit.NSRunningApplication.runningApplicationWithProcessIdentifier_(pid)
        return str(program.localizedName() or "") if program is not None else ""


class FakeSecureInput:
    """Secure input for tests, and where a system has none (X11)."""

    def __init__(self, by: str | None = None) -> None:
        self.by = by

    def is_on(self) -> bool:
        return self.by is not None

    def holder(self) -> str:
        return self.by or ""


def for_this_system() -> SecureInput:
    """Return the secure input of the system this process runs on."""
    return MacSecureInput() if sys.platform == "darwin" else FakeSecureInput()
