"""Cycles are looked for in the main thread only, so no Qt object dies in another."""

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.ui.collector import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(500, 10, 10)
    made = Collector()
    yield made
    made.close()
    gc.set_threshold(*before)


def leave_cycles(count: int) -> None:
    for _ in range(count):
        cycle: list[object] = []
        cycle.append(cycle)


def test_cycles_with_qt_objects_die_in_the_main_thread(collector: Collector, qtbot: QtBot) -> None:
    died_in: list[threading.Thread] = []
    held: list[object] = [QObject()]
    held.append(held)
    held[0].destroyed.connect(lambda: died_in.append(threading.current_thread()))  # type: ignore[attr-defined]
    del held
    other = threading.Thread(target=leave_cycles, args=(20_000,))
    other.start()
    other.join()
    assert died_in == []  # the other thread has left cycles enough to look for them many times
    qtbot.waitUntil(lambda: bool(died_in))
    assert died_in == [threading.main_thread()]


def test_the_oldest_that_is_due_is_looked_through(collector: Collector) -> None:
    seen: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            seen.append(about["generation"])

    gc.callbacks.append(note)
    try:
        for _ in range(13):
            leave_cycles(600)
            collector.look()
        collector.look()
    finally:
        gc.callbacks.remove(note)
    assert seen == [0] * 11 + [1] + [0]


def test_python_collects_by_itself_again_afterwards(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.close()
    assert gc.isenabled()
