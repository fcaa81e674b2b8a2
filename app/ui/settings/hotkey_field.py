"""A field that takes a hotkey by having it pressed, and says at once whether it can be had."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.config.translate import tr, tr_phrase
from app.core.errors import AppError, HotkeyRefused, mark
from app.macos.hotkey import Chord, parse_chord
from app.ui import theme
from app.ui.ports import HotkeyKeys
from app.ui.settings.chord import IS_MAC, chord_of, held_signs, is_modifier, lone_modifier
from app.ui.widgets.labels import QuietLabel

_LOOK_MS = 2_000  # how often a visible field asks whether its key still arrives
_LONE_KEYS = ("right_cmd", "right_alt", "right_ctrl", "fn") if IS_MAC else ("right_ctrl",)


class HotkeyButton(QPushButton):
    """Shows a hotkey; after a click it takes the next one that is pressed."""

    pressed_chord = Signal(object)  # Chord
    cleared = Signal()
    refused = Signal(object)  # AppError
    listening_changed = Signal(bool)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._shown = ""
        self._lone: Chord | None = None
        self.is_listening = False
        self.setMinimumSize(190, theme.TARGET)
        self.setAutoDefault(False)
        self.clicked.connect(lambda _checked=False: self.listen(is_on=not self.is_listening))
        self.show_chord("")

    def show_chord(self, text: str) -> None:
        """Show the hotkey that holds."""
        self._shown = text
        if not self.is_listening:
            self._write(text or tr("None"))

    def listen(self, *, is_on: bool) -> None:
        """Take the next key press as the new hotkey, or stop doing so."""
        if is_on == self.is_listening:
            return
        self.is_listening = is_on
        self._lone = None
        self._write(tr("Press the new hotkey…") if is_on else self._shown or tr("None"))
        self.listening_changed.emit(is_on)

    def event(self, event: QEvent) -> bool:
        # Tab and the shortcuts of the window are keys like others while one is being pressed.
        if self.is_listening and isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() is QEvent.Type.KeyPress:
                self.keyPressEvent(event)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.is_listening:
            super().keyPressEvent(event)
            return
        if event.isAutoRepeat():
            return
        if is_modifier(event):
            self._lone = lone_modifier(event) if self._lone is None else None
            self._write(f"{held_signs(event)} …".strip())
            return
        self._lone = None
        self._take(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self.is_listening or event.isAutoRepeat():
            super().keyReleaseEvent(event)
            return
        lone, self._lone = self._lone, None
        if lone is not None:
            self._end(lambda: self.pressed_chord.emit(lone))
        else:
            self._write(tr("Press the new hotkey…"))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.listen(is_on=False)
        super().focusOutEvent(event)

    def _take(self, event: QKeyEvent) -> None:
        is_plain = not event.modifiers()
        if is_plain and event.key() == Qt.Key.Key_Escape:
            self.listen(is_on=False)
            return
        if is_plain and event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self._end(self.cleared.emit)
            return
        chord = chord_of(event)
        if chord is None:
            error = HotkeyRefused(
                mark("That key cannot be part of a hotkey."), mark("Try another.")
            )
            self._end(lambda: self.refused.emit(error))
            return
        try:
            wanted = parse_chord(str(chord))
        except AppError as refusal:
            problem = refusal
            self._end(lambda: self.refused.emit(problem))
            return
        self._end(lambda: self.pressed_chord.emit(wanted))

    def _end(self, tell: Callable[[], None]) -> None:
        self.listen(is_on=False)
        tell()

    def _write(self, text: str) -> None:
        self.setText(text.replace("&", "&&"))
        self.setAccessibleName(f"{self._title}: {text}")


class HotkeyField(QWidget):
    """A hotkey with its button, a menu of single keys, and why it may not work.

    Args:
        name: as the stage machine calls it (`dictate`, `quick`).
        title: for a screen reader.
        keys: what tries it; `None` where there are no global hotkeys.
        store: told of the new hotkey, "" for none.
        can_clear: whether there may be no hotkey at all.
    """

    def __init__(
        self,
        name: str,
        title: str,
        keys: HotkeyKeys | None,
        store: Callable[[str], None],
        parent: QWidget | None = None,
        *,
        can_clear: bool = True,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._keys = keys
        self._store = store
        self._refusal: AppError | None = None
        self.button = HotkeyButton(title, self)
        self.more_button = QToolButton(self)
        self.more_button.setText("…")
        self.more_button.setMinimumSize(theme.TARGET, theme.TARGET)
        self.more_button.setAccessibleName(tr("More choices for “{title}”", title=title))
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.more_button.setMenu(self._menu(can_clear=can_clear))
        self.message = QuietLabel("", self, wraps=True)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.button, 1)
        row.addWidget(self.more_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.message)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self.refresh)
        self.button.pressed_chord.connect(self.try_chord)
        self.button.cleared.connect(lambda: self.try_chord(None))
        self.button.refused.connect(self._show_refusal)
        self.button.listening_changed.connect(self._on_listening_changed)
        self.setEnabled(keys is not None)
        self.refresh()

    def refresh(self) -> None:
        """Show the hotkey that holds and whether it arrives."""
        if self._keys is None:
            self._tell(tr("Global hotkeys are not available here."), is_bad=False)
            return
        self.button.show_chord(self._keys.shown(self._name))
        problem = self._refusal or self._keys.problem(self._name)
        text = ""
        if problem is not None:
            text = f"{tr_phrase(problem.message)} {tr_phrase(problem.hint)}".strip()
        self._tell(text, is_bad=True)

    def refresh_colors(self) -> None:
        self.message.refresh_colors()

    def try_chord(self, chord: Chord | None) -> None:
        """Use another hotkey if it can be had; else say why not."""
        if self._keys is None:
            return
        self._refusal = self._keys.trial(self._name, chord)
        if self._refusal is None:
            self._store(str(chord) if chord is not None else "")
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refusal = None
        self.refresh()
        self._look.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.button.listen(is_on=False)
        self._look.stop()

    def _menu(self, *, can_clear: bool) -> QMenu:
        menu = QMenu(self)
        for key in _LONE_KEYS:
            chord = Chord(key)
            action = menu.addAction(tr("{key} alone", key=chord.shown()))
            action.triggered.connect(lambda _checked=False, chord=chord: self.try_chord(chord))
        menu.addSeparator()
        text = tr("No hotkey") if can_clear else tr("Default")
        menu.addAction(text).triggered.connect(lambda _checked=False: self.try_chord(None))
        return menu

    def _show_refusal(self, error: AppError) -> None:
        self._refusal = error
        self.refresh()

    def _on_listening_changed(self, is_listening: bool) -> None:
        if self._keys is not None:
            self._keys.rest(is_listening)
        if is_listening:
            self._refusal = None
            self._tell(tr("Esc keeps the old one, Backspace takes it away."), is_bad=False)
        else:
            self.refresh()

    def _tell(self, text: str, *, is_bad: bool) -> None:
        if text == self.message.text() and text:
            return
        self.message.set_color("error" if is_bad else "secondary")
        self.message.setText(text)
        self.message.setVisible(bool(text))
