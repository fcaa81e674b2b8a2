"""The Dock icon: there or not, with progress and a badge.

An app without Dock icon has no menu bar of its own, so the icon is wanted while a window is open.
"""

import sys
from typing import Any, Protocol

_BAR_HEIGHT = 16.0


class Dock(Protocol):
    """The app's tile in the Dock. Thread: main."""

    def show(self, is_wanted: bool) -> None:
        """Be an app with a Dock icon and a menu bar, or one without."""

    def set_progress(self, fraction: float | None) -> None:
        """Show how much of the work is done, 0…1; `None` takes the bar away."""

    def set_badge(self, text: str) -> None:
        """Show a short text on the icon; "" for none."""


class MacDock:
    """The tile by AppKit."""

    def __init__(self) -> None:
        self._is_shown: bool | None = None
        self._bar: Any = None

    def show(self, is_wanted: bool) -> None:
        import AppKit

        if is_wanted == self._is_shown:
            return
        self._is_shown = is_wanted
        app = AppKit.NSApplication.sharedApplication()
        if is_wanted:
            app.setActivationPolicy_(AppKit.NSApplicationActivationPolicyRegular)
            app.activateIgnoringOtherApps_(True)  # else the menu bar stays the old program's
        else:
            app.setActivationPolicy_(AppKit.NSApplicationActivationPolicyAccessory)

    def set_progress(self, fraction: float | None) -> None:
        import AppKit

        tile = AppKit.NSApplication.sharedApplication().dockTile()
        if fraction is None:
            self._bar = None
            tile.setContentView_(None)
        else:
            if self._bar is None:
                self._bar = self._new_bar(tile)
            self._bar.setDoubleValue_(min(1.0, max(0.0, fraction)))
        tile.display()

    def set_badge(self, text: str) -> None:
        import AppKit

        AppKit.NSApplication.sharedApplication().dockTile().setBadgeLabel_(text or None)

    def _new_bar(self, tile: Any) -> Any:
        import AppKit

        width, height = tile.size()
        picture = AppKit.NSImageView.alloc().initWithFrame_(((0.0, 0.0), (width, height)))
        app = AppKit.NSApplication.sharedApplication()
        picture.setImage_(app.applicationIconImage())
        bar = AppKit.NSProgressIndicator.alloc().initWithFrame_(((0.0, 0.0), (width, _BAR_HEIGHT)))
        bar.setStyle_(AppKit.NSProgressIndicatorStyleBar)
        bar.setIndeterminate_(False)
        bar.setMinValue_(0.0)
        bar.setMaxValue_(1.0)
        picture.addSubview_(bar)
        tile.setContentView_(picture)
        return bar


class FakeDock:
    """A Dock for tests, and where there is none."""

    def __init__(self) -> None:
        self.is_shown = True
        self.progress: float | None = None
        self.badge = ""

    def show(self, is_wanted: bool) -> None:
        self.is_shown = is_wanted

    def set_progress(self, fraction: float | None) -> None:
        self.progress = None if fraction is None else min(1.0, max(0.0, fraction))

    def set_badge(self, text: str) -> None:
        self.badge = text


def for_this_system() -> Dock:
    """Return the Dock of the system this process runs on."""
    return MacDock() if sys.platform == "darwin" else FakeDock()
