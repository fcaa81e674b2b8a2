"""Labels for texts of people and files: always shown as they are, never as markup."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.ui import theme


class PlainLabel(QLabel):
    """A label that never reads its text as HTML."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, wraps: bool = False):
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)
        self.setText(text)


class QuietLabel(PlainLabel):
    """A label in the secondary colour, in both schemes."""

    _color = "secondary"

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, wraps: bool = False, color: str = ""
    ):
        super().__init__(text, parent, wraps=wraps)
        self._color = color or "secondary"
        self.refresh_colors()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:  # dark has come, or gone
            is_other = self.palette().color(self.foregroundRole()) != theme.color(self._color)
            if is_other:
                self.refresh_colors()

    def set_color(self, name: str) -> None:
        """Use another colour of the theme."""
        self._color = name
        self.refresh_colors()

    def refresh_colors(self) -> None:
        palette = self.palette()
        palette.setColor(self.foregroundRole(), theme.color(self._color))
        self.setPalette(palette)


class ElidedLabel(QuietLabel):
    """One line that ends in … where it does not fit; the whole text is its accessible name."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, color: str = "text"):
        super().__init__(text, parent, color=color)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        line = " ".join(text.split())
        super().setText(line)
        self.setAccessibleName(line)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width()
        )
        painter.drawText(self.contentsRect(), self.alignment(), shown)
