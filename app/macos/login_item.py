"""Launch at login, as the system has it: the state is read back, never remembered."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from app.core.errors import AppError, mark


class LoginState(StrEnum):
    """Whether the app starts at login; `NEEDS_APPROVAL` waits for the person in System Settings."""

    ON = "on"
    OFF = "off"
    NEEDS_APPROVAL = "needs_approval"
    UNAVAILABLE = "unavailable"


class LoginItem(Protocol):
    """The app among the login items. Thread: main."""

    def state(self) -> LoginState:
        """Return how it stands now."""

    def set(self, is_on: bool) -> LoginState:
        """Turn it on or off and return how it then stands.

        Raises:
            AppError: the system refused.
        """

    def open_settings(self) -> None:
        """Show the page where the person approves it."""


def refused(reason: str) -> AppError:
    return AppError(
        mark("Launch at login could not be changed: {reason}."),
        mark("Change it in System Settings under General → Login Items."),
        reason=reason,
    )


class MacLoginItem:
    """The login item by `SMAppService`; works inside a bundle only."""

    def state(self) -> LoginState:
        import ServiceManagement

        status = ServiceManagement.SMAppService.mainAppService().status()
        return {
            ServiceManagement.SMAppServiceStatusEnabled: LoginState.ON,
            ServiceManagement.SMAppServiceStatusNotRegistered: LoginState.OFF,
            ServiceManagement.SMAppServiceStatusRequiresApproval: LoginState.NEEDS_APPROVAL,
        }.get(status, LoginState.UNAVAILABLE)

    def set(self, is_on: bool) -> LoginState:
        import ServiceManagement

        service = ServiceManagement.SMAppService.mainAppService()
        if is_on:
            is_done, error = service.registerAndReturnError_(None)
        else:
            is_done, error = service.unregisterAndReturnError_(None)
        state = self.state()
        wanted = (LoginState.ON, LoginState.NEEDS_APPROVAL) if is_on else (LoginState.OFF,)
        if not is_done and state not in wanted:
            raise refused(str(error.localizedDescription()) if error is not None else "macOS")
        return state

    def open_settings(self) -> None:
        import ServiceManagement

        ServiceManagement.SMAppService.openSystemSettingsLoginItems()


class XdgLoginItem:
    """The login item by a desktop entry in the autostart folder.

    Args:
        command: what to start.
        folder: the autostart folder; by default the person's.
    """

    def __init__(self, command: str = "undertone", folder: Path | None = None) -> None:
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        self._file = (folder or config / "autostart") / "undertone.desktop"
        self._command = command

    def state(self) -> LoginState:
        return LoginState.ON if self._file.is_file() else LoginState.OFF

    def set(self, is_on: bool) -> LoginState:
        entry = f"[Desktop Entry]\nType=Application\nName=Undertone\nExec={self._command}\n"
        try:
            if is_on:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_text(entry, "utf-8")
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            raise refused(error.strerror or str(error)) from error
        return self.state()

    def open_settings(self) -> None: ...


class FakeLoginItem:
    """A login item for tests; `answer` is what the system makes of “on”."""

    def __init__(self, answer: LoginState = LoginState.ON) -> None:
        self.answer = answer
        self.now = LoginState.OFF
        self.opened = 0

    def state(self) -> LoginState:
        return self.now

    def set(self, is_on: bool) -> LoginState:
        if is_on and self.answer is LoginState.UNAVAILABLE:
            raise refused("not in a bundle")
        self.now = self.answer if is_on else LoginState.OFF
        return self.now

    def open_settings(self) -> None:
        self.opened += 1


def for_this_system() -> LoginItem:
    """Return the login item of the system this process runs on."""
    return MacLoginItem() if sys.platform == "darwin" else XdgLoginItem()
