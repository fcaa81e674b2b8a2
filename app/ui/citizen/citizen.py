"""Puts the citizen's parts around the main window: what comes in from the system, what goes out."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.core.dictation import Dictation
from app.core.errors import AppError
from app.core.links import Link, LinkAct
from app.ui.citizen.application import OpenRequests
from app.ui.citizen.dock import DockProgress
from app.ui.citizen.guards import JobsAwake, QuitGuard
from app.ui.citizen.notes import WorkNotes
from app.ui.citizen.system import SystemParts
from app.ui.main_window import MainWindow


class Citizen(QObject):
    """Lives beside the main window, for as long as it.

    Args:
        window: the main window.
        requests: what the system wants opened.
        parts: the system's parts.
        dictation: live recording, where there is any.
        quit_app: ends the app.
    """

    def __init__(
        self,
        window: MainWindow,
        requests: OpenRequests,
        parts: SystemParts,
        dictation: Dictation | None,
        quit_app: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._requests = requests
        self._dictation = dictation
        self.guard = QuitGuard(dictation, window, quit_app, self)
        self.awake = JobsAwake(parts.awake, window.board, self)
        self.dock = DockProgress(parts.dock, window.board, self)
        self.notes = WorkNotes(parts.make_notifier, window.board, self)
        self.notes.recording_chosen.connect(self._show_recording)
        requests.files_opened.connect(self._open_files)
        requests.link_opened.connect(self._follow)
        requests.refused.connect(self._refuse)
        parts.services.offer(lambda files: requests.take_texts([str(file) for file in files]))

    def begin(self) -> None:
        """Answer the system from now on; the window is there."""
        self._requests.begin()

    def close(self) -> None:
        """Hold nothing any more."""
        self.awake.close()

    def open_window(self) -> None:
        """Bring the main window to the front."""
        if self._window.isMinimized():
            self._window.showNormal()
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    @Slot(list)
    def _open_files(self, files: list[Path]) -> None:
        self.open_window()
        self._window.add_files(files)

    @Slot(object)
    def _follow(self, link: Link) -> None:
        if link.act is LinkAct.STOP:
            if self._dictation is not None:
                self._dictation.stop()
            return
        if link.act is LinkAct.RECORD and self._dictation is not None:
            self._dictation.start(link.kind)  # shown by the overlay; the front app stays in front
            return
        self.open_window()
        if link.act is LinkAct.TRANSCRIBE:
            self._window.add_files(list(link.files))
        elif link.act is LinkAct.SEARCH:
            self._window.parts.toolbar.search_field.search(link.query)

    @Slot(object)
    def _refuse(self, error: AppError) -> None:
        self.open_window()
        self._window.news.tell_error(error, "link")

    @Slot(str)
    def _show_recording(self, recording_id: str) -> None:
        self.open_window()
        if recording_id:
            self._window.browser.show_recording(recording_id)
