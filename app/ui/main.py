"""Builds the app and runs it: the one place that knows every part."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from app import __version__
from app.config.logs import start_logging, stop_logging
from app.config.paths import Paths, default_paths, resources
from app.config.settings import Settings, load_settings
from app.config.translate import use_language
from app.core.errors import AppError
from app.library.search import matches
from app.models.store import ModelStore, open_store
from app.pipeline.session import Session, open_session
from app.ui.bus import Bus
from app.ui.commands import SessionCommands
from app.ui.engine_thread import EngineThread
from app.ui.main_window import MainWindow
from app.ui.ports import ModelChoice, Ports
from app.ui.single import FirstStart, hand_over
from app.ui.theme import use_appearance

_log = logging.getLogger(__name__)


def run_app(files: Sequence[Path] = ()) -> int:
    """Run the app until it is quit and return the exit status."""
    use_language()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("Undertone")
    application.setApplicationDisplayName("Undertone")
    application.setDesktopFileName("undertone")
    paths = default_paths()
    if hand_over(paths.home, files):
        return 0
    start_logging(paths.logs)
    sys.excepthook = _log_unexpected
    try:
        app = App(paths)
        app.open(files)
        status = application.exec()
        app.close()
    finally:
        stop_logging()
    return status
