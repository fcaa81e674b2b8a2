"""The buttons of the overlay, in a window of their own over the click-through pill.

A click on them takes no focus from the program in front.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.config.translate import tr
from app.ui import theme
from app.ui.live.wording import Act, act_name
from app.ui.overlay.pill import BUTTON, overlay_window

_TALL = int(BUTTON)


class ActButton(QPushButton):
    """A small button that draws itself: no style gives one in a window without focus."""

    def __init__(self, act: Act, parent: QWidget) -> None:
        super().__init__(act_name(act), parent)
        self.act = act
        self.setAccessibleName(act_name(act))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFont(theme.font(0.95, is_bold=True))
        self.setFixedSize(self.fontMetrics().horizontalAdvance(self.text()) + 26, _TALL)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("base"))
        painter.setPen(QPen(theme.color("line"), 1.0))
        painter.setBrush(theme.color("hover" if self.underMouse() or self.isDown() else "window"))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), _TALL / 2, _TALL / 2)
        painter.setFont(self.font())
        painter.setPen(theme.color("tint"))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())


class OverlayButtons(QWidget):
    """One row of buttons."""

    chosen = Signal(object)  # Act

    def __init__(self) -> None:
        super().__init__()
        overlay_window(self)
        self.setAccessibleName(tr("What can be done about the recording"))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.SPACE)
        self.buttons: list[ActButton] = []

    @property
    def acts(self) -> tuple[Act, ...]:
        return tuple(button.act for button in self.buttons)

    @property
    def wanted_width(self) -> int:
        """The width of all buttons, 0 without any."""
        if not self.buttons:
            return 0
        gaps = theme.SPACE * (len(self.buttons) - 1)
        return sum(button.width() for button in self.buttons) + gaps

    @property
    def is_pointed_at(self) -> bool:
        """Whether the pointer rests on a button: somebody is about to click."""
        return self.isVisible() and self.underMouse()

    def set_acts(self, acts: Sequence[Act]) -> None:
        """Offer these buttons."""
        if tuple(acts) == self.acts:
            return
        for old in self.buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = []
        for act in acts:
            button = ActButton(act, self)
            button.clicked.connect(lambda _checked=False, act=act: self.chosen.emit(act))
            self._row.addWidget(button)
            self.buttons.append(button)

    def show_at(self, point: QPoint) -> None:
        """Show the buttons with their top left corner at `point` of the screen."""
        self.setGeometry(point.x(), point.y(), self.wanted_width, _TALL)
        self.show()
        self.raise_()
