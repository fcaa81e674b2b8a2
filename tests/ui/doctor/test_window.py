"""The check shows each finding with one sentence and one button."""

import ast
import re
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.errors import Phrase
from app.core.finding import Finding, Severity
from app.ui.doctor.remedies import OF_KIND, Remedy, button_text, remedy_of
from app.ui.doctor.window import DoctorPorts, DoctorWindow

APP = Path(__file__).parents[3] / "app"


def finding(kind: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(kind, severity, Phrase(f"{kind} is wrong."), Phrase("Do this."))


class Rig:
    """A window over findings that a test changes, on a pool that answers when told."""

    def __init__(self, qtbot: QtBot, *, can_listen: bool = True) -> None:
        self.disk: list[Finding] = []
        self.around: list[Finding] = []
        self.heard: list[Finding] = []
        self.done: list[Remedy] = []
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.window = DoctorWindow(
            DoctorPorts(
                look_at_disk=lambda: self.disk,
                look_around=lambda: self.around,
                listen=(lambda: self.heard) if can_listen else None,
                submit=self.submit,
                do=self.done.append,
            )
        )
        self.qtbot = qtbot
        qtbot.addWidget(self.window)

    def submit(self, work: Callable[[], Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        self.waiting.append((future, work))
        return future

    def answer(self) -> None:
        """Let the pool finish what it was given."""
        waiting, self.waiting = self.waiting, []
        for future, work in waiting:
            future.set_result(work())
        self.qtbot.waitUntil(lambda: not self.window.is_looking, timeout=5_000)

    @property
    def shown(self) -> list[str]:
        return [row.finding.kind for row in self.window.rows]


@pytest.fixture
def rig(qtbot: QtBot) -> Rig:
    return Rig(qtbot)


def test_it_looks_when_it_opens_and_says_what_it_sees(rig: Rig) -> None:
    rig.disk = [finding("disk_low")]
    rig.around = [
        finding("bluetooth_profile", Severity.NOTE),
        finding("accessibility_stale", Severity.ERROR),
    ]
    rig.window.show()
    assert rig.window.title_label.text() == "Looking …"
    assert rig.shown == ["accessibility_stale", "bluetooth_profile"]
    rig.answer()
    assert rig.shown == ["accessibility_stale", "disk_low", "bluetooth_profile"]
    assert rig.window.title_label.text() == "2 things need you"
    row = rig.window.rows[1]
    assert row.message_label.text() == "disk_low is wrong."
    assert row.hint_label.text() == "Do this."
    assert row.button.accessibleName() == "Show Folder: disk_low is wrong."


def test_where_all_is_well_it_says_so(rig: Rig) -> None:
    rig.window.show()
    rig.answer()
    assert rig.window.title_label.text() == "Everything works"
    assert rig.window.well.isVisible()


def test_a_button_does_its_deed_and_looks_again(rig: Rig) -> None:
    rig.around = [finding("microphone_denied")]
    rig.window.show()
    rig.answer()
    rig.around = []
    rig.window.rows[0].button.click()
    assert rig.done == [Remedy.OPEN_MICROPHONE]
    rig.answer()
    assert rig.shown == []


def test_looking_again_does_nothing_else(rig: Rig) -> None:
    rig.around = [finding("secure_input")]
    rig.window.show()
    rig.answer()
    rig.window.rows[0].button.click()
    assert rig.done == []
    assert rig.window.is_looking


def test_an_answer_of_an_older_look_is_dropped(rig: Rig) -> None:
    rig.disk = [finding("disk_low")]
    rig.window.show()
    late, rig.waiting = rig.waiting, []
    rig.disk = []
    rig.window.look()
    late[0][0].set_result([finding("too_open")])
    rig.answer()
    assert rig.shown == []


def test_the_microphone_is_opened_only_when_asked(rig: Rig) -> None:
    rig.window.show()
    rig.answer()
    rig.heard = [finding("microphone_silent")]
    rig.window.listen_button.click()
    rig.answer()
    assert rig.shown == ["microphone_silent"]
    rig.heard = []
    rig.window.listen_button.click()
    rig.answer()
    assert rig.shown == []
    assert "was heard" in rig.window.lead_label.text()


def test_without_a_microphone_there_is_no_button_for_it(qtbot: QtBot) -> None:
    rig = Rig(qtbot, can_listen=False)
    rig.window.show()
    rig.answer()
    assert not rig.window.listen_button.isVisible()


def test_escape_closes_it(rig: Rig) -> None:
    rig.window.show()
    rig.window.activateWindow()
    rig.qtbot.waitUntil(rig.window.isActiveWindow, timeout=5_000)
    rig.answer()
    QTest.keyClick(rig.window, Qt.Key.Key_Escape)
    assert not rig.window.isVisible()


def test_every_kind_a_doctor_names_has_its_button() -> None:
    named: set[str] = set()
    for file in ("pipeline/doctor.py", "pipeline/surroundings.py", "library/check.py"):
        source = (APP / file).read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "Finding":
                continue
            kinds = [
                part.value
                for part in ast.walk(node.args[0])
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            named |= set(kinds)
        named |= set(re.findall(r'"(\w+_stale)"', source))
        named |= set(re.findall(r'kind = "(\w+)" if', source))
    assert len(named) > 20
    assert named - set(OF_KIND) == set()
    for kind in named:
        assert button_text(remedy_of(kind))


def test_every_remedy_says_what_it_does() -> None:
    assert all(button_text(remedy) for remedy in Remedy)
