"""The desk answers elsewhere; of what was asked again, only the newest counts."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.errors import LibraryDamaged
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.ui.desk import Desk
from tests.library.builders import Library

WAIT = 30


class Slow:
    """A question that is under way until it is broken off or let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.over = threading.Event()
        self.broken_off: list[str] = []

    def ask(self) -> str:
        self.begun.set()
        assert self.over.wait(WAIT)
        return "slow"

    def interrupt(self, thread: threading.Thread) -> None:
        self.broken_off.append(thread.name)
        self.over.set()


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def desk(slow: Slow, qapp: object) -> Iterator[Desk]:
    made = Desk(slow.interrupt)
    yield made
    made.close()


def test_an_answer_comes_in_the_main_thread(desk: Desk, qtbot: QtBot) -> None:
    threads: list[object] = []
    desk.ask("a", threading.current_thread, threads.append)
    desk.ask("b", lambda: 0, lambda _answer: threads.append(threading.current_thread()))
    qtbot.waitUntil(lambda: len(threads) == 2, timeout=WAIT * 1000)
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


def test_the_newest_wins_and_breaks_the_older_off(desk: Desk, slow: Slow, qtbot: QtBot) -> None:
    answers: list[object] = []
    desk.ask("list", slow.ask, answers.append)
    assert slow.begun.wait(WAIT)
    desk.ask("list", lambda: "between", answers.append)
    desk.ask("other", lambda: "other", answers.append)
    desk.ask("list", lambda: "newest", answers.append)
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=WAIT * 1000)
    assert answers == ["other", "newest"]
    assert set(slow.broken_off) == {"library-desk"}


def test_another_question_breaks_nothing_off(desk: Desk, slow: Slow) -> None:
    answers: list[object] = []
    desk.ask("list", slow.ask, answers.append)
    assert slow.begun.wait(WAIT)
    desk.ask("other", lambda: "other", answers.append)
    assert not slow.broken_off
    slow.over.set()
    assert desk.settle(WAIT)
    assert answers == ["slow", "other"]


def test_waiting_for_the_answers_has_an_end(desk: Desk, slow: Slow) -> None:
    answers: list[object] = []
    desk.ask("list", slow.ask, answers.append)
    assert not desk.settle(0.01)
    assert answers == []
    desk.close()
    assert slow.broken_off
    desk.ask("list", lambda: "late", answers.append)
    assert answers == []


def test_what_went_wrong_is_told(desk: Desk, qtbot: QtBot) -> None:
    def fail() -> None:
        raise LibraryDamaged("It is torn.", "Mend it.")

    with qtbot.waitSignal(desk.failed, timeout=WAIT * 1000) as told:
        desk.ask("list", fail, lambda _answer: None)
    assert isinstance(told.args[0], LibraryDamaged)


def test_a_read_of_the_library_is_broken_off(tmp_path: Path, qtbot: QtBot) -> None:
    library = Library(tmp_path / "home" / "library.sqlite")
    library.add("a", "Alpha", "We met in Paris.")
    reader = LibraryReader(tmp_path / "home" / "library.sqlite")
    desk = Desk(reader.interrupt)
    begun = threading.Event()
    answers: list[object] = []
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT COUNT(*) FROM n"

    def read_for_ever() -> object:
        reader.count()
        begun.set()
        return reader._all(endless)

    try:
        desk.ask("list", read_for_ever, answers.append)
        assert begun.wait(WAIT)
        # Until it has begun there is nothing to break off; then the newest is answered.
        while not answers:
            desk.ask("list", lambda: list(reader.numbers(ListQuery("Paris"))), answers.append)
            desk.settle(0.1)
        assert answers == [[1]]
    finally:
        desk.close()
        reader.close()
        library.close()
