"""On a real screen the overlay takes no focus, lets clicks through, and its buttons work."""

import sys
from collections.abc import Iterator

import pytest
from Xlib import X
from Xlib.ext import xtest

from tests.helpers.answerer import Answerer
from tests.macos.desktop import Desktop, OtherApp, wait_for


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    if not Desktop.is_possible():
        pytest.skip("Xvfb and openbox are not installed")
    desktop = Desktop()
    desktop.start()
    yield desktop
    desktop.close()


@pytest.fixture
def overlay(desktop: Desktop) -> Iterator[Answerer]:
    """The process with the overlay."""
    command = [sys.executable, "-m", "tests.e2e.overlay_app"]
    with Answerer(command, desktop.environment) as app:
        yield app


def point_at(desktop: Desktop, x: int, y: int) -> int:
    """Move the pointer and return the window that would hear a click there."""
    xtest.fake_input(desktop.display, X.MotionNotify, x=x, y=y)
    desktop.display.sync()
    child = desktop.display.screen().root.query_pointer().child
    return int(child.id) if hasattr(child, "id") else int(child)


def click(desktop: Desktop) -> None:
    for kind in (X.ButtonPress, X.ButtonRelease):
        xtest.fake_input(desktop.display, kind, 1)
    desktop.display.sync()


def test_focus_stays_and_only_buttons_hear_clicks(desktop: Desktop, overlay: Answerer) -> None:
    with OtherApp(desktop) as other:
        before = other.ask("losses")
        front = desktop.active_window()
        overlay.ask("record")
        x, y, window = overlay.ask("pill")
        wait_for(lambda: is_mapped(desktop, window))
        assert 600 <= x <= 680  # the middle of 1280
        assert y > 700
        assert point_at(desktop, x, y) != window
        overlay.ask("cancel")
        x, y, window = overlay.ask("button")
        wait_for(lambda: point_at(desktop, x, y) == window)
        click(desktop)
        wait_for(lambda: overlay.ask("names") == ["undo_cancel"])
        assert other.ask("is_active")
        assert other.ask("losses") == before
        assert desktop.active_window() == front


def is_mapped(desktop: Desktop, window: int) -> bool:
    found = desktop.display.create_resource_object("window", window)
    return bool(found.get_attributes().map_state == X.IsViewable)
