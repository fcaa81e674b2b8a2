"""The strip above a text that tells how its new transcription goes and asks for the choice.

Renders what it is told; never takes the focus.
"""

from collections.abc import Callable, Sequence

from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.progress import ThinProgress

_NARROW = 460  # px: below, the buttons stand under the text
_TINTS = {"info": "tint", "error": "error"}


class RetakeStrip(QWidget):
    """One sentence, how far it is, and what can be done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tone = "info"
        self._icon = QLabel(self)
        self.label = PlainLabel("", self, wraps=True)
        self.hint = QuietLabel("", self, wraps=True)
        self.progress = ThinProgress(tr("Progress of the new transcription"), self)
        self.progress.setMinimumWidth(80)
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.buttons: list[QPushButton] = []
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.label)
        texts.addWidget(self.hint)
        said = QHBoxLayout()
        said.setSpacing(theme.SPACE)
        said.addWidget(self._icon)
        said.addLayout(texts, 1)
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.SPACE)
        self._row.addStretch(0)
        self._row.addWidget(self.progress, 1)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._both.setContentsMargins(theme.SPACE * 2, 6, theme.SPACE * 2 - 4, 6)
        self._both.setSpacing(theme.SPACE)
        self._both.addLayout(said, 1)
        self._both.addLayout(self._row)
        self._shown: tuple[object, ...] = ()
        self.hide()

    def show_state(
        self,
        text: str,
        actions: Sequence[tuple[str, Callable[[], object]]],
        *,
        hint: str = "",
        fraction: float | None = None,
        is_working: bool = False,
        tone: str = "info",
    ) -> None:
        """Say `text` and offer `actions`."""
        self.label.setText(text)
        self.setAccessibleName(text)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.progress.setVisible(is_working)
        self.progress.setRange(0, 0 if fraction is None else 1000)
        self.progress.setValue(round((fraction or 0.0) * 1000))
        self.tone = tone
        names = tuple(name for name, _call in actions)
        if names != self._shown:  # else a button would be taken away from under the pointer
            self._shown = names
            self._make_buttons(actions)
        self.refresh_colors()
        self.show()

    def _make_buttons(self, actions: Sequence[tuple[str, Callable[[], object]]]) -> None:
        for old in self.buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = []
        for name, call in actions:
            button = QPushButton(name, self)
            button.setAccessibleName(name)
            button.clicked.connect(lambda _checked=False, call=call: call())
            self._row.addWidget(button)
            self.buttons.append(button)

    def refresh_colors(self) -> None:
        tint = theme.color(_TINTS[self.tone]).name()
        icon = "retry" if self.tone == "info" else "warning"
        self._icon.setPixmap(theme.pixmap(icon, tint))
        self.hint.refresh_colors()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < _NARROW
        way = QBoxLayout.Direction
        self._both.setDirection(way.TopToBottom if is_narrow else way.LeftToRight)
        self._row.setStretch(0, 1 if is_narrow and self.progress.isHidden() else 0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color(f"banner_{self.tone}"))
        painter.setPen(theme.color("line"))
        painter.drawLine(self.rect().bottomLeft(), self.rect().bottomRight())
