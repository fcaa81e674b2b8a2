"""What is wrong around Undertone: permissions, keys, microphones. Asks the system, changes nothing.

Grants are probed, not read from the books: after an update the books may say yes while the system
says no. Opening the microphone is a deed of its own (`listen`), because the person sees it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from app.audio.devices import Choice, Device, Devices, choose
from app.audio.microphone import Microphone
from app.audio.ring import RingReader
from app.config.identity import BUNDLE_ID
from app.config.settings import Settings
from app.core.errors import AppError, Phrase, mark
from app.core.finding import Finding, Severity
from app.macos.hotkey import HotkeyEvent, Hotkeys, NoHotkeys, Post, parse_chord
from app.macos.permissions import FakePermissions, Grant, Permission, Permissions
from app.macos.secure_input import FakeSecureInput, SecureInput
from app.pipeline.hotkeys import DEFAULT_DICTATE

LISTEN_S = 1.5
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is asked.

    Attributes:
        devices: the microphones.
        hotkey_problem: why the hotkeys may not arrive now, if somebody knows.
    """

    devices: Devices
    settings: Settings = field(default_factory=Settings)
    permissions: Permissions = field(default_factory=FakePermissions)
    secure_input: SecureInput = field(default_factory=FakeSecureInput)
    hotkey_problem: Callable[[], AppError | None] = lambda: None


def uses_lone_modifier(settings: Settings) -> bool:
    """Return whether a hotkey is a modifier key alone, which only an event tap sees."""
    for text in (settings.dictate_hotkey or DEFAULT_DICTATE, settings.quick_hotkey):
        try:
            if text and parse_chord(text).is_lone_modifier:
                return True
        except AppError:
            continue  # told as a conflict
    return False


def look_around(around: Surroundings) -> Iterator[Finding]:
    """Yield what is wrong. Thread: main, which permissions and keys belong to."""
    yield from _grants(around)
    yield from _keys(around)
    yield from _microphones(around)


def _grants(around: Surroundings) -> Iterator[Finding]:
    wanted = [Permission.MICROPHONE, Permission.ACCESSIBILITY]
    if uses_lone_modifier(around.settings):
        wanted.append(Permission.INPUT_MONITORING)
    for permission in wanted:
        grant = around.permissions.probe(permission)
        if grant is Grant.STALE:
            yield _stale(permission)
        elif grant is not Grant.GRANTED:
            yield _missing(permission, has_asked=grant is Grant.DENIED)


def _missing(permission: Permission, *, has_asked: bool) -> Finding:
    if permission is Permission.MICROPHONE:
        return Finding(
            "microphone_denied" if has_asked else "microphone_not_asked",
            Severity.WARNING if has_asked else Severity.NOTE,
            Phrase(mark("Undertone may not use the microphone.")),
            Phrase(mark("Allow it under System Settings → Privacy & Security → Microphone.")),
        )
    if permission is Permission.ACCESSIBILITY:
        return Finding(
            "accessibility_missing",
            Severity.WARNING,
            Phrase(
                mark("Undertone may not type into other apps, so dictated text is only copied.")
            ),
            Phrase(mark("Allow it under System Settings → Privacy & Security → Accessibility.")),
        )
    return Finding(
        "input_monitoring_missing",
        Severity.WARNING,
        Phrase(mark("Undertone may not notice your hotkey, which is a single key.")),
        Phrase(
            mark(
                "Allow it under System Settings → Privacy & Security → Input Monitoring, or choose "
                "a hotkey of several keys."
            )
        ),
    )


def _stale(permission: Permission) -> Finding:
    names = {
        Permission.ACCESSIBILITY: ("accessibility_stale", "Accessibility", "Accessibility"),
        Permission.INPUT_MONITORING: (
            "input_monitoring_stale",
            "Input Monitoring",
            "ListenEvent",
        ),
        Permission.MICROPHONE: ("microphone_stale", "Microphone", "Microphone"),
    }
    kind, page, service = names[permission]
    return Finding(
        kind,
        Severity.ERROR,
        Phrase(
            mark("The permission “{page}” looks switched on but does not count since an update."),
            {"page": page},
        ),
        Phrase(
            mark(
                "Remove Undertone from the list in System Settings with − and add it again. In a "
                "terminal: {command}"
            ),
            {"command": f"tccutil reset {service} {BUNDLE_ID}"},
        ),
    )


