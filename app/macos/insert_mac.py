"""Insertion on the Mac, by the ladder of `insert_rules`.

Trust is asked before each insertion. A paste ends by timer on the main loop, so that macOS can ask
for the promised text meanwhile; the insertion after it waits. Whatever the system raises, each
insertion is told once.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import AppError
from app.macos import accessibility
from app.macos.accessibility import FocusedField, Span, length_of
from app.macos.carbon import Carbon
from app.macos.front_app import FrontApps, MacFrontApps
from app.macos.insert import (
    After,
    InsertOutcome,
    OnDone,
    OnUndone,
    cannot_undo,
    keyboard_is_secure,
    not_taken,
    not_trusted,
    nothing_inserted,
    overtaken,
    secure_field,
    went_wrong,
)
from app.macos.insert_rules import (
    HOLD_S,
    Field,
    PasteStep,
    PasteWatch,
    Scene,
    Way,
    fit_to_caret,
    ways_to_try,
)
from app.macos.pasteboard import Pasteboard, Saved
from app.macos.secure_input import MacSecureInput, SecureInput

_POLL_S = 0.05
_MOST_UNITS = 20  # CGEventKeyboardSetUnicodeString drops what is longer
_KEY_Z = "z"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    """One insertion on its way down the ladder."""

    given: str
    on_done: OnDone
    text: str = ""
    ways: deque[Way] = field(default_factory=deque)
    field: FocusedField | None = None
    reason: AppError | None = None
    is_told: bool = False

    def tell(self, way: Way, reason: AppError | None = None, *, is_verified: bool = False) -> None:
        if not self.is_told:
            self.is_told = True
            self.on_done(InsertOutcome(way, self.text, is_verified, reason))


@dataclass(slots=True)
class _Paste:
    job: _Job
    saved: Saved
    watch: PasteWatch
    is_copied: bool = False


@dataclass(frozen=True, slots=True)
class _Inserted:
    """What undo needs to know; `start` is `None` where the field could not be read."""

    way: Way
    text: str
    pid: int
    start: int | None
    replaced: str


class MacInserter:
    """Text into the front app by accessibility, paste or typing. Thread: main."""

    def __init__(
        self,
        after: After,
        carbon: Carbon | None = None,
        secure_input: SecureInput | None = None,
        front_apps: FrontApps | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._after = after
        self._carbon = carbon or Carbon()
        self._secure_input = secure_input or MacSecureInput(self._carbon)
        self._front_apps = front_apps or MacFrontApps()
        self._clock = clock
        self._pasteboard = Pasteboard(clock)
        self._last = ""
        self._inserted: _Inserted | None = None
        self._paste: _Paste | None = None
        self._waiting: deque[Callable[[], None]] = deque()

    def insert(
        self,
        text: str,
        on_done: OnDone,
        way: Way | None = None,
        language: str | None = None,
        fits_caret: bool = True,
    ) -> None:
        self._last = text
        job = _Job(text, on_done, text)
        self._waiting.append(
            lambda: self._attempt(job, lambda: self._insert(job, way, language, fits_caret))
        )
        self._go_on()

    def undo_last(self, on_done: OnUndone) -> None:
        self._waiting.append(lambda: on_done(self._undo()))
        self._go_on()

    def paste_last(self, on_done: OnDone) -> None:
        if self._last:
            self.insert(self._last, on_done)
        else:
            on_done(InsertOutcome(Way.REFUSED, "", reason=nothing_inserted()))

    def copy(self, text: str) -> None:
        paste = self._paste
        if paste is not None and paste.job.given == text:
            paste.is_copied = True  # it lies there already, and the receipt may still come
        else:
            self._pasteboard.keep(text)

    def copy_last(self) -> bool:
        if self._last:
            self.copy(self._last)
        return bool(self._last)

    def close(self) -> None:
        if self._paste is not None:
            self._return_clipboard(self._paste)
            self._paste = None

    def _go_on(self) -> None:
        while self._paste is None and self._waiting:
            self._waiting.popleft()()

    def _attempt(self, job: _Job, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001  # pyobjc raises anything, and a take waits for the outcome
            _log.exception("inserting a text failed")
            self._give_up(job)

    def _give_up(self, job: _Job) -> None:
        """Leave the text on the clipboard: a way that may have worked is followed by no other."""
        self._paste = self._inserted = None
        if job.is_told:
            return
        try:
            self._pasteboard.keep(job.text)
        except Exception:  # noqa: BLE001  # see `_attempt`
            _log.exception("copying a text failed")
            job.tell(Way.REFUSED, went_wrong())
        else:
            job.tell(Way.CLIPBOARD, not_taken())

    # ---- the ladder ----------------------------------------------------------------------

    def _insert(self, job: _Job, way: Way | None, language: str | None, fits_caret: bool) -> None:
        is_trusted = accessibility.is_trusted()
        field = accessibility.focused_field() if is_trusted else None
        scene = Scene(
            field=field.kind() if field is not None else Field.UNKNOWN,
            is_trusted=is_trusted,
            is_input_secure=self._secure_input.is_on(),
            is_verifiable=field is not None and field.is_verifiable(),
            preferred=way,
            has_newline="\n" in job.text,
        )
        if fits_caret and field is not None and scene.field in (Field.TEXT, Field.WEB):
            context = field.context()
            if context is not None:
                job.text = fit_to_caret(job.text, context, language)
        job.reason = not_taken()
        if scene.field is Field.SECURE:
            job.reason = secure_field()
        elif not is_trusted:
            job.reason = not_trusted()
        elif way is Way.CLIPBOARD:
            job.reason = None
        elif scene.is_input_secure and scene.field is Field.UNKNOWN:
            job.reason = keyboard_is_secure(self._secure_input.holder())
        job.field = field
        job.ways.extend(ways_to_try(scene))
        self._try_next(job)

    def _try_next(self, job: _Job) -> None:
        while True:
            match job.ways.popleft():
                case Way.REFUSED:
                    job.tell(Way.REFUSED, job.reason)
                    return
                case Way.CLIPBOARD:
                    self._pasteboard.keep(job.text)
                    job.tell(Way.CLIPBOARD, job.reason)
                    return
                case Way.ACCESSIBILITY:
                    if self._set_selection(job):
                        return
                case Way.PASTE:
                    if self._begin_paste(job):
                        return
                case Way.TYPED:
                    self._type(job)
                    return

    def _set_selection(self, job: _Job) -> bool:
        """Insert through the field itself; return False when nothing at all happened."""
        field = job.field
        if field is None:
            return False
        span, length = field.selection(), field.length()
        if span is None or length is None:
            return False
        replaced = (field.text_in(span) or "") if span.length else ""
        if not field.replace_selection(job.text):
            return False
        wanted = length - span.length + length_of(job.text)
        now, now_span = field.length(), field.selection()
        if now == length and now_span == span and wanted != length:
            return False
        self._inserted = _Inserted(Way.ACCESSIBILITY, job.text, field.pid, span.start, replaced)
        is_verified = now == wanted and field.text_in(Span(span.start, length_of(job.text))) in (
            None,
            job.text,
        )
        job.tell(Way.ACCESSIBILITY, is_verified=is_verified)
        return True

    def _begin_paste(self, job: _Job) -> bool:
        """Lend the text and press Cmd-V; return False when the pasteboard refused it."""
        key = self._with_command("v")
        self._remember(job, Way.PASTE)
        saved = self._pasteboard.save()
        watch = PasteWatch(self._clock(), hold_s=HOLD_S)
        if not self._pasteboard.lend(job.text, watch.reader_seen):
            self._pasteboard.give_back(saved)
            return False
        self._paste = _Paste(job, saved, watch)
        self._press(key)
        self._after(_POLL_S, self._look)
        return True

    def _look(self) -> None:
        paste = self._paste
        if paste is not None:
            self._attempt(paste.job, lambda: self._look_at(paste))
            self._go_on()

    def _look_at(self, paste: _Paste) -> None:
        job = paste.job
        if paste.watch.was_read:
            job.tell(Way.PASTE, is_verified=True)
        step = paste.watch.decide(self._clock(), self._pasteboard.is_ours)
        match step:
            case PasteStep.WAIT:
                self._after(_POLL_S, self._look)
                return
            case PasteStep.RESTORE:
                self._return_clipboard(paste)
            case PasteStep.LEAVE:
                self._pasteboard.keep(job.given if paste.is_copied else job.text)
        self._paste = None
        if paste.watch.was_read:
            return
        self._inserted = None
        if step is PasteStep.YIELD:
            job.tell(Way.REFUSED, overtaken())
        else:
            job.tell(Way.CLIPBOARD, job.reason)

    def _return_clipboard(self, paste: _Paste) -> None:
        if paste.is_copied and self._pasteboard.is_ours:
            self._pasteboard.keep(paste.job.given)
        else:
            self._pasteboard.give_back(paste.saved)

    def _type(self, job: _Job) -> None:
        import Quartz

        self._remember(job, Way.TYPED)
        source = Quartz.CGEventSourceCreate(Quartz.kCGEventSourceStatePrivate)
        for piece in _pieces(job.text):
            for is_down in (True, False):
                event = Quartz.CGEventCreateKeyboardEvent(source, 0, is_down)
                Quartz.CGEventSetFlags(event, 0)
                Quartz.CGEventKeyboardSetUnicodeString(event, length_of(piece), piece)
                Quartz.CGEventPost(Quartz.kCGSessionEventTap, event)
        job.tell(Way.TYPED)

    def _remember(self, job: _Job, way: Way) -> None:
        span = job.field.selection() if job.field is not None else None
        front = self._front_apps.now()
        pid = front.pid if front is not None else 0
        self._inserted = _Inserted(way, job.text, pid, span.start if span else None, "")

    def _with_command(self, key: str) -> list[Any]:
        """Return the events of Command and `key`, not sent yet."""
        import Quartz

        code = self._carbon.key_code(key, with_command=True)
        source = Quartz.CGEventSourceCreate(Quartz.kCGEventSourceStatePrivate)
        events = [Quartz.CGEventCreateKeyboardEvent(source, code, down) for down in (True, False)]
        for event in events:
            Quartz.CGEventSetFlags(event, Quartz.kCGEventFlagMaskCommand)
        return events

    def _press(self, events: list[Any]) -> None:
        import Quartz

        for event in events:
            Quartz.CGEventPost(Quartz.kCGSessionEventTap, event)

    # ---- undo ----------------------------------------------------------------------------

    def _undo(self) -> AppError | None:
        done, self._inserted = self._inserted, None
        if done is None:
            return cannot_undo()
        if not accessibility.is_trusted():
            return not_trusted()
        field = accessibility.focused_field()
        if field is not None and done.start is not None and not _is_untouched(field, done):
            return cannot_undo()
        if done.way is Way.ACCESSIBILITY:
            if field is None or done.start is None or field.pid != done.pid:
                return cannot_undo()
            span = Span(done.start, length_of(done.text))
            is_done = field.select(span) and field.replace_selection(done.replaced)
            return None if is_done else cannot_undo()
        front = self._front_apps.now()
        if front is None or front.pid != done.pid:
            return cannot_undo()
        self._press(self._with_command(_KEY_Z))
        return None


def _is_untouched(field: FocusedField, done: _Inserted) -> bool:
    """Return whether the caret still stands where the insertion ended."""
    if done.start is None:
        return False
    length = length_of(done.text)
    if field.selection() != Span(done.start + length, 0):
        return False
    return field.text_in(Span(done.start, length)) in (None, done.text)


def _pieces(text: str) -> list[str]:
    """Return `text` in pieces of at most 20 UTF-16 units that split no character."""
    pieces, current = [], ""
    for character in text:
        if length_of(current + character) > _MOST_UNITS:
            pieces.append(current)
            current = ""
        current += character
    return [*pieces, current] if current else pieces
