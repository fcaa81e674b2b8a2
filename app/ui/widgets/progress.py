"""A thin progress bar, the same in lists and panes."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QWidget

from app.ui import theme

THICK = 5  # px


class ThinProgress(QProgressBar):
    """Shows how much is done; without a known end it moves as the style does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setTextVisible(False)
        self.setFixedHeight(THICK + 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.maximum() == self.minimum():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRect(0, (self.height() - THICK) // 2, self.width(), THICK)
        draw_progress(painter, bar, self.value() / (self.maximum() - self.minimum()))


def draw_progress(
    painter: QPainter, bar: QRect, fraction: float, ink: QColor | None = None
) -> None:
    """Draw a thin bar; `ink` where it lies on the accent colour."""
    radius = bar.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    track = QColor(ink) if ink else theme.color("track")
    if ink:
        track.setAlphaF(0.35)
    painter.setBrush(track)
    painter.drawRoundedRect(bar, radius, radius)
    painter.setBrush(ink or theme.color("tint"))
    filled = QRect(bar)
    filled.setWidth(round(bar.width() * min(1.0, max(0.0, fraction))))
    if filled.width() > 0:
        painter.drawRoundedRect(filled, radius, radius)