def _keys(around: Surroundings) -> Iterator[Finding]:
    for text in (around.settings.dictate_hotkey, around.settings.quick_hotkey):
        try:
            if text:
                parse_chord(text)
        except AppError as error:
            yield Finding("hotkey_conflict", Severity.WARNING, error.message, error.hint)
    if around.secure_input.is_on():
        holder = around.secure_input.holder()
        source = (
            mark("“{program}” keeps the keyboard to itself, so hotkeys may not arrive.")
            if holder
            else mark("Another program keeps the keyboard to itself, so hotkeys may not arrive.")
        )
        yield Finding(
            "secure_input",
            Severity.WARNING,
            Phrase(source, {"program": holder}),
            Phrase(mark("Leave its password field, or turn off its secure keyboard entry.")),
        )
        return  # what the hotkeys would say is the same
    problem = around.hotkey_problem()
    if problem is not None:
        yield Finding("hotkey_conflict", Severity.WARNING, problem.message, problem.hint)


def trial_of_hotkeys(
    make: Callable[[Post], Hotkeys], settings: Settings, *, is_app_running: bool
) -> AppError | None:
    """Return why the hotkey of dictation cannot be had, after trying to have it.

    With the app running it is in use, by the app, so nothing is tried. Thread: main.
    """
    if is_app_running:
        return None

    def ignore(_event: HotkeyEvent) -> None: ...

    hotkeys = make(ignore)
    try:
        if isinstance(hotkeys, NoHotkeys):
            return None  # without a desktop nobody misses them
        hotkeys.bind("trial", parse_chord(settings.dictate_hotkey or DEFAULT_DICTATE))
    except AppError as error:
        return error
    finally:
        hotkeys.close()
    return None


def _microphones(around: Surroundings) -> Iterator[Finding]:
    try:
        inputs = around.devices.inputs()
    except AppError as error:
        yield Finding("no_sound_system", Severity.WARNING, error.message, error.hint)
        return
    if not inputs:
        yield Finding(
            "no_microphone",
            Severity.NOTE,
            Phrase(mark("No microphone was found.")),
            Phrase(mark("Connect one to record; files can be transcribed without.")),
        )
        return
    plays_over_bluetooth = around.devices.output_is_bluetooth()
    device = chosen_device(around, inputs)
    if device is not None and device.is_bluetooth and plays_over_bluetooth:
        yield Finding(
            "bluetooth_profile",
            Severity.NOTE,
            Phrase(
                mark("“{name}” drops to call quality while it is your microphone."),
                {"name": device.name},
            ),
            Phrase(mark("Use the built-in microphone while you listen over Bluetooth.")),
        )


def chosen_device(around: Surroundings, inputs: tuple[Device, ...]) -> Device | None:
    """Return the microphone a take would use now."""
    uid, _, name = around.settings.microphone.partition("\t")
    choice = Choice(uid, name, around.settings.builtin_while_bluetooth)
    return choose(inputs, choice, output_is_bluetooth=around.devices.output_is_bluetooth())


def listen(
    around: Surroundings,
    microphone: Microphone,
    *,
    for_s: float = LISTEN_S,
    wait: Callable[[float], None] = time.sleep,
) -> list[Finding]:
    """Open the microphone a take would use, and tell when nothing comes or only silence.

    Thread: io; it takes as long as it listens.
    """
    try:
        device = chosen_device(around, around.devices.inputs())
        if device is None:
            return []
        stream = microphone.open(device)
    except AppError as error:
        return [Finding("microphone_unreachable", Severity.ERROR, error.message, error.hint)]
    try:
        reader = RingReader(stream.ring)
        came, loudest = 0, 0.0
        for _look in range(max(1, round(for_s / _LOOK_S))):
            wait(_LOOK_S)
            samples = reader.read().samples
            came += len(samples)
            if len(samples):
                loudest = max(loudest, float(np.abs(samples.astype(np.float32)).max()))
    finally:
        stream.close()
    if came and loudest > 0.0:
        return []
    source = (
        mark("The microphone “{name}” gives only silence.")
        if came
        else mark("The microphone “{name}” gives no sound.")
    )
    return [
        Finding(
            "microphone_silent",
            Severity.WARNING,
            Phrase(source, {"name": device.name}),
            Phrase(mark("It may be muted, switched off, or in use elsewhere: try another one.")),
        )
    ]
