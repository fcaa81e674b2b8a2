"""The settings: toolbar tabs, every change applied at once.

Shows only settings that exist; the values belong to whoever answers `change_settings`.
"""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QRadioButton,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
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
from app.ui.settings.microphone import MicrophonePage
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.wording import short_path

_SMALL = (640, 452)  # px: with its frame it fits a window of 760 × 480
_LARGE = (700, 640)
_TALL = (640, 512)  # for all that backups may have to say at once


class SettingsWindow(QMainWindow):
    """General, Dictation, Microphone, Models, Library, Privacy."""

    def __init__(
        self, ports: Ports, change: Callable[..., None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._ports = ports
        self._change = change
        self.setWindowTitle(tr("Settings"))
        self.setUnifiedTitleAndToolBarOnMac(True)
        self._quiet: list[QuietLabel] = []
        self._bar = QToolBar(self)
        self._bar.setMovable(False)
        self._bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self._bar.setIconSize(QSize(theme.ICON + 2, theme.ICON + 2))
        self.addToolBar(self._bar)
        self._group = QActionGroup(self)
        self.pages = QStackedWidget(self)
        self.setCentralWidget(self.pages)
        self.general = GeneralPage(ports, change, self)
        self.dictation = DictationPage(ports, change, self)
        self._parts: list[SettingsPage | DictationPage] = [self.general]
        self._add_page(tr("General"), "settings", self.general)
        if ports.dictation is not None:
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
        self._add_page(tr("Library"), "library", self._library())
        if ports.backups is not None:
            self.backups = BackupsSection(ports, ports.backups, change, self)
            self._parts.append(self.backups)
            self._add_page(tr("Backups"), "retry", self.backups)
        self._add_page(tr("Privacy"), "privacy", self._privacy())
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

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.models_panel is not None:
            self.models_panel.finish_removal()
        super().closeEvent(event)

    def refresh_colors(self) -> None:
        theme.refresh_icons(self)
        if self.models_panel is not None:
            self.models_panel.refresh_colors()
        for label in self._quiet:
            label.refresh_colors()
        for part in self._parts:
            part.refresh_colors()

    def refresh(self) -> None:
        """Show what holds now: a setting may be changed elsewhere too."""
        for part in self._parts:
            part.refresh()

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

    def _library(self) -> QWidget:
        folder = self._ports.library_folder
        place = QLineEdit(short_path(folder), self)
        place.setReadOnly(True)
        place.setAccessibleName(tr("Where the library lies"))
        reveal = QPushButton(tr("Show Folder"), self)
        reveal.setAccessibleName(tr("Show the library’s folder"))
        reveal.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        row = QHBoxLayout()
        row.addWidget(place, 1)
        row.addWidget(reveal)
        self.reference_button = QRadioButton(tr("Leave them where they are"), self)
        self.copy_button = QRadioButton(tr("Keep a copy in the library"), self)
        group = QButtonGroup(self)
        choices = QVBoxLayout()
        choices.setSpacing(4)
        for button, value, note in (
            (
                self.reference_button,
                "reference",
                tr("Takes no space. If you move or delete a file, only its text remains."),
            ),
            (self.copy_button, "copy", tr("Takes as much space again, and stays complete.")),
        ):
            group.addButton(button)
            button.setAccessibleDescription(note)
            button.setChecked(self._ports.commands.settings.imported_files == value)
            button.toggled.connect(
                lambda is_on, value=value: self._change(imported_files=value) if is_on else None
            )
            choices.addWidget(button)
            choices.addWidget(self._quiet_line(note, indent=22))
        page, form = _form_page()
        form.addRow(tr("Library:"), row)
        form.addRow(tr("Imported files:"), choices)
        return page

    def _privacy(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(theme.SPACE)
        for title, text in (
            (
                tr("Nothing leaves this computer"),
                tr(
                    "Undertone turns speech into text here. It sends no recording, no text and no "
                    "statistics anywhere."
                ),
            ),
            (
                tr("What is stored"),
                tr(
                    "The library holds titles, texts and times, and copies of recordings if you "
                    "chose so. Only your user account may read its folder."
                ),
            ),
            (
                tr("What is written down about problems"),
                tr(
                    "Log files hold numbers and kinds of errors, never your texts, titles or the "
                    "names of your files."
                ),
            ),
        ):
            heading = PlainLabel(title, self, wraps=True)
            heading.setFont(theme.font(is_bold=True))
            column.addWidget(heading)
            column.addWidget(self._quiet_line(text))
            column.addSpacing(theme.SPACE)
        column.addStretch(1)
        return page

    def _quiet_line(self, text: str, indent: int = 0) -> QuietLabel:
        label = QuietLabel(text, self, wraps=True)
        label.setContentsMargins(indent, 0, 0, 4)
        self._quiet.append(label)
        return label


def _form_page() -> tuple[QWidget, QFormLayout]:
    page = QWidget()
    form = QFormLayout(page)
    form.setContentsMargins(28, 24, 28, 24)
    form.setHorizontalSpacing(12)
    form.setVerticalSpacing(16)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return page, form
