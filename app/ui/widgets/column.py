"""Widgets below one another that scroll, each exactly as tall as its wrapped texts need.

Qt's own layouts squeeze such widgets in a scroll area when their texts change; here every part has
the height it asks for at the width there is, always.
"""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class ScrollColumn(QScrollArea):
    """Give it parts with `set_parts`; make them children of `body`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body = _Body(self)
        self.setWidget(self.body)

    def set_parts(self, parts: Sequence[QWidget]) -> None:
        """Show `parts` in this order."""
        self.body.parts = list(parts)
        for part in parts:
            part.show()
        for first, second in pairwise(parts):
            QWidget.setTabOrder(first, second)
        self.body.place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.body.place()


class _Body(QWidget):
    """What is scrolled."""

    def __init__(self, area: ScrollColumn) -> None:
        super().__init__(area)
        self._area = area
        self.parts: list[QWidget] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.place)

    def place(self) -> None:
        """Put every part where it belongs."""
        view = self._area.viewport().size()
        top = 0
        for part in self.parts:
            if part.isHidden():
                continue
            part.ensurePolished()
            height = part.heightForWidth(view.width())
            if height < 0:
                height = part.sizeHint().height()
            part.setGeometry(0, top, view.width(), height)
            top += height
        self.resize(view.width(), max(top, view.height()))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self._soon.start()
        return super().event(event)
