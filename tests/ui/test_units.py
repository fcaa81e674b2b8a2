"""Places in a text are the same for Python and for Qt, whatever is written in it."""

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QTextCursor, QTextDocument

from app.ui.units import (
    all_units,
    characters,
    line_of,
    place_in,
    place_of,
    position_of,
    select,
    units,
)

TEXTS = st.text(st.sampled_from("ab é明𠮷😀👩🏽"), max_size=12)


def as_qt_counts(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(TEXTS)
def test_every_place_is_found_both_ways(text: str) -> None:
    counted = [as_qt_counts(text[:place]) for place in range(len(text) + 1)]
    assert all_units(text, range(len(text) + 1)) == counted
    assert [units(text, place) for place in range(len(text) + 1)] == counted
    assert [characters(text, unit) for unit in counted] == list(range(len(text) + 1))


def test_half_an_emoji_is_the_place_before_it() -> None:
    assert [characters("a😀b", unit) for unit in range(5)] == [0, 1, 1, 2, 3]


def test_places_in_a_document() -> None:
    document = QTextDocument("one 😀\n𠮷 two 😀😀 three")
    block = document.findBlockByNumber(1)
    cursor = QTextCursor(document)
    select(cursor, block, 2, 8)
    assert cursor.selectedText() == "two 😀😀"
    assert place_of(document, cursor.selectionStart()) == (1, 2)
    assert place_of(document, cursor.selectionEnd()) == (1, 8)
    assert place_in(block, block.position() + block.length() - 1) == len(block.text())
    assert position_of(block, 99) == block.position() + block.length() - 1


@given(st.text(st.sampled_from("a \n\r\t\u2028\u2029\x85\ufdd0\ufdd1\ud83d\ude00\x00😀\u00a0")))
def test_a_line_stays_one_block_and_is_read_back(text: str) -> None:
    document = QTextDocument()
    line = line_of(text)
    QTextCursor(document).insertText(line)
    assert document.blockCount() == 1
    assert document.firstBlock().text() == line
    assert len(line) == len(" ".join(text.split()))
