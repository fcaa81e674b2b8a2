"""How loud it is, drawn: bars that travel, or a bar that fills in steps where motion is unwanted.

A meter asks for the level only while somebody sees it; no timer runs otherwise.
"""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleValueChangeEvent, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui import theme

TICK_MS = 50
CALM_TICK_MS = 250
BARS = 7
_LOW_DB, _HIGH_DB = -55.0, -6.0
_BEND = 1.3  # so that loud and very loud can be told apart
_STEPS = 5
_SPOKEN_STEP = 0.2  # a screen reader hears of a change this large


def loudness(level_db: float) -> float:
    """Return a level as 0…1, with most room for the levels of speech."""
    share = (level_db - _LOW_DB) / (_HIGH_DB - _LOW_DB)
    return float(min(1.0, max(0.0, share)) ** _BEND)


class LevelTrace:
    """The last few levels, newest last."""

    def __init__(self, count: int = BARS) -> None:
        self._levels: deque[float] = deque([0.0] * count, maxlen=count)

    def add(self, level_db: float) -> None:
        self._levels.append(loudness(level_db))

    def clear(self) -> None:
        self._levels.extend([0.0] * len(self._levels))

    @property
    def levels(self) -> tuple[float, ...]:
        return tuple(self._levels)

    @property
    def latest(self) -> float:
        return self._levels[-1]


def draw_bars(painter: QPainter, area: QRectF, trace: LevelTrace, ink: QColor) -> None:
    """Draw the trace as upright bars around the middle of `area`."""
    levels = trace.levels
    pitch = area.width() / len(levels)
    width = min(3.0, pitch * 0.6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    for at, level in enumerate(levels):
        height = max(width, level * area.height())
        x = area.left() + at * pitch + (pitch - width) / 2
        bar = QRectF(x, area.center().y() - height / 2, width, height)
        painter.drawRoundedRect(bar, width / 2, width / 2)


def draw_steps(painter: QPainter, area: QRectF, trace: LevelTrace, ink: QColor) -> None:
    """Draw the latest level as steps that are on or off: nothing travels."""
    pitch = area.width() / _STEPS
    side = min(5.0, pitch * 0.7)
    lit = round(trace.latest * _STEPS)
    painter.setPen(Qt.PenStyle.NoPen)
    for at in range(_STEPS):
        color = QColor(ink)
        color.setAlphaF(1.0 if at < lit else 0.25)
        painter.setBrush(color)
        x = area.left() + at * pitch + (pitch - side) / 2
        painter.drawEllipse(QRectF(x, area.center().y() - side / 2, side, side))


class LevelMeter(QWidget):
    """A level meter in a window.

    Args:
        name: for a screen reader.
        level_db: asked for the level, at every tick.
        bars: how many past levels are shown; 1 makes one wide bar that fills.
    """

    def __init__(
        self,
        name: str,
        level_db: Callable[[], float],
        parent: QWidget | None = None,
        *,
        bars: int = BARS,
        is_calm: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._level_db = level_db
        self._is_calm = is_calm
        self._is_on = False
        self._spoken = 0.0
        self._bars = bars
        self.trace = LevelTrace(bars)
        self.timer = QTimer(self)
        self.timer.setInterval(CALM_TICK_MS if is_calm else TICK_MS)
        self.timer.timeout.connect(self._on_tick)
        vertical = QSizePolicy.Policy.Fixed
        policy = QSizePolicy.Policy.Expanding if bars == 1 else QSizePolicy.Policy.Fixed
        self.setSizePolicy(policy, vertical)

    def sizeHint(self) -> QSize:
        return QSize(160 if self._bars == 1 else self._bars * 5, 10 if self._bars == 1 else 22)

    def set_on(self, is_on: bool) -> None:
        """Listen, or rest."""
        if is_on == self._is_on:
            return
        self._is_on = is_on
        if not is_on:
            self.trace.clear()
            self.update()
        self._follow()

    def showEvent(self, _event: object) -> None:
        self._follow()

    def hideEvent(self, _event: object) -> None:
        self._follow()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = theme.color("error" if self._is_on else "secondary")
        area = QRectF(self.rect())
        if self._bars == 1:
            self._paint_wide(painter, area)
        elif self._is_calm:
            draw_steps(painter, area, self.trace, ink)
        else:
            draw_bars(painter, area, self.trace, ink)

    def _paint_wide(self, painter: QPainter, area: QRectF) -> None:
        thick = 8.0
        bar = QRectF(area.left(), area.center().y() - thick / 2, area.width(), thick)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("track"))
        painter.drawRoundedRect(bar, thick / 2, thick / 2)
        bar.setWidth(bar.width() * self.trace.latest)
        if bar.width() >= thick:
            painter.setBrush(theme.color("success"))
            painter.drawRoundedRect(bar, thick / 2, thick / 2)

    def _follow(self) -> None:
        if self._is_on and self.isVisible():
            self.timer.start()
        else:
            self.timer.stop()

    def _on_tick(self) -> None:
        before = self.trace.levels
        self.trace.add(self._level_db())
        if self.trace.levels != before:
            self.update()
        if abs(self.trace.latest - self._spoken) >= _SPOKEN_STEP:
            self._spoken = self.trace.latest
            percent = round(self._spoken * 100)
            QAccessible.updateAccessibility(QAccessibleValueChangeEvent(self, percent))
