"""The target that shows itself while files are dragged over the window."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.config.translate import tr
from app.ui import theme


class DropOverlay(QWidget):
    """Covers its parent while something is dragged over it; takes no event itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def appear(self) -> None:
        """Cover the parent."""
        parent = self.parentWidget()
        self.setGeometry(parent.rect() if parent else QRect())
        self.raise_()
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(theme.color("base"))
        veil.setAlphaF(0.94)
        painter.fillRect(self.rect(), veil)
        draw_target(painter, self.rect().adjusted(16, 16, -16, -16), is_active=True)
        painter.setFont(theme.font(1.5, is_bold=True))
        painter.setPen(theme.color("text"))
        painter.drawText(
            self.rect(),
            Qt.AlignmentFlag.AlignCenter,
            tr("Drop files or folders to transcribe them"),
        )


def draw_target(painter: QPainter, rect: QRect, *, is_active: bool) -> None:
    """Draw the dashed frame that means: drop here."""
    pen = QPen(theme.color("tint" if is_active else "secondary"), 2 if is_active else 1.5)
    pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect, 12, 12)
