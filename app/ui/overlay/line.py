"""One line of text that always shows its end: the words that were said last.

Laid out once for each change, whatever the writing direction; only the end of a long text is looked
at, so that an hour of words costs as much as a minute of them.
"""

import unicodedata
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QLinearGradient,
    QPainter,
    QPixmap,
    QTextCharFormat,
    QTextLayout,
    QTextLine,
    QTextOption,
)

from app.ui.units import all_units

_MOST_CHARS = 240
_FADE = 28.0  # px over which the cut end fades away
# Marks that turn the direction of what follows: spoken words have none, a file's title may.
_TURNING = {ord(char): None for char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


class WordsLine:
    """The last words of a text that grows: what stays in full ink, the rest dimmed."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._pixmap = QPixmap()
        self.is_cut = False

    @staticmethod
    def shown(committed: str, tail: str) -> tuple[str, str]:
        """Return the ends of both parts that can possibly be seen, on one line."""
        committed = " ".join(committed[-_MOST_CHARS * 2 :].translate(_TURNING).split())
        tail = " ".join(tail[-_MOST_CHARS * 2 :].translate(_TURNING).split())
        return committed[-_MOST_CHARS:], tail[-_MOST_CHARS:]

    def width(self, committed: str, tail: str, font: QFont) -> float:
        """Return how wide the whole line would be."""
        committed, tail = self.shown(committed, tail)
        _layout, line = _lay_out(f"{committed} {tail}".strip(), font)
        return line.naturalTextWidth()

    def draw(
        self,
        painter: QPainter,
        area: QRectF,
        committed: str,
        tail: str,
        *,
        font: QFont,
        ink: QColor,
        dim: QColor,
    ) -> None:
        """Draw the line into `area`; from the last picture of it if nothing changed."""
        ratio = painter.device().devicePixelRatio()
        size = area.size().toSize()
        key = (committed, tail, font.key(), ink.rgba(), dim.rgba(), size, ratio)
        if key != self._key:
            self._key = key
            self._pixmap = QPixmap(size * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            self._render(committed, tail, font, ink, dim)
        painter.drawPixmap(area.topLeft(), self._pixmap)

    def _render(self, committed: str, tail: str, font: QFont, ink: QColor, dim: QColor) -> None:
        committed, tail = self.shown(committed, tail)
        text = f"{committed} {tail}".strip()
        inked, total = all_units(text, (len(committed), len(text)))
        formats = _formats(inked, total, ink, dim)
        layout, line = _lay_out(text, font, formats)
        area = QRectF(QPointF(0, 0), self._pixmap.deviceIndependentSize())
        excess = line.naturalTextWidth() - area.width()
        self.is_cut = excess > 0
        is_rtl = _is_rtl(text)
        # A cut line lies where its direction ends, one that fits where it begins.
        x = -excess if self.is_cut != is_rtl else 0.0
        painter = QPainter(self._pixmap)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        y = (area.height() - line.height()) / 2
        layout.draw(painter, QPointF(x, y))
        if self.is_cut:
            _fade(painter, area, at_right=is_rtl)
        painter.end()


def _lay_out(
    text: str, font: QFont, formats: Sequence[QTextLayout.FormatRange] = ()
) -> tuple[QTextLayout, QTextLine]:
    layout = QTextLayout(text, font)
    layout.setFormats(list(formats))
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    option.setTextDirection(
        Qt.LayoutDirection.RightToLeft if _is_rtl(text) else Qt.LayoutDirection.LeftToRight
    )
    option.setAlignment(Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignLeft)
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(1_000_000)
    layout.endLayout()
    return layout, line


def _formats(committed: int, total: int, ink: QColor, dim: QColor) -> list[QTextLayout.FormatRange]:
    found = []
    for start, length, color in ((0, committed, ink), (committed, total - committed, dim)):
        part = QTextLayout.FormatRange()
        part.start, part.length = start, length
        look = QTextCharFormat()
        look.setForeground(color)
        part.format = look
        found.append(part)
    return found


def _fade(painter: QPainter, area: QRectF, *, at_right: bool) -> None:
    edge, inner = (area.right(), area.right() - _FADE) if at_right else (0.0, _FADE)
    gradient = QLinearGradient(edge, 0, inner, 0)
    gradient.setColorAt(0, QColor(0, 0, 0, 0))
    gradient.setColorAt(1, QColor(0, 0, 0, 255))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.fillRect(area, gradient)


def _is_rtl(text: str) -> bool:
    """Return whether the first letter with a direction is written from right to left."""
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False
