"""The last touches that make a Qt tool window an overlay on the Mac.

Qt makes it a panel but leaves out what keeps it above full screen, on every Space, without focus
and out of screen sharing. Qt rewrites the style mask whenever it changes window flags, so the
touches belong after each show.
"""

import sys
from typing import Protocol


class Panels(Protocol):
    """Makes overlays of windows. Thread: main."""

    def make_overlay(self, native_view: int) -> bool:
        """Touch up the shown window of `native_view` (Qt's `winId()`); return whether it did."""


class MacPanels:
    """Touches by AppKit."""

    def make_overlay(self, native_view: int) -> bool:
        import AppKit
        import objc

        window = objc.objc_object(c_void_p=native_view).window()
        if window is None:
            return False
        window.setStyleMask_(window.styleMask() | AppKit.NSWindowStyleMaskNonactivatingPanel)
        window.setLevel_(AppKit.NSStatusWindowLevel)
        window.setCollectionBehavior_(
            AppKit.NSWindowCollectionBehaviorCanJoinAllSpaces
            | AppKit.NSWindowCollectionBehaviorFullScreenAuxiliary
            | AppKit.NSWindowCollectionBehaviorStationary
            | AppKit.NSWindowCollectionBehaviorIgnoresCycle
        )
        window.setHidesOnDeactivate_(False)
        window.setSharingType_(AppKit.NSWindowSharingNone)
        return True


class FakePanels:
    """Panels for tests, and where Qt's own flags are enough."""

    def __init__(self) -> None:
        self.touched: list[int] = []

    def make_overlay(self, native_view: int) -> bool:
        self.touched.append(native_view)
        return True


def for_this_system() -> Panels:
    """Return the panels of the system this process runs on."""
    return MacPanels() if sys.platform == "darwin" else FakePanels()
