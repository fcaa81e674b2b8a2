"""The program in front under X11, as the window manager names it."""

from typing import Any

from app.macos.front_app import FrontApp
from app.macos.x11 import open_display, text_property


class X11FrontApps:
    """The front app by `_NET_ACTIVE_WINDOW` and `WM_CLASS`; owns its connection."""

    def __init__(self) -> None:
        self._display = open_display()

    def now(self) -> FrontApp | None:
        from Xlib import X, error

        display = self._display
        root = display.screen().root
        found = root.get_full_property(display.get_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
        if found is None or not found.value or not found.value[0]:
            return None
        window = display.create_resource_object("window", found.value[0])
        try:
            names = class_of_window(window)
            pids = window.get_full_property(display.get_atom("_NET_WM_PID"), X.AnyPropertyType)
            title = text_property(window, "_NET_WM_NAME")
        except error.XError:  # it closed while we looked
            return None
        if not names and not title:
            return None
        pid = int(pids.value[0]) if pids is not None and pids.value else 0
        return FrontApp(names[0] if names else "", names[-1] if names else title, pid)

    def close(self) -> None:
        self._display.close()


def class_of_window(window: Any) -> tuple[str, ...]:
    """Return the instance and class name of a window or of the nearest parent that has them."""
    from Xlib import error

    try:
        while window:
            names = window.get_wm_class()
            if names:
                return tuple(names)
            window = window.query_tree().parent
    except (error.XError, AttributeError):
        return ()
    return ()
