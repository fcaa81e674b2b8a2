"""Notifications when long work is done or has failed.

Only a program inside a bundle may ask for the notification centre: outside, macOS ends the process.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

_DELEGATE_CLASS = "UndertoneNotificationDelegate"


@dataclass(frozen=True, slots=True)
class Note:
    """One notification; a new one with the same id takes the old one's place."""

    id: str
    title: str
    body: str = ""


OnChosen = Callable[[str], None]


class Notifier(Protocol):
    """Shows notes outside the app; `on_chosen` gets the id of a clicked one, on any thread."""

    @property
    def is_available(self) -> bool:
        """Whether notes can be shown at all."""

    def request_permission(self, on_answer: Callable[[bool], None]) -> None:
        """Ask the person; the answer may come from any thread."""

    def show(self, note: Note) -> None:
        """Show `note`, if the person allows it."""

    def withdraw(self, note_id: str) -> None:
        """Take a note away."""


def is_bundled() -> bool:
    """Return whether this process runs from an `.app`."""
    import Foundation

    bundle = Foundation.NSBundle.mainBundle()
    path = str(bundle.bundlePath() or "")
    return bundle.bundleIdentifier() is not None and path.endswith(".app")


def delegate_class() -> Any:
    """Return the Objective-C class that hears about clicks; made once a process."""
    import objc
    import UserNotifications

    try:
        return objc.lookUpClass(_DELEGATE_CLASS)
    except objc.nosuchclass_error:
        pass

    class UndertoneNotificationDelegate(UserNotifications.NSObject):  # type: ignore[misc]
        """Delegate of the notification centre."""

        def userNotificationCenter_didReceiveNotificationResponse_withCompletionHandler_(  # noqa: N802
            self, _center: Any, response: Any, done: Callable[[], None]
        ) -> None:
            self.on_chosen(str(response.notification().request().identifier()))
            done()

        def userNotificationCenter_willPresentNotification_withCompletionHandler_(  # noqa: N802
            self, _center: Any, _notification: Any, done: Callable[[int], None]
        ) -> None:
            done(UserNotifications.UNNotificationPresentationOptionBanner)

    return UndertoneNotificationDelegate


class MacNotifier:
    """Notes by `UNUserNotificationCenter`. Thread: main."""

    def __init__(self, on_chosen: OnChosen) -> None:
        import UserNotifications

        self._center = UserNotifications.UNUserNotificationCenter.currentNotificationCenter()
        self._delegate = delegate_class().alloc().init()
        self._delegate.on_chosen = on_chosen
        self._center.setDelegate_(self._delegate)

    @property
    def is_available(self) -> bool:
        return True

    def request_permission(self, on_answer: Callable[[bool], None]) -> None:
        import UserNotifications

        def answered(is_granted: bool, _error: Any) -> None:
            on_answer(bool(is_granted))

        self._center.requestAuthorizationWithOptions_completionHandler_(
            UserNotifications.UNAuthorizationOptionAlert
            | UserNotifications.UNAuthorizationOptionSound,
            answered,
        )

    def show(self, note: Note) -> None:
        import UserNotifications

        content = UserNotifications.UNMutableNotificationContent.alloc().init()
        content.setTitle_(note.title)
        content.setBody_(note.body)
        request = UserNotifications.UNNotificationRequest.requestWithIdentifier_content_trigger_(
            note.id, content, None
        )
        self._center.addNotificationRequest_withCompletionHandler_(request, None)

    def withdraw(self, note_id: str) -> None:
        self._center.removeDeliveredNotificationsWithIdentifiers_([note_id])
        self._center.removePendingNotificationRequestsWithIdentifiers_([note_id])


class NoNotifier:
    """Notes where the system offers none; the app shows its own."""

    @property
    def is_available(self) -> bool:
        return False

    def request_permission(self, on_answer: Callable[[bool], None]) -> None:
        on_answer(False)

    def show(self, note: Note) -> None: ...

    def withdraw(self, note_id: str) -> None: ...


class FakeNotifier:
    """Notes for tests: `choose` plays the click."""

    def __init__(self, on_chosen: OnChosen, is_allowed: bool = True) -> None:
        self.choose = on_chosen
        self.is_allowed = is_allowed
        self.shown: dict[str, Note] = {}

    @property
    def is_available(self) -> bool:
        return True

    def request_permission(self, on_answer: Callable[[bool], None]) -> None:
        on_answer(self.is_allowed)

    def show(self, note: Note) -> None:
        if self.is_allowed:
            self.shown[note.id] = note

    def withdraw(self, note_id: str) -> None:
        self.shown.pop(note_id, None)


def for_this_system(on_chosen: OnChosen) -> Notifier:
    """Return the notifier of the system this process runs on."""
    if sys.platform == "darwin" and is_bundled():
        return MacNotifier(on_chosen)
    return NoNotifier()
