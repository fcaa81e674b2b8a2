"""How the app lives on without a window, comes back, and ends without losing a take.

A take that runs when the app is asked to quit is stopped and given a moment for its last words; its
sound is on disk in any case, and the next start takes up what is missing.
"""

import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.core.dictation import Dictation, Stage, StageChanged
from app.macos.dock import Dock
from app.ui.ports import Events

PATIENCE_MS = 6_000  # for the last words of a take, when the app is to end


class Application(QApplication):
    """Hears what the system asks of the whole app. An event filter would hear every event."""

    presence: "Presence | None" = None

    def event(self, event: QEvent) -> bool:
        if self.presence is not None:
            if event.type() is QEvent.Type.Quit and self.presence.refuses_to_quit():
                event.ignore()
                return True
            if event.type() is QEvent.Type.ApplicationActivate and sys.platform == "darwin":
                self.presence.come_back()
        return super().event(event)


class Presence(QObject):
    """Watches the window and the wish to quit.

    Args:
        window: the main window.
        dictation: what must not be lost; `None` where nothing can be recorded.
        events: the bus.
        dock: the system's.
        has_tray: whether the app can still be reached with its window closed.
        wants_dock_icon: whether the person wants the Dock icon also without a window.
        end: ends the event loop.
    """

    def __init__(
        self,
        window: QWidget,
        dictation: Dictation | None,
        events: Events,
        dock: Dock,
        *,
        has_tray: Callable[[], bool],
        wants_dock_icon: Callable[[], bool],
        end: Callable[[], None] = QApplication.quit,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._dictation = dictation
        self._dock = dock
        self._has_tray = has_tray
        self._wants_dock_icon = wants_dock_icon
        self._end = end
        self._is_ending = False
        self._is_sure = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(patience_ms)
        self._patience.timeout.connect(self._end_now)
        window.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, Application):
            app.presence = self
        events.stage_changed.connect(self._on_stage_changed)
        self.refresh()

    def refresh(self) -> None:
        """Follow a changed setting."""
        QApplication.setQuitOnLastWindowClosed(not self._has_tray())
        self._dock.show(self._window.isVisible() or self._wants_dock_icon() or not self._has_tray())

    def open_window(self) -> None:
        """Bring the window to the front."""
        if self._window.isMinimized():
            self._window.showNormal()
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def quit(self) -> None:
        """End the app; a running take first gets its end and a moment for its words."""
        if self._is_ending:
            self._end_now()  # asked twice: the sound is safe, the words can wait
            return
        self._is_ending = True
        if self._dictation is not None and self._must_wait:
            self._dictation.stop()
            self._window.hide()
        if self._must_wait:
            self._patience.start()
        else:
            self._end_now()

    def refuses_to_quit(self) -> bool:
        """Whether the system's wish to quit has to wait; then the app ends by itself soon."""
        if self._is_sure or not self._must_wait:
            return False
        self.quit()
        return True

    def come_back(self) -> None:
        """Open the window when the app is called to the front and shows none."""
        windows = (widget for widget in QApplication.topLevelWidgets() if widget.isVisible())
        if not self._is_ending and not any(window.isWindow() for window in windows):
            self.open_window()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self.refresh()
        return False

    @property
    def _must_wait(self) -> bool:
        return self._dictation is not None and self._dictation.now.stage is not Stage.IDLE

    def _on_stage_changed(self, now: StageChanged) -> None:
        if self._is_ending and now.stage is Stage.IDLE:
            self._end_now()

    def _end_now(self) -> None:
        self._patience.stop()
        self._is_sure = True
        self._end()
