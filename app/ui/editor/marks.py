"""What is painted under the words: the one being spoken, and lines below the doubtful ones.

Painted for what is seen only, so that a transcript of any length costs the same.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextBlock, QTextLine

from app.core.doubt import DOUBTFUL_BELOW, doubtful_words
from app.core.spans import spans
from app.core.transcript import Segment
from app.ui import theme
from app.ui.transcript.text import TranscriptText
from app.ui.units import all_units


class WordMarks:
    """Knows where words stand in the text and paints under them."""

    def __init__(self, text: TranscriptText) -> None:
        self._text = text
        self._spoken: tuple[int, int] | None = None
        self.shows_doubt = True
        self.limit = DOUBTFUL_BELOW  # below which probability a word of this text is doubtful
        text.below = self._paint

    # Where words are

    def word_at(self, at: int, offset: int) -> int | None:
        """Return the word of segment `at` that holds the character `offset`."""
        for word, (start, end) in enumerate(self._spans(at)):
            if start <= offset <= end:
                return word
        return None

    def span(self, at: int, word: int) -> tuple[int, int] | None:
        """Return where a word stands in its block."""
        found = self._spans(at)
        return found[word] if word < len(found) else None

    def spoken_at(self, time_s: float) -> tuple[int, int] | None:
        """Return the segment and word that is heard at `time_s`; the last one in a pause."""
        segments = self._text.segments
        at = bisect_right(segments, time_s + 0.001, key=lambda each: each.start_s) - 1
        if at < 0:
            return None
        words = segments[at].words
        word = bisect_right(words, time_s + 0.001, key=lambda each: each.start_s) - 1
        return at, max(0, word)

    def doubtful(self, at: int) -> list[int]:
        """Return the doubtful words of a segment."""
        return list(doubtful_words(self._text.segments[at], self.limit))

    # What is being spoken

    @property
    def spoken(self) -> tuple[int, int] | None:
        return self._spoken

    def show_spoken(self, place: tuple[int, int] | None) -> None:
        """Mark another word; only the two are painted again."""
        if place == self._spoken:
            return
        for each in (self._spoken, place):
            if each is not None:
                for rect in self.rects(*each):
                    self._text.viewport().update(rect.toAlignedRect().adjusted(-4, -4, 4, 4))
        self._spoken = place

    def rects(self, at: int, word: int) -> list[QRectF]:
        """Return where a word is on the screen: a rectangle for each line it is on."""
        block = self._text.block_at(at)
        if not block.isValid() or at >= len(self._text.segments):
            return []
        found = self._spans(at)
        text = block.text()
        start, end = all_units(text, found[word] if word < len(found) else (0, len(text)))
        return list(self._line_rects(block, start, end))

    # Painting

    def _paint(self, painter: QPainter, seen: QRect) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._spoken is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("spoken"))
            for rect in self.rects(*self._spoken):
                painter.drawRoundedRect(rect.adjusted(-2, -1, 2, 1), 4, 4)
        if not self.shows_doubt:
            return
        pen = QPen(theme.color("warning"), 1.6, Qt.PenStyle.DotLine)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for at in self._seen(seen):
            for word in self.doubtful(at):
                for rect in self.rects(at, word):
                    line = rect.bottom() - 1.5
                    painter.drawLine(QPointF(rect.left(), line), QPointF(rect.right(), line))

    def _seen(self, seen: QRect) -> Iterator[int]:
        """Yield the segments whose blocks are seen."""
        text = self._text
        first = text.cursorForPosition(seen.topLeft()).blockNumber()
        last = text.cursorForPosition(seen.bottomRight()).blockNumber()
        yield from range(first, min(last + 1, len(text.segments)))

    def _line_rects(self, block: QTextBlock, start: int, end: int) -> Iterator[QRectF]:
        """Yield where the units `start` … `end` of a block are."""
        layout = block.layout()
        corner = self._text.document().documentLayout().blockBoundingRect(block).topLeft()
        corner -= QPointF(
            self._text.horizontalScrollBar().value(), self._text.verticalScrollBar().value()
        )
        for number in range(layout.lineCount()):
            line: QTextLine = layout.lineAt(number)
            left = max(start, line.textStart())
            right = min(end, line.textStart() + line.textLength())
            if left < right:
                x1, x2 = _x(line, left), _x(line, right)
                top = corner.y() + line.y() + line.height() - line.ascent() - line.descent() - 1
                height = line.ascent() + line.descent() + 1
                yield QRectF(corner.x() + min(x1, x2), top, abs(x2 - x1), height)

    def _spans(self, at: int) -> list[tuple[int, int]]:
        segments = self._text.segments
        if not 0 <= at < len(segments):
            return []
        return _spans_of(self._text.block_at(at).text(), segments[at])


@lru_cache(maxsize=512)
def _spans_of(text: str, segment: Segment) -> list[tuple[int, int]]:
    return spans(text, segment.words)


def _x(line: QTextLine, place: int) -> float:
    found = line.cursorToX(place)
    return float(found[0] if isinstance(found, tuple) else found)  # type: ignore[arg-type]
