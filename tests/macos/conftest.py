"""The private desktop of the X11 tests."""

import os
from collections.abc import Iterator

import pytest

from tests.macos.desktop import Desktop, OtherApp


@pytest.fixture(scope="session")
def desktop() -> Iterator[Desktop]:
    """One X server with a window manager for the whole run; `DISPLAY` names it only in tests."""
    desktop = Desktop()
    desktop.start()
    yield desktop
    desktop.close()


@pytest.fixture
def display(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """The desktop, with `DISPLAY` set to it."""
    monkeypatch.setitem(os.environ, "DISPLAY", desktop.name)
    return desktop


@pytest.fixture
def other_app(display: Desktop) -> Iterator[OtherApp]:
    """A second program in front, its text field focused."""
    with OtherApp(display) as app:
        yield app
