"""Finding and replacing in a text that changes meanwhile."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.ui.editor.conftest import Desk
from tests.ui.editor.test_editor import shown

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
    desk.choose((0, 0), (0, 3))
    desk.type("other")  # the first match is gone, the second is the first now
    assert count(desk) == "2 matches"
    desk.editor.find_bar.replace_button.click()
    assert shown(desk.editor) == ["other two", "one two", "one two"]
    assert desk.text.textCursor().selectedText() == "one"
    desk.editor.find_bar.replace_button.click()
    assert shown(desk.editor) == ["other two", "1 two", "one two"]
