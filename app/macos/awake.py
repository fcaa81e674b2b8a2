"""Keeps the machine and this process going while something must not stop.

macOS naps apps that record, sleeps while they compute and ends them without warning at log-out;
each hold stands against all three until it is let go.
"""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol


class Need(StrEnum):
    """What must go on: `CAPTURE` also keeps timers exact."""

    CAPTURE = "capture"
    JOB = "job"


class Awake(Protocol):
    """Holds against sleep, nap and sudden termination."""

    def hold(self, need: Need, reason: str) -> AbstractContextManager[None]:
        """Return a hold that lasts as long as its `with`; `reason` is shown by the system."""


class MacAwake:
    """Holds by `NSProcessInfo` activities. Thread: any."""

    @contextlib.contextmanager
    def hold(self, need: Need, reason: str) -> Iterator[None]:
        import Foundation

        options = (
            Foundation.NSActivityUserInitiated  # no nap, no idle sleep
            | Foundation.NSActivitySuddenTerminationDisabled
            | Foundation.NSActivityAutomaticTerminationDisabled
        )
        if need is Need.CAPTURE:
            options |= Foundation.NSActivityLatencyCritical
        info = Foundation.NSProcessInfo.processInfo()
        activity = info.beginActivityWithOptions_reason_(options, reason)
        try:
            yield
        finally:
            info.endActivity_(activity)


class FakeAwake:
    """Holds for tests, and where the system needs none."""

    def __init__(self) -> None:
        self.holds: list[tuple[Need, str]] = []

    @contextlib.contextmanager
    def hold(self, need: Need, reason: str) -> Iterator[None]:
        self.holds.append((need, reason))
        try:
            yield
        finally:
            self.holds.remove((need, reason))


def for_this_system() -> Awake:
    """Return the holds of the system this process runs on."""
    return MacAwake() if sys.platform == "darwin" else FakeAwake()
