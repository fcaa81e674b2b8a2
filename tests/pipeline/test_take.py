"""What goes wrong while a take is kept costs neither its text nor its sound."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from app.audio.take_folder import TakeFolder
from app.core.dictation import Outcome
from app.core.errors import LibraryLocked
from app.core.events import Failed
from app.core.recording import RecordingKind
from app.engine.scripted import ScriptedRecognizer
from app.pipeline import spoken_text
from tests.helpers.dictation import Desk, Loads, says, speech


@pytest.fixture
def desk_of(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(recognizer: ScriptedRecognizer) -> Desk:
        desk = Desk(tmp_path / "home", speech(), Loads({"big": recognizer, "small": recognizer}))
        made.append(desk)
        return desk

    yield make
    for desk in made:
        desk.close()


def record(desk: Desk) -> None:
    desk.machine.start(RecordingKind.DICTATION)
    desk.play_to_end()
    desk.machine.stop()


def test_a_rule_for_texts_that_fails_costs_no_text_and_no_model(
    desk_of: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object) -> str:
        raise KeyError("a bug")

    monkeypatch.setattr(spoken_text, "clean", fails)
    heard = says("Um, hello there.")
    desk = desk_of(heard)
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == "Um, hello there."
    assert len(heard.opened) == 1
    desk.settle()
    assert desk.texts() == ["Um, hello there."]


def test_a_library_that_failed_meanwhile_has_all_at_the_end_and_knows_how_far(
    desk_of: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(says("Hello there."))
    append = desk.writer.append_segments

    def fails(*_arguments: object) -> "Future[bool]":
        failed: Future[bool] = Future()
        failed.set_exception(LibraryLocked("It is locked.", "Wait."))
        monkeypatch.setattr(desk.writer, "append_segments", append)
        return failed

    monkeypatch.setattr(desk.writer, "append_segments", fails)
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    desk.settle()
    assert desk.texts() == ["Hello there."]
    (job,) = desk.reader.jobs()
    assert job.done_s > 0  # a retry would not write it again


def test_a_bug_while_the_end_is_written_down_is_told_and_costs_no_text(
    desk_of: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(says("Hello there."))

    def fails(*_arguments: object, **_changes: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(desk.writer, "save_job", fails)
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == "Hello there."
    assert any(isinstance(event, Failed) for event in desk.events)
    take = TakeFolder(desk.paths.recordings / desk.now.take_id)
    desk.until(take.flac.exists)
    desk.settle()
    assert take.journal.exists(), "the library does not know all of it"
