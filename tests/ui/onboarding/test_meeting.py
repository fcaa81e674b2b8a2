"""The first start can be finished by the keyboard alone, whatever the system allows."""

import itertools
from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.macos.permissions import FakePermissions, Grant, OnAnswer, Permission
from app.ui.onboarding.grant_row import GrantRow
from app.ui.onboarding.model_step import ModelStep
from app.ui.onboarding.steps import HotkeyStep, MicrophoneStep, PrivacyStep
from app.ui.onboarding.window import MeetingWindow
from tests.helpers.model_fakes import FakeModels
from tests.helpers.take_fakes import FakeMicrophones
from tests.ui.onboarding.meeting import KeptSettings, meeting_ports


class CountedPermissions(FakePermissions):
    """Permissions that count how often the person is asked."""

    def __init__(self, **states: Grant) -> None:
        super().__init__(**states)
        self.requests: list[Permission] = []

    def request(self, permission: Permission, on_answer: OnAnswer) -> None:
        self.requests.append(permission)
        super().request(permission, on_answer)


Open = Callable[..., MeetingWindow]


@pytest.fixture
def meet(qtbot: QtBot) -> Open:
    def open_it(permissions: FakePermissions | None = None, **more: object) -> MeetingWindow:
        ports = meeting_ports(permissions or FakePermissions(), **more)  # type: ignore[arg-type]
        window = MeetingWindow(ports, poll_ms=20)
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=10_000)
        return window

    return open_it


def press_next(window: MeetingWindow) -> None:
    """Get to the button that goes on by Tab, and press it."""
    for _step in range(30):
        if QApplication.focusWidget() is window.next_button:
            QTest.keyClick(window.next_button, Qt.Key.Key_Return)
            return
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
    raise AssertionError("Tab does not reach the button that goes on")


