"""What was asked about one recording never happens to the one that was opened meanwhile."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.core import edit
from app.core.transcript import Transcript
from app.library.revise import RevisionKind
from tests.helpers.ui_fakes import recording, world_of
from tests.ui.conftest import OpenWindow
from tests.ui.editor.conftest import Desk
from tests.ui.editor.test_editor import told

OTHER = (told("text of another", 0.0), told("and more of it", 40.0))


def open_other(desk: Desk) -> None:
    desk.world.library.items.append(recording(1))
    desk.world.library.transcripts["r000001"] = Transcript(OTHER, "en")
    desk.editor.open(recording(1), OTHER)


def test_answers_to_questions_about_another_recording_are_dropped(desk: Desk) -> None:
    editor = desk.editor
    before = desk.world.library.transcripts["r000000"]
    asks: list[Callable[[], None]] = [
        lambda: editor.ask_speaker(0, 2),
        lambda: editor.ask_rename("Ada"),
        lambda: editor.ask_shift(0, 1),
    ]
    for ask in asks:
        desk.open(tuple(each.text for each in before.segments))
        ask()
        question = editor.question
        assert question is not None
        assert question.isVisible()
        open_other(desk)
        assert not question.isVisible()
        question.setTextValue("Ada")
        question.setDoubleValue(3.0)
        question.accept()
        assert desk.world.library.transcripts["r000001"].segments == OTHER
        assert desk.world.library.transcripts["r000000"] == before


@pytest.mark.qt_log_ignore(r"raise\(\)", "grabbing the keyboard")  # no window system here
def test_the_menu_of_a_text_closes_with_it(desk: Desk) -> None:
    desk.text.window().show()
    desk.text.customContextMenuRequested.emit(QPoint(60, 20))
    (menu,) = [each for each in desk.text.window().findChildren(QMenu) if each.isVisible()]
    open_other(desk)
    assert not menu.isVisible()


def test_a_version_of_another_recording_is_not_put_in_place(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = world_of(3)
    mine = (told("one two three", 0.0),)
    world.library.transcripts["r000000"] = Transcript(mine, "en")
    world.library.transcripts["r000001"] = Transcript(OTHER, "en")
    world.organiser.add_revision("r000000", RevisionKind.RAW, (told("a version", 0.0),))
    window = open_window(world)
    qtbot.waitUntil(lambda: bool(window.parts.transcript.text.segments))
    window.menus.compare.trigger()
    dialog = window.versions.dialog
    assert dialog is not None
    version = dialog.version
    window.browser.show_recording("r000001")
    qtbot.waitUntil(lambda: window.browser.opened_id == "r000001")
    assert not dialog.isVisible()
    dialog.chosen.emit(version)
    assert world.library.transcripts["r000001"].segments == OTHER
    assert world.library.transcripts["r000000"].segments == mine
    assert window.parts.transcript.editor.do(
        edit.retext(window.parts.transcript.editor.session.segments, 0, "still at work")
    )
