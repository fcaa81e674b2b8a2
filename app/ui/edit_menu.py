"""The Edit menu: undo where it belongs, find where somebody reads, and the walk through doubt."""

from functools import partial

from PySide6.QtWidgets import QAbstractItemView, QApplication, QLineEdit, QTextEdit

from app.ui.actions import WindowActions, connect
from app.ui.browser import Browser
from app.ui.library.deeds import Deeds
from app.ui.transcript.pane import TranscriptPane


class EditMenu:
    """Does what the actions of the Edit menu say, to the text or to the library."""

    def __init__(
        self, menus: WindowActions, pane: TranscriptPane, deeds: Deeds, browser: Browser
    ) -> None:
        self._menus = menus
        self._pane = pane
        self._deeds = deeds
        self._browser = browser
        editor = pane.editor
        for action, call in (
            (menus.undo, self._undo),
            (menus.redo, self._redo),
            (menus.copy, self._copy),
            (menus.select_all, self._select_all),
            (menus.find, self._find),
            (menus.search, browser.focus_search),
            (menus.replace, self._replace),
            (menus.doubt, partial(editor.go_to_doubt, 1)),
            (menus.doubt_back, partial(editor.go_to_doubt, -1)),
            (menus.confirm, editor.confirm_doubt),
        ):
            connect(action, call)

    def render(self, *, has_text: bool) -> None:
        """Turn on what can be done; `has_text`: whether a text is open."""
        menus, editor = self._menus, self._pane.editor
        menus.undo.setEnabled(self._deeds.latest is not None or editor.session.can_undo)
        menus.redo.setEnabled(self._deeds.next is not None or editor.session.can_redo)
        for action in (menus.replace, menus.doubt, menus.doubt_back):
            action.setEnabled(has_text)
        menus.confirm.setEnabled(has_text and editor.keys.is_allowed)

    def _undo(self) -> None:
        """Take back the last edit where one is at work in the text, else the last deed."""
        is_its_turn = self._is_in_text() or self._deeds.latest is None
        if not (is_its_turn and self._pane.editor.undo()):
            self._deeds.undo()

    def _redo(self) -> None:
        is_its_turn = self._is_in_text() or self._deeds.next is None
        if not (is_its_turn and self._pane.editor.redo()):
            self._deeds.redo()

    def _is_in_text(self) -> bool:
        focus = QApplication.focusWidget()
        is_within = focus is not None and self._pane.page.isAncestorOf(focus)
        return self._pane.editor.is_editing or is_within

    def _find(self) -> None:
        """Find in the open text where that is at work, else in the library."""
        if self._is_in_text() and self._pane.text.segments:
            self._pane.editor.open_find()
        else:
            self._browser.focus_search()

    def _replace(self) -> None:
        if self._pane.text.segments:
            self._pane.editor.open_find(replaces=True)

    @staticmethod
    def _copy() -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QTextEdit)):
            focus.copy()

    @staticmethod
    def _select_all() -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QTextEdit, QAbstractItemView)):
            focus.selectAll()
