"""The words of the running take, in a field that follows them.

Shows the end of a long take only: an hour of words in one paragraph would be laid out anew with
each partial. The whole text is in the library as soon as it is final.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.config.translate import tr
from app.ui import theme
from app.ui.units import units

_MOST_CHARS = 1_500


class LiveText(QTextEdit):
    """Committed words in full ink, the tail dimmed; scrolls along unless the person scrolled up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(tr("Words of the running recording"))
        self.setPlaceholderText(tr("The words appear here as they are recognized."))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(0)
        self._shown = ("", "")
        self._inked = 0  # how far, as Qt counts, the start is in full ink

    def show_words(self, committed: str, tail: str) -> None:
        """Show the words as they now are; only what differs is touched."""
        if len(committed) > _MOST_CHARS:
            start = committed.find(" ", len(committed) - _MOST_CHARS)
            committed = "… " + committed[start + 1 if start >= 0 else -_MOST_CHARS :]
        if (committed, tail) == self._shown:
            return
        self._shown = (committed, tail)
        is_at_end = self._is_at_end
        glue = " " if committed and tail else ""
        self._replace_from(self._same(committed), committed, glue + tail)
        if is_at_end:
            bar = self.verticalScrollBar()
            bar.setValue(bar.maximum())

    def clear_words(self) -> None:
        self._shown = ("", "")
        self._inked = 0
        self.clear()

    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        palette = self.palette()
        palette.setColor(palette.ColorRole.Base, theme.color("base"))
        self.setPalette(palette)
        committed, tail = self._shown
        self.clear_words()
        if committed or tail:
            self.show_words(committed, tail)

    @property
    def _is_at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - 4

    def _same(self, committed: str) -> int:
        """Return how many leading characters stand there already in full ink."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._inked)
        cursor.setPosition(0, QTextCursor.MoveMode.KeepAnchor)
        before = cursor.selectedText()
        count = 0
        for old, new in zip(before, committed, strict=False):
            if old != new:
                break
            count += 1
        return count

    def _replace_from(self, same: int, committed: str, tail: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(units(committed, same))
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(committed[same:], _look("text"))
        self._inked = cursor.position()
        cursor.insertText(tail, _look("secondary"))


def _look(color: str) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setForeground(theme.color(color))
    return look
