"""Another text of the same recording beside the one that is open, and the choice between them.

Nothing is lost by choosing: the text that goes is kept as a version, and the choice can be undone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.core.compare import opcodes
from app.core.timecode import clock
from app.core.transcript import Segment
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.wording import day_label, day_of, time_of_day


@dataclass(frozen=True, slots=True)
class Version:
    """A text to compare with; `key` names it for whoever gave it."""

    key: str
    title: str
    made_at: float
    segments: tuple[Segment, ...]


class CompareDialog(QDialog):
    """Versions on the left, the two texts side by side, differences marked."""

    chosen = Signal(object)  # Version

    def __init__(
        self,
        current: Sequence[Segment],
        versions: Sequence[Version],
        parent: QWidget | None = None,
        *,
        can_choose: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Compare Versions"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._current = tuple(current)
        self._versions = list(versions)
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Versions"))
        self.list.setMaximumWidth(230)
        for version in self._versions:
            item = QListWidgetItem(f"{version.title}\n{_when(version.made_at)}")
            self.list.addItem(item)
        self.old_text, self.new_text = self._pane(tr("Chosen version")), self._pane(tr("Now"))
        self.summary = QuietLabel("", self)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.use_button = self.buttons.addButton(
            tr("Use This Version"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.use_button.setEnabled(can_choose and bool(self._versions))
        self.buttons.accepted.connect(self._choose)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        theme.refresh_scroll_bars(self)
        self.resize(920, 560)
        self.list.currentRowChanged.connect(self._show)
        if self._versions:
            self.list.setCurrentRow(0)
        else:
            self.summary.setText(tr("There is no other version yet. The first edit keeps one."))

    @property
    def version(self) -> Version | None:
        """The version that is looked at."""
        at = self.list.currentRow()
        return self._versions[at] if 0 <= at < len(self._versions) else None

    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        theme.refresh_scroll_bars(self)
        self.summary.refresh_colors()
        self._show(self.list.currentRow())

    def _lay_out(self) -> None:
        texts = QSplitter(Qt.Orientation.Horizontal, self)
        self.heading = PlainLabel("", self)
        for heading, text in (
            (self.heading, self.old_text),
            (PlainLabel(tr("Now"), self), self.new_text),
        ):
            heading.setFont(theme.font(is_bold=True))
            part = QWidget(texts)
            column = QVBoxLayout(part)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(heading)
            column.addWidget(text, 1)
            texts.addWidget(part)
        texts.setSizes([10_000, 10_000])  # halves, whatever the headings would like
        row = QHBoxLayout()
        row.addWidget(self.list)
        row.addWidget(texts, 1)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addWidget(self.summary)
        column.addWidget(self.buttons)
        self.old_text.verticalScrollBar().valueChanged.connect(
            lambda _at: self._scroll_along(self.old_text, self.new_text)
        )

    def _pane(self, name: str) -> QTextEdit:
        text = QTextEdit(self)
        text.setAccessibleName(name)
        text.setReadOnly(True)
        text.setUndoRedoEnabled(False)
        text.document().setDocumentMargin(10)
        text.setFrameShape(QTextEdit.Shape.NoFrame)
        return text

    def _show(self, _row: int) -> None:
        version = self.version
        if version is None:
            return
        self.heading.setText(version.title)
        old, new = _words(version.segments), _words(self._current)
        found = opcodes(old, new)
        gone = {word for kind, a, b, _c, _d in found if kind != "equal" for word in range(a, b)}
        came = {word for kind, _a, _b, c, d in found if kind != "equal" for word in range(c, d)}
        _write(self.old_text, version.segments, gone, "banner_error")
        _write(self.new_text, self._current, came, "match")
        changes = sum(kind != "equal" for kind, *_places in found)
        self.summary.setText(
            tr_plural("{count} difference", "{count} differences", changes)
            if changes
            else tr("The words are the same.")
        )

    def _scroll_along(self, moved: QTextEdit, other: QTextEdit) -> None:
        bar, along = moved.verticalScrollBar(), other.verticalScrollBar()
        if bar.maximum():
            along.setValue(round(bar.value() / bar.maximum() * along.maximum()))

    def _choose(self) -> None:
        version = self.version
        if version is not None:
            self.chosen.emit(version)
            self.accept()


def _words(segments: Sequence[Segment]) -> list[str]:
    return [word for segment in segments for word in segment.text.split()]


def _write(text: QTextEdit, segments: Sequence[Segment], marked: set[int], color: str) -> None:
    """Write segments with their times; the words numbered in `marked` stand out."""
    text.clear()
    cursor = QTextCursor(text.document())
    plain, quiet, loud = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
    quiet.setForeground(theme.color("secondary"))
    loud.setBackground(theme.color(color))
    number = 0
    block = QTextBlockFormat()
    block.setBottomMargin(8)
    cursor.beginEditBlock()
    for at, segment in enumerate(segments):
        if at:
            cursor.insertBlock()
        cursor.setBlockFormat(block)
        speaker = f"{segment.speaker}  " if segment.speaker else ""
        cursor.insertText(f"{clock(segment.start_s)}  {speaker}", quiet)
        run: list[str] = []
        is_loud = False
        for word in segment.text.split():
            if run and (number in marked) is not is_loud:
                cursor.insertText(" ".join(run), loud if is_loud else plain)
                cursor.insertText(" ", plain)
                run = []
            is_loud = number in marked
            run.append(word)
            number += 1
        if run:
            cursor.insertText(" ".join(run), loud if is_loud else plain)
    cursor.endEditBlock()
    cursor.movePosition(QTextCursor.MoveOperation.Start)
    text.setTextCursor(cursor)


def _when(at: float) -> str:
    return f"{day_label(day_of(at), day_of(time.time()))}, {time_of_day(at)}"
