"""What ⌘⌫ means where somebody types: what stands before the cursor goes, never a recording.

Follows the focus, so that fields of any age and of every window are heard and no other event is:
on a Mac the one menu bar takes its keys from sheets and Settings too.
"""

import sys

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit)
_BACKSPACE = Qt.Key.Key_Backspace
_KINDS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class TypingKeys(QObject):
    """Keeps ⌘⌫ from the menu while a field that can be written in has the focus."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.takes_line = sys.platform == "darwin"  # elsewhere it takes a word, as Qt does
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() not in _KINDS
            or not isinstance(event, QKeyEvent)
            or event.key() != _BACKSPACE
            or event.modifiers() != Qt.KeyboardModifier.ControlModifier
            or not isinstance(watched, _FIELDS)
            or watched.isReadOnly()
        ):
            return False
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if self.takes_line:
            _delete_to_line_start(watched)
        return self.takes_line

    def _on_focus(self, old: QWidget | None, now: QWidget | None) -> None:
        if isinstance(old, _FIELDS):
            old.removeEventFilter(self)
        if isinstance(now, _FIELDS):
            now.installEventFilter(self)


def _delete_to_line_start(field: QLineEdit | QPlainTextEdit | QTextEdit) -> None:
    """Select what is before the cursor on its line, and press ⌫: each field has its own way."""
    if isinstance(field, QLineEdit):
        if not field.hasSelectedText():
            field.home(True)
    elif not field.textCursor().hasSelection():
        cursor = field.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.StartOfLine, QTextCursor.MoveMode.KeepAnchor)
        field.setTextCursor(cursor)
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, _BACKSPACE, none))
