"""The waveform of a recording: where it is heard, and a click to hear another place.

Drawn from stored peaks, a column a pixel; its text twin is the position, for those who cannot see.
"""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.config.translate import tr
from app.core.timecode import clock
from app.ui import theme
from app.ui.ports import Waves

_STEP_S = 5.0


class Waveform(QWidget):
    """A line of sound with the position on it."""

    seek_requested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waves: Waves | None = None
        self._duration_s = 0.0
        self._position_s = 0.0
        self._drawn: tuple[QPixmap, QPixmap] | None = None  # heard, and still to come
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(36)
        self.setMinimumWidth(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._tell()

    def sizeHint(self) -> QSize:
        return QSize(320, 40)

    def show_sound(self, waves: Waves | None, duration_s: float) -> None:
        """Show another sound; without `waves` a plain line as long as it lasts."""
        self._waves = waves
        self._duration_s = waves.duration_s if waves is not None else duration_s
        self._drawn = None
        self._tell()
        self.update()

    def set_position(self, time_s: float) -> None:
        """Move the mark; only what it passes over is painted again."""
        old, self._position_s = self._x(self._position_s), time_s
        new = self._x(time_s)
        if int(old) != int(new):
            left, right = sorted((old, new))
            self.update(int(left) - 3, 0, int(right - left) + 7, self.height())
            self._tell()

    def refresh_colors(self) -> None:
        self._drawn = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._seek(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event.position().x())
        else:
            self.setToolTip(clock(self._time_at(event.position().x())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -_STEP_S, Qt.Key.Key_Right: _STEP_S}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.seek_requested.emit(min(max(0.0, self._position_s + step), self._duration_s))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._drawn = None

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._drawn is None:
            self._drawn = self._draw("tint"), self._draw("thumb")
        x = self._x(self._position_s)
        heard, coming = self._drawn
        painter.setClipRect(QRectF(0, 0, x, self.height()))
        painter.drawPixmap(0, 0, heard)
        painter.setClipRect(QRectF(x, 0, self.width() - x, self.height()))
        painter.drawPixmap(0, 0, coming)
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("tint"))
        painter.drawRoundedRect(QRectF(x - 1, 1, 2, self.height() - 2), 1, 1)
        if self.hasFocus():
            painter.setPen(theme.color("tint"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _draw(self, color: str) -> QPixmap:
        ratio = self.devicePixelRatioF()
        width, height = max(1, self.width()), max(1, self.height())
        picture = QPixmap(round(width * ratio), round(height * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setPen(theme.color(color))
        middle = height / 2
        if self._waves is None or self._duration_s <= 0:
            painter.drawLine(QPointF(0, middle), QPointF(width, middle))
        else:
            columns = self._waves.columns(0.0, self._duration_s, width).astype(np.float64)
            loudest = max(1.0, float(np.abs(columns).max()))
            for x, (low, high) in enumerate(columns / loudest * (middle - 3)):
                painter.drawLine(
                    QPointF(x + 0.5, middle - max(high, 0.5)),
                    QPointF(x + 0.5, middle - min(low, -0.5)),
                )
        painter.end()
        return picture

    def _seek(self, x: float) -> None:
        self.seek_requested.emit(self._time_at(x))

    def _time_at(self, x: float) -> float:
        return min(max(x / max(1, self.width()), 0.0), 1.0) * self._duration_s

    def _x(self, time_s: float) -> float:
        share = time_s / self._duration_s if self._duration_s > 0 else 0.0
        return min(max(share, 0.0), 1.0) * (self.width() - 1)

    def _tell(self) -> None:
        place = tr(
            "Position {time} of {total}",
            time=clock(self._position_s),
            total=clock(self._duration_s),
        )
        self.setAccessibleName(tr("Sound"))
        self.setAccessibleDescription(place)
