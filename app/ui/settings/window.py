"""The settings: toolbar tabs, every change applied at once.

Shows only settings that exist; the values belong to whoever answers `change_settings`.
"""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QMainWindow,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from app.config.translate import tr
from app.ui import theme
from app.ui.models.panel import ModelsPanel
from app.ui.ports import Ports
from app.ui.settings.backups import BackupsSection
from app.ui.settings.dictation import DictationPage
from app.ui.settings.form import SettingsPage
from app.ui.settings.general import GeneralPage
from app.ui.settings.library import LibraryPage
from app.ui.settings.microphone import MicrophonePage
from app.ui.settings.privacy import PrivacyPage

_SMALL = (640, 452)  # px: with its frame it fits a window of 760 × 480
_LARGE = (700, 640)
_TALL = (640, 512)  # for all that backups may have to say at once


class _Page(Protocol):
    """What every page can do."""

    def refresh(self) -> None: ...

    def refresh_colors(self) -> None: ...


class SettingsWindow(QMainWindow):
    """General, Dictation, Microphone, Models, Library, Privacy."""

    def __init__(
        self,
        ports: Ports,
        change: Callable[..., None],
        parent: QWidget | None = None,
        run_rules: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._ports = ports
        self._change = change
        self.setWindowTitle(tr("Settings"))
        self.setUnifiedTitleAndToolBarOnMac(True)
        self._bar = QToolBar(self)
        self._bar.setMovable(False)
        self._bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self._bar.setIconSize(QSize(theme.ICON + 2, theme.ICON + 2))
        self.addToolBar(self._bar)
        self._group = QActionGroup(self)
        self.pages = QStackedWidget(self)
        self.setCentralWidget(self.pages)
        self.general = GeneralPage(ports, change, self)
        self._parts: list[_Page] = [self.general]
        self._add_page(tr("General"), "settings", self.general)
        if ports.dictation is not None:
            self.dictation = DictationPage(ports, change, self)
            self._parts.append(self.dictation)
            self._add_page(tr("Dictation"), "dictation", self.dictation)
        if ports.microphones is not None:
            self.microphone = MicrophonePage(ports, change, self)
            self._parts.append(self.microphone)
            self._add_page(tr("Microphone"), "microphone", self.microphone)
        self.models_panel: ModelsPanel | None = None
        if ports.model_ports is not None:
            self.models_panel = ModelsPanel(ports.model_ports, self)
            self._add_page(tr("Models"), "model", self.models_panel)
        self.library = LibraryPage(ports, change, run_rules, self)
        self._add_part(tr("Library"), "library", self.library)
        if ports.backups is not None:
            self.backups = BackupsSection(ports, ports.backups, change, self)
            self._add_part(tr("Backups"), "retry", self.backups)
        self.privacy = PrivacyPage(ports, change, self)
        self._add_part(tr("Privacy"), "privacy", self.privacy)
        self._group.actions()[0].setChecked(True)
        close = QAction(self)
        close.setShortcuts(QKeySequence.keyBindings(QKeySequence.StandardKey.Close))
        close.triggered.connect(self.close)
        self.addAction(close)
        escape = QAction(self)
        escape.setShortcut(Qt.Key.Key_Escape)
        escape.triggered.connect(self.close)
        self.addAction(escape)
        self.setTabOrder(self._bar, self.pages)
        self.setMinimumWidth(_SMALL[0])
        self.resize(*_SMALL)

    def choose_page(self, at: int) -> None:
        """Show a page as if its tab was clicked."""
        self._group.actions()[at].trigger()

    def show_models(self) -> None:
        """Show the page of the models."""
        if self.models_panel is not None:
            self.choose_page(self.pages.indexOf(self.models_panel))

    def show_backups(self) -> None:
        """Show the page of the backups, where there is one."""
        if self._ports.backups is not None:
            self.choose_page(self.pages.indexOf(self.backups))

    def show_check(self) -> None:
        """Show the part that checks the library."""
        self.choose_page(self.pages.indexOf(self.library))
        self.library.show_check()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.models_panel is not None:
            self.models_panel.finish_removal()
        super().closeEvent(event)

    def refresh_colors(self) -> None:
        theme.refresh_icons(self)
        if self.models_panel is not None:
            self.models_panel.refresh_colors()
        for part in self._parts:
            part.refresh_colors()

    def refresh(self) -> None:
        """Show what holds now: a setting may be changed elsewhere too."""
        for part in self._parts:
            part.refresh()
        if self.models_panel is not None:
            self.models_panel.follow_settings()

    def _add_part(self, title: str, icon: str, part: LibraryPage | SettingsPage) -> None:
        """Add a page that shows settings, so that it follows them."""
        self._parts.append(part)
        self._add_page(title, icon, part)

    def _add_page(self, title: str, icon: str, page: QWidget) -> None:
        at = self.pages.addWidget(page)
        action = QAction(title, self)
        theme.set_icon(action, icon)
        action.setCheckable(True)
        action.triggered.connect(lambda: self._show_page(at))
        self._group.addAction(action)
        self._bar.addAction(action)
        button = self._bar.widgetForAction(action)
        if isinstance(button, QToolButton):
            button.setAccessibleName(title)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setMinimumWidth(72)

    def _show_page(self, at: int) -> None:
        """Show a page; the window takes the size the page needs, as on a Mac."""
        self.pages.setCurrentIndex(at)
        page = self.pages.widget(at)
        if page is self.models_panel and self.models_panel is not None:
            self.resize(*_LARGE)
        elif isinstance(page, BackupsSection):
            self.resize(*_TALL)
        else:
            self.resize(*_SMALL)
