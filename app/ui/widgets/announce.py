"""Tells a screen reader what changed without moving its focus.

Said once for each change, and only what a person would want to hear while doing something else.
"""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent


class Announcer(QObject):
    """Speaks for one window."""

    announced = Signal(str)

    def say(self, message: str) -> None:
        """Announce `message`, a plain sentence."""
        window = self.parent()
        if window is not None:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(window, message))
        self.announced.emit(message)
