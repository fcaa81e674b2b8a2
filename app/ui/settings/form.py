"""Rows of the settings pages: each shows one setting and changes it at once.

A page keeps no value: it reads the settings when it is shown and after each change elsewhere.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.config.settings import Settings
from app.ui import theme
from app.ui.widgets.labels import QuietLabel

Change = Callable[..., None]


class SettingsPage(QWidget):
    """A page of labelled rows.

    Args:
        settings: returns what holds now.
        change: asked to change settings, by name.
    """

    def __init__(
        self, settings: Callable[[], Settings], change: Change, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.change = change
        self._readers: list[Callable[[], None]] = []
        self._quiet: list[QuietLabel] = []
        self.form = QFormLayout(self)
        self.form.setContentsMargins(28, 20, 28, 20)
        self.form.setHorizontalSpacing(12)
        self.form.setVerticalSpacing(12)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)

    def refresh(self) -> None:
        """Show what holds now."""
        for read in self._readers:
            read()

    def refresh_colors(self) -> None:
        for label in self._quiet:
            label.refresh_colors()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def row(self, label: str, field: QWidget | QLayout, note: str = "") -> None:
        """Add a row, with a quiet line below its field."""
        if not note:
            self.form.addRow(label, field)
            return
        column = QVBoxLayout()
        column.setSpacing(4)
        if isinstance(field, QWidget):
            column.addWidget(field)
        else:
            column.addLayout(field)
        column.addWidget(self.note(note))
        column.addStretch(1)
        self.form.addRow(label, column)

    def note(self, text: str = "", indent: int = 0) -> QuietLabel:
        """Return a quiet line."""
        label = QuietLabel(text, self, wraps=True)
        label.setContentsMargins(indent, 0, 0, 0)
        self._quiet.append(label)
        return label

    def on_refresh(self, read: Callable[[], None]) -> None:
        """Call `read` whenever the page has to show what holds now."""
        self._readers.append(read)

    def check(self, name: str, text: str, note: str = "") -> QCheckBox:
        """Return a box for a yes-or-no setting."""
        box = QCheckBox(text, self)
        box.setAccessibleDescription(note)
        box.setMinimumHeight(theme.TARGET - 4)

        def read() -> None:
            with QSignalBlocker(box):
                box.setChecked(bool(getattr(self.settings(), name)))

        box.toggled.connect(lambda is_on: self.change(**{name: is_on}))
        self._readers.append(read)
        read()
        return box

    def choice(self, name: str, title: str, values: Sequence[tuple[str | int, str]]) -> QComboBox:
        """Return a box for a setting with few values; another value that it has is kept."""
        box = QComboBox(self)
        box.setAccessibleName(title)
        box.setMinimumHeight(theme.TARGET)
        for value, text in values:
            box.addItem(text, value)

        def read() -> None:
            now = getattr(self.settings(), name)
            with QSignalBlocker(box):
                if box.findData(now) < 0:
                    box.addItem(str(now), now)
                box.setCurrentIndex(box.findData(now))

        box.currentIndexChanged.connect(lambda _at: self.change(**{name: box.currentData()}))
        self._readers.append(read)
        read()
        return box


def column_of(*parts: QWidget | QLayout, spacing: int = 4) -> QVBoxLayout:
    """Return `parts` above one another."""
    column = QVBoxLayout()
    column.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    column.addStretch(1)
    return column


def push_button(
    text: str, call: Callable[[], object], parent: QWidget, name: str = ""
) -> QPushButton:
    """Return a button; `name` is for a screen reader, where the text alone says too little."""
    button = QPushButton(text, parent)
    button.setAccessibleName(name or text)
    button.setAutoDefault(False)
    button.setMinimumHeight(theme.TARGET)
    button.clicked.connect(lambda _checked=False: call())
    return button
