"""What a pane shows when it has nothing to show: why, and what to do about it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.widgets.drop_overlay import draw_target
from app.ui.widgets.labels import PlainLabel, QuietLabel

_WIDTH = 440  # px, the widest line of text
_NARROW = 150  # px, what a pane surely has


class EmptyState(QWidget):
    """An icon, a title, a few lines and buttons in the middle of a pane."""

    def __init__(self, parent: QWidget | None = None, *, is_drop_target: bool = False) -> None:
        super().__init__(parent)
        self._is_drop_target = is_drop_target
        self._shown: tuple[object, ...] = ()
        self._icon_name = ""
        self._icon_tint = "secondary"
        self.icon_label = QLabel(self)
        self.title_label = PlainLabel("", self, wraps=True)
        self.busy = QProgressBar(self)
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setFixedSize(160, 6)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.SPACE)
        self.line_labels: list[QuietLabel] = []
        self.buttons: list[QPushButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(theme.SPACE)
        column.addStretch(3)
        column.addWidget(self.icon_label, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(_centered(self.title_label))
        column.addWidget(self.busy, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self._lines)
        column.addSpacing(theme.SPACE)
        column.addLayout(self._buttons)
        column.addStretch(4)

    def show_state(
        self,
        title: str,
        lines: Sequence[str] = (),
        *,
        icon: str = "",
        tint: str = "secondary",
        actions: Sequence[tuple[str, Callable[[], object]]] = (),
        is_busy: bool = False,
    ) -> None:
        """Show another state; the first action is the one to take."""
        shown = (title, tuple(lines), icon, tint, tuple(text for text, _call in actions), is_busy)
        if shown == self._shown:
            return
        self._shown = shown
        for old in (*self.line_labels, *self.buttons):
            old.hide()
            old.setParent(None)
            old.deleteLater()
        while self._buttons.takeAt(0):
            pass
        self._icon_name, self._icon_tint = icon, tint
        self.title_label.setFont(theme.font(1.25, is_bold=True))
        self.title_label.setText(title)
        self.title_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        _fit(self.title_label)
        self.busy.setVisible(is_busy)
        self.busy.setAccessibleName(title)
        self.line_labels = [self._line(line) for line in lines]
        self._buttons.addStretch(1)
        self.buttons = [self._button(*action) for action in actions]
        self._buttons.addStretch(1)
        if self.buttons:
            self.buttons[0].setDefault(True)
        self.refresh_colors()

    def refresh_colors(self) -> None:
        self.icon_label.setVisible(bool(self._icon_name))
        if self._icon_name:
            tint = theme.color(self._icon_tint).name()
            self.icon_label.setPixmap(theme.pixmap(self._icon_name, tint, 36))
        for label in self.line_labels:
            label.refresh_colors()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("base"))
        if self._is_drop_target:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_target(painter, self.rect().adjusted(20, 20, -20, -20), is_active=False)

    def _line(self, text: str) -> QuietLabel:
        label = QuietLabel(text, self, wraps=True)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        _fit(label)
        self._lines.addLayout(_centered(label))
        return label

    def _button(self, text: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAccessibleName(text)
        button.setAutoDefault(True)
        button.clicked.connect(lambda _checked=False: call())
        self._buttons.addWidget(button)
        return button


def _fit(label: PlainLabel) -> None:
    """Make a centered label as wide as its text, up to the widest line, then wrap."""
    natural = label.fontMetrics().horizontalAdvance(label.text()) + 12
    label.setMaximumWidth(_WIDTH)
    label.setMinimumWidth(min(natural, _NARROW))
    policy = label.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
    label.setSizePolicy(policy)


def _centered(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(widget, 1000)
    row.addStretch(1)
    return row
