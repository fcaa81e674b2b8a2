"""Two texts of the same sound side by side, and the choice between them, difference by difference.

The side that will be kept is marked, the other one struck through, so the result can be read at any
time; the dialog changes nothing itself.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import groupby
from operator import attrgetter

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QKeySequence,
    QShortcut,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.core.compare import Comparison, Token, spoken_by
from app.core.spans import tidy
from app.core.timecode import clock
from app.core.transcript import Segment
from app.ui import theme
from app.ui.units import all_units, line_of
from app.ui.widgets.announce import Announcer
from app.ui.widgets.labels import PlainLabel, QuietLabel

_GAP = "‸"  # where the other text has words and this one has none
_CONTEXT = 0.35  # of the height: where a difference is brought to


class TextSide(QTextEdit):
    """One of the two texts; knows where its words stand in it."""

    pointed = Signal(int)  # the word that was clicked

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.document().setDocumentMargin(12)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._is_ours = False
        self.cursorPositionChanged.connect(self._on_cursor)

    def show_text(
        self, segments: Sequence[Segment], tokens: Sequence[Token], gaps: Collection[int]
    ) -> None:
        """Write segments with their times and `tokens`; a sign stands before those in `gaps`."""
        self._is_ours = True
        self.clear()
        cursor = QTextCursor(self.document())
        quiet, look = QTextCharFormat(), QTextBlockFormat()
        quiet.setForeground(theme.color("secondary"))
        look.setBottomMargin(8)
        look.setLineHeight(120, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        begins = []
        cursor.beginEditBlock()
        for at, segment in enumerate(segments):
            if at:
                cursor.insertBlock()
            cursor.setBlockFormat(look)
            speaker = f"{segment.speaker}  " if segment.speaker else ""
            cursor.insertText(f"{clock(segment.start_s)}  {speaker}", quiet)
            begins.append(cursor.position())
            cursor.insertText(line_of(segment.text), QTextCharFormat())
        self._starts, self._ends = [], []
        for at, group in groupby(tokens, attrgetter("at")):
            text, said = line_of(segments[at].text), list(group)
            for places, found in (
                ((each.start for each in said), self._starts),
                ((each.end for each in said), self._ends),
            ):
                found += [begins[at] + unit for unit in all_units(text, places)]
        self._write_gaps(cursor, gaps)
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self._is_ours = False

    def mark(self, first: int, last: int, *, is_kept: bool, is_here: bool) -> None:
        """Show the words `first` … `last` as kept or dropped, and whether they are looked at."""
        is_gap = first == last
        look = QTextCharFormat()
        look.setFontStrikeOut(not is_kept and not is_gap)
        look.setFontUnderline(is_kept and not is_gap)
        look.setForeground(theme.color("text" if is_kept else "secondary"))
        name = "banner_info" if is_kept else "banner_error"
        if is_here:
            name = "match"
            look.setForeground(theme.color("match_text"))
        look.setBackground(theme.color(name))
        self._is_ours = True
        cursor = QTextCursor(self.document())
        places = [self._gaps[first]] if is_gap else self._lines(first, last)
        for start, end in places:
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(look)
        self._is_ours = False

    def go_to(self, word: int) -> None:
        """Bring a word into view."""
        if not self._starts:
            return
        self._is_ours = True
        cursor = self.textCursor()
        cursor.setPosition(self._starts[min(word, len(self._starts) - 1)])
        self.setTextCursor(cursor)
        top = self.cursorRect(cursor).top()
        height = self.viewport().height()
        if not 24 <= top <= height - 48:
            bar = self.verticalScrollBar()
            bar.setValue(round(bar.value() + top - height * _CONTEXT))
        self._is_ours = False

    def _write_gaps(self, cursor: QTextCursor, gaps: Collection[int]) -> None:
        """Write the signs from behind, and move the places of the words along."""
        self._gaps: dict[int, tuple[int, int]] = {}
        ordered = sorted(gaps)
        last = self.document().characterCount() - 1
        by = len(_GAP) + 1
        for number in reversed(ordered):
            is_end = number >= len(self._starts)
            place = last if is_end else self._starts[number]
            cursor.setPosition(place)
            cursor.insertText(f" {_GAP}" if is_end else f"{_GAP} ")
            start = place + (1 if is_end else 0)
            self._gaps[number] = start, start + len(_GAP)
        moved = 0
        for number in ordered:  # each stands behind those before it
            start, end = self._gaps[number]
            self._gaps[number] = start + moved, end + moved
            moved += by
        at = 0
        for word in range(len(self._starts)):
            while at < len(ordered) and ordered[at] <= word:
                at += 1
            self._starts[word] += at * by
            self._ends[word] += at * by

    def _lines(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return where words stand, one stretch a segment: times are between them."""
        found: list[tuple[int, int]] = []
        document = self.document()
        for word in range(first, last):
            start, end = self._starts[word], self._ends[word]
            if found and document.findBlock(found[-1][1]) == document.findBlock(start):
                found[-1] = found[-1][0], end
            else:
                found.append((start, end))
        return found

    def _on_cursor(self) -> None:
        if not self._is_ours and self._starts:
            word = bisect_right(self._starts, self.textCursor().position()) - 1
            self.pointed.emit(max(0, word))


