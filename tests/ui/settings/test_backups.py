"""Backups in the settings: one calm line for each state, and a way back."""

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.backup import Archived, BackupStage, Merged
from app.core.errors import BackupDamaged, BackupFailed, BackupMissing
from app.ui.settings.backups import BackupsSection
from app.ui.settings.restore import RestoreDialog
from app.ui.settings.window import SettingsWindow
from tests.helpers.backup_fakes import backup_line
from tests.helpers.ui_fakes import NOON, World


def section_of(qtbot: QtBot, world: World) -> BackupsSection:
    section = BackupsSection(world.ports, world.backups, world.commands.change_settings)
    qtbot.addWidget(section)
    section.show()
    return section


def test_without_a_folder_nothing_can_be_backed_up(qtbot: QtBot) -> None:
    section = section_of(qtbot, World())
    assert not section.backup_button.isEnabled()
    assert section.state.text() == "None yet"
    assert section.export_button.isEnabled()


def test_a_chosen_folder_is_kept_and_used(qtbot: QtBot, tmp_path: Path) -> None:
    world = World()
    section = section_of(qtbot, world)
    section.use_folder(tmp_path)
    assert world.commands.settings.backup_folder == str(tmp_path)
    assert ("folder_chosen",) in world.backups.calls
    section.backup_button.click()
    assert world.backups.calls[-1] == ("back_up",)


def test_how_many_are_kept(qtbot: QtBot) -> None:
    world = World()
    section = section_of(qtbot, world)
    shown = [section.counts[f"backup_{unit}"].value() for unit in ("days", "weeks", "months")]
    assert shown == [7, 4, 12]
    section.counts["backup_months"].setValue(24)
    assert world.commands.settings.backup_months == 24


def test_progress_and_stop(qtbot: QtBot, tmp_path: Path) -> None:
    world = World()
    world.commands.change_settings(backup_folder=str(tmp_path))
    section = section_of(qtbot, world)
    assert not section.progress.isVisible()
    world.backups.tell(stage=BackupStage.BACKING_UP, fraction=0.4)
    assert section.progress.value() == 40
    assert section.stop_button.isVisible()
    assert not section.backup_button.isVisible()
    assert not section.restore_button.isEnabled()
    section.stop_button.click()
    assert world.backups.calls[-1] == ("stop",)
    world.backups.tell(stage=BackupStage.WAITING)
    assert "nobody records" in section.state.text()
    world.backups.tell(
        stage=BackupStage.IDLE, fraction=None, last_at=NOON, recordings=3, size_bytes=4_200_000_000
    )
    assert not section.progress.isVisible()
    assert "3 recordings" in section.state.text()
    assert "4.2 GB" in section.state.text()


def test_a_missing_disk_is_one_quiet_line_and_a_fault_a_warning(qtbot: QtBot) -> None:
    world = World()
    section = section_of(qtbot, world)
    assert not section.problem.isVisible()
    world.backups.tell(problem=BackupMissing("The disk is not there.", "Connect it."))
    assert section.problem.text() == "The disk is not there. Connect it."
    quiet = section.problem.palette().color(section.problem.foregroundRole())
    world.backups.tell(problem=BackupFailed("Nothing can be written.", "Choose another."))
    loud = section.problem.palette().color(section.problem.foregroundRole())
    assert quiet != loud
    world.backups.tell(problem=None)
    assert not section.problem.isVisible()


def test_where_the_library_of_before_lies(qtbot: QtBot, tmp_path: Path) -> None:
    world = World()
    ports = replace(world.ports, library_folder=tmp_path)
    section = BackupsSection(ports, world.backups, world.commands.change_settings)
    qtbot.addWidget(section)
    section.show()
    assert not section.aside.isVisible()
    (tmp_path / "library before 2026-11-21 16.20.11").mkdir()
    section.refresh()
    assert "library before 2026-11-21" in section.aside.text()


def test_what_an_archive_came_to(qtbot: QtBot) -> None:
    world = World()
    section = section_of(qtbot, world)
    world.backups.tell(done=Archived("all.zip", 2))
    assert section.result.text() == "“all.zip” holds 2 recordings."
    world.backups.tell(done=Archived("all.zip", 2, left_out=1))
    assert "1 sound file could not be read" in section.result.text()
    world.backups.tell(done=Merged(2, 1, 3, 1))
    assert "2 new, 1 completed, 3 already here" in section.result.text()
    assert "Of 1 the text differs" in section.result.text()


def test_it_is_a_page_of_the_settings(qtbot: QtBot) -> None:
    world = World()
    window = SettingsWindow(world.ports, world.commands.change_settings)
    qtbot.addWidget(window)
    assert window.findChild(BackupsSection) is not None


@pytest.fixture
def world() -> World:
    made = World()
    made.commands.change_settings(backup_folder="/backups")
    made.backups.lines = (
        backup_line(0, NOON),
        backup_line(1, NOON),
        backup_line(2, NOON, is_readable=False),
        backup_line(3, NOON, is_readable=False, is_newer=True),
    )
    return made


def dialog_of(qtbot: QtBot, world: World) -> RestoreDialog:
    section = section_of(qtbot, world)
    section.open_restore()
    dialog = section.findChild(RestoreDialog)
    assert isinstance(dialog, RestoreDialog)
    return dialog


def test_the_newest_backup_is_proposed(qtbot: QtBot, world: World) -> None:
    dialog = dialog_of(qtbot, world)
    assert dialog.list.count() == 4
    assert "312 recordings" in dialog.list.item(0).text()
    assert "damaged" in dialog.list.item(2).text()
    assert "newer Undertone" in dialog.list.item(3).text()
    dialog.restore_button.click()
    assert world.backups.calls[-1] == ("restore", Path("/backups"), "b0", False)
    world.backups.tell(stage=BackupStage.CHECKING, fraction=0.5)
    assert dialog.progress.isVisible()
    assert not dialog.restore_button.isEnabled()
    world.backups.tell(stage=BackupStage.RESTORED, fraction=None)
    dialog.restart_button.click()
    assert ("relaunch",) in world.commands.calls


def test_a_damaged_backup_offers_the_next_older_one(qtbot: QtBot, world: World) -> None:
    dialog = dialog_of(qtbot, world)
    dialog.restore_button.click()
    world.backups.tell(
        problem=BackupDamaged("The backup is damaged.", "Restore an older backup."),
        older=backup_line(1, NOON),
    )
    assert "damaged" in dialog.problem.text()
    dialog.older_button.click()
    assert world.backups.calls[-1] == ("restore", Path("/backups"), "b1", False)
    world.backups.tell(problem=BackupDamaged("Also damaged.", ""), older=None)
    assert not dialog.older_button.isVisible()
    dialog.without_button.click()
    assert world.backups.calls[-1] == ("restore", Path("/backups"), "b1", True)


def test_closing_while_it_checks_stops_it(qtbot: QtBot, world: World) -> None:
    dialog = dialog_of(qtbot, world)
    dialog.restore_button.click()
    world.backups.tell(stage=BackupStage.CHECKING)
    dialog.cancel_button.click()
    assert world.backups.calls[-1] == ("stop",)


def test_a_folder_without_backups_is_said(qtbot: QtBot, world: World) -> None:
    world.backups.refused = BackupMissing("There are no backups in there.", "Choose another.")
    dialog = dialog_of(qtbot, world)
    assert dialog.problem.text() == "There are no backups in there. Choose another."
    assert not dialog.restore_button.isEnabled()
