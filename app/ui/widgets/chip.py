"""A small rounded button that stands for something chosen."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.ui import theme

_CROSS = 10
_SIDE = 10


class Chip(QAbstractButton):
    """Shows a text of a person, never as markup; with `has_cross` a click takes it away."""

    def __init__(
        self, text: str, spoken: str, parent: QWidget | None = None, *, has_cross: bool = True
    ) -> None:
        super().__init__(parent)
        self._has_cross = has_cross
        self.setText(text)
        self.setAccessibleName(spoken)
        self.setToolTip(spoken.replace("<", "‹"))
        self.setFont(theme.font(0.92))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        cross = _CROSS + 6 if self._has_cross else 0
        width = min(metrics.horizontalAdvance(self.text()), 220) + cross + 2 * _SIDE
        return QSize(width, max(24, metrics.height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.sizeHint().height())

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self.rect().adjusted(0, 0, -1, -1)
        is_over = self.underMouse() or self.isDown()
        painter.setBrush(theme.color("selected_idle" if is_over else "hover"))
        painter.setPen(theme.color("tint" if self.hasFocus() else "line"))
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        text = frame.adjusted(_SIDE, 0, -_SIDE, 0)
        if self._has_cross:
            tint = theme.color("secondary").name()
            at = text.right() - _CROSS + 2
            painter.drawPixmap(
                at, text.center().y() - _CROSS // 2 + 1, theme.pixmap("cancel", tint, _CROSS)
            )
            text.adjust(0, 0, -_CROSS - 4, 0)
        painter.setPen(theme.color("text"))
        shown = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, text.width() + 2
        )
        painter.drawText(text.adjusted(0, 0, 4, 0), Qt.AlignmentFlag.AlignVCenter, shown)
