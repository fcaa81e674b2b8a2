"""The X11 clipboard, spoken as ICCCM wants it: read whole, owned, and given back.

The clipboard belongs to the connection thread. What is served is a frozen set of formats; every
request for one of them is a receipt, told with the client that asked. Large formats travel in
pieces (INCR) both ways.
"""

import contextlib
import select
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.macos.x11 import X11Worker

TEXT_TARGETS = ("UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "STRING", "TEXT")
_SECRET_HINT = "x-kde-passwordManagerHint"  # clipboard programs leave out what bears it
_NOT_CONTENT = {
    *("TARGETS", "MULTIPLE", "TIMESTAMP", "SAVE_TARGETS", "DELETE"),
    *("INSERT_PROPERTY", "INSERT_SELECTION"),
}
_ANSWER_S = 5.0
_MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Content:
    """One format of the clipboard: the property's type, its unit (8, 16 or 32 bits), its bytes."""

    kind: str
    unit: int
    data: bytes


Formats = Mapping[str, Content]


def as_text(text: str, is_secret: bool = False) -> Formats:
    """Return the formats under which programs look for text."""
    data = text.encode("utf-8")
    formats = {target: Content(target, 8, data) for target in TEXT_TARGETS[:3]}
    latin = text.encode("latin-1", "replace")
    formats["STRING"] = Content("STRING", 8, latin)
    formats["TEXT"] = Content("UTF8_STRING", 8, data)
    if is_secret:
        formats[_SECRET_HINT] = Content(_SECRET_HINT, 8, b"secret")
    return formats


@dataclass(slots=True)
class _Sending:
    """One INCR transfer to a window that asked."""

    content: Content
    kind: int
    at: int = 0


class X11Clipboard:
    """CLIPBOARD of one connection. Thread: the worker's, for everything.

    Args:
        worker: whose connection is used.
        on_read: is told the window id and target of each request for content.
    """

    def __init__(self, worker: X11Worker, on_read: Callable[[int, str], None]) -> None:
        from Xlib import X

        self._worker = worker
        self._display = worker.display
        self._on_read = on_read
        screen = self._display.screen()
        self.window = screen.root.create_window(
            0, 0, 1, 1, 0, screen.root_depth, event_mask=X.PropertyChangeMask
        )
        self._formats: Formats | None = None
        self._owned_at = 0
        self._sending: dict[tuple[int, int], _Sending] = {}
        info = self._display.display.info
        self._piece = min(info.max_request_length * 4 - 64, 2**18)

    @property
    def is_ours(self) -> bool:
        return self._formats is not None

    def own(self, formats: Formats) -> None:
        """Offer `formats` until another program copies something; none gives the clipboard up."""
        from Xlib import X

        now = self._server_time()
        if not formats:
            if self.is_ours:
                self._set_owner(X.NONE, now)
            self._formats = None
            return
        self._set_owner(self.window, now)
        owner = self._display.get_selection_owner(self._atom("CLIPBOARD"))
        self._formats = dict(formats) if owner == self.window else None
        self._owned_at = now

    def read_all(self) -> Formats:
        """Return everything the clipboard offers now, format by format."""
        if self._formats is not None:
            return self._formats
        if not self._owner("CLIPBOARD"):
            return {}
        try:
            targets = self._convert("TARGETS")
            if targets is None:
                text = self._convert("UTF8_STRING")
                return as_text(text.data.decode("utf-8", "replace")) if text else {}
        except TimeoutError:
            return {}
        found: dict[str, Content] = {}
        total = 0
        for target in self._atom_names(targets.data):
            if target in _NOT_CONTENT or target in found:
                continue
            try:
                content = self._convert(target)
            except TimeoutError:
                break  # its program hangs; asking on would only hold up the insertion
            if content is not None and total + len(content.data) <= _MOST_BYTES:
                total += len(content.data)
                found[target] = content
        return found

    def hand_over(self) -> None:
        """Ask a clipboard program, if there is one, to keep what is offered after our end."""
        if self._formats is None or not self._owner("CLIPBOARD_MANAGER"):
            return
        with contextlib.suppress(TimeoutError):
            self._convert("SAVE_TARGETS", selection="CLIPBOARD_MANAGER")

    def on_event(self, event: Any) -> None:
        """Take in an event of the connection."""
        from Xlib import X

        if event.type == X.SelectionRequest:
            self._answer(event)
        elif event.type == X.SelectionClear:
            if event.time >= self._owned_at:
                self._formats = None
        elif event.type == X.PropertyNotify and event.state == X.PropertyDelete:
            self._send_next(event.window, event.atom)

    # ---- reading -------------------------------------------------------------------------

    def _convert(self, target: str, selection: str = "CLIPBOARD") -> Content | None:
        from Xlib import X

        place = self._atom("UNDERTONE_READ")
        self.window.delete_property(place)
        self.window.convert_selection(
            self._atom(selection), self._atom(target), place, self._server_time()
        )
        wanted = self._atom(target)
        answer = self._wait(
            lambda e: (
                e.type == X.SelectionNotify and e.target == wanted and e.requestor == self.window
            )
        )
        if answer is None:
            raise TimeoutError(target)
        if answer.property == X.NONE:
            return None
        held = self.window.get_full_property(place, X.AnyPropertyType, 2**14)
        if held is None:
            return None
        if held.property_type == self._atom("INCR"):
            return self._collect(place)
        self.window.delete_property(place)
        return self._content(held)

    def _collect(self, place: int) -> Content | None:
        """Return the content that comes in pieces; deleting the property asks for the next."""
        from Xlib import X

        pieces: list[Content] = []
        self.window.delete_property(place)
        while sum(len(piece.data) for piece in pieces) <= _MOST_BYTES:
            news = self._wait(
                lambda e: (
                    e.type == X.PropertyNotify
                    and e.atom == place
                    and e.state == X.PropertyNewValue
                    and e.window == self.window
                )
            )
            held = self.window.get_full_property(place, X.AnyPropertyType, 2**14) if news else None
            if held is None:
                return None
            self.window.delete_property(place)
            piece = self._content(held)
            if not piece.data:
                break
            pieces.append(piece)
        if not pieces:
            return None
        data = b"".join(piece.data for piece in pieces)
        return Content(pieces[0].kind, pieces[0].unit, data)

    def _content(self, held: Any) -> Content:
        value = held.value
        data = value if isinstance(value, bytes) else value.tobytes() if value is not None else b""
        return Content(self._display.get_atom_name(held.property_type), held.format or 8, data)

    def _atom_names(self, data: bytes) -> Iterable[str]:
        for at in range(0, len(data) - 3, 4):
            atom = int.from_bytes(data[at : at + 4], "little")
            if atom:
                yield self._display.get_atom_name(atom)

    # ---- serving -------------------------------------------------------------------------

    def _answer(self, event: Any) -> None:
        from Xlib import X, error
        from Xlib.protocol import event as events

        place = event.property or event.target
        target = self._display.get_atom_name(event.target)
        try:
            is_done = self._put(event.requestor, target, place)
        except error.XError:  # the window that asked is gone
            is_done = False
        notice = events.SelectionNotify(
            time=event.time,
            requestor=event.requestor,
            selection=event.selection,
            target=event.target,
            property=place if is_done else X.NONE,
        )
        event.requestor.send_event(notice, onerror=lambda *_: None)
        self._display.flush()
        if is_done and target in (self._formats or {}):
            self._on_read(event.requestor.id, target)

    def _put(self, window: Any, target: str, place: int) -> bool:
        """Put what `target` asks for into the window's property; return whether there is any."""
        from Xlib import Xatom

        if self._formats is None:
            return False
        if target == "TARGETS":
            names = ["TARGETS", "TIMESTAMP", "MULTIPLE", *self._formats]
            self._change(window, place, Xatom.ATOM, 32, [self._atom(name) for name in names])
            return True
        if target == "TIMESTAMP":
            self._change(window, place, Xatom.INTEGER, 32, [self._owned_at])
            return True
        if target == "MULTIPLE":
            return self._put_several(window, place)
        content = self._formats.get(target)
        if content is None:
            return False
        kind = self._atom(content.kind)
        if len(content.data) > self._piece:
            self._begin_sending(window, place, content, kind)
        else:
            self._change(window, place, kind, content.unit, content.data)
        return True

    def _put_several(self, window: Any, place: int) -> bool:
        from Xlib import X

        asked = window.get_full_property(place, X.AnyPropertyType)
        if asked is None:
            return False
        pairs = list(asked.value)
        for at in range(0, len(pairs) - 1, 2):
            target = self._display.get_atom_name(pairs[at])
            if target == "MULTIPLE" or not self._put(window, target, pairs[at + 1]):
                pairs[at + 1] = X.NONE
        self._change(window, place, self._atom("ATOM_PAIR"), 32, pairs)
        return True

    def _begin_sending(self, window: Any, place: int, content: Content, kind: int) -> None:
        from Xlib import X

        window.change_attributes(event_mask=X.PropertyChangeMask, onerror=lambda *_: None)
        self._sending[window.id, place] = _Sending(content, kind)
        self._change(window, place, self._atom("INCR"), 32, [len(content.data)])

    def _send_next(self, window: Any, place: int) -> None:
        sending = self._sending.get((window.id, place))
        if sending is None:
            return
        piece = sending.content.data[sending.at : sending.at + self._piece]
        sending.at += len(piece)
        self._change(window, place, sending.kind, sending.content.unit, piece)
        if not piece:
            del self._sending[window.id, place]
        self._on_read(window.id, sending.content.kind)

    def _change(self, window: Any, place: int, kind: int, unit: int, data: Any) -> None:
        window.change_property(place, kind, unit, data, onerror=lambda *_: None)

    # ---- the connection ------------------------------------------------------------------

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    def _owner(self, selection: str) -> int:
        owner = self._display.get_selection_owner(self._atom(selection))
        return int(owner) if isinstance(owner, int) else int(owner.id)

    def _set_owner(self, window: Any, time_ms: int) -> None:
        from Xlib.protocol import request

        request.SetSelectionOwner(
            display=self._display.display,
            window=window,
            selection=self._atom("CLIPBOARD"),
            time=time_ms,
        )

    def _server_time(self) -> int:
        """Return the server's time, as ICCCM wants it instead of “now”."""
        from Xlib import X, Xatom

        place = self._atom("UNDERTONE_TIME")
        self.window.change_property(place, Xatom.STRING, 8, b"", X.PropModeAppend)
        news = self._wait(lambda e: e.type == X.PropertyNotify and e.atom == place)
        return int(news.time) if news is not None else X.CurrentTime

    def _wait(self, is_wanted: Callable[[Any], bool]) -> Any:
        """Return the next event that is wanted, `None` when none comes; others are handled."""
        deadline = time.monotonic() + _ANSWER_S
        while True:
            while self._display.pending_events():
                event = self._display.next_event()
                if is_wanted(event):
                    return event
                self.on_event(event)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._display], [], [], left)[0]:
                return None
