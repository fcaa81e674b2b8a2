"""A window over a library in memory."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui import theme
from app.ui.main_window import MainWindow
from tests.helpers.ui_fakes import World

OpenWindow = Callable[..., MainWindow]


@pytest.fixture(autouse=True)
def _same_looks(qapp: QApplication) -> Iterator[None]:
    """Every test begins and ends with the system's appearance, and speaks English."""
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    theme.use_appearance("system")
    yield
    theme.use_appearance("system")
    QLocale.setDefault(before)


@pytest.fixture
def open_window(qtbot: QtBot) -> OpenWindow:
    """Open windows that are closed after the test."""

    def open_it(world: World) -> MainWindow:
        window = MainWindow(world.ports)
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitExposed(window)
        QApplication.processEvents()
        return window

    return open_it
