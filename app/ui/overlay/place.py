"""Which screen the overlay belongs to, and where on it; asked anew each time.

Screens come and go: nothing here keeps one.
"""

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QCursor, QGuiApplication, QScreen

_ABOVE_EDGE = 22  # px between the pill and the Dock or the edge of the screen


def screen_area() -> QRect | None:
    """Return the usable part of the screen with the pointer; `None` without any screen."""
    screen: QScreen | None = (
        QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
    )
    if screen is None:  # every display was unplugged
        return None
    return screen.availableGeometry()


def bottom_centre(size: QSize, area: QRect) -> QPoint:
    """Return where a window of `size` lies at the bottom centre of `area`."""
    x = area.center().x() - size.width() // 2
    y = area.bottom() + 1 - size.height() - _ABOVE_EDGE
    return QPoint(x, max(area.top(), y))
