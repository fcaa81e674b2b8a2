"""Where the characters of a text are as Qt counts them, and the other way round.

Python counts characters, Qt counts UTF-16 units: an emoji or a rare Chinese sign is two of them.
Whatever gives Qt a place in a text, or takes one from it, goes through here; everything else in the
app counts characters.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable

from PySide6.QtGui import QTextBlock, QTextCursor, QTextDocument

from app.core.spans import tidy

_WIDE = re.compile("[\U00010000-\U0010ffff]")
# Qt divides a text at these two; of half an emoji it keeps a unit that Python never sees.
_NOT_SHOWN = re.compile("[\ufdd0\ufdd1\ud800-\udfff]")


def units(text: str, place: int) -> int:
    """Return where Qt has the character `place` of `text`."""
    return all_units(text, (place,))[0]


def all_units(text: str, places: Iterable[int]) -> list[int]:
    """Return where Qt has each of these characters of one text."""
    wide = _wide(text)
    return [place + bisect_left(wide, place) for place in places] if wide else list(places)


def characters(text: str, unit: int) -> int:
    """Return how many characters of `text` stand before Qt's place `unit`; of halves none."""
    wide = _wide(text)
    return unit - bisect_left([place + number for number, place in enumerate(wide)], unit)


def position_of(block: QTextBlock, place: int) -> int:
    """Return the position in the document of the character `place` of a block, or of its end."""
    text = block.text()
    return block.position() + units(text, min(max(0, place), len(text)))


def place_in(block: QTextBlock, position: int) -> int:
    """Return before which character of a block a position of the document is."""
    return characters(block.text(), position - block.position())


def place_of(document: QTextDocument, position: int) -> tuple[int, int]:
    """Return the number of the block at a position, and the character in it."""
    block = document.findBlock(position)
    return block.blockNumber(), place_in(block, position)


def select(cursor: QTextCursor, block: QTextBlock, start: int, end: int) -> None:
    """Let `cursor` select the characters `start` … `end` of a block."""
    cursor.setPosition(position_of(block, start))
    cursor.setPosition(position_of(block, end), QTextCursor.MoveMode.KeepAnchor)


def line_of(text: str) -> str:
    """Return a text on one line, as a block can show it; each character stays one."""
    return _NOT_SHOWN.sub("\ufffd", tidy(text))


def _wide(text: str) -> list[int]:
    """Return the characters of `text` that are two units each."""
    return [] if text.isascii() else [found.start() for found in _WIDE.finditer(text)]
