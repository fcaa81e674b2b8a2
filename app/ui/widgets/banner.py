"""A strip that says one thing and offers a way on.

Never modal, never takes the focus; stays until the person or its owner closes it.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.config.translate import tr
from app.ui import theme
from app.ui.widgets.labels import PlainLabel

_ICONS = {"info": "info", "warning": "warning", "error": "warning"}
_TINTS = {"info": "tint", "warning": "warning", "error": "error"}


class Banner(QWidget):
    """A message, at most a few lines below it, buttons, and a way to close it."""

    closed = Signal()

    def __init__(
        self,
        message: str,
        *,
        tone: str = "info",
        lines: Sequence[str] = (),
        actions: Sequence[tuple[str, Callable[[], object]]] = (),
        can_close: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.tone = tone
        self.message = message
        self.setAccessibleName(message)
        self._icon = QLabel(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE * 2, 6, theme.SPACE, 6)
        row.setSpacing(theme.SPACE)
        row.addWidget(self._icon)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self.labels = [PlainLabel(text, self, wraps=True) for text in (message, *lines)]
        for label in self.labels:
            texts.addWidget(label)
        row.addLayout(texts, 1)
        self.buttons: list[QPushButton] = []
        for text, call in actions:
            button = QPushButton(text, self)
            button.setAccessibleName(text)
            button.clicked.connect(lambda _checked=False, call=call: call())
            row.addWidget(button)
            self.buttons.append(button)
        self.close_button = QToolButton(self)
        self.close_button.setAutoRaise(True)
        self.close_button.setAccessibleName(tr("Close this message"))
        self.close_button.setToolTip(tr("Close this message"))
        self.close_button.setFixedSize(theme.TARGET, theme.TARGET)
        theme.set_icon(self.close_button, "cancel")
        self.close_button.clicked.connect(self._close)
        self.close_button.setVisible(can_close)
        row.addWidget(self.close_button)
        self.refresh_colors()

    def refresh_colors(self) -> None:
        tint = theme.color(_TINTS[self.tone]).name()
        self._icon.setPixmap(theme.pixmap(_ICONS[self.tone], tint))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color(f"banner_{self.tone}"))
        painter.setPen(theme.color("line"))
        painter.drawLine(self.rect().bottomLeft(), self.rect().bottomRight())

    def _close(self) -> None:
        self.hide()
        self.closed.emit()


class BannerStack(QWidget):
    """Banners above one another; one of each name at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banners: dict[str, Banner] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def show_banner(self, name: str, banner: Banner) -> None:
        """Show `banner`, in place of an older one of that name."""
        self.close_banner(name)
        self._banners[name] = banner
        banner.closed.connect(lambda: self._forget(name, banner))
        self._column.addWidget(banner)
        banner.show()

    def close_banner(self, name: str) -> None:
        """Take the banner of that name away, if there is one."""
        banner = self._banners.get(name)
        if banner is not None:
            self._forget(name, banner)

    def banner(self, name: str) -> Banner | None:
        """Return the banner of that name, if it is shown."""
        return self._banners.get(name)

    def refresh_colors(self) -> None:
        for banner in self._banners.values():
            banner.refresh_colors()

    def _forget(self, name: str, banner: Banner) -> None:
        if self._banners.get(name) is banner:
            del self._banners[name]
        self._column.removeWidget(banner)
        banner.hide()
        banner.deleteLater()
