"""The private desktop of the X11 tests, started once, before the first test that may use it."""

import os
from collections.abc import Iterator

import pytest

from tests.macos.desktop import Desktop, OtherApp


@pytest.fixture(scope="session")
def desktop() -> Iterator[Desktop | None]:
    """One X server with a window manager, `None` where there is no X server to start."""
    if not Desktop.is_possible():
        yield None
        return
    desktop = Desktop()
    desktop.start()
    yield desktop
    desktop.close()


@pytest.fixture(scope="session")
def other_program(desktop: Desktop | None) -> Iterator[OtherApp | None]:
    """The second program, started once."""
    if desktop is None:
        yield None
        return
    with OtherApp(desktop) as app:
        yield app


@pytest.fixture
def display(desktop: Desktop | None, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """The desktop, with `DISPLAY` set to it for this test."""
    if desktop is None:
        pytest.skip("Xvfb and openbox are not installed")
    monkeypatch.setitem(os.environ, "DISPLAY", desktop.name)
    return desktop


@pytest.fixture
def other_app(display: Desktop, other_program: OtherApp | None) -> OtherApp:
    """The second program in front, its empty text field focused, nothing on the clipboard."""
    assert other_program is not None
    other_program.reset()
    other_program.bring_to_front(display)
    return other_program
