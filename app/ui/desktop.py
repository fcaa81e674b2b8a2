"""What the app shows and does outside its windows: overlay, menu-bar icon, sounds, Dock icon.

Each part stands alone; where the system has none, the others go on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app.config.settings import Settings
from app.macos import dock, panel, status_item
from app.macos.dock import Dock
from app.macos.motion import reduces_motion
from app.macos.panel import Panels
from app.macos.status_item import OnChosen, OnFiles, StatusItem
from app.ui.main_window import MainWindow
from app.ui.overlay.overlay import Overlay
from app.ui.ports import Ports
from app.ui.presence import Presence
from app.ui.sounds import Player, QtPlayer, Sounds
from app.ui.tray import QtStatusItem, Tray, TrayDeeds


def item_of_this_system(on_chosen: OnChosen, on_files: OnFiles) -> StatusItem | None:
    """Return the menu-bar item; `None` where the desktop has no place for one."""
    native = status_item.for_this_system(on_chosen, on_files)
    if native is not None:
        return native
    if QSystemTrayIcon.isSystemTrayAvailable():
        return QtStatusItem(on_chosen, on_files)
    return None


@dataclass(frozen=True, slots=True)
class DesktopParts:
    """What the system offers; a test hands in others."""

    make_item: Callable[[OnChosen, OnFiles], StatusItem | None] = item_of_this_system
    panels: Panels = field(default_factory=panel.for_this_system)
    dock: Dock = field(default_factory=dock.for_this_system)
    player: Player | None = None
    end: Callable[[], None] = QApplication.quit


class Desktop(QObject):
    """Owns the parts outside the windows.

    Args:
        window: the main window, which is opened from the menu bar.
        ports: what the parts show and ask.
        settings: asked whenever a choice of the person matters.
    """

    def __init__(
        self,
        window: MainWindow,
        ports: Ports,
        settings: Callable[[], Settings],
        parts: DesktopParts | None = None,
    ) -> None:
        super().__init__(window)
        parts = parts or DesktopParts()
        self._window = window
        self.overlay: Overlay | None = None
        if ports.dictation is not None:
            self.overlay = Overlay(
                ports.dictation,
                ports.events,
                parts.panels,
                is_wanted=lambda: settings().shows_overlay,
                is_calm=reduces_motion(),
                parent=self,
            )
            self.sounds = Sounds(
                ports.events, parts.player or QtPlayer(self), lambda: settings().sounds, self
            )
        self.tray: Tray | None = None
        self.presence = Presence(
            window,
            ports.dictation,
            ports.events,
            parts.dock,
            has_tray=self._has_tray,
            wants_dock_icon=lambda: settings().shows_dock_icon,
            end=parts.end,
        )
        deeds = TrayDeeds(
            open_window=self.presence.open_window,
            show_settings=self._show_settings,
            quit=parts.end,  # as ⌘Q: whoever guards the end is asked
            add_files=self._add_files,
        )
        self.tray = Tray(parts.make_item, ports, deeds, self)
        self.presence.refresh()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.refresh)

    def refresh(self) -> None:
        """Follow a changed setting or appearance."""
        if self.tray is not None:
            self.tray.refresh()
        if self.overlay is not None:
            self.overlay.refresh_colors()
        self.presence.refresh()

    def close(self) -> None:
        """Take everything off the screen."""
        if self.overlay is not None:
            self.overlay.close()
            self.overlay = None
        if self.tray is not None:
            self.tray.close()

    def _has_tray(self) -> bool:
        return self.tray is not None and self.tray.item is not None

    def _show_settings(self) -> None:
        self.presence.open_window()
        self._window.show_settings()

    def _add_files(self, paths: list[Path]) -> None:
        self.presence.open_window()
        self._window.add_files(paths)
