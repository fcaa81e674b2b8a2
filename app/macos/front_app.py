"""Which program the person is in."""

import sys
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FrontApp:
    """A program: `id` is its bundle id on the Mac, its window class's instance under X11."""

    id: str
    name: str
    pid: int


class FrontApps(Protocol):
    """Tells the program in front. Thread: main."""

    def now(self) -> FrontApp | None:
        """Return the program in front, `None` when there is none."""

    def close(self) -> None:
        """Let go of the system."""


class MacFrontApps:
    """The front app as `NSWorkspace` knows it; needs no permission."""

    def now(self) -> FrontApp | None:
        import AppKit

        found = AppKit.NSWorkspace.sharedWorkspace().frontmostApplication()
        if found is None:
            return None
        bundle, name = found.bundleIdentifier(), found.localizedName()
        return FrontApp(str(bundle or ""), str(name or ""), int(found.processIdentifier()))

    def close(self) -> None: ...


class FakeFrontApps:
    """A front app that the test sets."""

    def __init__(self, app: FrontApp | None = None) -> None:
        self.app = app

    def now(self) -> FrontApp | None:
        return self.app

    def close(self) -> None: ...


def for_this_system() -> FrontApps:
    """Return the front app of the system this process runs on."""
    if sys.platform == "darwin":
        return MacFrontApps()
    from app.macos.x11 import has_display

    if not has_display():
        return FakeFrontApps()
    from app.macos.front_app_x11 import X11FrontApps

    return X11FrontApps()
