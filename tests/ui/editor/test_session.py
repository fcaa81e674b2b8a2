"""Every edit is saved in order, and nothing is lost when a save fails."""

from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core import edit
from app.core.errors import AppError, DiskFull
from app.core.transcript import Segment
from app.ui.editor.session import EditSession
from tests.core.test_edit import talk
from tests.helpers.ui_fakes import FakeOrganiser


class SlowLibrary(FakeOrganiser):
    """Keeps segments, and answers when it is told to."""

    def __init__(self, segments: list[Segment]) -> None:
        self.kept = list(segments)
        self.calls: list[tuple[int, int | None, tuple[Segment, ...], Future[bool]]] = []
        self.ids: list[str] = []  # of all calls

    def splice_segments(
        self, recording_id: str, first: int, removed: int | None, segments: Sequence[Segment]
    ) -> "Future[bool]":
        future: Future[bool] = Future()
        self.ids.append(recording_id)
        self.calls.append((first, removed, tuple(segments), future))
        return future

    def answer(self, error: AppError | None = None) -> None:
        first, removed, segments, future = self.calls.pop(0)
        if error is not None:
            future.set_exception(error)
            return
        self.kept[first : len(self.kept) if removed is None else first + removed] = segments
        future.set_result(True)


def open_session(library: SlowLibrary) -> EditSession:
    session = EditSession(library)
    session.open("r1", library.kept)
    return session


def test_changes_are_saved_one_after_the_other(qapp: QApplication) -> None:
    library = SlowLibrary(talk(4))
    session = open_session(library)
    session.do(edit.delete(session.segments, 0))
    session.do(edit.merge(session.segments, 1))
    session.undo()
    assert len(library.calls) == 1
    while library.calls:
        library.answer()
    assert library.kept == list(session.segments) == talk(4)[1:]
    assert session.is_saved
    assert session.has_edits


def test_letters_are_saved_together(qtbot: QtBot) -> None:
    library = SlowLibrary(talk(2))
    session = open_session(library)
    for text in ("a", "ab", "abc"):
        session.do(edit.retext(session.segments, 1, text))
    assert library.calls == []
    assert not session.is_saved
    qtbot.waitUntil(lambda: len(library.calls) == 1)
    library.answer()
    assert [each.text for each in library.kept][1] == "abc"
    assert session.is_saved


def test_what_could_not_be_saved_is_saved_as_a_whole_later(qtbot: QtBot) -> None:
    library = SlowLibrary(talk(4))
    session = open_session(library)
    told: list[AppError] = []
    session.failed.connect(told.append)
    session.do(edit.delete(session.segments, 0))
    session.do(edit.delete(session.segments, 0))
    library.answer(DiskFull("full"))
    assert [type(each) for each in told] == [DiskFull]
    assert library.calls == []
    session.do(edit.split(session.segments, 0, 7))
    library.answer()
    assert library.kept == list(session.segments)
    assert session.is_saved


def test_leaving_saves_what_is_left_in_one_piece(qapp: QApplication) -> None:
    library = SlowLibrary(talk(3))
    session = open_session(library)
    session.do(edit.delete(session.segments, 2))
    session.do(edit.retext(session.segments, 0, "typed and left"))
    wanted = list(session.segments)
    session.open("r2", [])
    library.answer()
    library.answer()
    assert library.calls == []
    assert library.kept == wanted
    assert session.is_saved


def test_without_the_right_to_write_nothing_is_edited(qapp: QApplication) -> None:
    session = EditSession(None)
    session.open("r1", talk(2))
    assert not session.do(edit.delete(session.segments, 0))
    assert list(session.segments) == talk(2)


def test_an_edit_is_saved_after_another_recording_was_opened(qtbot: QtBot) -> None:
    library = SlowLibrary(talk(3))
    session = open_session(library)
    told: list[AppError] = []
    session.failed.connect(told.append)
    session.do(edit.delete(session.segments, 0))
    wanted = list(session.segments)
    session.open("r2", talk(1))
    library.answer(DiskFull("full"))
    assert library.ids == ["r1"]
    assert session.is_saved  # the open one
    session.do(edit.retext(session.segments, 0, "other"))
    session.flush()
    library.calls.pop(0)[3].set_result(True)
    session.finish()
    library.answer(DiskFull("still full"))
    assert library.ids == ["r1", "r2", "r1"]
    assert len(told) == 2
    session.finish()
    library.answer()
    assert library.kept == wanted
    session.finish()
    assert library.calls == []


def test_it_is_tried_again_by_itself(qtbot: QtBot) -> None:
    library = SlowLibrary(talk(3))
    session = open_session(library)
    session.do(edit.delete(session.segments, 0))
    wanted = list(session.segments)
    session.again_ms = 1
    session.open("r2", ())
    for _ in range(3):
        library.answer(DiskFull("full"))
        qtbot.waitUntil(lambda: len(library.calls) == 1)
    library.answer()
    assert library.kept == wanted
    assert set(library.ids) == {"r1"}


@pytest.mark.parametrize("is_answered_before", [True, False])
def test_a_recording_that_is_opened_again_has_what_was_not_saved(
    qapp: QApplication, is_answered_before: bool
) -> None:
    library = SlowLibrary(talk(3))
    session = open_session(library)
    session.do(edit.delete(session.segments, 0))
    wanted = list(session.segments)
    session.open("r2", ())
    if is_answered_before:
        library.answer(DiskFull("full"))
    session.open("r1", talk(3))  # as the library still has it
    if not is_answered_before:
        library.answer(DiskFull("full"))
    assert list(session.segments) == wanted
    assert session.has_edits
    session.flush()
    library.answer()
    assert library.kept == wanted
    assert session.is_saved
    assert library.calls == []
