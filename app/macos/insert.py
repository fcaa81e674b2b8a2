"""Text into the front app, and the clipboard as it was before.

An insertion is told once, by `on_done`, on the form's own thread (the Mac's main thread, the X11
form's connection thread), so `on_done` must be thread-safe and quick. The transcript is in the
library before any of this begins.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import AppError, InsertFailed, PermissionMissing, mark
from app.macos.insert_rules import (
    CaretContext,
    Field,
    Scene,
    Way,
    fit_to_caret,
    ways_to_try,
)

__all__ = [
    "CaretContext",
    "FakeInserter",
    "InsertOutcome",
    "Inserter",
    "Way",
    "fit_to_caret",
    "for_this_system",
]


@dataclass(frozen=True, slots=True)
class InsertOutcome:
    """What became of one insertion.

    Attributes:
        way: the way that was used.
        text: what was inserted, with the spaces that fit.
        is_verified: the other program is known to have it.
        reason: why it was not inserted, or is not verified; a sentence and a way out.
    """

    way: Way
    text: str
    is_verified: bool = False
    reason: AppError | None = None

    @property
    def was_inserted(self) -> bool:
        return self.way in (Way.ACCESSIBILITY, Way.PASTE, Way.TYPED)


OnDone = Callable[[InsertOutcome], None]
OnUndone = Callable[[AppError | None], None]
After = Callable[[float, Callable[[], None]], None]
"""Runs a function later, on the main thread: `after(delay_s, function)`."""


class Inserter(Protocol):
    """Puts text where the person's caret is; one insertion at a time, others wait their turn."""

    def insert(
        self,
        text: str,
        on_done: OnDone,
        way: Way | None = None,
        language: str | None = None,
        fits_caret: bool = True,
    ) -> None:
        """Insert `text` into the front app; the clipboard is as before afterwards.

        Args:
            text: what to insert.
            on_done: is told the outcome, once.
            way: the way to try first.
            language: the text's language code, for capitals.
            fits_caret: spaces and first letter follow what stands around the caret.
        """

    def undo_last(self, on_done: OnUndone) -> None:
        """Take the last insertion back; `on_done` gets why not, or `None`."""

    def paste_last(self, on_done: OnDone) -> None:
        """Insert again what `insert` was last given."""

    def copy(self, text: str) -> None:
        """Put `text` on the clipboard, to stay there; a paste under way gives nothing back then."""

    def copy_last(self) -> bool:
        """Put what `insert` was last given on the clipboard; return whether there was anything."""

    def close(self) -> None:
        """Give the clipboard back and let go of the system."""


def secure_field() -> InsertFailed:
    return InsertFailed(
        mark("This is a password field, so nothing was inserted."),
        mark("Click into another field and choose “Paste last”."),
    )


def not_trusted() -> PermissionMissing:
    return PermissionMissing(
        mark("macOS does not let Undertone type into other programs, so the text was copied."),
        mark("Paste it yourself, and allow Undertone under Privacy & Security → Accessibility."),
    )


def keyboard_is_secure(program: str) -> InsertFailed:
    if program:
        return InsertFailed(
            mark("“{program}” keeps the keyboard to itself, so the text was copied."),
            mark("Paste it yourself, or turn off secure keyboard entry there."),
            program=program,
        )
    return InsertFailed(
        mark("A program keeps the keyboard to itself, so the text was copied."),
        mark("Paste it yourself, or turn off secure keyboard entry."),
    )


def not_taken() -> InsertFailed:
    return InsertFailed(
        mark("The program in front did not take the text, so it was copied."),
        mark("Click where it belongs and paste it."),
    )


def went_wrong() -> InsertFailed:
    return InsertFailed(
        mark("The text could not be inserted."),
        mark("Click where it belongs and choose “Paste last”."),
    )


def overtaken() -> InsertFailed:
    return InsertFailed(
        mark("Something else was copied meanwhile, so the text was not inserted."),
        mark("Click where the text belongs and choose “Paste last”."),
    )


def no_field() -> InsertFailed:
    return InsertFailed(
        mark("No program in front can take the text, so it was copied."),
        mark("Click where it belongs and paste it."),
    )


def no_desktop() -> InsertFailed:
    return InsertFailed(
        mark("There is no desktop session to insert text into."),
        mark("The text is in your library."),
    )


