"""What a dictation uses of the machine: microphone, keys, clipboard, permissions; real or fake.

Each part is a Protocol of a lower layer. `rig_of_this_system` builds the real ones and is called by
the front ends only; `Rig.close` lets go of all of them.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from app.audio.devices import Devices
from app.audio.microphone import Microphone, PortAudioMicrophone
from app.audio.portaudio import PortAudio
from app.audio.watchdog import Limits
from app.macos import awake, front_app, hotkey, insert, permissions, power
from app.macos.awake import Awake, FakeAwake
from app.macos.front_app import FakeFrontApps, FrontApps
from app.macos.hotkey import Hotkeys, Post
from app.macos.insert import Inserter, NoInserter
from app.macos.permissions import FakePermissions, Permissions
from app.macos.power import OnPower, Power
from app.pipeline.main_thread import MainThread


@dataclass(frozen=True, slots=True)
class Rig:
    """The parts of the machine a dictation works with."""

    microphone: Microphone
    devices: Devices
    inserter: Inserter = field(default_factory=NoInserter)
    front_apps: FrontApps = field(default_factory=FakeFrontApps)
    permissions: Permissions = field(default_factory=FakePermissions)
    awake: Awake = field(default_factory=FakeAwake)
    make_hotkeys: Callable[[Post], Hotkeys] | None = None
    make_power: Callable[[OnPower], Power] | None = None
    limits: Limits = field(default_factory=Limits)

    def close(self) -> None:
        """Let go of the clipboard and the desktop."""
        self.inserter.close()
        self.front_apps.close()


def rig_of_this_system(main: MainThread, *, has_desktop: bool = True) -> Rig:
    """Return the rig of the system this process runs on. Thread: main.

    Args:
        main: the main thread's queue of calls.
        has_desktop: whether text may be inserted and hotkeys be had; not in a terminal.
    """
    portaudio = PortAudio()
    microphone = PortAudioMicrophone(portaudio)
    if not has_desktop:
        return Rig(microphone, portaudio, permissions=permissions.for_this_system())
    return Rig(
        microphone,
        portaudio,
        insert.for_this_system(main.after),
        front_app.for_this_system(),
        permissions.for_this_system(),
        awake.for_this_system(),
        hotkey.for_this_system,
        power.for_this_system,
    )


def look_at_devices(devices: Devices) -> None:
    """Let the sound system wake up before the first take; says nothing when it cannot.

    Thread: io; the first look takes a moment.
    """
    with contextlib.suppress(Exception):  # the first take says it in a sentence
        devices.inputs()
