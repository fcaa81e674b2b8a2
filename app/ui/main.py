"""Builds the app and runs it: the one place that knows every part."""

import logging
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Slot
from PySide6.QtWidgets import QApplication

from app import __version__
from app.config.logs import start_logging, stop_logging
from app.config.paths import Paths, default_paths, resources
from app.config.settings import Settings, load_settings
from app.config.translate import use_language
from app.core.dictation import Dictation
from app.core.errors import AppError, LibraryError
from app.core.events import JobEnded
from app.library.reader import LibraryReader
from app.library.search import matches
from app.macos import login_item
from app.models.store import ModelStore, open_store
from app.pipeline.hotkeys import HotkeyBindings
from app.pipeline.rig import Rig, look_at_devices, rig_of_this_system
from app.pipeline.session import Live, Session, open_live, open_session, recover
from app.ui.bus import Bus
from app.ui.commands import WindowCommands
from app.ui.desktop import Desktop, DesktopParts
from app.ui.engine_thread import EngineThread
from app.ui.hotkey_keys import BoundKeys
from app.ui.main_thread import QtMainThread
from app.ui.main_window import MainWindow
from app.ui.microphones import SystemMicrophones
from app.ui.ports import ModelChoice, Ports
from app.ui.presence import Application
from app.ui.single import FirstStart, hand_over
from app.ui.theme import use_appearance

_log = logging.getLogger(__name__)


def run_app(files: Sequence[Path] = ()) -> int:
    """Run the app until it is quit and return the exit status."""
    use_language()
    application = QApplication.instance() or Application(sys.argv[:1])
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
        app.watch_devices()
        status = application.exec()
        if app.is_relaunching:
            app.let_go()
            start_again()
        app.close()
    finally:
        stop_logging()
    return status


def start_again() -> NoReturn:
    """Put a new run in the place of this process, whatever its threads do."""
    is_bundled = bool(getattr(sys, "frozen", False))
    command = [sys.executable] if is_bundled else [sys.executable, "-m", "app"]
    os.execv(command[0], command)


class App(QObject):
    """The running app: its session, its window, and what a second start hands over."""

    def __init__(
        self, paths: Paths, rig: Rig | None = None, desktop: DesktopParts | None = None
    ) -> None:
        super().__init__()
        self._settings = load_settings(paths.settings)
        use_appearance(self._settings.appearance)
        self._bus = Bus(self)
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="window-io")
        self._session: Session | None = None
        self._has_resumed = False
        problem: AppError | None = None
        try:
            self._session = open_session(
                paths, self._bus.post, lambda: self._settings, EngineThread
            )
        except LibraryError as error:
            problem = error
        self._main = QtMainThread(self)
        self._live: Live | None = None
        self._microphones: SystemMicrophones | None = None
        self._device_watch: QObject | None = None
        self.is_relaunching = False
        if self._session is not None:
            rig = rig or rig_of_this_system(self._main)
            self._live = open_live(self._session, rig, self._main)
            self._microphones = SystemMicrophones(
                rig.devices, rig.microphone, self._pool, lambda: self._settings, self
            )
            self._bus.job_ended.connect(self._on_job_ended)
        self._reader = self._session.reader if self._session else LibraryReader(paths.library)
        self.commands = WindowCommands(
            queue=self._session.queue if self._session else None,
            reader=self._reader,
            pool=self._pool,
            paths=paths,
            settings=self._settings,
            emit=self._bus.post,
            on_settings=self._on_settings,
            problem=problem,
        )
        ports = Ports(
            library=self._reader,
            commands=self.commands,
            events=self._bus,
            find_matches=matches,
            models=model_choices(open_store(paths.models, resources())),
            library_folder=paths.home,
            version=__version__,
            problem=problem,
            organiser=self._session.writer if self._session else None,
            dictation=self.dictation,
            microphones=self._microphones,
            hotkeys=BoundKeys(self._bindings) if self._live is not None else None,
            login_item=login_item.for_this_system(),
            has_dock=sys.platform == "darwin",
            relaunch=self.relaunch,
        )
        self.window = MainWindow(ports)
        self.desktop = Desktop(self.window, ports, lambda: self._settings, desktop)
        self._first = FirstStart(paths.home, self)
        self._first.files_handed.connect(self.open)

    def open(self, files: Sequence[Path] = ()) -> None:
        """Show the window, take up what was interrupted, and queue `files`."""
        self.desktop.presence.open_window()
        if self._session is not None and not self._has_resumed:
            self._has_resumed = True
            self._session.queue.resume_interrupted()
            recover(self._session)
            self._begin_listening()
        if files:
            self.commands.add_files(files, self._settings.model_id, self._settings.language)

    @property
    def dictation(self) -> Dictation | None:
        """Live recording; `None` where the library cannot be written."""
        return self._live.machine if self._live is not None else None

    def relaunch(self) -> None:
        """End the app and start it again: what an engine that hangs needs."""
        self.is_relaunching = True
        self.desktop.presence.quit()

    def let_go(self) -> None:
        """Make safe what was recorded; leave alone threads that may never end."""
        self._first.close()
        self.desktop.close()
        if self._live is not None:
            self._live.close()
        if self._session is not None:
            self._session.writer.close()

    def watch_devices(self) -> None:
        """Look anew at the microphones when the system says that they changed."""
        if self._microphones is None:
            return
        from PySide6.QtMultimedia import QMediaDevices  # a moment, so only in the real app

        watch = QMediaDevices(self)
        watch.audioInputsChanged.connect(self._microphones.look_again)
        self._device_watch = watch

    def close(self) -> None:
        """End every thread; what is not finished goes on at the next start."""
        self._first.close()
        self.desktop.close()
        if self._microphones is not None:
            self._microphones.close()
        if self._live is not None:
            self._live.close()
        self._main.close()
        self.window.close()
        self._bus.close()
        self.window.deleteLater()  # and its timers, before the library they read is closed
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete)
        self._pool.shutdown(wait=True)
        if self._session is not None:
            self._session.close()
        else:
            self._reader.close()

    def _begin_listening(self) -> None:
        if self._session is not None and self._live is not None:
            self._live.machine.listen()
            self._session.pool.submit(look_at_devices, self._live.devices)
            self.desktop.refresh()
        if self._microphones is not None:
            self._microphones.look_again()

    def _bindings(self) -> HotkeyBindings | None:
        return self._live.machine.keys if self._live is not None else None

    @Slot(JobEnded)
    def _on_job_ended(self, _event: JobEnded) -> None:
        if self._live is not None:
            self._live.idle.arm()

    def _on_settings(self, settings: Settings) -> None:
        self._settings = settings
        if self._live is not None:
            self._live.machine.settings_changed()
        use_appearance(settings.appearance)
        self.window.follow_settings()
        self.desktop.refresh()


def model_choices(store: ModelStore) -> tuple[ModelChoice, ...]:
    """Return the installed models as the window shows them."""
    return tuple(
        ModelChoice(
            model.model_id, model.title, model.is_demo, store.note(model.model_id), model.languages
        )
        for model in store.installed()
    )


def _log_unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Write a bug to the log: Qt calls this for an exception in a slot, and the app lives on."""
    _log.critical("unexpected error", exc_info=(kind, error, trace))
