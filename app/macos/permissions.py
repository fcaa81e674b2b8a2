"""What the system has granted, asked anew each time: a stored answer is worth nothing.

After an update a grant may be shown in System Settings and still not count, so `probe` tries the
thing itself.
"""

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol


class Permission(StrEnum):
    """What Undertone needs from the person."""

    MICROPHONE = "microphone"
    ACCESSIBILITY = "accessibility"
    INPUT_MONITORING = "input_monitoring"


class Grant(StrEnum):
    """How a permission stands; `STALE` is granted by the books and refused in practice."""

    GRANTED = "granted"
    DENIED = "denied"
    NOT_ASKED = "not_asked"
    STALE = "stale"


OnAnswer = Callable[[Grant], None]
_PANES = {
    Permission.MICROPHONE: "Privacy_Microphone",
    Permission.ACCESSIBILITY: "Privacy_Accessibility",
    Permission.INPUT_MONITORING: "Privacy_ListenEvent",
}


class Permissions(Protocol):
    """The system's grants. Thread: main."""

    def state(self, permission: Permission) -> Grant:
        """Return how `permission` stands by the system's books; cheap enough to poll."""

    def probe(self, permission: Permission) -> Grant:
        """Return how `permission` stands in practice."""

    def request(self, permission: Permission, on_answer: OnAnswer) -> None:
        """Ask the person; `on_answer` may come from any thread, at once or much later."""

    def open_settings(self, permission: Permission) -> None:
        """Show the page where the person changes it."""


class MacPermissions:
    """Microphone by AVFoundation, accessibility by AX, input monitoring by CoreGraphics."""

    def state(self, permission: Permission) -> Grant:
        match permission:
            case Permission.MICROPHONE:
                return self._microphone()
            case Permission.ACCESSIBILITY:
                import ApplicationServices

                return _yes_or_no(ApplicationServices.AXIsProcessTrusted())
            case Permission.INPUT_MONITORING:
                import Quartz

                return _yes_or_no(Quartz.CGPreflightListenEventAccess())

    def probe(self, permission: Permission) -> Grant:
        state = self.state(permission)
        if permission is Permission.MICROPHONE:
            return state
        works = self._can_ask() if permission is Permission.ACCESSIBILITY else self._can_listen()
        if works:
            return Grant.GRANTED
        return Grant.STALE if state is Grant.GRANTED else state

    def request(self, permission: Permission, on_answer: OnAnswer) -> None:
        match permission:
            case Permission.MICROPHONE:
                import AVFoundation

                def answered(is_granted: bool) -> None:
                    on_answer(_yes_or_no(is_granted))

                AVFoundation.AVCaptureDevice.requestAccessForMediaType_completionHandler_(
                    AVFoundation.AVMediaTypeAudio, answered
                )
            case Permission.ACCESSIBILITY:
                import ApplicationServices

                options = {ApplicationServices.kAXTrustedCheckOptionPrompt: True}
                on_answer(_yes_or_no(ApplicationServices.AXIsProcessTrustedWithOptions(options)))
            case Permission.INPUT_MONITORING:
                import Quartz

                on_answer(_yes_or_no(Quartz.CGRequestListenEventAccess()))

    def open_settings(self, permission: Permission) -> None:
        import AppKit

        page = "x-apple.systempreferences:com.apple.preference.security?" + _PANES[permission]
        AppKit.NSWorkspace.sharedWorkspace().openURL_(AppKit.NSURL.URLWithString_(page))

    def _microphone(self) -> Grant:
        import AVFoundation

        status = AVFoundation.AVCaptureDevice.authorizationStatusForMediaType_(
            AVFoundation.AVMediaTypeAudio
        )
        if status == AVFoundation.AVAuthorizationStatusAuthorized:
            return Grant.GRANTED
        is_open = status == AVFoundation.AVAuthorizationStatusNotDetermined
        return Grant.NOT_ASKED if is_open else Grant.DENIED

    def _can_ask(self) -> bool:
        """Return whether another program answers us: only “API disabled” says no."""
        import ApplicationServices

        system = ApplicationServices.AXUIElementCreateSystemWide()
        error, _ = ApplicationServices.AXUIElementCopyAttributeValue(
            system, ApplicationServices.kAXFocusedApplicationAttribute, None
        )
        is_trusted = bool(ApplicationServices.AXIsProcessTrusted())
        return is_trusted and error != ApplicationServices.kAXErrorAPIDisabled

    def _can_listen(self) -> bool:
        """Return whether the system gives us a tap that is on."""
        import Quartz

        def passed(_proxy: object, _kind: int, event: object, _data: object) -> object:
            return event

        tap: Any = Quartz.CGEventTapCreate(
            Quartz.kCGSessionEventTap,
            Quartz.kCGTailAppendEventTap,
            Quartz.kCGEventTapOptionListenOnly,
            1 << Quartz.kCGEventFlagsChanged,
            passed,
            None,
        )
        if tap is None:
            return False
        is_on = bool(Quartz.CGEventTapIsEnabled(tap))
        Quartz.CFMachPortInvalidate(tap)
        return is_on


def _yes_or_no(is_granted: object) -> Grant:
    return Grant.GRANTED if is_granted else Grant.DENIED


class FakePermissions:
    """Grants that a test sets; where a system asks for none (Linux), all are granted."""

    def __init__(self, **states: Grant) -> None:
        self.states = {Permission(name): state for name, state in states.items()}
        self.answers: dict[Permission, Grant] = {}
        self.opened: list[Permission] = []

    def state(self, permission: Permission) -> Grant:
        found = self.states.get(permission, Grant.GRANTED)
        return Grant.GRANTED if found is Grant.STALE else found

    def probe(self, permission: Permission) -> Grant:
        return self.states.get(permission, Grant.GRANTED)

    def request(self, permission: Permission, on_answer: OnAnswer) -> None:
        if permission in self.answers:
            self.states[permission] = self.answers[permission]
        on_answer(self.probe(permission))

    def open_settings(self, permission: Permission) -> None:
        self.opened.append(permission)


def for_this_system() -> Permissions:
    """Return the permissions of the system this process runs on."""
    return MacPermissions() if sys.platform == "darwin" else FakePermissions()
