"""Shows the windows beside the main one in their states, for whoever changes their looks.

uv run --locked python -m tests.ui.gallery_system FOLDER [STATE …]
"""

import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6.QtWidgets import QMenu, QWidget

from app.audio.devices import Device, FakeDevices
from app.config.notices import all_notices
from app.config.settings import Settings
from app.core.errors import Phrase
from app.core.finding import Finding, Severity
from app.macos.permissions import FakePermissions, Grant
from app.macos.secure_input import FakeSecureInput
from app.pipeline.surroundings import Surroundings, look_around
from app.ui.about import AboutBox, LicencesBox
from app.ui.doctor.window import DoctorPorts, DoctorWindow
from app.ui.onboarding.window import MeetingWindow
from tests.helpers.take_fakes import FakeMicrophones
from tests.ui import gallery
from tests.ui.gallery import States, take_all
from tests.ui.onboarding.meeting import meeting_ports


def meeting(at: int, **grants: Grant) -> QWidget:
    window = MeetingWindow(meeting_ports(FakePermissions(**grants), microphones=FakeMicrophones()))
    window.show()
    window.go(at)
    return window


def at_once(work: Callable[[], Any]) -> "Future[Any]":
    done: Future[Any] = Future()
    done.set_result(work())
    return done


def doctor(*, is_well: bool) -> QWidget:
    headset = Device("b", "AirPods", 24_000, is_default=True, is_bluetooth=True)
    around = Surroundings(
        FakeDevices(headset, output_is_bluetooth=True),
        Settings(dictate_hotkey="right_cmd", builtin_while_bluetooth=False),
        FakePermissions(microphone=Grant.DENIED, accessibility=Grant.STALE),
        FakeSecureInput("1Password"),
    )
    calm = Surroundings(FakeDevices(Device("a", "MacBook Microphone", 48_000, is_default=True)))
    low = Finding(
        "disk_low",
        Severity.WARNING,
        Phrase("Only {free} GB are free on the disk that holds the library.", {"free": "1.4"}),
        Phrase("Free some space: recordings and models need it."),
    )
    window = DoctorWindow(
        DoctorPorts(
            look_at_disk=lambda: [] if is_well else [low],
            look_around=lambda: look_around(calm if is_well else around),
            listen=list,
            submit=at_once,
            do=lambda _remedy: None,
        )
    )
    window.show()
    return window


def about() -> QWidget:
    box = AboutBox("0.1.0")
    box.show()
    return box


def licences() -> QWidget:
    box = LicencesBox(all_notices())
    box.show()
    return box


def menu(title: str) -> QWidget:
    window = gallery.show(gallery.world())
    found = next(
        action.menu()
        for action in window.menus.menu_bar.actions()
        if action.text().replace("&", "") == title
    )
    assert isinstance(found, QMenu)
    found.popup(window.mapToGlobal(window.rect().topLeft()))
    found.setProperty("window", window)
    return found


STATES: States = {
    "meeting-1": lambda: meeting(0),
    "meeting-2-open": lambda: meeting(1, microphone=Grant.NOT_ASKED),
    "meeting-2-denied": lambda: meeting(1, microphone=Grant.DENIED),
    "meeting-2-granted": lambda: meeting(1),
    "meeting-3-open": lambda: meeting(2, accessibility=Grant.DENIED),
    "meeting-3-stale": lambda: meeting(2, accessibility=Grant.STALE, input_monitoring=Grant.DENIED),
    "meeting-3-granted": lambda: meeting(2),
    "meeting-4": lambda: meeting(3),
    "doctor": lambda: doctor(is_well=False),
    "doctor-well": lambda: doctor(is_well=True),
    "about": about,
    "licences": licences,
    "menu-file": lambda: menu("File"),
    "menu-help": lambda: menu("Help"),
}


if __name__ == "__main__":
    take_all(STATES)
