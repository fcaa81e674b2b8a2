"""A recording is transcribed once more, and the texts are chosen between side by side."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.errors import LibraryLocked
from app.core.job import Job, JobStage, JobStatus
from app.core.recording import RecordingStatus
from app.core.transcript import Segment, Transcript
from app.library.revise import RevisionKind
from app.pipeline.retake import Part
from app.ui import theme
from app.ui.editor.choice import ChoiceDialog
from app.ui.editor.retake_sheet import RetakeSheet
from app.ui.main_window import MainWindow
from app.ui.ports import ModelChoice
from tests.helpers.ui_fakes import DEMO, World, job, recording, world_of
from tests.ui.conftest import OpenWindow
from tests.ui.editor.test_editor import told

TURBO = ModelChoice("turbo", "Turbo", note="Fast and good.", languages=("en", "fr"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"")
    world = world_of(2)
    world.models = (DEMO, TURBO)
    world.library.items[0] = recording(0, audio_path=sound, duration_s=60.0)
    world.library.transcripts["r000000"] = Transcript(
        (
            told("we met in parish today", 0.0, "Ada"),
            told("and the river rose", 10.0, "Ben"),
            told("so we went home", 20.0, "Ben"),
        ),
        "en",
    )
    return world


@pytest.fixture
def window(world: World, open_window: OpenWindow, qtbot: QtBot) -> MainWindow:
    window = open_window(world)
    qtbot.waitUntil(lambda: bool(window.parts.transcript.text.segments))
    return window


def sheet_of(window: MainWindow) -> RetakeSheet:
    window.menus.again.trigger()
    assert window.retakes.sheet is not None
    return window.retakes.sheet


def again(world: World, *said: Segment, part: Part | None = None, **changes: object) -> Job:
    """Let the recording have been transcribed once more; return the job."""
    made = replace(
        recording(90, rerun_of="r000000", model_id="turbo", audio_path=Path("/x")),
        **changes,  # type: ignore[arg-type]
    )
    world.library.put(made, Transcript(said, "en", "turbo"))
    work = job(90, status=JobStatus.DONE, model_id="turbo")
    if part is not None:
        work = replace(work, until_s=part.until_s, total_s=part.until_s - part.from_s)
    world.library.worked["r000090"] = work
    world.tell_library("r000000")
    return work


def new_text() -> tuple[Segment, ...]:
    return (
        told("we met in Paris today", 0.0),
        told("and the river rose", 10.0),
        told("so they went home then", 20.0),
    )


def shown(window: MainWindow) -> list[str]:
    return window.parts.transcript.text.toPlainText().split("\n")


def choice_of(window: MainWindow, qtbot: QtBot) -> ChoiceDialog:
    strip = window.parts.transcript.retake_strip
    qtbot.waitUntil(strip.isVisible)
    strip.buttons[0].click()
    assert window.retakes.choice is not None
    return window.retakes.choice


def test_the_whole_or_what_is_selected_is_asked_for(window: MainWindow, world: World) -> None:
    sheet = sheet_of(window)
    assert sheet.all_button.isChecked()
    sheet.model_box.setCurrentIndex(sheet.model_box.findData("turbo"))
    assert sheet.note.text() == "Fast and good."
    sheet.language_box.setCurrentIndex(sheet.language_box.findData("fr"))
    sheet.accept()
    assert world.commands.calls[-1] == ("retake", "r000000", "turbo", "fr", None)
    cursor = window.parts.transcript.text.textCursor()
    block = window.parts.transcript.text.block_at(1)
    cursor.setPosition(block.position() + 2)
    cursor.setPosition(block.next().position() + 3, QTextCursor.MoveMode.KeepAnchor)
    window.parts.transcript.text.setTextCursor(cursor)
    sheet = sheet_of(window)
    assert sheet.part_button.isChecked()
    assert sheet.part_button.text() == "2 selected segments (0:09 – 0:24)"
    sheet.accept()
    assert world.commands.calls[-1][-1] == Part(9.7, 24.3)


def test_without_a_model_or_a_sound_it_is_said_why(window: MainWindow, world: World) -> None:
    sound = world.library.items[0].audio_path
    assert sound is not None
    sound.unlink()
    sheet = sheet_of(window)
    assert not sheet.start_button.isEnabled()
    assert "The sound is no longer where it was." in sheet.warning.text()


def test_work_and_failure_stand_above_the_text(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    strip = window.parts.transcript.retake_strip
    work = again(world, status=RecordingStatus.WORKING)
    work = replace(
        work, status=JobStatus.RUNNING, stage=JobStage.TRANSCRIBING, done_s=300.0, total_s=600.0
    )
    world.tell_job(work)
    qtbot.waitUntil(strip.isVisible)
    qtbot.waitUntil(lambda: "50\u00a0%" in strip.label.text())
    assert strip.label.text() == "New text by Turbo: Transcribing · 50\u00a0%"
    assert window.parts.transcript.editor.keys.is_allowed  # the text is worked on meanwhile
    strip.buttons[0].click()
    assert world.commands.calls[-1] == ("cancel_job", work.job_id)
    again(world, status=RecordingStatus.FAILED, error="It broke.", hint="Mend it.")
    world.tell_job(replace(work, status=JobStatus.FAILED))
    qtbot.waitUntil(lambda: strip.label.text() == "Not transcribed again: It broke.")
    assert strip.hint.text() == "Mend it."
    strip.buttons[0].click()
    assert world.commands.calls[-1] == ("retry", "r000090")
    strip.buttons[1].click()
    assert strip.isHidden()
    assert world.library.recording("r000090") is None


def test_one_difference_is_taken_over_as_one_step(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    again(world, *new_text())
    dialog = choice_of(window, qtbot)
    assert dialog.count == 3
    assert dialog.summary.text() == "Difference 1 of 3 · 0 taken over"
    assert not dialog.use_button.isEnabled()
    qtbot.waitUntil(dialog.isActiveWindow)
    QTest.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert dialog.take_button.text() == "Keep Mine Here"
    dialog.next_button.click()
    dialog.next_button.click()
    dialog.take_button.click()
    dialog.listen_button.click()
    assert world.player.is_playing
    dialog.use_button.click()
    assert shown(window) == [
        "we met in Paris today",
        "and the river rose",
        "so we went home then",
    ]
    kept = world.library.transcript("r000000").segments
    assert [each.text for each in kept] == shown(window)
    assert [each.speaker for each in kept] == ["Ada", "Ben", "Ben"]
    assert [each.kind for each in world.library.revisions("r000000")] == [RevisionKind.RERUN]
    (version,) = world.library.revisions("r000000")
    whole = world.library.revision_segments(version.revision_id)
    assert [each.text for each in whole][2] == "so they went home then"
    assert window.parts.transcript.retake_strip.isHidden()
    assert world.library.recording("r000090") is None
    window.menus.undo.trigger()
    assert shown(window)[0] == "we met in parish today"
    assert not window.parts.transcript.editor.session.can_undo


def test_all_of_a_part_comes_in_its_place(window: MainWindow, world: World, qtbot: QtBot) -> None:
    part = Part(9.7, 14.3)
    again(world, told("and the", 10.0), told("liver nose", 12.0), part=part)
    dialog = choice_of(window, qtbot)
    dialog.all_button.click()
    assert shown(window) == [
        "we met in parish today",
        "and the",
        "liver nose",
        "so we went home",
    ]
    kept = world.library.transcript("r000000").segments
    assert [each.speaker for each in kept] == ["Ada", "Ben", "Ben", "Ben"]
    window.parts.transcript.editor.undo()
    assert len(shown(window)) == 3


def test_undo_of_a_whole_text_says_again_where_the_old_one_is_from(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    again(world, *new_text(), language="fr")
    editor = window.parts.transcript.editor

    def origin() -> tuple[str | None, str | None]:
        found = world.library.recording("r000000")
        assert found is not None
        return found.model_id, found.language

    before = origin()
    assert before != ("turbo", "fr")
    choice_of(window, qtbot).all_button.click()
    assert origin() == ("turbo", "fr")
    editor.undo()
    assert shown(window)[0] == "we met in parish today"
    assert origin() == before
    editor.redo()
    assert origin() == ("turbo", "fr")


def test_a_part_not_decided_on_is_compared_as_the_whole_text(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    again(world, told("and the liver nose", 10.0), part=Part(9.7, 14.3))
    again(world, told("half", 10.0), part=Part(9.7, 14.3), status=RecordingStatus.WORKING)
    assert window.versions.versions_of("r000000") == []
    again(world, told("and the liver nose", 10.0), part=Part(9.7, 14.3))
    (version,) = window.versions.versions_of("r000000")
    assert [each.text for each in version.segments] == [
        "we met in parish today",
        "and the liver nose",
        "so we went home",
    ]


def test_mine_is_kept_and_the_other_stays_to_compare(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    editor = window.parts.transcript.editor
    editor.set_editing(True)
    QTest.keyClicks(editor.text, "yes ")
    editor.session.flush()
    again(world, *new_text())
    dialog = choice_of(window, qtbot)
    dialog.keep_button.click()
    assert shown(window)[0] == "yes we met in parish today"
    assert [each.kind for each in world.library.revisions("r000000")] == [RevisionKind.RERUN]
    window.menus.compare.trigger()
    assert window.versions.dialog is not None
    assert window.versions.dialog.list.count() == 1
    window.versions.dialog.close()


def test_a_click_on_a_difference_looks_at_it(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    again(world, *new_text())
    dialog = choice_of(window, qtbot)
    cursor = dialog.new_text.textCursor()
    cursor.setPosition(dialog.new_text.toPlainText().index("they") + 1)
    dialog.new_text.setTextCursor(cursor)
    assert dialog.summary.text().startswith("Difference 2 of 3")
    dialog.later_button.click()
    assert window.parts.transcript.retake_strip.isVisible()


def test_a_choice_that_cannot_be_saved_is_told(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    again(world, *new_text())
    strip = window.parts.transcript.retake_strip
    qtbot.waitUntil(strip.isVisible)
    world.organiser.error = LibraryLocked("It is locked.", "Wait.")
    strip.buttons[1].click()
    assert window.parts.banners.banner("error") is not None
    assert strip.isVisible()


def test_open_texts_follow_the_colour_scheme(
    window: MainWindow, world: World, qtbot: QtBot
) -> None:
    again(world, *new_text())
    dialog = choice_of(window, qtbot)
    cursor = dialog.mine_text.textCursor()
    for appearance in ("dark", "light"):
        window.menus.appearances[appearance].trigger()
        cursor.setPosition(dialog.mine_text.toPlainText().index("parish") + 2)
        assert cursor.charFormat().background().color() == theme.color("match")
    dialog.reject()