class ChoiceDialog(QDialog):
    """Mine on the left, the new text on the right."""

    chosen = Signal(object)  # tuple[Segment, …]: what comes in place of mine
    kept = Signal()
    heard = Signal(float, float)  # from, until

    def __init__(
        self,
        mine: Sequence[Segment],
        new: Sequence[Segment],
        facts: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Choose the Text"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._comparison = Comparison(mine, new)
        self._taken: set[int] = set()
        self._here = 0
        self.is_all = False
        self._announcer = Announcer(self)
        self.mine_text = TextSide(tr("Your text"), self)
        self.new_text = TextSide(tr("New text"), self)
        self.facts = facts
        self.summary = QuietLabel("", self)
        self.previous_button = self._tool("previous", tr("Previous difference"), "Alt+Up")
        self.next_button = self._tool("next", tr("Next difference"), "Alt+Down")
        self.listen_button = self._tool("play", tr("Listen to it"), "Alt+Space")
        self.take_button = QPushButton(tr("Use This"), self)
        self.all_button = QPushButton(tr("Use All"), self)
        self.keep_button = QPushButton(tr("Keep Mine"), self)
        self.use_button = QPushButton("", self)
        self.later_button = QPushButton(tr("Decide Later"), self)
        self._lay_out()
        self._connect()
        found = self._comparison
        mine_gaps = [each.first for each in found.differences if each.first == each.last]
        new_gaps = [
            each.other_first for each in found.differences if each.other_first == each.other_last
        ]
        self._gaps = mine_gaps, new_gaps
        self.resize(980, 600)
        self.refresh_colors()

    def refresh_colors(self) -> None:
        """Write both texts in the colours of the scheme in use."""
        found, (mine_gaps, new_gaps) = self._comparison, self._gaps
        self.mine_text.show_text(found.mine, found.my_tokens, mine_gaps)
        self.new_text.show_text(found.theirs, found.their_tokens, new_gaps)
        theme.refresh_scroll_bars(self)
        self.summary.refresh_colors()
        for number in range(self.count):
            self._paint(number)
        if self.count:
            self._look_at(self._here)
        self._render()

    @property
    def count(self) -> int:
        """How many differences there are."""
        return len(self._comparison.differences)

    def _lay_out(self) -> None:
        texts = QSplitter(Qt.Orientation.Horizontal, self)
        texts.setChildrenCollapsible(False)
        new = tr("New: {facts}", facts=self.facts) if self.facts else tr("New")
        for name, text in ((tr("Yours"), self.mine_text), (new, self.new_text)):
            heading = PlainLabel(name, self)
            heading.setFont(theme.font(is_bold=True))
            heading.setContentsMargins(4, 0, 0, 4)
            heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            part = QWidget(texts)
            column = QVBoxLayout(part)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            column.addWidget(heading)
            column.addWidget(text, 1)
            texts.addWidget(part)
        texts.setSizes([10_000, 10_000])  # halves, whatever the headings would like
        walk = QHBoxLayout()
        walk.addWidget(self.summary, 1)
        for button in (self.listen_button, self.previous_button, self.next_button):
            walk.addWidget(button)
        walk.addWidget(self.take_button)
        ends = QHBoxLayout()
        ends.addWidget(self.later_button)
        ends.addStretch(1)
        for each in (self.keep_button, self.all_button, self.use_button):
            ends.addWidget(each)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(texts, 1)
        column.addLayout(walk)
        column.addLayout(ends)

    def _connect(self) -> None:
        self.previous_button.clicked.connect(lambda: self.go(-1))
        self.next_button.clicked.connect(lambda: self.go(1))
        self.listen_button.clicked.connect(lambda: self.listen())
        self.take_button.clicked.connect(lambda: self.toggle())
        self.all_button.clicked.connect(lambda: self._use_all())
        self.keep_button.clicked.connect(lambda: self._keep())
        self.use_button.clicked.connect(lambda: self._use())
        self.later_button.clicked.connect(self.reject)
        self.take_button.setToolTip(tr("Take this difference over, or keep yours (Alt+Return)"))
        QShortcut(QKeySequence("Alt+Return"), self, self.toggle)
        self.mine_text.pointed.connect(lambda word: self._on_pointed(word, is_mine=True))
        self.new_text.pointed.connect(lambda word: self._on_pointed(word, is_mine=False))
        self.mine_text.verticalScrollBar().valueChanged.connect(
            lambda _at: self._scroll_along(self.mine_text, self.new_text)
        )
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(button is self.use_button)

    # What a person does

    def go(self, by: int) -> None:
        """Look at the next difference, or the one before."""
        if self.count:
            self._look_at((self._here + by) % self.count)

    def toggle(self) -> None:
        """Take the difference that is looked at, or keep mine."""
        if not self.count:
            return
        self._taken ^= {self._here}
        self._paint(self._here)
        self._render()
        self._announcer.say(
            tr("New text taken") if self._here in self._taken else tr("Your text kept")
        )

    def listen(self) -> None:
        """Hear the difference that is looked at."""
        if not self.count:
            return
        found = self._comparison
        each = found.differences[self._here]
        said = found.theirs, found.their_tokens[each.other_first : each.other_last]
        if not said[1]:
            said = found.mine, found.my_tokens[each.first : each.last]
        segments, tokens = said
        self.heard.emit(_time_of(segments, tokens[0]), _time_of(segments, tokens[-1], is_end=True))

    def _use_all(self) -> None:
        self.is_all = True
        self.chosen.emit(tuple(spoken_by(self._comparison.theirs, self._comparison.mine)))
        self.accept()

    def _use(self) -> None:
        self.chosen.emit(self._comparison.merged(self._taken))
        self.accept()

    def _keep(self) -> None:
        self.kept.emit()
        self.accept()

    # Inside

    def _look_at(self, number: int) -> None:
        before, self._here = self._here, number
        self._paint(before)
        self._paint(number)
        each = self._comparison.differences[number]
        self.mine_text.go_to(each.first)
        self.new_text.go_to(each.other_first)
        self._render()

    def _on_pointed(self, word: int, *, is_mine: bool) -> None:
        for number, each in enumerate(self._comparison.differences):
            first, last = (
                (each.first, each.last) if is_mine else (each.other_first, each.other_last)
            )
            if first <= word < last:
                self._look_at(number)
                return

    def _paint(self, number: int) -> None:
        each = self._comparison.differences[number]
        is_taken, is_here = number in self._taken, number == self._here
        self.mine_text.mark(each.first, each.last, is_kept=not is_taken, is_here=is_here)
        self.new_text.mark(each.other_first, each.other_last, is_kept=is_taken, is_here=is_here)

    def _render(self) -> None:
        count, taken = self.count, len(self._taken)
        is_taken = self._here in self._taken
        if not count:
            self.summary.setText(tr("The words are the same."))
        else:
            self.summary.setText(
                tr_plural(
                    "Difference {here} of {count} · {taken} taken over",
                    "Difference {here} of {count} · {taken} taken over",
                    count,
                    here=self._here + 1,
                    taken=taken,
                )
            )
        self.take_button.setText(tr("Keep Mine Here") if is_taken else tr("Use This"))
        self.use_button.setText(tr("Use Chosen ({count})", count=taken))
        self.use_button.setEnabled(taken > 0)
        self.use_button.setDefault(taken > 0)
        for button in (
            self.take_button,
            self.previous_button,
            self.next_button,
            self.listen_button,
        ):
            button.setEnabled(count > 0)

    def _scroll_along(self, moved: QTextEdit, other: QTextEdit) -> None:
        bar, along = moved.verticalScrollBar(), other.verticalScrollBar()
        if bar.maximum():
            along.setValue(round(bar.value() / bar.maximum() * along.maximum()))

    def _tool(self, icon: str, name: str, key: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET, theme.TARGET)
        button.setAccessibleName(name)
        shown = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
        button.setToolTip(f"{name} ({shown})")
        button.setShortcut(QKeySequence(key))
        theme.set_icon(button, icon)
        return button


def _time_of(segments: Sequence[Segment], token: Token, *, is_end: bool = False) -> float:
    """Return about when a word is said, by its place in its segment."""
    segment = segments[token.at]
    share = (token.end if is_end else token.start) / max(1, len(tidy(segment.text)))
    return segment.start_s + (segment.end_s - segment.start_s) * share
