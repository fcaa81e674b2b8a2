"""The focused text field through macOS accessibility: read, written, checked.

Every call asks another process and may fail at any time; a failure is “unknown”, never an error, so
that it can block nothing.
"""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from app.macos.insert_rules import CaretContext, Field

_log = logging.getLogger(__name__)

_TIMEOUT_S = 0.25  # the main thread waits for it
_CONTEXT_CHARACTERS = 80
# Chromium and WebKit give their elements this; they confirm what they do not do.
_WEB_ATTRIBUTE = "AXDOMIdentifier"


_P = ParamSpec("_P")
_R = TypeVar("_R")
_U = TypeVar("_U")


def _else(unknown: _U) -> Callable[[Callable[_P, _R]], Callable[_P, _R | _U]]:
    """Let a question be answered by `unknown` whatever it raises."""

    def decorate(ask: Callable[_P, _R]) -> Callable[_P, _R | _U]:
        @functools.wraps(ask)
        def answer(*args: _P.args, **kwargs: _P.kwargs) -> _R | _U:
            try:
                return ask(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  # other programs answer anything
                # The error's text may hold theirs.
                _log.warning("accessibility: %s: %s", ask.__name__, type(error).__name__)
                return unknown

        return answer

    return decorate


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the field's text in UTF-16 units."""

    start: int
    length: int


def length_of(text: str) -> int:
    """Return the length of `text` in UTF-16 units, as macOS counts."""
    return len(text.encode("utf-16-le")) // 2


def is_trusted() -> bool:
    """Return whether this process may act in other programs at this moment."""
    import ApplicationServices

    return bool(ApplicationServices.AXIsProcessTrusted())


@_else(None)
def focused_field() -> "FocusedField | None":
    """Return the element that has the keyboard, `None` when the system does not say."""
    import ApplicationServices

    system = ApplicationServices.AXUIElementCreateSystemWide()
    ApplicationServices.AXUIElementSetMessagingTimeout(system, _TIMEOUT_S)
    element = _attribute(system, ApplicationServices.kAXFocusedUIElementAttribute)
    return None if element is None else FocusedField(element)


def _attribute(element: Any, name: str) -> Any:
    import ApplicationServices

    error, value = ApplicationServices.AXUIElementCopyAttributeValue(element, name, None)
    return value if error == ApplicationServices.kAXErrorSuccess else None


class FocusedField:
    """One element of another program. Thread: main."""

    def __init__(self, element: Any) -> None:
        self._element = element

    @property
    @_else(0)
    def pid(self) -> int:
        import ApplicationServices

        error, pid = ApplicationServices.AXUIElementGetPid(self._element, None)
        return int(pid) if error == ApplicationServices.kAXErrorSuccess else 0

    @_else(Field.UNKNOWN)
    def kind(self) -> Field:
        """Return what kind of field this is."""
        import ApplicationServices

        subrole = _attribute(self._element, ApplicationServices.kAXSubroleAttribute)
        if subrole == ApplicationServices.kAXSecureTextFieldSubrole:
            return Field.SECURE
        error, names = ApplicationServices.AXUIElementCopyAttributeNames(self._element, None)
        if error == ApplicationServices.kAXErrorSuccess and _WEB_ATTRIBUTE in (names or ()):
            return Field.WEB
        role = _attribute(self._element, ApplicationServices.kAXRoleAttribute)
        editable = (
            ApplicationServices.kAXTextFieldRole,
            ApplicationServices.kAXTextAreaRole,
            ApplicationServices.kAXComboBoxRole,
        )
        return Field.TEXT if role in editable else Field.UNKNOWN

    @_else(False)
    def is_verifiable(self) -> bool:
        """Return whether the selection can be set and its effect read back."""
        import ApplicationServices

        error, settable = ApplicationServices.AXUIElementIsAttributeSettable(
            self._element, ApplicationServices.kAXSelectedTextAttribute, None
        )
        if error != ApplicationServices.kAXErrorSuccess or not settable:
            return False
        return self.selection() is not None and self.length() is not None

    @_else(None)
    def length(self) -> int | None:
        """Return how long the field's text is."""
        import ApplicationServices

        value = _attribute(self._element, ApplicationServices.kAXNumberOfCharactersAttribute)
        return None if value is None else int(value)

    @_else(None)
    def selection(self) -> Span | None:
        """Return what is selected; a caret is an empty span."""
        import ApplicationServices

        value = _attribute(self._element, ApplicationServices.kAXSelectedTextRangeAttribute)
        if value is None:
            return None
        is_range, span = ApplicationServices.AXValueGetValue(
            value, ApplicationServices.kAXValueCFRangeType, None
        )
        if not is_range:
            return None
        start, length = span
        return Span(int(start), int(length))

    @_else(None)
    def text_in(self, span: Span) -> str | None:
        """Return the field's text within `span`."""
        import ApplicationServices

        value = ApplicationServices.AXValueCreate(
            ApplicationServices.kAXValueCFRangeType, (span.start, span.length)
        )
        error, text = ApplicationServices.AXUIElementCopyParameterizedAttributeValue(
            self._element,
            ApplicationServices.kAXStringForRangeParameterizedAttribute,
            value,
            None,
        )
        if error != ApplicationServices.kAXErrorSuccess or text is None:
            return None
        return str(text)

    def context(self) -> CaretContext | None:
        """Return the text around the caret, where it can be read."""
        selection, length = self.selection(), self.length()
        if selection is None or length is None:
            return None
        start = max(0, selection.start - _CONTEXT_CHARACTERS)
        end = selection.start + selection.length
        before = self.text_in(Span(start, selection.start - start)) if selection.start else ""
        rest = min(_CONTEXT_CHARACTERS, length - end)
        after = self.text_in(Span(end, rest)) if rest > 0 else ""
        return None if before is None or after is None else CaretContext(before, after)

    @_else(False)
    def select(self, span: Span) -> bool:
        """Select `span`; return whether the field says it did."""
        import ApplicationServices

        value = ApplicationServices.AXValueCreate(
            ApplicationServices.kAXValueCFRangeType, (span.start, span.length)
        )
        error = ApplicationServices.AXUIElementSetAttributeValue(
            self._element, ApplicationServices.kAXSelectedTextRangeAttribute, value
        )
        return bool(error == ApplicationServices.kAXErrorSuccess)

    @_else(False)
    def replace_selection(self, text: str) -> bool:
        """Replace what is selected by `text`; return whether the field says it did."""
        import ApplicationServices

        error = ApplicationServices.AXUIElementSetAttributeValue(
            self._element, ApplicationServices.kAXSelectedTextAttribute, text
        )
        return bool(error == ApplicationServices.kAXErrorSuccess)
