"""Nothing is put away, repaired or erased before a person has seen how much it is."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.core.errors import AppError, LibraryLocked, Phrase, mark
from app.core.finding import Finding, Severity
from app.core.recording import RecordingKind
from app.core.retention import Due, Rule, Takes
from app.pipeline.library_check import CheckReport
from app.pipeline.stored import Shelf
from app.ui.keeping.erase_dialog import EraseDialog
from app.ui.settings.check import CheckPage
from app.ui.settings.privacy import PrivacyPage
from app.ui.settings.retention import RetentionPage
from app.ui.settings.window import SettingsWindow
from tests.helpers.keeping_fakes import KEPT
from tests.helpers.ui_fakes import World

DICTATIONS, QUICK, FILES = range(3)
KEEP, SOUND, ALL = range(3)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def rules(qtbot: QtBot, world: World) -> RetentionPage:
    keeping, commands = world.keeping, world.commands
    page = RetentionPage(
        commands,
        commands.change_settings,
        keeping.ports,
        keeping,
        lambda: keeping.calls.append(("run_now",)),
    )
    qtbot.addWidget(page)
    page.show()
    return page


@pytest.fixture
def check(qtbot: QtBot, world: World) -> CheckPage:
    page = CheckPage(world.keeping.ports)
    qtbot.addWidget(page)
    page.show()
    return page


def held(world: World) -> tuple[str, ...]:
    """Return the rules that hold."""
    return world.commands.settings.retention


def test_the_window_has_all_of_it(qtbot: QtBot, world: World) -> None:
    window = SettingsWindow(world.ports, world.commands.change_settings, None, lambda: None)
    qtbot.addWidget(window)
    window.show_check()
    assert window.pages.currentWidget() is window.library
    sheets = window.library.sheets
    assert [sheets.tabText(at) for at in range(sheets.count())] == [
        "Files",
        "Old Recordings",
        "Check",
    ]
    assert sheets.currentWidget() is window.library.check


# Rules


def test_a_rule_shows_its_count_before_it_holds(
    qtbot: QtBot, world: World, rules: RetentionPage
) -> None:
    world.keeping.due = Due(tuple("abcdefghijklmn"))
    rules.rows[DICTATIONS].takes_box.setCurrentIndex(ALL)
    qtbot.waitUntil(rules.turn_on_button.isEnabled)
    assert rules.count_label.text() == "14 recordings would move to the bin now."
    assert held(world) == ()
    rule = Rule(RecordingKind.DICTATION, Takes.ALL, 90)
    assert world.keeping.calls == [("preview", (rule,))]
    rules.turn_on_button.click()
    assert held(world) == ("dictation\tall\t90",)
    assert world.keeping.calls[-1] == ("run_now",)
    assert not rules.question.isVisible()
    assert rules.rows[DICTATIONS].takes_box.currentIndex() == ALL


def test_not_now_leaves_everything_as_it_was(
    qtbot: QtBot, world: World, rules: RetentionPage
) -> None:
    rules.rows[FILES].takes_box.setCurrentIndex(SOUND)
    qtbot.waitUntil(rules.turn_on_button.isEnabled)
    rules.not_now_button.click()
    assert rules.rows[FILES].rule is None
    assert held(world) == ()
    assert not rules.question.isVisible()
    rules.turn_on()
    assert held(world) == ()


def test_until_it_is_counted_it_cannot_be_turned_on(world: World, rules: RetentionPage) -> None:
    world.keeping.waits = True
    rules.rows[QUICK].takes_box.setCurrentIndex(ALL)
    assert rules.question.isVisible()
    assert rules.count_label.text() == "Counting …"
    rules.turn_on()
    assert held(world) == ()


def test_taking_less_holds_at_once(world: World, rules: RetentionPage) -> None:
    world.commands.change_settings(retention=("file\tall\t30", "quick\tsound\t7"))
    rules.refresh()
    rules.rows[FILES].age_box.setCurrentIndex(rules.rows[FILES].age_box.findData(365))
    assert set(held(world)) == {"file\tall\t365", "quick\tsound\t7"}
    rules.rows[FILES].takes_box.setCurrentIndex(SOUND)
    assert "file\tsound\t365" in held(world)
    rules.rows[FILES].takes_box.setCurrentIndex(KEEP)
    assert held(world) == ("quick\tsound\t7",)
    assert world.keeping.calls == []


def test_taking_more_asks_again(qtbot: QtBot, world: World, rules: RetentionPage) -> None:
    world.commands.change_settings(retention=("file\tsound\t30",))
    rules.refresh()
    rules.rows[FILES].takes_box.setCurrentIndex(ALL)
    qtbot.waitUntil(rules.turn_on_button.isEnabled)
    assert held(world) == ("file\tsound\t30",)
    rules.refresh()
    rules.rows[FILES].age_box.setCurrentIndex(0)
    assert rules.question.isVisible()
    assert held(world) == ("file\tsound\t30",)


def test_the_bin_asks_too(qtbot: QtBot, world: World, rules: RetentionPage) -> None:
    world.keeping.in_bin = 3
    rules.bin_box.setCurrentIndex(rules.bin_box.findData(7))
    qtbot.waitUntil(rules.turn_on_button.isEnabled)
    assert "3 recordings in the bin would be erased for good" in rules.count_label.text()
    assert world.commands.settings.bin_keeps_days == 30
    rules.turn_on()
    assert world.commands.settings.bin_keeps_days == 7
    rules.bin_box.setCurrentIndex(rules.bin_box.findData(0))
    assert world.commands.settings.bin_keeps_days == 0


def test_a_length_from_the_command_line_is_kept(world: World, rules: RetentionPage) -> None:
    world.commands.change_settings(retention=("file\tall\t45",), bin_keeps_days=3)
    rules.refresh()
    assert rules.rows[FILES].age_box.currentText() == "after 45 days"
    assert rules.bin_box.currentData() == 3


# Check


def finding(message: str, hint: str = "") -> Finding:
    return Finding("x", Severity.NOTE, Phrase(message), Phrase(hint))


def test_the_check_says_what_it_found(qtbot: QtBot, world: World, check: CheckPage) -> None:
    said: list[str] = []
    check.announcer.announced.connect(said.append)
    world.keeping.report = CheckReport((finding("Mended this."),), (finding("Open.", "Do it."),))
    world.keeping.waits = True
    check.check_button.click()
    assert check.title_label.text() == "Checking …"
    assert check.stop_button.isVisible()
    world.keeping.answer()
    qtbot.waitUntil(check.check_button.isVisible)
    assert check.title_label.text() == "1 thing needs you"
    assert [row.accessibleName() for row in check.rows] == ["Open. Do it.", "Mended this. Mended"]
    assert said == ["1 thing needs you Open. Mended this."]
    world.keeping.waits, world.keeping.report = False, CheckReport()
    check.check()
    qtbot.waitUntil(lambda: check.title_label.text() == "All is well.")
    assert check.rows == []


def test_the_check_can_be_stopped(qtbot: QtBot, world: World, check: CheckPage) -> None:
    world.keeping.waits = True
    check.check()
    check.stop_button.click()
    world.keeping.answer()
    qtbot.waitUntil(check.check_button.isVisible)
    assert check.title_label.text().startswith("Stopped.")
    assert world.keeping.calls == []


def test_a_check_that_fails_says_why(qtbot: QtBot, world: World, check: CheckPage) -> None:
    world.keeping.refusal = AppError(mark("The disk is gone."), mark("Plug it in."))
    check.check()
    qtbot.waitUntil(lambda: bool(check.rows))
    assert check.rows[0].accessibleName() == "The disk is gone. Plug it in."


def test_a_damaged_file_offers_its_repair(qtbot: QtBot, world: World, check: CheckPage) -> None:
    assert not check.repair_button.isVisible()
    damaged = finding("The library file is damaged.", "Repair it.")
    world.keeping.report = CheckReport((), (damaged,), needs_salvage=True)
    check.check()
    qtbot.waitUntil(check.repair_button.isVisible)
    check.repair_button.click()
    assert world.keeping.calls[-1] == ("begin_repair",)


# Privacy


@pytest.fixture
def privacy(qtbot: QtBot, world: World) -> PrivacyPage:
    page = PrivacyPage(world.ports, world.commands.change_settings)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: bool(page.kept))
    return page


def test_what_is_kept_is_shown_with_its_size(qtbot: QtBot, privacy: PrivacyPage) -> None:
    shown = [one for one in KEPT if one.shelf is not Shelf.ASIDE]
    for _again in range(2):
        texts = [label.text() for label in privacy.findChildren(QLabel) if label.isVisible()]
        assert "183 MB · 1 file" in texts
        assert "9.4 GB · 1804 files" in texts
        assert privacy.table.count() == 4 * len(shown)
        with qtbot.waitSignal(privacy.shown):
            privacy.look()


def test_offline_is_a_setting_here_too(world: World, privacy: PrivacyPage) -> None:
    privacy.offline_box.click()
    assert world.commands.settings.offline is True


def dialog_of(qtbot: QtBot, privacy: PrivacyPage) -> EraseDialog:
    privacy.erase_button.click()
    qtbot.waitUntil(lambda: privacy.question is not None)
    assert isinstance(privacy.question, EraseDialog)
    return privacy.question


def test_erasing_asks_once_with_the_count_and_a_word(
    qtbot: QtBot, world: World, privacy: PrivacyPage
) -> None:
    dialog = dialog_of(qtbot, privacy)
    assert dialog.title_label.text().startswith("Erase 1804 recordings")
    assert "3.1 GB" in dialog.models_box.text()
    assert not dialog.erase_button.isEnabled()
    QTest.keyClick(dialog.word_edit, Qt.Key.Key_Return)
    assert world.keeping.calls == []
    QTest.keyClicks(dialog.word_edit, "erased")
    assert not dialog.erase_button.isEnabled()
    QTest.keyClick(dialog.word_edit, Qt.Key.Key_Backspace)
    dialog.models_box.click()
    QTest.keyClick(dialog.word_edit, Qt.Key.Key_Return)
    assert world.keeping.calls == [("erase", True)]
    assert privacy.question is None


def test_cancel_and_escape_erase_nothing(qtbot: QtBot, world: World, privacy: PrivacyPage) -> None:
    dialog = dialog_of(qtbot, privacy)
    dialog.word_edit.setText("ERASE")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert world.keeping.calls == []
    dialog = dialog_of(qtbot, privacy)
    dialog.cancel_button.click()
    assert world.keeping.calls == []


def test_a_refusal_is_said_in_the_question(
    qtbot: QtBot, world: World, privacy: PrivacyPage
) -> None:
    world.keeping.refusal = LibraryLocked(mark("Another Undertone runs."), mark("Quit it."))
    dialog = dialog_of(qtbot, privacy)
    dialog.word_edit.setText("Erase")
    dialog.erase_button.click()
    assert dialog.problem_label.text() == "Another Undertone runs. Quit it."
    assert dialog.isVisible()
    dialog.reject()
