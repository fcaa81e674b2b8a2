"""The text of a transcript, one block a segment, with speaker and time in the margin.

Filled by plain insertion, so a text is never taken for markup. Segments are appended as they become
final, without touching what is there; edits change only the blocks they are about. It can be typed
in while `is_editing`; what the keys mean then is for `app.ui.editor.keys` to say.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from app.config.translate import tr
from app.core.edit import Splice
from app.core.timecode import clock
from app.core.transcript import Segment
from app.ui import theme
from app.ui.ports import FindMatches
from app.ui.units import line_of, select

_MARGIN = 16  # px around the text
_SPEAKER_WIDTH = 110  # px, at most
_AT_ONCE = 150  # segments put into the document before the window breathes again
_HITS_AT_ONCE = 300
_MOST_MARKS = 2000  # search marks on one transcript; more would only slow it down


class TranscriptText(QTextEdit):
    """Shows segments; text can be selected and copied."""

    pasted = Signal(str)  # what Qt wants to put in at the cursor

    def __init__(self, find_matches: FindMatches, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._find_matches = find_matches
        self._segments: list[Segment] = []
        self._starts: list[float] = []
        self._query = ""
        # Marked instead of what matches the query, what is seen first.
        self._hits: Sequence[tuple[int, int, int]] | None = None
        self._filled = 0  # how many segments stand in the document
        self._marks: list[QTextEdit.ExtraSelection] = []
        self._going_to_s: float | None = None
        self._filler = QTimer(self)
        self._filler.setSingleShot(True)
        self._filler.setInterval(0)
        self._filler.timeout.connect(self._fill)
        self._marked: int | None = None  # the block from which matches are still looked for
        self._marker = QTimer(self)
        self._marker.setSingleShot(True)
        self._marker.setInterval(0)
        self._marker.timeout.connect(self._mark_on)
        self._stale: list[int] = []  # blocks whose segment has another text by now, the next last
        self._mender = QTimer(self)
        self._mender.setSingleShot(True)
        self._mender.setInterval(0)
        self._mender.timeout.connect(self._mend)
        self._gutter = 0
        self._speakers: set[str] = set()
        self.is_applying = False  # whether the document is being changed by us, not by a person
        self.below: Callable[[QPainter, QRect], None] = lambda _painter, _rect: (
            None
        )  # painted first
        self.setAccessibleName(tr("Transcript"))
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setAcceptDrops(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(_MARGIN)

    @property
    def segments(self) -> Sequence[Segment]:
        return self._segments

    def show_segments(self, segments: Sequence[Segment]) -> None:
        """Show `segments`; where they only go on after what is shown, append the rest."""
        old = self._segments
        if old and len(segments) >= len(old) and list(segments[: len(old)]) == old:
            self.append_segments(segments[len(old) :])
            return
        self._show_anew(segments)

    def append_segments(self, segments: Sequence[Segment]) -> None:
        """Add segments at the end, keeping the selection and the place."""
        if not segments:
            return
        if any(part.speaker and part.speaker not in self._speakers for part in segments):
            self._show_anew([*self._segments, *segments])
            return
        self._segments += segments
        self._starts += [segment.start_s for segment in segments]
        if not self._filler.isActive():
            self._fill()

    @property
    def is_filling(self) -> bool:
        """Whether segments are still to be put into the document."""
        return self._filled < len(self._segments)

    def fill_all(self) -> None:
        """Put every segment into the document now; an editor needs them all."""
        while self._filled < len(self._segments):
            self._filler.stop()
            self._fill()
        while self._stale:
            self._mend()

    def apply(self, splice: Splice, *, keeps_text: bool = False) -> None:
        """Change what is shown as `splice` says; with `keeps_text` the words stand there already.

        Raises:
            ValueError: it is about other segments.
        """
        first, last = splice.first, splice.first + len(splice.old)
        if tuple(self._segments[first:last]) != splice.old:
            raise ValueError("the text shown is not what this edit was made for")
        self.fill_all()
        was_empty = not self._segments
        self._segments[first:last] = splice.new
        self._starts[first:last] = [each.start_s for each in splice.new]
        self._filled = len(self._segments)
        names = {each.speaker for each in splice.new if each.speaker}
        is_long = abs(len(splice.new) - len(splice.old)) > _AT_ONCE
        if was_empty or is_long or not self._segments or not names <= self._speakers:
            self.show_again()
            return
        if keeps_text:
            pass
        elif len(splice.old) == len(splice.new) > _AT_ONCE:
            self._change_soon(splice)
        else:
            self.is_applying = True
            self._change_blocks(first, len(splice.old), splice.new)
            self.is_applying = False
        self.viewport().update()

    def _change_soon(self, splice: Splice) -> None:
        """Change the text of many segments: at once what is seen, the rest a part at a time."""
        pairs = enumerate(zip(splice.old, splice.new, strict=True), splice.first)
        stale = [at for at, (old, new) in pairs if old.text != new.text]
        top = self.cursorForPosition(QPoint(0, 0)).blockNumber()
        # Ends with the first ones, so that taking from the end begins with what is seen.
        self._stale = sorted(stale, key=lambda at: (at < top, at), reverse=True)
        self._mend()

    def _mend(self) -> None:
        """Bring the next blocks up to date."""
        self.is_applying = True
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for _ in range(min(_AT_ONCE, len(self._stale))):
            at = self._stale.pop()
            self._set_text(cursor, self.block_at(at), self._segments[at].text)
        cursor.endEditBlock()
        self.is_applying = False
        if self._stale:
            self._mender.start()
        elif self._hits is not None:
            self._mark_hits()

    def block_at(self, at: int) -> QTextBlock:
        """Return the block of a segment."""
        return self.document().findBlockByNumber(at)

    def show_again(self) -> None:
        """Show everything anew, with cursor and view as they were."""
        segments, bar = list(self._segments), self.verticalScrollBar()
        place, top = self.textCursor().position(), bar.value()
        self.is_applying = True
        self._show_anew(segments)
        while self._filled < len(segments) and not self._reaches(place, top):
            self._fill()
        cursor = self.textCursor()
        cursor.setPosition(min(place, self.document().characterCount() - 1))
        self.setTextCursor(cursor)
        bar.setValue(top)
        self.is_applying = False

    def _reaches(self, place: int, top: int) -> bool:
        """Whether as much is filled in as was seen; the rest may follow."""
        has_place = self.document().characterCount() > place
        return has_place and self.document().size().height() >= top + self.viewport().height()

    def _change_blocks(self, first: int, count: int, segments: Sequence[Segment]) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        same = min(count, len(segments))
        for at in range(same):
            self._set_text(cursor, self.block_at(first + at), segments[at].text)
        if count > same:  # take blocks out, each with the line end before it, or after the first
            begin, end = self.block_at(first + same), self.block_at(first + count - 1)
            start, stop = begin.position(), end.position() + end.length() - 1
            if begin.blockNumber():
                start -= 1
            elif end.next().isValid():
                stop += 1
            cursor.setPosition(start)
            cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
        for at in range(same, len(segments)):
            if first + at:
                before = self.block_at(first + at - 1)
                cursor.setPosition(before.position() + before.length() - 1)
                cursor.insertBlock(self._block_format())
            else:
                cursor.setPosition(0)
                cursor.insertBlock(self._block_format())
                cursor.setPosition(0)
            cursor.insertText(line_of(segments[at].text))
        cursor.endEditBlock()

    def _set_text(self, cursor: QTextCursor, block: QTextBlock, text: str) -> None:
        """Change only the part of a block that differs, so that cursors stay where they are."""
        old, new = block.text(), line_of(text)
        if old == new:
            return
        head = 0
        while head < min(len(old), len(new)) and old[head] == new[head]:
            head += 1
        tail = 0
        while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        select(cursor, block, head, len(old) - tail)
        cursor.insertText(new[head : len(new) - tail])

    def set_hits(self, hits: Sequence[tuple[int, int, int]]) -> None:
        """Mark (segment, start, end) places instead of what matches the library's search."""
        top = self.cursorForPosition(QPoint(0, 0)).blockNumber()
        first = bisect_left(hits, (top, 0, 0))
        self._hits = [*hits[first : first + _MOST_MARKS], *hits[:first]][:_MOST_MARKS]
        self._marked = None
        self._marks = []
        self._mark_hits()

    def clear_hits(self) -> None:
        """Mark what matches the library's search again."""
        if self._hits is not None:
            self._hits = None
            self.set_query(self._query)

    def set_query(self, query: str) -> None:
        """Mark what matches `query`, unless there are hits to be marked."""
        self._query = query
        if self._hits is None:
            self._marks = []
            self._mark(0)

    def go_to(self, time_s: float) -> None:
        """Bring the segment at `time_s` to the upper third of the view."""
        self._going_to_s = time_s
        at = max(0, bisect_right(self._starts, time_s + 0.001) - 1)
        if at >= self._filled:
            return  # goes there as soon as it is filled in
        self._going_to_s = None
        block = self.document().findBlockByNumber(at)
        self.setTextCursor(QTextCursor(block))
        top = self.document().documentLayout().blockBoundingRect(block).top()
        self.verticalScrollBar().setValue(int(top - self.viewport().height() / 3))

    def refresh_colors(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, theme.color("base"))
        palette.setColor(QPalette.ColorRole.Text, theme.color("text"))
        self.setPalette(palette)
        look = _mark_look()
        for mark in self._marks:
            mark.format = look
        self.setExtraSelections(self._marks)
        self.viewport().update()

    def createMimeDataFromSelection(self) -> QMimeData:
        self.fill_all()
        # Qt's own object, emptied: one made in Python and still on the clipboard when Python has
        # ended crashes the process at its exit.
        data = super().createMimeDataFromSelection()
        data.text()  # makes it render what clear() is to take away
        data.clear()
        data.setText(self.textCursor().selectedText().replace("\u2029", "\n"))
        return data

    def canInsertFromMimeData(self, _source: QMimeData) -> bool:
        return False

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.pasted.emit(source.text())

    def paintEvent(self, event: QPaintEvent) -> None:
        under = QPainter(self.viewport())
        self.below(under, event.rect())
        under.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        layout = self.document().documentLayout()
        offset = self.verticalScrollBar().value()
        place = QPointF(self._gutter + _MARGIN, event.rect().top() + offset)
        at = layout.hitTest(place, Qt.HitTestAccuracy.FuzzyHit)
        block = self.document().findBlock(max(0, at))
        while block.isValid():
            rect = layout.blockBoundingRect(block)
            top = round(rect.top() - offset)
            if top > event.rect().bottom():
                break
            line_height = round(block.layout().lineAt(0).height()) if block.lineCount() else 0
            self._paint_margin(painter, block.blockNumber(), QRect(0, top, 0, line_height))
            block = block.next()

    def _show_anew(self, segments: Sequence[Segment]) -> None:
        self._filler.stop()
        was_applying, self.is_applying = self.is_applying, True
        self.clear()
        self.is_applying = was_applying
        self.setExtraSelections([])
        self._segments, self._starts, self._marks, self._filled = [], [], [], 0
        self._stale = []
        self._marked = None
        self._going_to_s = None
        self._speakers = {segment.speaker for segment in segments if segment.speaker}
        self._set_gutter(self._speakers)
        self.append_segments(segments)
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.verticalScrollBar().setValue(0)

    def _fill(self) -> None:
        """Put the next segments into the document; the rest follows when the window has time."""
        first = self._filled
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        was_applying, self.is_applying = self.is_applying, True
        cursor.beginEditBlock()
        for segment in self._segments[first : first + _AT_ONCE]:
            if self._filled:
                cursor.insertBlock()
            cursor.setBlockFormat(self._block_format())
            cursor.insertText(line_of(segment.text))
            self._filled += 1
        cursor.endEditBlock()
        self.is_applying = was_applying
        self._mark(first if self._marked is None else self._marked)
        if self._filled < len(self._segments):
            self._filler.start()
        if self._going_to_s is not None:
            self.go_to(self._going_to_s)

    def _mark(self, first: int) -> None:
        """Mark the matches from block `first` on, as many blocks as take no time."""
        if self._hits is not None:
            self._mark_hits()
            return
        look = _mark_look()
        block = self.document().findBlockByNumber(first)
        left = _AT_ONCE
        while self._query and block.isValid() and left and len(self._marks) < _MOST_MARKS:
            for start, end in self._find_matches(block.text(), self._query):
                self._marks.append(_marked(block, start, end, look))
            block = block.next()
            left -= 1
        if self._marks or self.extraSelections():
            self.setExtraSelections(self._marks)
        self._marked = block.blockNumber() if not left and block.isValid() else None
        if self._marked is not None:
            self._marker.start()

    def _mark_hits(self) -> None:
        """Mark the next hits, as far as the text is filled in and up to date there."""
        look = _mark_look()
        ready = 0 if self._stale else self._filled
        done, hits = len(self._marks), self._hits or ()
        for at, start, end in hits[done : done + _HITS_AT_ONCE]:
            if at >= ready:
                break
            self._marks.append(_marked(self.block_at(at), start, end, look))
        if self._marks or self.extraSelections():
            self.setExtraSelections(self._marks)
        if done < len(self._marks) < len(hits):
            self._marker.start()

    def _mark_on(self) -> None:
        if self._hits is not None:
            self._mark_hits()
        elif self._marked is not None:
            self._mark(self._marked)

    def _paint_margin(self, painter: QPainter, at: int, line: QRect) -> None:
        if at >= len(self._segments):
            return
        segment = self._segments[at]
        metrics = self.fontMetrics()
        right = _MARGIN + self._gutter - 14
        small = theme.font(0.9)
        painter.setFont(small)
        painter.setPen(theme.color("secondary"))
        time_width = metrics.horizontalAdvance("0:00:00")
        rect = QRect(right - time_width, line.top(), time_width, line.height())
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, flags, clock(segment.start_s))
        previous = self._segments[at - 1].speaker if at else None
        if segment.speaker and segment.speaker != previous:
            painter.setFont(theme.font(0.9, is_bold=True))
            painter.setPen(theme.color("text"))
            rect = QRect(_MARGIN, line.top(), right - time_width - _MARGIN - 8, line.height())
            name = painter.fontMetrics().elidedText(
                segment.speaker, Qt.TextElideMode.ElideRight, rect.width()
            )
            flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(rect, flags, name)

    def _set_gutter(self, speakers: set[str]) -> None:
        metrics = self.fontMetrics()
        self._gutter = metrics.horizontalAdvance("0:00:00") + 18
        if speakers:
            bold = QFontMetrics(theme.font(0.9, is_bold=True))
            widest = max(bold.horizontalAdvance(name) for name in speakers)
            self._gutter += min(_SPEAKER_WIDTH, widest) + 10

    def _block_format(self) -> QTextBlockFormat:
        look = QTextBlockFormat()
        look.setLeftMargin(self._gutter)
        look.setBottomMargin(10)
        look.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        return look


def _mark_look() -> QTextCharFormat:
    look = QTextCharFormat()
    look.setBackground(theme.color("match"))
    look.setForeground(theme.color("match_text"))
    return look


def _marked(
    block: QTextBlock, start: int, end: int, look: QTextCharFormat
) -> QTextEdit.ExtraSelection:
    cursor = QTextCursor(block)
    select(cursor, block, start, end)
    mark = QTextEdit.ExtraSelection()
    mark.cursor = cursor
    mark.format = look
    return mark
