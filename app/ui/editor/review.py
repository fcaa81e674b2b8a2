"""Going from one doubtful word to another, from wherever the cursor stands.

Nothing is remembered between two steps, so edits, clicks and undo in between cannot lead astray.
"""

from PySide6.QtGui import QTextCursor

from app.ui.editor.marks import WordMarks
from app.ui.units import place_of

Place = tuple[int, int]  # segment and word


def doubtful_places(marks: WordMarks, count: int) -> list[Place]:
    """Return the doubtful words of `count` segments, in order."""
    return [(at, word) for at in range(count) for word in marks.doubtful(at)]


def next_place(marks: WordMarks, places: list[Place], cursor: QTextCursor, by: int) -> int:
    """Return which of `places` comes behind the cursor (`by` 1) or before it (-1), around the end.

    A selected word is neither behind nor before itself.
    """
    edge = cursor.selectionEnd() if by > 0 else cursor.selectionStart()
    at, offset = place_of(cursor.document(), edge)
    if by > 0:
        behind = (
            number
            for number, place in enumerate(places)
            if _start(marks, place, at) >= (at, offset)
        )
        return next(behind, 0)
    before = (
        number
        for number in reversed(range(len(places)))
        if _start(marks, places[number], at) < (at, offset)
    )
    return next(before, len(places) - 1)


def selected_place(marks: WordMarks, places: list[Place], cursor: QTextCursor) -> Place | None:
    """Return the doubtful word that is selected, or that the cursor stands in."""
    at, begin = place_of(cursor.document(), cursor.selectionStart())
    end = place_of(cursor.document(), cursor.selectionEnd())
    for place in places:
        span = marks.span(*place) if place[0] == at else None
        if span is not None and span[0] <= begin and end <= (at, span[1]):
            return place
    return None


def _start(marks: WordMarks, place: Place, at: int) -> tuple[int, int]:
    """Return where a word begins; its place in the line is looked up in the line `at` only."""
    span = marks.span(*place) if place[0] == at else None
    return place[0], span[0] if span is not None else 0
