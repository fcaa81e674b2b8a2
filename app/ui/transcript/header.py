"""What stands above a transcript: title, facts, star, tags and notes.

Renders what it is given; a change is only told, and seen when the library has it.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.core.recording import Recording
from app.ui import theme
from app.ui.widgets.chip import Chip
from app.ui.widgets.flow import FlowLayout
from app.ui.widgets.labels import ElidedLabel
from app.ui.wording import title_of

_NOTES_MS = 600  # notes are saved when typing pauses this long
_NOTES_LINES = 4
_TAG_LENGTH = 60


class TitleLabel(ElidedLabel):
    """A title that is renamed by a double click."""

    rename_requested = Signal()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.rename_requested.emit()


class NotesEdit(QPlainTextEdit):
    """A few lines of plain text; told when typing pauses and when it is left."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Notes"))
        self.setPlaceholderText(tr("Notes about this recording"))
        self.setTabChangesFocus(True)
        self.setFont(theme.font(0.95))
        self.setFixedHeight(self.fontMetrics().lineSpacing() * _NOTES_LINES + 12)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_NOTES_MS)
        self._timer.timeout.connect(lambda: self.edited.emit(self.toPlainText()))
        self.textChanged.connect(self._timer.start)

    def show_text(self, text: str) -> None:
        """Show notes without telling; what is being typed stays."""
        if self._timer.isActive() or text == self.toPlainText():
            return
        self.blockSignals(True)
        self.setPlainText(text)
        self.blockSignals(False)

    def flush(self) -> None:
        """Tell now what has been typed."""
        if self._timer.isActive():
            self._timer.stop()
            self.edited.emit(self.toPlainText())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.flush()


