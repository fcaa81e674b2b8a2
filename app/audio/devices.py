"""Which microphones there are and which one a take shall use.

A device is named by its UID, then by its name, never by a place in a list. Nothing here ever
changes the system's own choice of device.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Device:
    """One microphone as the system shows it now.

    Attributes:
        uid: names it for good; on Linux made of sound system and name.
        name: what a person calls it.
        rate_hz: its own rate right now.
        channels: how many it has.
        is_default: the system's default input.
        is_bluetooth: opening it drops a headset's sound to call quality, and it warms up slowly.
        is_builtin: part of this computer.
        index: PortAudio's, good only until its next initialisation.
        listing: which of PortAudio's initialisations `index` belongs to.
    """

    uid: str
    name: str
    rate_hz: int
    channels: int = 1
    is_default: bool = False
    is_bluetooth: bool = False
    is_builtin: bool = False
    index: int = -1
    listing: int = field(default=0, compare=False)


class Devices(Protocol):
    """What microphones there are."""

    def inputs(self) -> tuple[Device, ...]:
        """Return all microphones; empty when there is none.

        Raises:
            AudioError: the sound system cannot be reached at all.
        """

    def output_is_bluetooth(self) -> bool:
        """Whether sound comes out of a Bluetooth device right now."""

    def refresh(self) -> bool:
        """Look again at what is plugged in; `False` while a stream is open, when it must not."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The microphone a person chose; without UID and name the system's default.

    `prefers_builtin`: rather the built-in one than a default that would drop a Bluetooth headset's
    sound to call quality.
    """

    uid: str = ""
    name: str = ""
    prefers_builtin: bool = True


def choose(
    inputs: Sequence[Device],
    choice: Choice,
    *,
    output_is_bluetooth: bool = False,
    without: Collection[str] = (),
) -> Device | None:
    """Return the microphone to open, `None` when there is none.

    The chosen one by UID, then by name; else the default, or the built-in one where the default
    would drop a Bluetooth headset's sound to call quality; else any.

    Args:
        inputs: what there is.
        choice: what the person chose.
        output_is_bluetooth: see `Devices`.
        without: UIDs that just failed.
    """
    usable = [device for device in inputs if device.uid not in without]
    chosen = find(usable, choice)
    if chosen is not None:
        return chosen
    default = next((device for device in usable if device.is_default), None)
    builtin = next((device for device in usable if device.is_builtin), None)
    would_drop = output_is_bluetooth and (default is None or default.is_bluetooth)
    if choice.prefers_builtin and would_drop and builtin is not None:
        return builtin
    for device in (default, builtin):
        if device is not None:
            return device
    wired = next((device for device in usable if not device.is_bluetooth), None)
    return wired or next(iter(usable), None)


def find(inputs: Sequence[Device], choice: Choice) -> Device | None:
    """Return the device `choice` names, by UID and then by name."""
    for device in inputs:
        if choice.uid and device.uid == choice.uid:
            return device
    for device in inputs:
        if choice.name and device.name == choice.name:
            return device
    return None


class FakeDevices:
    """Devices a test lists itself. Owner: the test."""

    def __init__(self, *inputs: Device, output_is_bluetooth: bool = False) -> None:
        self.present = list(inputs)
        self.has_bluetooth_output = output_is_bluetooth
        self.refreshes = 0
        self._seen = tuple(inputs)

    def inputs(self) -> tuple[Device, ...]:
        """Return what was there at the last refresh, as PortAudio does."""
        return self._seen

    def output_is_bluetooth(self) -> bool:
        return self.has_bluetooth_output

    def refresh(self) -> bool:
        self.refreshes += 1
        self._seen = tuple(self.present)
        return True
