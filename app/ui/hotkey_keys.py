"""The hotkeys for the settings: a key is tried the moment it is chosen."""

from collections.abc import Callable

from app.core.errors import AppError
from app.macos.hotkey import Chord
from app.pipeline.hotkeys import HotkeyBindings


class BoundKeys:
    """Implements `ports.HotkeyKeys` by what the stage machine has bound; before that, by nothing.

    Args:
        bindings: returns them, once there are any.
    """

    def __init__(self, bindings: Callable[[], HotkeyBindings | None]) -> None:
        self._bindings = bindings

    def trial(self, name: str, chord: Chord | None) -> AppError | None:
        found = self._bindings()
        return found.trial(name, chord) if found is not None else None

    def shown(self, name: str) -> str:
        found = self._bindings()
        return found.shown(name) if found is not None else ""

    def problem(self, name: str) -> AppError | None:
        found = self._bindings()
        return found.problem(name) if found is not None else None

    def rest(self, is_resting: bool) -> None:
        found = self._bindings()
        if found is not None:
            found.rest(is_resting)