def nothing_inserted() -> InsertFailed:
    return InsertFailed(mark("There is nothing to insert."), mark("Dictate something first."))


def cannot_undo() -> InsertFailed:
    return InsertFailed(
        mark("The last insertion cannot be taken back here any more."),
        mark("Undo it in the program it went to."),
    )


class NoInserter:
    """Insertion where there is no desktop: always refused."""

    def insert(
        self,
        text: str,
        on_done: OnDone,
        way: Way | None = None,  # noqa: ARG002
        language: str | None = None,  # noqa: ARG002
        fits_caret: bool = True,  # noqa: ARG002
    ) -> None:
        on_done(InsertOutcome(Way.REFUSED, text, reason=no_desktop()))

    def undo_last(self, on_done: OnUndone) -> None:
        on_done(cannot_undo())

    def paste_last(self, on_done: OnDone) -> None:
        on_done(InsertOutcome(Way.REFUSED, "", reason=nothing_inserted()))

    def copy(self, text: str) -> None:  # noqa: ARG002
        raise no_desktop()

    def copy_last(self) -> bool:
        return False

    def close(self) -> None: ...


class FakeInserter:
    """A text field, its caret and a clipboard for tests.

    Attributes:
        field: what has the focus.
        text: the field's text; insertions happen at `caret`.
        clipboard: its formats by name; `text/plain` is the text.
        takes: whether the program in front reads what is pasted.
    """

    def __init__(self, field: Field = Field.UNKNOWN) -> None:
        self.field = field
        self.text = ""
        self.caret = 0
        self.clipboard: dict[str, bytes] = {}
        self.is_trusted = True
        self.secure_by: str | None = None
        self.takes = True
        self._last = ""
        self._before: tuple[str, int] | None = None
        self._after: tuple[str, int] | None = None

    def insert(
        self,
        text: str,
        on_done: OnDone,
        way: Way | None = None,
        language: str | None = None,
        fits_caret: bool = True,
    ) -> None:
        self._last = text
        is_readable = self.field is Field.TEXT
        scene = Scene(
            self.field, self.is_trusted, self.secure_by is not None, is_readable, way, "\n" in text
        )
        if fits_caret and is_readable:
            around = CaretContext(self.text[: self.caret], self.text[self.caret :])
            text = fit_to_caret(text, around, language)
        chosen = ways_to_try(scene)[0]
        if chosen is Way.REFUSED:
            on_done(InsertOutcome(Way.REFUSED, text, reason=secure_field()))
        elif chosen is Way.CLIPBOARD or not self.takes:
            self.copy(text)
            reason: AppError = not_taken()
            if not self.is_trusted:
                reason = not_trusted()
            elif self.secure_by is not None:
                reason = keyboard_is_secure(self.secure_by)
            on_done(InsertOutcome(Way.CLIPBOARD, text, reason=reason))
        else:
            self._before = (self.text, self.caret)
            self.text = self.text[: self.caret] + text + self.text[self.caret :]
            self.caret += len(text)
            self._after = (self.text, self.caret)
            on_done(InsertOutcome(chosen, text, is_verified=chosen is not Way.TYPED))

    def undo_last(self, on_done: OnUndone) -> None:
        if self._before is None or (self.text, self.caret) != self._after:
            on_done(cannot_undo())
            return
        self.text, self.caret = self._before
        self._before = None
        on_done(None)

    def paste_last(self, on_done: OnDone) -> None:
        if not self._last:
            on_done(InsertOutcome(Way.REFUSED, "", reason=nothing_inserted()))
        else:
            self.insert(self._last, on_done)

    def copy(self, text: str) -> None:
        self.clipboard = {"text/plain": text.encode()}

    def copy_last(self) -> bool:
        if self._last:
            self.copy(self._last)
        return bool(self._last)

    def close(self) -> None: ...


def for_this_system(after: After) -> Inserter:
    """Return the inserter of the system this process runs on. Thread: main.

    Args:
        after: the main loop's timer; only the Mac's form uses it.
    """
    if sys.platform == "darwin":
        from app.macos.insert_mac import MacInserter

        return MacInserter(after)
    from app.macos.x11 import has_display

    if not has_display():
        return NoInserter()
    from app.macos.insert_x11 import X11Inserter

    return X11Inserter()
