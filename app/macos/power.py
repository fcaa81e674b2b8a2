"""Sleep and wake, heat, and the low power mode, told as they change.

The stream is stopped before sleep and built anew after it; heavy jobs wait while the machine is
hot.
"""

import sys
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any, Protocol


class PowerEvent(StrEnum):
    """What changed."""

    WILL_SLEEP = "will_sleep"
    DID_WAKE = "did_wake"
    HEAT_CHANGED = "heat_changed"
    LOW_POWER_CHANGED = "low_power_changed"


class Heat(IntEnum):
    """How hot the machine is; from `SERIOUS` on it slows itself down."""

    NOMINAL = 0
    FAIR = 1
    SERIOUS = 2
    CRITICAL = 3


OnPower = Callable[[PowerEvent], None]


class Power(Protocol):
    """The machine's power; events come on the main thread."""

    def heat(self) -> Heat:
        """Return how hot the machine is now."""

    def is_saving(self) -> bool:
        """Return whether the low power mode is on."""

    def close(self) -> None:
        """Stop listening."""


class MacPower:
    """Power by `NSWorkspace` and `NSProcessInfo`. Thread: main."""

    def __init__(self, on_power: OnPower) -> None:
        import AppKit
        import Foundation

        self._on_power = on_power
        self._observers: list[tuple[Any, Any]] = []
        workspace = AppKit.NSWorkspace.sharedWorkspace().notificationCenter()
        common = Foundation.NSNotificationCenter.defaultCenter()
        self._listen(workspace, AppKit.NSWorkspaceWillSleepNotification, PowerEvent.WILL_SLEEP)
        self._listen(workspace, AppKit.NSWorkspaceDidWakeNotification, PowerEvent.DID_WAKE)
        heat = Foundation.NSProcessInfoThermalStateDidChangeNotification
        self._listen(common, heat, PowerEvent.HEAT_CHANGED)
        saving = Foundation.NSProcessInfoPowerStateDidChangeNotification
        self._listen(common, saving, PowerEvent.LOW_POWER_CHANGED)

    def heat(self) -> Heat:
        import Foundation

        return Heat(int(Foundation.NSProcessInfo.processInfo().thermalState()))

    def is_saving(self) -> bool:
        import Foundation

        return bool(Foundation.NSProcessInfo.processInfo().isLowPowerModeEnabled())

    def close(self) -> None:
        for center, observer in self._observers:
            center.removeObserver_(observer)
        self._observers.clear()

    def _listen(self, center: Any, name: str, event: PowerEvent) -> None:
        import Foundation

        def told(_notification: Any) -> None:
            self._on_power(event)

        # Heat and power notices come on any thread; the main queue brings them home.
        queue = Foundation.NSOperationQueue.mainQueue()
        observer = center.addObserverForName_object_queue_usingBlock_(name, None, queue, told)
        self._observers.append((center, observer))


class FakePower:
    """Power for tests (`tell` plays the system), and where nothing is told."""

    def __init__(self, on_power: OnPower) -> None:
        self.tell = on_power
        self.now = Heat.NOMINAL
        self.saving = False
        self.is_open = True

    def heat(self) -> Heat:
        return self.now

    def is_saving(self) -> bool:
        return self.saving

    def close(self) -> None:
        self.is_open = False


def for_this_system(on_power: OnPower) -> Power:
    """Return the power of the system this process runs on."""
    return MacPower(on_power) if sys.platform == "darwin" else FakePower(on_power)
