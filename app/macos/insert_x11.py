"""Insertion under X11: the text is offered on the clipboard, Ctrl-V is pressed, and the request for
the text by the focused program is the receipt.

The focus is never touched. The clipboard's formats are read before and offered again afterwards,
byte for byte, unless another program copied something meanwhile. X11 knows no secure fields and
lets nobody read the caret's surroundings.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.errors import AppError
from app.macos.clipboard_x11 import TEXT_TARGETS, Formats, X11Clipboard, as_text
from app.macos.front_app_x11 import class_of_window
from app.macos.insert import (
    InsertOutcome,
    OnDone,
    OnUndone,
    cannot_undo,
    no_field,
    not_taken,
    nothing_inserted,
    overtaken,
)
from app.macos.insert_rules import PasteStep, PasteWatch, Way
from app.macos.x11 import X11Worker, keycode_of

_TIMEOUT_S = 2.0  # an X11 program fetches the text at once; a late one still finds it there
_POLL_S = 0.02
_TERMINALS = frozenset(
    {
        *("xterm", "uxterm", "gnome-terminal", "gnome-terminal-server", "org.gnome.terminal"),
        *("kgx", "konsole", "alacritty", "kitty", "foot", "terminator", "tilix", "urxvt", "st"),
        *("xfce4-terminal", "lxterminal", "mate-terminal", "qterminal"),
        *("wezterm", "org.wezfurlong.wezterm"),
    }
)


@dataclass(slots=True)
class _Paste:
    text: str
    on_done: OnDone
    before: Formats
    client: int
    focus: int
    watch: PasteWatch
    is_copied: bool = False
    is_overtaken: bool = False


class X11Inserter:
    """Text into the focused program by clipboard and Ctrl-V.

    Args:
        timeout_s: after so long without a reader the text is left on the clipboard.
    """

    def __init__(self, timeout_s: float = _TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self._last = ""
        self._inserted_into = 0
        self._paste: _Paste | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._worker = X11Worker("insert-x11", self._on_event)
        self._clipboard = self._worker.call(lambda: X11Clipboard(self._worker, self._on_read))

    def insert(
        self,
        text: str,
        on_done: OnDone,
        way: Way | None = None,
        language: str | None = None,  # noqa: ARG002  # nothing tells the caret's surroundings
        fits_caret: bool = True,  # noqa: ARG002
    ) -> None:
        self._last = text
        self._enqueue(lambda: self._insert(text, on_done, way))

    def undo_last(self, on_done: OnUndone) -> None:
        self._enqueue(lambda: self._undo(on_done))

    def paste_last(self, on_done: OnDone) -> None:
        if self._last:
            self.insert(self._last, on_done)
        else:
            on_done(InsertOutcome(Way.REFUSED, "", reason=nothing_inserted()))

    def copy(self, text: str) -> None:
        self._worker.call(lambda: self._copy(text))

    def copy_last(self) -> bool:
        if self._last:
            self.copy(self._last)
        return bool(self._last)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the server is gone already
            self._worker.call(self._leave)
        self._worker.close()

    def _enqueue(self, task: Callable[[], None]) -> None:
        self._worker.post(lambda: self._waiting.append(task))
        self._worker.post(self._go_on)

    def _go_on(self) -> None:
        while self._paste is None and self._waiting:
            self._waiting.popleft()()

    def _insert(self, text: str, on_done: OnDone, way: Way | None) -> None:
        focus = self._focus()
        if not text or way is Way.CLIPBOARD or focus is None:
            self._clipboard.own(as_text(text))
            reason = no_field() if focus is None else None
            on_done(InsertOutcome(Way.CLIPBOARD, text, reason=reason))
            return
        before = self._clipboard.read_all()
        self._clipboard.own(as_text(text, is_secret=True))
        watch = PasteWatch(time.monotonic(), self.timeout_s)
        self._paste = _Paste(text, on_done, before, self._client_of(focus.id), focus.id, watch)
        keys = ["left_ctrl", "left_shift", "v"] if is_terminal(focus) else ["left_ctrl", "v"]
        self._press(keys)
        self._worker.after(_POLL_S, self._look)

    def _copy(self, text: str) -> None:
        paste = self._paste
        if paste is not None and paste.text == text and self._clipboard.is_ours:
            paste.is_copied = True  # it lies there already, and the receipt may still come
            return
        if paste is not None:
            paste.is_overtaken = True
        self._clipboard.own(as_text(text))

    def _look(self) -> None:
        paste = self._paste
        if paste is None:
            return
        is_ours = self._clipboard.is_ours and not paste.is_overtaken
        step = paste.watch.decide(time.monotonic(), is_ours)
        match step:
            case PasteStep.WAIT:
                self._worker.after(_POLL_S, self._look)
                return
            case PasteStep.RESTORE:
                self._clipboard.own(as_text(paste.text) if paste.is_copied else paste.before)
            case PasteStep.LEAVE:
                self._clipboard.own(as_text(paste.text))
        self._paste = None
        if paste.watch.was_read:
            self._inserted_into = paste.focus
            outcome = InsertOutcome(Way.PASTE, paste.text, is_verified=True)
        elif step is PasteStep.YIELD:
            outcome = InsertOutcome(Way.REFUSED, paste.text, reason=overtaken())
        else:
            outcome = InsertOutcome(Way.CLIPBOARD, paste.text, reason=not_taken())
        paste.on_done(outcome)
        self._go_on()

    def _undo(self, on_done: OnUndone) -> None:
        focus = self._focus()
        error: AppError | None = None
        if focus is None or focus.id != self._inserted_into or is_terminal(focus):
            error = cannot_undo()
        else:
            self._press(["left_ctrl", "z"])
            self._inserted_into = 0
        on_done(error)

    def _leave(self) -> None:
        paste, self._paste = self._paste, None
        if paste is not None and not paste.is_overtaken:
            self._clipboard.own(as_text(paste.text) if paste.is_copied else paste.before)
        self._clipboard.hand_over()

    def _on_event(self, event: Any) -> None:
        self._clipboard.on_event(event)

    def _on_read(self, window: int, target: str) -> None:
        paste = self._paste
        if paste is not None and target in TEXT_TARGETS and self._client_of(window) == paste.client:
            paste.watch.reader_seen(time.monotonic())

    def _client_of(self, window: int) -> int:
        return int(window & ~self._worker.display.display.info.resource_id_mask)

    def _focus(self) -> Any:
        """Return the window that has the keyboard, `None` when no window has it."""
        focus = self._worker.display.get_input_focus().focus
        is_window = not isinstance(focus, int) and focus != self._worker.display.screen().root
        return focus if is_window else None

    def _press(self, keys: list[str]) -> None:
        """Press and release `keys`, after letting go of what the person still holds."""
        from Xlib import X
        from Xlib.ext import xtest

        display = self._worker.display
        held = display.query_keymap()
        for codes in display.get_modifier_mapping():
            for code in codes:
                if code and held[code // 8] & (1 << code % 8):
                    xtest.fake_input(display, X.KeyRelease, code)
        codes = [keycode_of(display, key) for key in keys]
        for code in codes:
            xtest.fake_input(display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(display, X.KeyRelease, code)
        display.sync()


def is_terminal(window: Any) -> bool:
    """Return whether a window belongs to a terminal, where Ctrl-V means something else."""
    return any(name.lower() in _TERMINALS for name in class_of_window(window))
