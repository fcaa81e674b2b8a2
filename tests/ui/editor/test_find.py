"""Finding and replacing in a text that changes meanwhile."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.helpers.ui_fakes import recording
from tests.ui.editor.conftest import Desk
from tests.ui.editor.test_editor import shown, told

KEY = Qt.Key


def find(desk: Desk, wanted: str, into: str = "") -> None:
    desk.editor.open_find(replaces=True)
    desk.editor.find_bar.find_edit.setText(wanted)
    desk.editor.find_bar.replace_edit.setText(into)


def count(desk: Desk) -> str:
    return desk.editor.find_bar.count_label.text()


def marked(desk: Desk) -> list[str]:
    return [mark.cursor.selectedText() for mark in desk.text.extraSelections()]


@pytest.mark.parametrize(
    ("wanted", "into", "results"),
    [
        (
            "Paris",
            "Paris, France",
            [
                ["in Paris, France now Paris", "Paris again", "😀 and Paris"],
                ["in Paris, France now Paris, France", "Paris again", "😀 and Paris"],
                ["in Paris, France now Paris, France", "Paris, France again", "😀 and Paris"],
                ["in Paris, France now Paris, France", "Paris, France again",
                 "😀 and Paris, France"],
            ],
        ),
        ("a", " a", [["in P aris now Paris", "Paris again", "😀 and Paris"],
                     ["in P aris now P aris", "Paris again", "😀 and Paris"]]),
        ("Paris", "", [["in now Paris", "Paris again", "😀 and Paris"],
                       ["in now", "Paris again", "😀 and Paris"],
                       ["in now", "again", "😀 and Paris"],
                       ["in now", "again", "😀 and"]]),
    ],
)  # fmt: skip
def test_replacing_goes_on_behind_what_it_put_in(
    desk: Desk, wanted: str, into: str, results: list[list[str]]
) -> None:
    desk.open(("in Paris now Paris", "Paris again", "😀 and Paris"))
    find(desk, wanted, into)
    for result in results:
        QTest.keyClick(desk.editor.find_bar.replace_edit, KEY.Key_Return)
        assert shown(desk.editor) == result


def test_the_last_is_followed_by_the_first(desk: Desk) -> None:
    desk.open(("Paris one", "Paris two"))
    find(desk, "Paris", "Paris!")
    desk.editor.find_bar.replace_button.click()
    assert count(desk) == "2 of 2"
    desk.editor.find_bar.replace_button.click()
    assert count(desk) == "1 of 2"
    assert desk.text.textCursor().selectionStart() == 0


def test_only_what_is_shown_as_found_is_replaced(desk: Desk) -> None:
    desk.open(("one two", "one two", "one two"))
    find(desk, "one", "1")
    desk.editor.go_to_hit(1)
    desk.choose((2, 4))
    desk.type("or ")  # the chosen match is untouched
    assert count(desk) == "2 of 3"
    desk.choose((1, 0), (1, 3))
    desk.type("other")
    assert count(desk) == "2 matches"
    desk.choose((0, 0), (0, 3))
    desk.type("other")
    assert count(desk) == "1 match"
    desk.editor.find_bar.replace_button.click()
    assert shown(desk.editor) == ["other two", "other two", "one or two"]
    assert desk.text.textCursor().selectedText() == "one"
    desk.editor.find_bar.replace_button.click()
    assert shown(desk.editor) == ["other two", "other two", "1 or two"]


def test_closing_brings_back_what_the_librarys_search_marks(desk: Desk) -> None:
    desk.open(("two or one", "four", "two"))
    desk.text.set_query("two")
    assert marked(desk) == ["two", "two"]
    find(desk, "four")
    assert marked(desk) == ["four"]
    desk.text.set_query("or")  # the library's search goes on meanwhile
    assert marked(desk) == ["four"]
    QTest.keyClick(desk.editor.find_bar.find_edit, KEY.Key_Escape)
    assert marked(desk) == ["or"]


def test_what_comes_is_found_too(desk: Desk, qtbot: QtBot) -> None:
    desk.open(("two", "four"))
    find(desk, "two")
    assert count(desk) == "1 of 1"
    desk.editor.append([told("two again, two", 90.0)])
    assert count(desk) == "1 of 3"
    assert marked(desk) == ["two"] * 3
    desk.editor.go_to_hit(1)
    assert count(desk) == "2 of 3"
    desk.editor.open(recording(0), (told("one", 0.0), told("two", 10.0)))
    assert count(desk) == "1 match"
    assert marked(desk) == ["two"]
    desk.editor.open(recording(1), (told("two", 0.0),))
    assert desk.editor.find_bar.isHidden()
    assert marked(desk) == []


def test_replace_all_says_how_many_were_replaced(desk: Desk) -> None:
    said: list[str] = []
    desk.editor._announcer.announced.connect(said.append)
    desk.open(("two", "four"))
    find(desk, "two", "2")
    desk.editor.append([told("two again, two", 90.0)])
    desk.editor.find_bar.all_button.click()
    assert said[-1] == "3 matches replaced"
    assert shown(desk.editor) == ["2", "four", "2 again, 2"]


def test_a_text_that_is_still_filled_in_is_marked_as_it_comes(desk: Desk, qtbot: QtBot) -> None:
    desk.editor.close()
    desk.editor.open(recording(0), tuple(told(f"two {at}", 10.0 * at) for at in range(700)))
    assert desk.text.document().blockCount() < 700
    desk.text.set_hits([(at, 0, 3) for at in range(700)])
    assert 0 < len(marked(desk)) < 700
    qtbot.waitUntil(lambda: len(marked(desk)) == 700)
    assert set(marked(desk)) == {"two"}
