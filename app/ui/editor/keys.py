"""What keys and clicks mean in a transcript, while it is read and while it is edited.

Reading: keys act, a click hears. Editing: keys type, Return divides, Backspace at the start joins,
and a click with Alt hears. Every change becomes an edit of the session; only letters inside one
segment reach the text widget by themselves and are taken over from it.
"""

import re
import sys
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QObject, QPoint, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QGuiApplication,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QTextCursor,
)

from app.config.translate import tr
from app.core import edit
from app.core.spans import tidied, tidy
from app.ui.editor.marks import WordMarks
from app.ui.editor.session import EditSession
from app.ui.transcript.text import TranscriptText
from app.ui.units import line_of, place_in, place_of, position_of

# The key beside the space bar that means “also while typing”: ⌃ on the Mac, where Qt calls it Meta.
CONTROL = (
    Qt.KeyboardModifier.MetaModifier
    if sys.platform == "darwin"
    else Qt.KeyboardModifier.ControlModifier
)
_MODIFIERS = (
    Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_NONE = Qt.KeyboardModifier.NoModifier
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
_STEP_S = 5.0
_BREAKS = re.compile("[\n\r\u2029\ufdd0\ufdd1]")  # what makes Qt begin another block
_UNDOING = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_DELETING = (
    QKeySequence.StandardKey.Delete,
    QKeySequence.StandardKey.Backspace,
    QKeySequence.StandardKey.DeleteEndOfWord,
    QKeySequence.StandardKey.DeleteStartOfWord,
    QKeySequence.StandardKey.DeleteEndOfLine,
)
_Key = Qt.Key

Carry = Callable[[QObject, QMimeData, Qt.DropAction], object]


class EditorKeys(QObject):
    """Follows the keyboard and mouse in a `TranscriptText`."""

    mode_changed = Signal(bool)  # whether it is edited now
    seek_requested = Signal(float)
    toggle_requested = Signal()
    step_requested = Signal(float)
    word_requested = Signal(int)  # -1 or 1
    speed_requested = Signal(int)  # -1 or 1
    doubt_requested = Signal(int)  # -1 or 1
    confirm_requested = Signal()
    record_requested = Signal()

    def __init__(self, text: TranscriptText, marks: WordMarks, session: EditSession) -> None:
        super().__init__(text)
        self._text = text
        self._marks = marks
        self._session = session
        self.is_editing = False
        self.is_allowed = True
        text.installEventFilter(self)
        self._viewport = text.viewport()  # kept: events still come while the text is taken down
        self._viewport.installEventFilter(self)
        text.document().contentsChanged.connect(self._on_contents_changed)
        text.cursorPositionChanged.connect(self._on_cursor_moved)
        text.pasted.connect(self._insert)
        self.carry: Carry = _carry
        self._press: QPoint | None = None  # where what is selected was pressed on
        self._last_block = 0

    # The mode

    def set_editing(self, is_editing: bool) -> None:
        """Begin to edit, or go back to reading."""
        is_editing = is_editing and self.is_allowed
        if is_editing == self.is_editing:
            return
        self.is_editing = is_editing
        text = self._text
        if is_editing:
            text.fill_all()
        else:
            self.tidy_block(self._last_block)
            self._session.flush()
        flags = Qt.TextInteractionFlag
        text.setTextInteractionFlags(
            flags.TextEditorInteraction
            if is_editing
            else flags.TextSelectableByMouse | flags.TextSelectableByKeyboard
        )
        text.setTabChangesFocus(True)
        text.setAccessibleDescription(tr("Editing") if is_editing else tr("Reading"))
        self.mode_changed.emit(is_editing)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if self.is_editing and kind in (QEvent.Type.KeyPress, QEvent.Type.InputMethod):
            self._text.fill_all()  # nothing is typed into a text that is still being changed
        if kind is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._editing_key(event) if self.is_editing else self._reading_key(event)
        if kind is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self._is_ours(event):
                event.accept()
                return False
            # Qt would claim these for an undo of its own, which is off: they are the menu's.
            is_menus = any(map(event.matches, _UNDOING))
            if is_menus:
                event.ignore()
            return is_menus
        if kind is QEvent.Type.InputMethod and isinstance(event, QInputMethodEvent):
            return self.is_editing and self._compose(event)
        if watched is self._viewport and isinstance(event, QMouseEvent):
            return self._mouse(event)
        return False

    def _is_ours(self, event: QKeyEvent) -> bool:
        """Whether a key that a menu may also want is the text's."""
        if event.modifiers() & _MODIFIERS not in (_NONE, CONTROL):
            return False
        keys = (_Key.Key_Space, _Key.Key_BracketLeft, _Key.Key_BracketRight)
        return event.key() in keys or (
            self.is_editing and event.matches(QKeySequence.StandardKey.Paste)
        )

    def _mouse(self, event: QMouseEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.MouseButtonDblClick and not self.is_editing and self.is_allowed:
            cursor = self._text.cursorForPosition(event.position().toPoint())
            self.set_editing(True)
            self._text.setTextCursor(cursor)
            return True
        if self.is_editing and self._dragged(event):
            return True
        if kind is not QEvent.Type.MouseButtonRelease:
            return False
        has_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        is_click = not self._text.textCursor().hasSelection()
        if (
            event.button() is Qt.MouseButton.LeftButton
            and is_click
            and (has_alt if self.is_editing else not event.modifiers() & _MODIFIERS)
        ):
            self._hear(self._text.cursorForPosition(event.position().toPoint()))
        return False

    def _dragged(self, event: QMouseEvent) -> bool:
        """Drag a copy of what is selected; Qt would take it out of the text without a word."""
        kind, place = event.type(), event.position().toPoint()
        if kind is QEvent.Type.MouseButtonPress:
            cursor = self._text.textCursor()
            at = self._text.cursorForPosition(place).position()
            is_on = cursor.selectionStart() <= at <= cursor.selectionEnd()
            is_left = event.button() is Qt.MouseButton.LeftButton
            self._press = place if is_left and cursor.hasSelection() and is_on else None
        elif kind is QEvent.Type.MouseMove and self._press is not None:
            far = (place - self._press).manhattanLength()
            if far >= QGuiApplication.styleHints().startDragDistance():
                self._press = None
                data = self._text.createMimeDataFromSelection()
                self.carry(self._text, data, Qt.DropAction.CopyAction)
            return True
        elif kind is QEvent.Type.MouseButtonRelease:
            self._press = None
        return False

    def _reading_key(self, event: QKeyEvent) -> bool:
        modifiers = event.modifiers() & _MODIFIERS
        key = _Key(event.key()) if event.key() in _KEYS else None
        if key in (_Key.Key_Return, _Key.Key_Enter) and modifiers == _NONE and self.is_allowed:
            self.set_editing(True)
            return True
        if key is _Key.Key_R and modifiers == _NONE:
            self.record_requested.emit()
            return True
        return self._playing_key(key, modifiers, _NONE)

    def _playing_key(
        self, key: Qt.Key | None, modifiers: Qt.KeyboardModifier, wanted: Qt.KeyboardModifier
    ) -> bool:
        """Act on the keys that play, which in editing need `CONTROL`."""
        if key is _Key.Key_F8 and modifiers & Qt.KeyboardModifier.ControlModifier:
            self.confirm_requested.emit()
            return True
        if key is _Key.Key_F8:
            back = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            self.doubt_requested.emit(-1 if back else 1)
            return True
        is_reading = wanted == _NONE
        alt = Qt.KeyboardModifier.AltModifier
        call: Callable[[], None] | None = None
        if modifiers == wanted:
            call = {
                _Key.Key_Space: self.toggle_requested.emit,
                _Key.Key_BracketLeft: lambda: self.speed_requested.emit(-1),
                _Key.Key_BracketRight: lambda: self.speed_requested.emit(1),
            }.get(key)  # type: ignore[arg-type]
            if is_reading and call is None:
                call = {
                    _Key.Key_Left: lambda: self.step_requested.emit(-_STEP_S),
                    _Key.Key_Right: lambda: self.step_requested.emit(_STEP_S),
                }.get(key)  # type: ignore[arg-type]
        elif is_reading and modifiers == alt:
            call = {
                _Key.Key_Left: lambda: self.word_requested.emit(-1),
                _Key.Key_Right: lambda: self.word_requested.emit(1),
            }.get(key)  # type: ignore[arg-type]
        if call is not None:
            call()
        return call is not None

    def _editing_key(self, event: QKeyEvent) -> bool:
        modifiers = event.modifiers() & _MODIFIERS
        key = _Key(event.key()) if event.key() in _KEYS else None
        if key is _Key.Key_Escape:
            self.set_editing(False)
            return True
        if self._playing_key(key, modifiers, CONTROL):
            return True
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
            return True
        if event.matches(QKeySequence.StandardKey.Cut):
            self._text.copy()
            if not self._delete_across():
                self._text.textCursor().removeSelectedText()
            return True
        cursor = self._text.textCursor()
        if key in (_Key.Key_Return, _Key.Key_Enter):
            self._divide(cursor)
            return True
        if key in (_Key.Key_Backspace, _Key.Key_Delete) or any(map(event.matches, _DELETING)):
            is_forward = key is _Key.Key_Delete or event.matches(QKeySequence.StandardKey.Delete)
            is_back = key is _Key.Key_Backspace or event.matches(QKeySequence.StandardKey.Backspace)
            return self._delete_across() or (
                (is_forward or is_back) and self._join(cursor, is_forward)
            )
        if event.text().isprintable() and event.text() and not modifiers & _COMMANDS:
            self._delete_across()
        return False

    def _compose(self, event: QInputMethodEvent) -> bool:
        """Make room for what an input method writes; whether it was passed on here."""
        said = event.commitString()
        if said or event.preeditString():
            self._delete_across()
        if not _BREAKS.search(said):
            return False
        whole = QInputMethodEvent(event.preeditString(), event.attributes())
        start, length = event.replacementStart(), event.replacementLength()
        whole.setCommitString(_BREAKS.sub(" ", said), start, length)
        QCoreApplication.sendEvent(self._text, whole)
        return True

    # Edits

    def paste(self) -> None:
        """Put the clipboard's text in, on one line."""
        self._insert(QGuiApplication.clipboard().text())

    def _insert(self, pasted: str) -> None:
        text = line_of(pasted)
        if text and self.is_editing:
            self._text.fill_all()
            self._delete_across()
            self._session.end_run()
            self._text.textCursor().insertText(text)
            self._session.end_run()

    def tidy_block(self, at: int) -> None:
        """Show a segment as it is kept, without the blanks that were left over."""
        segments = self._text.segments
        if at < len(segments) and self._text.block_at(at).text() != line_of(segments[at].text):
            same = edit.Splice(at, (segments[at],), (segments[at],))
            self._text.apply(same)

    def _divide(self, cursor: QTextCursor) -> None:
        if cursor.hasSelection():
            if not self._delete_across():
                cursor.removeSelectedText()
            cursor = self._text.textCursor()
        at = cursor.blockNumber()
        block = cursor.block()
        left = len(tidy(block.text()[: place_in(block, cursor.position())]))
        self.tidy_block(at)
        if self._session.do(edit.split(self._session.segments, at, left)):
            self._put_cursor(at + 1, 0)

    def _join(self, cursor: QTextCursor, is_forward: bool) -> bool:
        """Join two segments where the cursor stands between them; else let the key delete."""
        if cursor.hasSelection():
            return False
        block = cursor.block()
        is_edge = cursor.atBlockEnd() if is_forward else cursor.atBlockStart()
        at = block.blockNumber() + (1 if is_forward else 0)
        if not is_edge:
            return False
        if 0 < at < len(self._session.segments):
            place = len(tidy(self._session.segments[at - 1].text))
            self.tidy_block(at - 1)
            self._session.do(edit.merge(self._session.segments, at))
            self._put_cursor(at - 1, place)
        return True

    def _delete_across(self) -> bool:
        """Delete a selection that spans segments; whether there was one."""
        cursor = self._text.textCursor()
        if not cursor.hasSelection():
            return False
        start, end = (
            self._tidied(*place_of(self._text.document(), position))
            for position in (cursor.selectionStart(), cursor.selectionEnd())
        )
        if start[0] == end[0]:
            return False
        for at in (start[0], end[0]):
            self.tidy_block(at)
        segments = self._session.segments
        if self._session.do(edit.replace_range(segments, start, end, "")):
            self._put_cursor(*start)
        return True

    def _tidied(self, at: int, offset: int) -> tuple[int, int]:
        """Return a place in a block as it is in the segment, which has no blanks left over."""
        return at, tidied(self._text.block_at(at).text(), offset)

    def _put_cursor(self, at: int, offset: int) -> None:
        block = self._text.block_at(min(at, max(0, len(self._session.segments) - 1)))
        cursor = QTextCursor(block)
        cursor.setPosition(position_of(block, offset))
        self._text.setTextCursor(cursor)

    def _on_contents_changed(self) -> None:
        """Take over what was typed into one segment; what else Qt did to the text is undone."""
        if self._text.is_applying or not self.is_editing:
            return
        if self._is_torn():
            self._text.show_again()
            return
        at = self._text.textCursor().blockNumber()
        segments = self._session.segments
        self._session.do(edit.retext(segments, at, self._text.block_at(at).text()))

    def _is_torn(self) -> bool:
        """Whether the text does not have one block a segment, so that nothing could be kept."""
        return self._text.document().blockCount() != len(self._session.segments) or (
            self._text.is_filling
        )

    def _on_cursor_moved(self) -> None:
        """End the step when another segment is gone to."""
        at = self._text.textCursor().blockNumber()
        if at != self._last_block and not self._text.is_applying and not self._is_torn():
            if self.is_editing:
                self.tidy_block(self._last_block)
            self._session.end_run()
            self._last_block = at

    def _hear(self, cursor: QTextCursor) -> None:
        at = cursor.blockNumber()
        segments = self._text.segments
        if at < len(segments):
            place = place_in(cursor.block(), cursor.position())
            word = self._marks.word_at(at, place)
            words = segments[at].words
            self.seek_requested.emit(
                words[word].start_s if word is not None else segments[at].start_s
            )


_KEYS = {
    key.value
    for key in (
        _Key.Key_Return, _Key.Key_Enter, _Key.Key_Escape, _Key.Key_Backspace, _Key.Key_Delete,
        _Key.Key_Space, _Key.Key_BracketLeft, _Key.Key_BracketRight, _Key.Key_Left,
        _Key.Key_Right, _Key.Key_F8, _Key.Key_R,
    )
}  # fmt: skip


def _carry(source: QObject, data: QMimeData, action: Qt.DropAction) -> None:
    drag = QDrag(source)
    drag.setMimeData(data)
    drag.exec(action)
