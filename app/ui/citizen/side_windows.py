"""The windows beside the main one: the first start, the check, and news of a newer version.

Each is made when it is first wanted and kept; the main window's menu opens them.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication

from app.audio.devices import Devices
from app.audio.microphone import Microphone
from app.config.identity import NAME, RELEASES_PAGE
from app.config.paths import Paths
from app.config.settings import Settings
from app.config.translate import tr
from app.core.dictation import Dictation
from app.core.errors import AppError
from app.core.finding import Finding
from app.core.recording import RecordingKind
from app.macos.hotkey import parse_chord
from app.macos.permissions import Permission
from app.models.updates import Release
from app.pipeline.doctor import examine
from app.pipeline.hotkeys import DEFAULT_DICTATE
from app.pipeline.surroundings import Surroundings, listen, look_around, uses_lone_modifier
from app.ui.actions import connect
from app.ui.citizen.system import SystemParts
from app.ui.citizen.updates import UpdateCheck
from app.ui.doctor.remedies import Remedy
from app.ui.doctor.window import DoctorPorts, DoctorWindow
from app.ui.main_window import MainWindow
from app.ui.models.ports import ModelPorts
from app.ui.news import show_folder
from app.ui.onboarding.ports import MeetingPorts
from app.ui.onboarding.window import MeetingWindow
from app.ui.ports import Commands, HotkeyKeys, Microphones
from app.ui.widgets.banner import Banner

DICTATE = "dictate"


@dataclass(frozen=True, slots=True)
class SideParts:
    """What the windows are made of.

    Attributes:
        devices: the microphones, to look at.
        microphone: opens one of them for a moment; `None` where nothing can record.
        models: what the first start offers.
        ask_for_release: asks for the newest version, on the pool.
        hotkey_problem: why the hotkeys may not arrive now.
    """

    paths: Paths
    commands: Commands
    system: SystemParts
    pool: ThreadPoolExecutor
    devices: Devices
    models: ModelPorts | None
    ask_for_release: Callable[[], Release]
    microphone: Microphone | None = None
    dictation: Dictation | None = None
    microphones: Microphones | None = None
    hotkeys: HotkeyKeys | None = None
    hotkey_problem: Callable[[], AppError | None] = lambda: None


class SideWindows(QObject):
    """Opens them. Owner: the app."""

    def __init__(self, parts: SideParts, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self._window = window
        self.meeting: MeetingWindow | None = None
        self.doctor: DoctorWindow | None = None
        self.updates = UpdateCheck(
            parts.ask_for_release,
            parts.pool.submit,
            lambda: parts.commands.settings,
            parts.commands.change_settings,
            self,
        )
        self.updates.found.connect(self._tell_release)
        self.updates.is_newest.connect(self._tell_newest)
        self.updates.failed.connect(self._tell_failed)
        menus = window.menus
        for action, call in (
            (menus.check, self.show_doctor),
            (menus.set_up, self.show_meeting),
            (menus.check_updates, self.updates.check_now),
        ):
            connect(action, call)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.refresh_colors)

    def begin(self) -> None:
        """The main window is there: meet a new person, and begin to look for newer versions."""
        self.updates.begin()
        if not self._settings.has_met:
            self.show_meeting()

    def close(self) -> None:
        """Close every window and look for nothing any more."""
        self.updates.close()
        for window in (self.meeting, self.doctor):
            if window is not None:
                window.close()

    def show_meeting(self) -> None:
        """Open the first start's steps."""
        if self.meeting is None or not self.meeting.isVisible():
            if self.meeting is not None:
                self.meeting.deleteLater()
            self.meeting = MeetingWindow(self._meeting_ports(), self._window)
        self._bring(self.meeting)

    def show_doctor(self) -> None:
        """Open the check."""
        if self.doctor is None:
            self.doctor = DoctorWindow(self._doctor_ports(), self._window)
        self._bring(self.doctor)

    # What the windows are given

    @property
    def _settings(self) -> Settings:
        return self._parts.commands.settings

    def _meeting_ports(self) -> MeetingPorts:
        parts = self._parts
        toggle = None
        if parts.dictation is not None:
            toggle = partial(parts.dictation.toggle, RecordingKind.DICTATION)
        return MeetingPorts(
            permissions=parts.system.permissions,
            settings=lambda: self._settings,
            change_settings=parts.commands.change_settings,
            models=parts.models,
            hotkey=self._hotkey,
            uses_lone_modifier=lambda: uses_lone_modifier(self._settings),
            library_folder=parts.paths.home,
            microphones=parts.microphones,
            try_dictation=toggle,
        )

    def _hotkey(self) -> str:
        if self._parts.hotkeys is not None:
            return self._parts.hotkeys.shown(DICTATE)
        try:
            return parse_chord(self._settings.dictate_hotkey or DEFAULT_DICTATE).shown()
        except AppError:
            return ""

    def _doctor_ports(self) -> DoctorPorts:
        parts = self._parts

        def submit(work: Callable[[], Sequence[Finding]]) -> "Future[Sequence[Finding]]":
            return parts.pool.submit(work)

        def hear() -> Sequence[Finding]:
            assert parts.microphone is not None
            return listen(self._surroundings(), parts.microphone)

        return DoctorPorts(
            look_at_disk=lambda: examine(parts.paths),
            look_around=lambda: look_around(self._surroundings()),
            listen=hear if parts.microphone is not None else None,
            submit=submit,
            do=self.do,
        )

    def _surroundings(self) -> Surroundings:
        parts = self._parts
        return Surroundings(
            parts.devices,
            self._settings,
            parts.system.permissions,
            parts.system.secure_input,
            parts.hotkey_problem,
        )

    def do(self, remedy: Remedy) -> None:
        """Do what a finding's button says."""
        permissions, paths = self._parts.system.permissions, self._parts.paths
        deeds: dict[Remedy, Callable[[], object]] = {
            Remedy.ASK_MICROPHONE: lambda: permissions.request(
                Permission.MICROPHONE, lambda _grant: None
            ),
            Remedy.OPEN_MICROPHONE: partial(permissions.open_settings, Permission.MICROPHONE),
            Remedy.OPEN_ACCESSIBILITY: partial(permissions.open_settings, Permission.ACCESSIBILITY),
            Remedy.OPEN_INPUT_MONITORING: partial(
                permissions.open_settings, Permission.INPUT_MONITORING
            ),
            Remedy.CHOOSE_HOTKEY: self._window.show_settings,
            Remedy.CHOOSE_MICROPHONE: self._window.show_settings,
            Remedy.USE_BUILTIN: lambda: self._parts.commands.change_settings(
                builtin_while_bluetooth=True, microphone=""
            ),
            Remedy.GET_MODEL: self._window.show_models,
            Remedy.SHOW_MODELS_FOLDER: partial(show_folder, paths.models),
            Remedy.SHOW_LIBRARY_FOLDER: partial(show_folder, paths.home),
            Remedy.CHECK_LIBRARY: self._window.show_check,
            Remedy.SHOW_BACKUPS: self._window.show_backups,
            Remedy.SHOW_DISK: partial(show_folder, paths.home),
            Remedy.OPEN_RELEASES: lambda: QDesktopServices.openUrl(QUrl(RELEASES_PAGE)),
        }
        if remedy in deeds:
            deeds[remedy]()

    # News of a newer version

    @Slot(object)
    def _tell_release(self, release: Release) -> None:
        message = tr("{app} {version} is there.", app=NAME, version=release.version)
        see = (
            tr("See What Is New"),
            lambda: QDesktopServices.openUrl(QUrl(release.page)),
        )
        self._window.parts.banners.show_banner("update", Banner(message, actions=[see]))

    @Slot()
    def _tell_newest(self) -> None:
        banner = Banner(tr("This is the newest version."))
        self._window.parts.banners.show_banner("update", banner)

    @Slot(object)
    def _tell_failed(self, error: AppError) -> None:
        self._window.news.tell_error(error, "update")

    @Slot()
    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        for window in (self.meeting, self.doctor):
            if window is not None:
                window.refresh_colors()

    def _bring(self, window: MeetingWindow | DoctorWindow) -> None:
        window.show()
        window.raise_()
        window.activateWindow()