class TranscriptHeader(QWidget):
    """Title, facts, star, tags and notes of the open recording."""

    favourite_requested = Signal(str, bool)
    renamed = Signal(str, str, str)  # recording id, old, new
    notes_edited = Signal(str, str, str)  # recording id, old, new
    tag_requested = Signal(str, str)
    untag_requested = Signal(str, str)

    def __init__(self, buttons: Sequence[QToolButton], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recording: Recording | None = None
        self._tags: tuple[str, ...] | None = None
        self._is_writable = True
        self.title_label = TitleLabel("", self)
        self.title_label.setFont(theme.font(1.3, is_bold=True))
        self.title_label.rename_requested.connect(self.rename)
        self.title_edit = QLineEdit(self)
        self.title_edit.setFont(theme.font(1.15))
        self.title_edit.setAccessibleName(tr("Title"))
        self.title_edit.setMaxLength(300)
        self.title_edit.editingFinished.connect(self._finish_rename)
        self.title_edit.installEventFilter(self)
        self._title = QStackedWidget(self)
        self._title.addWidget(self.title_label)
        self._title.addWidget(self.title_edit)
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.facts_label = ElidedLabel("", self, color="secondary")
        self.star_button = _tool(self, "star", tr("Favourite"))
        self.star_button.clicked.connect(self._on_star)
        self.notes_button = _tool(self, "note", tr("Notes"))
        self.notes_button.setCheckable(True)
        self.notes_button.toggled.connect(self._on_notes_toggled)
        self.notes = NotesEdit(self)
        self.notes.edited.connect(self._on_notes_edited)
        self.notes.hide()
        self.tag_button = _tool(self, "tag", tr("Add a tag"))
        self.tag_button.clicked.connect(self._open_tag_edit)
        self.tag_edit = QLineEdit(self)
        self._known_tags = QStringListModel(self)
        self._prepare_tag_edit()
        self._lay_out(buttons)

    def _lay_out(self, buttons: Sequence[QToolButton]) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(16, 12, 12, 0)
        row.setSpacing(2)
        row.addWidget(self._title, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(theme.SPACE)
        for button in (self.star_button, self.tag_button, self.notes_button, *buttons):
            row.addWidget(button)
        self.facts_label.setContentsMargins(16, 2, 12, 6)
        self.chips = QWidget(self)
        self._flow = FlowLayout(self.chips)
        self._flow.setContentsMargins(16, 0, 12, 6)
        self._flow.addWidget(self.tag_edit)
        self.chips.hide()
        notes = QHBoxLayout()
        notes.setContentsMargins(16, 0, 16, 6)
        notes.addWidget(self.notes)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 2)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.facts_label)
        column.addWidget(self.chips)
        column.addLayout(notes)

    def _prepare_tag_edit(self) -> None:
        edit = self.tag_edit
        edit.setAccessibleName(tr("Tag"))
        edit.setPlaceholderText(tr("Tag"))
        edit.setMaxLength(_TAG_LENGTH)
        edit.setFixedWidth(130)
        completer = QCompleter(self._known_tags, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        edit.setCompleter(completer)
        edit.returnPressed.connect(self._finish_tag)
        edit.installEventFilter(self)
        edit.hide()

    # What is shown

    def show_recording(self, recording: Recording, facts: Sequence[str]) -> None:
        """Show a recording as it now stands."""
        is_new = self._recording is None or (self._recording.recording_id != recording.recording_id)
        if is_new:
            self.flush()
            self._tags = None
            self.tag_edit.hide()
            self._title.setCurrentWidget(self.title_label)
        self._recording = recording
        self.title_label.setText(title_of(recording))
        self.facts_label.setText(" · ".join(fact for fact in facts if fact))
        is_favourite = recording.is_favourite
        theme.set_icon(self.star_button, "star_full" if is_favourite else "star")
        name = tr("Remove from favourites") if is_favourite else tr("Add to favourites")
        self.star_button.setAccessibleName(name)
        self.star_button.setToolTip(name)
        if is_new:
            self.notes_button.setChecked(bool(recording.notes))
        self.notes.show_text(recording.notes)

    def show_tags(self, tags: Sequence[str], known: Sequence[str] = ()) -> None:
        """Show the tags of the open recording; `known` are offered when one is typed."""
        self._known_tags.setStringList(list(known))
        if tuple(tags) == self._tags:
            return
        self._tags = tuple(tags)
        while self._flow.count():
            item = self._flow.takeAt(0)
            widget = item.widget() if item else None
            if widget is not None and widget is not self.tag_edit:
                widget.hide()
                widget.deleteLater()
        for tag in tags:
            chip = Chip(tag, tr("Take off the tag “{tag}”", tag=tag), self.chips)
            chip.setEnabled(self._is_writable)
            chip.clicked.connect(lambda _on=False, tag=tag: self._tell(self.untag_requested, tag))
            self._flow.addWidget(chip)
            chip.show()
        self._flow.addWidget(self.tag_edit)
        self._show_chips()

    def set_writable(self, is_writable: bool) -> None:
        """Whether the library can be changed."""
        self._is_writable = is_writable
        for part in (self.star_button, self.tag_button):
            part.setEnabled(is_writable)
        self.notes.setReadOnly(not is_writable)
        for chip in self.chips.findChildren(Chip):
            chip.setEnabled(is_writable)

    def refresh_colors(self) -> None:
        self.title_label.refresh_colors()
        self.facts_label.refresh_colors()

    def flush(self) -> None:
        """Tell what has been typed and not told yet."""
        self.notes.flush()

    # What a person does

    def rename(self) -> None:
        """Let the title be typed."""
        if self._recording is not None and self._is_writable:
            self.title_edit.setText(title_of(self._recording))
            self._title.setCurrentWidget(self.title_edit)
            self.title_edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.title_edit.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() is QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            if watched is self.title_edit:
                self.title_edit.blockSignals(True)  # losing the focus by this finishes nothing
                self._title.setCurrentWidget(self.title_label)
                self.title_edit.blockSignals(False)
                return True
            self.tag_edit.hide()
            self._show_chips()
            return True
        return super().eventFilter(watched, event)

    def _finish_rename(self) -> None:
        if self._title.currentWidget() is not self.title_edit or self._recording is None:
            return
        self._title.setCurrentWidget(self.title_label)
        text = " ".join(self.title_edit.text().split())
        if text and text != title_of(self._recording):
            self.title_label.setText(text)
            self.renamed.emit(self._recording.recording_id, self._recording.title, text)

    def _on_star(self) -> None:
        if self._recording is not None:
            wanted = not self._recording.is_favourite
            self.favourite_requested.emit(self._recording.recording_id, wanted)

    def _on_notes_toggled(self, is_open: bool) -> None:
        self.notes.setVisible(is_open)
        if is_open and self.isVisible() and self.notes_button.hasFocus():
            self.notes.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_notes_edited(self, text: str) -> None:
        if self._recording is not None and text != self._recording.notes:
            self.notes_edited.emit(self._recording.recording_id, self._recording.notes, text)

    def _open_tag_edit(self) -> None:
        self.tag_edit.clear()
        self.tag_edit.show()
        self._show_chips()
        self.tag_edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _finish_tag(self) -> None:
        text = " ".join(self.tag_edit.text().split())
        self.tag_edit.clear()
        if text:
            self._tell(self.tag_requested, text)

    def _show_chips(self) -> None:
        self.chips.setVisible(bool(self._tags) or not self.tag_edit.isHidden())
        self._flow.invalidate()
        self.chips.updateGeometry()

    def _tell(self, signal: SignalInstance, tag: str) -> None:
        if self._recording is not None:
            signal.emit(self._recording.recording_id, tag)


def _tool(parent: QWidget, icon: str, name: str) -> QToolButton:
    button = QToolButton(parent)
    button.setAutoRaise(True)
    button.setFixedSize(theme.TARGET, theme.TARGET)
    button.setAccessibleName(name)
    button.setToolTip(name)
    theme.set_icon(button, icon)
    return button
