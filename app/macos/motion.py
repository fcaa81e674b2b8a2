"""Whether the person asked the system for less motion; asked anew each time."""

import sys


def reduces_motion() -> bool:
    """Return whether nothing should move that need not. Thread: main."""
    return _mac_reduces_motion() if sys.platform == "darwin" else False


def _mac_reduces_motion() -> bool:
    import AppKit

    workspace = AppKit.NSWorkspace.sharedWorkspace()
    return bool(workspace.accessibilityDisplayShouldReduceMotion())
