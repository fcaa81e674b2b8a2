"""Builds the app and runs it: the one place that knows every part."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import __version__
from app.audio.decode import probe
from app.audio.portaudio import PortAudio
from app.config.identity import UPDATE_FEED, UPDATE_FEED_VARIABLE
from app.config.logs import start_logging, stop_logging
from app.config.paths import Paths, default_paths, resources
from app.config.settings import Settings, load_settings
from app.config.translate import use_language
from app.core.dictation import Dictation, Stage, StageChanged
from app.core.errors import AppError, LibraryError, LibraryLocked, mark
from app.core.events import ModelsChanged
from app.core.job import JobStatus
from app.core.links import is_link
from app.library.errors import damaged
from app.library.lock import is_used_by_another
from app.library.reader import LibraryReader
from app.library.restore import finish_restore
from app.library.search import matches
from app.macos import login_item
from app.macos.login_item import LoginState
from app.models.store import ModelStore, open_store
from app.models.updates import ask_for_release
from app.pipeline.backups import LOOK_S, BackupParts, Backups
from app.pipeline.erase import (
    count_recordings,
    finish_erasing,
    plan_erasing,
)
from app.pipeline.hotkeys import HotkeyBindings
from app.pipeline.library_check import CheckReport, LibraryCheck
from app.pipeline.retention import Retention
from app.pipeline.rig import Rig, look_at_devices, rig_of_this_system
from app.pipeline.salvage import LibraryShelter, forget_plan, is_planned, plan_salvage
from app.pipeline.session import Live, Session, open_live, open_session, recover
from app.pipeline.stored import look_at_store
from app.pipeline.waveform import load_waveform
from app.ui.about import app_pixmap
from app.ui.bus import Bus
from app.ui.citizen.application import OpenRequests, UndertoneApplication
from app.ui.citizen.citizen import Citizen
from app.ui.citizen.side_windows import SideParts, SideWindows
from app.ui.citizen.system import SystemParts, parts_of_this_system
from app.ui.collector import Collector, calm_collector
from app.ui.commands import WindowCommands
from app.ui.desk import Desk
from app.ui.desktop import Desktop, DesktopParts
from app.ui.engine_thread import EngineThread
from app.ui.hotkey_keys import BoundKeys
from app.ui.keeping.ports import KeepingPorts
from app.ui.main_thread import QtMainThread
from app.ui.main_window import MainWindow
from app.ui.microphones import SystemMicrophones
from app.ui.models.ports import ModelPorts
from app.ui.ports import ModelChoice, Ports
from app.ui.single import FirstStart, hand_over
from app.ui.theme import use_appearance

_ICON = 128  # px
_FIRST_LIST_S = 0.3  # the window waits so long for the library, to open with it rather than empty
_TIDY_MS = 3_000  # after the window is there: it brings in what speaks to the network
_FIRST_LOOK_S = 60.0  # the start comes first
_log = logging.getLogger(__name__)


def run_app(texts: Sequence[str] = ()) -> int:
    """Run the app until it is quit and return the exit status.

    Args:
        texts: files and links to open.
    """
    use_language()
    application = UndertoneApplication(sys.argv[:1])
    application.requests.take_texts(texts)
    application.setApplicationName("Undertone")
    application.setApplicationDisplayName("Undertone")
    application.setDesktopFileName("undertone")
    if sys.platform != "darwin":  # there the bundle has it, at every size
        application.setWindowIcon(QIcon(app_pixmap(_ICON)))
    paths = default_paths()
    files = [Path(text) for text in texts if not is_link(text)]
    if hand_over(paths.home, files, [text for text in texts if is_link(text)]):
        return 0
    finish_erasing(paths)
    start_logging(paths.logs)
    sys.excepthook = _log_unexpected
    calm_collector()
    collector = Collector(application)
    try:
        app = App(paths)
        app.be_citizen(application.requests, parts_of_this_system())
        application.may_quit = app.may_quit
        application.accent_changed.connect(app.refresh_colors)
        app.open()
        app.watch_devices()
        status = application.exec()
        has_ended = app.close()
    finally:
        collector.close()
        stop_logging()
    finish_erasing(paths)
    if app.wants_relaunch:
        start_again()
    if not has_ended:
        os._exit(status)  # the engine is in a call that never returns; all else is closed
    return status


class App(QObject):
    """The running app: its session, its window, and what a second start hands over."""

    def __init__(
        self, paths: Paths, rig: Rig | None = None, desktop: DesktopParts | None = None
    ) -> None:
        super().__init__()
        with contextlib.suppress(AppError):  # said when the library is opened
            finish_restore(paths)  # before anything of it is read
        self._settings = load_settings(paths.settings)
        use_appearance(self._settings.appearance)
        self._bus = Bus(self)
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="window-io")
        # Of its own: whoever wants to hear something does not wait for another file's waveform.
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="sound-check")
        self._has_resumed = False
        self._tidying = QTimer(self)
        self._tidying.setSingleShot(True)
        self._tidying.setInterval(_TIDY_MS)
        self.wants_relaunch = False
        self._has_begun = False
        self._paths = paths
        self._session, problem = self._open_session()
        self._main = QtMainThread(self)
        self._rig: Rig | None = None
        self._live: Live | None = None
        self._microphones: SystemMicrophones | None = None
        if self._session is not None:
            self._rig = rig or rig_of_this_system(self._main)
            self._live = open_live(self._session, self._rig, self._main)
            self._microphones = SystemMicrophones(
                self._rig.devices, self._rig.microphone, self._pool, lambda: self._settings, self
            )
        self._reader = self._session.reader if self._session else LibraryReader(paths.library)
        self._desk = Desk(self._reader.interrupt, self)
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
        self._backups = (
            self._session.backups
            if self._session
            else Backups(  # a damaged library is a reason to restore one
                BackupParts(paths, None, self._pool, lambda: False),
                self._bus.post,
                lambda: self._settings,
            )
        )
        store = open_store(paths.models, resources())
        self._hotkeys = BoundKeys(self._bindings) if self._live is not None else None
        ports = Ports(
            library=self._reader,
            desk=self._desk,
            commands=self.commands,
            events=self._bus,
            find_matches=matches,
            models=model_choices(store),
            library_folder=paths.home,
            version=__version__,
            problem=problem,
            model_ports=self._model_ports(),
            list_models=lambda: model_choices(store),
            organiser=self._session.writer if self._session else None,
            check_sound=lambda file: self._checks.submit(probe, file),
            load_waves=lambda found: self._pool.submit(load_waveform, found, paths),
            dictation=self.dictation,
            microphones=self._microphones,
            hotkeys=self._hotkeys,
            login_item=login_item.for_this_system(),
            has_dock=sys.platform == "darwin",
            relaunch=self.relaunch,
            keeping=self._keeping_ports(),
            backups=self._backups,
        )
        self.window = MainWindow(ports)
        self.desktop = Desktop(self.window, ports, lambda: self._settings, desktop)
        self._first = FirstStart(paths.home, self)
        self._first.files_handed.connect(self.open)
        self._citizen: Citizen | None = None
        self._side: SideWindows | None = None

    def _open_session(self) -> tuple[Session | None, AppError | None]:
        """Open the library; return why that could not be, so that the window can say it."""
        if is_planned(self._paths):
            return None, damaged(self._paths.library)  # the window repairs it at once
        try:
            return open_session(
                self._paths, self._bus.post, lambda: self._settings, EngineThread
            ), None
        except LibraryError as error:
            return None, error

    def open(self, files: Sequence[Path] = ()) -> None:
        """Show the window, take up what was interrupted, and queue `files`."""
        if not self.window.isVisible():
            self._desk.settle(_FIRST_LIST_S)
        self.desktop.presence.open_window()
        if self._session is not None and not self._has_resumed:
            self._has_resumed = True
            self._session.queue.resume_interrupted()
            self._tidying.timeout.connect(self._session.models.tidy)
            self._tidying.start()
            self.commands.forget_drags()
            recover(self._session)
            self._begin_listening()
            self.window.keeping.begin()
            self._look_after_backups()
        if self._citizen is not None:
            self._citizen.begin()
        if self._side is not None and not self._has_begun:
            self._has_begun = True
            self._side.begin()
        if files:
            self.commands.add_files(files, self._settings.model_id, self._settings.language)

    def be_citizen(self, requests: OpenRequests, system: SystemParts) -> None:
        """Answer what the system asks, and tell it how the work goes."""
        self._citizen = Citizen(
            self.window, requests, system, self.dictation, QApplication.quit, self
        )
        self._bus.stage_changed.connect(self._citizen.guard.on_stage)
        self._first.links_handed.connect(requests.take_texts)
        self._side = SideWindows(self._side_parts(system), self.window, self)

    def _side_parts(self, system: SystemParts) -> SideParts:
        feed = os.environ.get(UPDATE_FEED_VARIABLE, UPDATE_FEED)
        return SideParts(
            paths=self._paths,
            commands=self.commands,
            system=system,
            pool=self._pool,
            devices=self._rig.devices if self._rig is not None else PortAudio(),
            models=self._model_ports(),
            ask_for_release=partial(ask_for_release, feed),
            microphone=self._rig.microphone if self._rig is not None else None,
            dictation=self.dictation,
            microphones=self._microphones,
            hotkeys=self._hotkeys,
            hotkey_problem=self._hotkey_problem,
        )

    def may_quit(self) -> bool:
        """Return whether nothing would be lost by ending now; else the person is being asked."""
        return self._citizen is None or self._citizen.guard.may_quit()

    @property
    def bus(self) -> Bus:
        """Where every event becomes a signal."""
        return self._bus

    @property
    def dictation(self) -> Dictation | None:
        """Live recording; `None` where the library cannot be written."""
        return self._live.machine if self._live is not None else None

    @Slot()
    def refresh_colors(self) -> None:
        """Take on another accent colour."""
        self.window.parts.refresh_colors(self.window)
        self.desktop.refresh()
        if self._side is not None:
            self._side.refresh_colors()

    def relaunch(self) -> None:
        """End the app and start it again: the way out of a model that never comes back."""
        self.wants_relaunch = True
        QCoreApplication.quit()

    def close(self) -> bool:
        """End every thread; what is not finished goes on at the next start.

        `False` when one thread cannot be ended: then the process must be.
        """
        self._tidying.stop()
        self._first.close()
        self.desktop.close()
        if self._microphones is not None:
            self._microphones.close()
        if self._citizen is not None:
            self._citizen.close()
        if self._side is not None:
            self._side.close()
        if self._live is not None:
            self._live.close()
        self._main.close()
        self.window.keeping.end()
        self.window.close()
        self._backups.close()
        self._bus.close()
        self.window.deleteLater()  # and its timers, before the library they read is closed
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete)
        self._desk.close()
        self._pool.shutdown(wait=True)
        self._checks.shutdown(wait=True, cancel_futures=True)
        self.commands.forget_drags()
        if self._session is not None:
            return self._session.close()
        self._reader.close()
        return True

    def _keeping_ports(self) -> KeepingPorts:
        """Return what keeps the library well."""
        session, paths = self._session, self._paths
        rules = None
        if session is not None:
            rules = Retention(paths, session.writer, session.reader, lambda: self._settings)
        return KeepingPorts(
            submit=self._pool.submit,
            look_at_store=partial(look_at_store, paths),
            count_all=partial(count_recordings, paths),
            erase=self.erase,
            rules=rules,
            is_idle=self._is_idle,
            check=self._check_library if session is not None else None,
            shelter=LibraryShelter(paths),
            begin_repair=self._begin_repair,
            leave_repair=self._leave_repair,
            is_repair_wanted=is_planned(paths),
        )

    def _is_idle(self) -> bool:
        is_recording = self.dictation is not None and self.dictation.now.stage is not Stage.IDLE
        is_working = any(job.status is JobStatus.RUNNING for job in self.commands.jobs)
        return not (is_recording or is_working)

    def _check_library(
        self, progress: Callable[[float], None], is_stopped: Callable[[], bool]
    ) -> CheckReport:
        assert self._session is not None
        parts = self._session
        return LibraryCheck(
            parts.paths, parts.writer, parts.reader, parts.owner, progress, is_stopped
        ).run()

    def _begin_repair(self) -> None:
        plan_salvage(self._paths)
        self.relaunch()

    def _leave_repair(self) -> None:
        forget_plan(self._paths)
        self.relaunch()

    def erase(self, has_models: bool) -> None:
        """Erase everything and start again as on the first day.

        Raises:
            AppError: a recording is running, or another Undertone is.
        """
        if not self._is_idle():
            raise AppError(
                mark("Undertone is recording or transcribing."),
                mark("Let it finish or stop it, then erase everything."),
            )
        if is_used_by_another(self._paths, self._session.owner if self._session else None):
            raise LibraryLocked(
                mark("Another Undertone is using the library."),
                mark("Quit it, then erase everything."),
            )
        plan_erasing(self._paths, has_models=has_models)
        item = login_item.for_this_system()
        if item is not None and item.state() is LoginState.ON:
            with contextlib.suppress(AppError):  # then the system shows it, and a click removes it
                item.set(False)
        self.relaunch()

    def _model_ports(self) -> ModelPorts | None:
        """Return what the models panel is given: here, and in the first start's step."""
        if self._session is None:
            return None
        models = self._session.models
        return ModelPorts(
            commands=models,
            desk=self._desk,
            events=self._bus,
            settings=lambda: self._settings,
            change=self._change_for_models,
            memory_bytes=models.machine.memory_bytes,
            budget_bytes=models.machine.budget_bytes,
        )

    def _change_for_models(self, **changes: object) -> None:
        self.commands.change_settings(**changes)
        if "model_id" in changes:  # the toolbar shows it, too
            self._bus.post(ModelsChanged())

    def _begin_listening(self) -> None:
        if self._session is not None and self._live is not None:
            self._live.machine.listen()
            self._session.pool.submit(look_at_devices, self._live.devices)
            self.desktop.refresh()
        if self._microphones is not None:
            self._microphones.look_again()

    def watch_devices(self) -> None:
        """Look anew at the microphones when the system says that they changed."""
        if self._microphones is None:
            return
        from PySide6.QtMultimedia import QMediaDevices  # takes a moment: only in the real app

        watch = QMediaDevices(self)
        watch.audioInputsChanged.connect(self._microphones.look_again)

    def _look_after_backups(self) -> None:
        self._bus.stage_changed.connect(self._on_stage)

        def look() -> None:
            self._backups.look()
            self._main.after(LOOK_S, look)

        self._main.after(_FIRST_LOOK_S, look)

    @Slot(object)
    def _on_stage(self, changed: StageChanged) -> None:
        self._backups.on_stage(changed)

    def _bindings(self) -> HotkeyBindings | None:
        return self._live.machine.keys if self._live is not None else None

    def _hotkey_problem(self) -> AppError | None:
        return self._hotkeys.problem("") if self._hotkeys is not None else None

    def _on_settings(self, settings: Settings) -> None:
        self._settings = settings
        if self._live is not None:
            self._live.machine.settings_changed()
        use_appearance(settings.appearance)
        self.window.follow_settings()
        self.desktop.refresh()


def start_again() -> None:
    """Put a new run of the program in this process's place; threads that hang go with it."""
    start = [] if getattr(sys, "frozen", False) else ["-m", "app"]
    os.execv(sys.executable, [sys.executable, *start])


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
