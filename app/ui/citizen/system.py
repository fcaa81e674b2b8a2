"""The parts of the system the app is a citizen of, real or fake."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.macos import awake, dock, notify, permissions, secure_input, services
from app.macos.awake import Awake, FakeAwake
from app.macos.dock import Dock, FakeDock
from app.macos.notify import NoNotifier, Notifier, OnChosen
from app.macos.permissions import FakePermissions, Permissions
from app.macos.secure_input import FakeSecureInput, SecureInput
from app.macos.services import FakeServices, Services


@dataclass(frozen=True, slots=True)
class SystemParts:
    """What the citizen talks to; each is a Protocol of `app.macos`."""

    dock: Dock = field(default_factory=FakeDock)
    awake: Awake = field(default_factory=FakeAwake)
    make_notifier: Callable[[OnChosen], Notifier] = lambda _on_chosen: NoNotifier()
    services: Services = field(default_factory=FakeServices)
    permissions: Permissions = field(default_factory=FakePermissions)
    secure_input: SecureInput = field(default_factory=FakeSecureInput)


def parts_of_this_system() -> SystemParts:
    """Return the parts of the system this process runs on. Thread: main."""
    return SystemParts(
        dock.for_this_system(),
        awake.for_this_system(),
        notify.for_this_system,
        services.for_this_system(),
        permissions.for_this_system(),
        secure_input.for_this_system(),
    )