def test_every_state_of_every_permission_ends_by_keyboard(meet: Open) -> None:
    """Every pair of the two permissions that share a step, and every state of the microphone's."""
    states = list(Grant)
    for at, (accessibility, monitoring) in enumerate(itertools.product(states, repeat=2)):
        permissions = CountedPermissions(
            microphone=states[(at + at // len(states)) % len(states)],
            accessibility=accessibility,
            input_monitoring=monitoring,
        )
        kept = KeptSettings()
        window = meet(permissions, kept=kept, uses_lone_modifier=True)
        for step in window.steps:
            assert window.step is step
            press_next(window)
        assert not window.isVisible()
        assert kept.now.has_met
        assert permissions.requests == []  # nobody is asked who pressed no “Allow…”
        assert permissions.opened == []


def test_escape_skips_and_is_remembered(meet: Open, qtbot: QtBot) -> None:
    kept = KeptSettings()
    window = meet(kept=kept)
    with qtbot.waitSignal(window.met, timeout=5_000):
        QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    assert kept.now.has_met


def test_closing_the_window_counts_as_met_and_stops_polling(meet: Open) -> None:
    kept = KeptSettings()
    window = meet(kept=kept)
    window.close()
    assert kept.now.has_met
    assert not window._timer.isActive()


def test_going_back_shows_the_step_before(meet: Open) -> None:
    window = meet()
    assert not window.back_button.isVisible()
    window.go_on()
    window.back_button.click()
    assert isinstance(window.step, PrivacyStep)


def test_a_grant_given_elsewhere_is_noticed(meet: Open, qtbot: QtBot) -> None:
    permissions = CountedPermissions(microphone=Grant.DENIED)
    window = meet(permissions)
    window.go(1)
    step = window.step
    assert isinstance(step, MicrophoneStep)
    assert window.next_button.text() == "Not Now"
    permissions.states[Permission.MICROPHONE] = Grant.GRANTED  # in System Settings
    qtbot.waitUntil(lambda: window.next_button.text() == "Continue", timeout=5_000)
    assert not step.row.button.isVisible()
    assert window.step is step  # nothing runs ahead of the person
    permissions.states[Permission.MICROPHONE] = Grant.STALE
    qtbot.waitUntil(step.row.button.isVisible, timeout=5_000)
    assert permissions.requests == []


# One permission


def row_of(
    qtbot: QtBot, permission: Permission, grant: Grant, answer: Grant | None = None
) -> tuple[GrantRow, CountedPermissions]:
    permissions = CountedPermissions(**{permission.value: grant})
    if answer is not None:
        permissions.answers[permission] = answer
    row = GrantRow(permissions, permission, "Title", "Why.")
    qtbot.addWidget(row)
    row.show()
    return row, permissions


@pytest.mark.parametrize("permission", list(Permission))
def test_allowed_needs_no_button(qtbot: QtBot, permission: Permission) -> None:
    row, _permissions = row_of(qtbot, permission, Grant.GRANTED)
    assert not row.button.isVisible()
    assert row.state_label.text() == "Allowed."


def test_the_microphone_is_asked_for_and_the_answer_shown(qtbot: QtBot) -> None:
    row, permissions = row_of(qtbot, Permission.MICROPHONE, Grant.NOT_ASKED, Grant.GRANTED)
    assert row.button.text() == "Allow…"
    with qtbot.waitSignal(row.changed, timeout=5_000) as changed:
        row.button.click()
    assert changed.args == [Grant.GRANTED]
    assert permissions.requests == [Permission.MICROPHONE]


def test_a_refused_microphone_leads_to_the_settings(qtbot: QtBot) -> None:
    row, permissions = row_of(qtbot, Permission.MICROPHONE, Grant.NOT_ASKED, Grant.DENIED)
    with qtbot.waitSignal(row.changed, timeout=5_000):
        row.button.click()
    assert row.button.text() == "Open System Settings"
    row.button.click()
    row.button.click()
    assert permissions.requests == [Permission.MICROPHONE]
    assert permissions.opened == [Permission.MICROPHONE, Permission.MICROPHONE]


def test_accessibility_is_asked_for_once_then_the_settings_open(qtbot: QtBot) -> None:
    """macOS cannot tell “never asked” from “refused” here."""
    row, permissions = row_of(qtbot, Permission.ACCESSIBILITY, Grant.DENIED)
    assert row.button.text() == "Allow…"
    row.button.click()
    assert row.button.text() == "Open System Settings"
    row.button.click()
    assert permissions.requests == [Permission.ACCESSIBILITY]
    assert permissions.opened == [Permission.ACCESSIBILITY]


def test_a_stale_grant_says_how_to_mend_it(qtbot: QtBot) -> None:
    row, permissions = row_of(qtbot, Permission.ACCESSIBILITY, Grant.STALE)
    assert "add it again" in row.state_label.text()
    row.button.click()
    assert permissions.requests == []
    assert permissions.opened == [Permission.ACCESSIBILITY]


# The steps


def test_updates_are_off_until_yes(meet: Open) -> None:
    kept = KeptSettings()
    window = meet(kept=kept)
    step = window.step
    assert isinstance(step, PrivacyStep)
    assert not step.updates_box.isChecked()
    assert not kept.now.checks_updates
    QTest.keyClick(step.updates_box, Qt.Key.Key_Space)
    assert kept.now.checks_updates


@pytest.mark.parametrize("lone", [False, True])
def test_only_a_lone_key_needs_input_monitoring(meet: Open, lone: bool) -> None:
    permissions = CountedPermissions(input_monitoring=Grant.DENIED)
    window = meet(permissions, uses_lone_modifier=lone)
    window.go(2)
    step = window.step
    assert isinstance(step, HotkeyStep)
    assert step.rows[1].isVisible() is lone
    assert step.is_done is not lone


def test_the_field_takes_what_is_dictated(meet: Open) -> None:
    window = meet()
    window.go(2)
    field = QApplication.focusWidget()
    assert isinstance(field, QPlainTextEdit)
    QTest.keyClicks(field, "hello")
    step = window.step
    assert isinstance(step, HotkeyStep)
    assert step.field.toPlainText() == "hello"
    QTest.keyClick(step.field, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is not step.field


def test_the_models_are_offered_and_nothing_is_waited_for(meet: Open, qtbot: QtBot) -> None:
    models = FakeModels()
    kept = KeptSettings()
    window = meet(models=models, kept=kept)
    window.go(3)
    step = window.step
    assert isinstance(step, ModelStep)
    assert step.panel is not None
    step.panel.cards["whisper-large-v3-turbo"].buttons["get"].click()
    assert models.calls == [("get", "whisper-large-v3-turbo")]
    assert not step.is_done
    window.next_button.click()  # while it is fetched
    assert kept.now.has_met


def test_without_a_library_the_last_step_says_so(meet: Open) -> None:
    window = meet(has_models=False)
    window.go(3)
    assert "no model can be fetched" in window.step.lead_label.text()
    assert window.step.is_done


def test_the_meter_listens_only_while_its_step_is_shown(meet: Open) -> None:
    microphones = FakeMicrophones()
    seen = [microphones.is_testing]
    microphones.changed.connect(lambda: seen.append(microphones.is_testing))
    window = meet(microphones=microphones)
    for at in (1, 2, 1):
        window.go(at)
    window.close()
    tests = [is_on for before, is_on in pairwise(seen) if is_on is not before]
    assert tests == [True, False, True, False]


def test_no_microphone_is_opened_without_the_permission(meet: Open) -> None:
    microphones = FakeMicrophones()
    window = meet(FakePermissions(microphone=Grant.NOT_ASKED), microphones=microphones)
    window.go(1)
    assert not microphones.is_testing


def test_every_control_has_a_name(meet: Open) -> None:
    window = meet(FakePermissions(microphone=Grant.DENIED, accessibility=Grant.DENIED))
    for at in range(len(window.steps)):
        window.go(at)
        for button in window.findChildren(QAbstractButton):
            interface = QAccessible.queryAccessibleInterface(button)
            assert interface.text(QAccessible.Text.Name) or not button.isVisible(), button
    assert window.dots.accessibleName() == "Step 4 of 4"
