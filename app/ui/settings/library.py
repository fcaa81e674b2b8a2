"""The settings of the library: where it lies, what becomes of old recordings, is it in order."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.ui import theme
from app.ui.news import show_folder
from app.ui.ports import Ports
from app.ui.settings.check import CheckPage
from app.ui.settings.form import Change, SettingsPage, push_button
from app.ui.settings.retention import RetentionPage
from app.ui.wording import short_path


class Sheet(Protocol):
    """One part of the page."""

    def refresh(self) -> None: ...

    def refresh_colors(self) -> None: ...


class PlacePage(SettingsPage):
    """Where the library lies, and what is done with files that are imported."""

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        folder = ports.library_folder
        self.place_edit = QLineEdit(short_path(folder), self)
        self.place_edit.setReadOnly(True)
        self.place_edit.setMinimumHeight(theme.TARGET)
        self.place_edit.setAccessibleName(tr("Where the library lies"))
        self.reveal_button = push_button(
            tr("Show Folder"), lambda: show_folder(folder), self, tr("Show the library’s folder")
        )
        line = QHBoxLayout()
        line.addWidget(self.place_edit, 1)
        line.addWidget(self.reveal_button)
        place = QVBoxLayout()  # not `row`: its stretch would part the rows of so short a page
        place.setSpacing(4)
        place.addLayout(line)
        place.addWidget(
            self.note(
                tr("Not in a folder that a cloud service copies: that can damage it. Use backups.")
            )
        )
        self.form.addRow(tr("Library:"), place)
        self.reference_button = QRadioButton(tr("Leave them where they are"), self)
        self.copy_button = QRadioButton(tr("Keep a copy in the library"), self)
        self._group = QButtonGroup(self)
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
            self._group.addButton(button)
            button.setAccessibleDescription(note)
            button.toggled.connect(
                lambda is_on, value=value: self._on_chosen(value) if is_on else None
            )
            choices.addWidget(button)
            choices.addWidget(self.note(note, indent=22))
        self.row(tr("Imported files:"), choices)
        self.on_refresh(self._show)
        self._show()

    def _show(self) -> None:
        is_copy = self.settings().imported_files == "copy"
        (self.copy_button if is_copy else self.reference_button).setChecked(True)

    def _on_chosen(self, value: str) -> None:
        if self.settings().imported_files != value:
            self.change(imported_files=value)


class LibraryPage(QWidget):
    """Place, old recordings, check; each on a sheet of its own."""

    def __init__(
        self,
        ports: Ports,
        change: Change,
        run_rules: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.sheets = QTabWidget(self)
        self.sheets.setDocumentMode(True)
        self.sheets.tabBar().setAccessibleName(tr("Parts of the library settings"))
        self._pages: list[Sheet] = []
        self.place = PlacePage(ports, change, self)
        self.add_sheet(self.place, self.place, tr("Files"))
        self.retention: RetentionPage | None = None
        self.check: CheckPage | None = None
        keeping = ports.keeping
        if keeping is not None and keeping.rules is not None:
            self.retention = RetentionPage(
                ports.commands, change, keeping, keeping.rules, run_rules, self
            )
            self.add_sheet(self.retention, self.retention, tr("Old Recordings"))
        if keeping is not None and keeping.check is not None:
            self.check = CheckPage(keeping, self)
            self.add_sheet(self.check, self.check, tr("Check"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.sheets)

    def add_sheet(self, page: Sheet, widget: QWidget, title: str) -> None:
        """Add a part behind those there are."""
        self._pages.append(page)
        self.sheets.addTab(widget, title)

    def show_check(self) -> None:
        """Show the part that checks the library."""
        if self.check is not None:
            self.sheets.setCurrentWidget(self.check)

    def refresh(self) -> None:
        """Show what holds now."""
        for page in self._pages:
            page.refresh()

    def refresh_colors(self) -> None:
        for page in self._pages:
            page.refresh_colors()
