"""Find and replace in one transcript, as a bar above it.

Finds as you type; what is replaced goes onto the one undo stack.
"""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.config.translate import tr, tr_plural
from app.core.find import Wanted
from app.ui import theme
from app.ui.widgets.labels import QuietLabel


class FindBar(QWidget):
    """What is looked for and what comes in its place."""

    wanted_changed = Signal(object)  # Wanted
    next_requested = Signal(int)  # -1 or 1
    replace_requested = Signal(str)
    replace_all_requested = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.find_edit = self._edit(tr("Find in this transcript"))
        self.replace_edit = self._edit(tr("Replace with"))
        self.count_label = QuietLabel("", self)
        self.previous_button = self._tool("previous", tr("Previous match"))
        self.next_button = self._tool("next", tr("Next match"))
        self.case_button = self._switch("Aa", tr("Capitals count"))
        self.word_button = self._switch("“ ”", tr("Whole words only"))
        self.close_button = self._tool("cancel", tr("Close"))
        self.replace_button = QPushButton(tr("Replace"), self)
        self.all_button = QPushButton(tr("Replace All"), self)
        self._lay_out()
        self._connect()
        self.hide()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.find_edit, 1)
        for part in (
            self.count_label,
            self.case_button,
            self.word_button,
            self.previous_button,
            self.next_button,
            self.close_button,
        ):
            first.addWidget(part)
        self._second = QWidget(self)
        second = QHBoxLayout(self._second)
        second.setContentsMargins(0, 0, 0, 0)
        second.setSpacing(4)
        second.addWidget(self.replace_edit, 1)
        second.addWidget(self.replace_button)
        second.addWidget(self.all_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 12, 6)
        column.setSpacing(4)
        column.addLayout(first)
        column.addWidget(self._second)

    def _connect(self) -> None:
        self.find_edit.textChanged.connect(lambda _text: self.wanted_changed.emit(self.wanted))
        for switch in (self.case_button, self.word_button):
            switch.toggled.connect(lambda _on: self.wanted_changed.emit(self.wanted))
        self.previous_button.clicked.connect(lambda: self.next_requested.emit(-1))
        self.next_button.clicked.connect(lambda: self.next_requested.emit(1))
        self.close_button.clicked.connect(self.leave)
        self.replace_button.clicked.connect(
            lambda: self.replace_requested.emit(self.replace_edit.text())
        )
        self.all_button.clicked.connect(
            lambda: self.replace_all_requested.emit(self.replace_edit.text())
        )
        for field in (self.find_edit, self.replace_edit):
            field.installEventFilter(self)

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            self.find_edit.text(), self.case_button.isChecked(), self.word_button.isChecked()
        )

    def open(self, text: str = "", *, replaces: bool = False) -> None:
        """Show the bar; `text` is looked for."""
        self._second.setVisible(replaces or (not self._second.isHidden() and not self.isHidden()))
        self.show()
        if text:
            self.find_edit.setText(text)
        self.find_edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.find_edit.selectAll()
        self.wanted_changed.emit(self.wanted)

    def leave(self) -> None:
        """Close the bar."""
        self.hide()
        self.closed.emit()

    def set_writable(self, is_writable: bool) -> None:
        """Whether anything can be replaced."""
        for part in (self.replace_edit, self.replace_button, self.all_button):
            part.setEnabled(is_writable)

    def show_count(self, at: int | None, count: int) -> None:
        """Say how many matches there are and which one is shown."""
        if not self.find_edit.text().strip():
            text = ""
        elif not count:
            text = tr("Not found")
        elif at is None:
            text = tr_plural("{count} match", "{count} matches", count)
        else:
            text = tr("{at} of {count}", at=at + 1, count=count)
        self.count_label.setText(text)
        self.count_label.setAccessibleName(text)

    def refresh_colors(self) -> None:
        self.count_label.refresh_colors()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if watched is self.replace_edit:
                self.replace_requested.emit(self.replace_edit.text())
            else:
                back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                self.next_requested.emit(-1 if back else 1)
            return True
        return super().eventFilter(watched, event)

    def _edit(self, name: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setPlaceholderText(name)
        field.setAccessibleName(name)
        field.setClearButtonEnabled(True)
        return field

    def _tool(self, icon: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET, theme.TARGET)
        button.setAccessibleName(name)
        button.setToolTip(name)
        theme.set_icon(button, icon)
        return button

    def _switch(self, text: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET + 4, theme.TARGET)
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button
