"""The application object: hears what the system asks of the app, before any window exists.

Files and links that come early are kept until somebody listens. Asked to quit, it asks back first
when something would be lost; that holds for the menu, the Dock, log-out and the last window alike.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QPalette

from app.core.errors import AppError
from app.core.links import Link, is_link, parse_link
from app.ui.presence import Application

_TOGETHER_MS = 60  # files that are opened together come one by one


class OpenRequests(QObject):
    """Files and links the system wants opened.

    Signals: `files_opened(list[Path])` with all that came together, `link_opened(Link)`,
    `refused(AppError)`. Nothing is told before `begin`.
    """

    files_opened = Signal(list)
    link_opened = Signal(object)
    refused = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files: list[Path] = []
        self._links: list[Link | AppError] = []
        self._has_begun = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TOGETHER_MS)
        self._timer.timeout.connect(self._tell)

    def begin(self) -> None:
        """Tell from now on, first what came before."""
        self._has_begun = True
        self._tell()

    def take(self, event: QFileOpenEvent) -> None:
        """Take in what the system asks to open."""
        file, link = event.file(), event.url().toString()
        if not file and is_link(link):
            self.take_texts([link])
        elif file:
            self.take_texts([file])

    def take_texts(self, texts: Sequence[str]) -> None:
        """Take in files and links as a command line or a second start names them."""
        for text in texts:
            if not is_link(text):
                self._files.append(Path(text))
                continue
            try:
                self._links.append(parse_link(text))
            except AppError as error:
                self._links.append(error)
        if self._has_begun:
            self._timer.start()

    def _tell(self) -> None:
        files, self._files = self._files, []
        links, self._links = self._links, []
        if files:
            self.files_opened.emit(files)
        for link in links:
            if isinstance(link, AppError):
                self.refused.emit(link)
            else:
                self.link_opened.emit(link)


class UndertoneApplication(Application):
    """Qt's application, with ears. `may_quit` decides whether a request to quit is followed.

    Signals: `accent_changed` when the system's accent colour is another one.
    """

    accent_changed = Signal()

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self.requests = OpenRequests(self)
        self.may_quit: Callable[[], bool] = lambda: True
        self._accent = self._accents()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            self.requests.take(event)
            return True
        if event.type() is QEvent.Type.ApplicationPaletteChange:
            before, self._accent = self._accent, self._accents()
            if before != self._accent:  # our own palette brings this event too
                self.accent_changed.emit()
        if event.type() is QEvent.Type.Quit and not self.may_quit():
            event.ignore()
            return True
        return super().event(event)

    def _accents(self) -> tuple[str, str]:
        palette = self.palette()
        roles = (QPalette.ColorRole.Highlight, QPalette.ColorRole.Accent)
        first, second = (palette.color(role).name() for role in roles)
        return first, second
