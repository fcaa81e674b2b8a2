"""How much there is, in which folders, and what to filter by: the last that was heard of it.

Asked of the library whenever that changes, at once and then so rarely that asking never takes more
than a tenth of the time.
"""

import time

from PySide6.QtCore import QObject, QTimer, Signal

from app.library.listing import Overview
from app.ui.ports import Desk, LibraryReader

_REST = 9  # times as long as the answer took


class LibraryOverview(QObject):
    """Keeps the last `Overview`. Thread: main."""

    changed = Signal(object)  # Overview

    def __init__(self, library: LibraryReader, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._desk = desk
        self._is_asking = False
        self._is_stale = False
        self.latest: Overview | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._on_rested)
        desk.failed.connect(self._on_failed)

    def refresh(self, _ids: object = None) -> None:
        """Ask again; `changed` tells the answer."""
        if self._is_asking or self._rest.isActive():
            self._is_stale = True
            return
        self._is_stale, self._is_asking = False, True
        library = self._library

        def read() -> tuple[Overview, float]:
            began = time.monotonic()
            return library.overview(), time.monotonic() - began

        self._desk.ask("overview", read, self._on_answer)

    def _on_answer(self, answer: tuple[Overview, float]) -> None:
        self._is_asking = False
        self.latest, took_s = answer
        self._rest.start(int(took_s * _REST * 1000))
        self.changed.emit(self.latest)

    def _on_rested(self) -> None:
        if self._is_stale:
            self.refresh()

    def _on_failed(self, _error: object) -> None:
        self._is_asking = False
