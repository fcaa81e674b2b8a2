"""A removal can be taken back until its time is over."""

from collections.abc import Sequence

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.removal import Removals


@pytest.fixture
def removed() -> list[tuple[str, ...]]:
    return []


def make(removed: list[tuple[str, ...]], undo_ms: int = 10_000) -> Removals:
    def remove(ids: Sequence[str]) -> None:
        removed.append(tuple(ids))

    return Removals(remove, undo_ms=undo_ms)


def test_undo_takes_back_the_latest_first(
    qapp: QApplication, removed: list[tuple[str, ...]]
) -> None:
    removals = make(removed)
    back: list[tuple[str, ...]] = []
    removals.restored.connect(back.append)
    removals.add(["a"], "A")
    removals.add(["b", "c"], "B and C")
    assert removals.pending_count == 3
    removals.undo()
    removals.undo()
    removals.undo()
    assert back == [("b", "c"), ("a",)]
    assert removed == []
    assert removals.latest is None


def test_the_removal_happens_when_its_time_is_over(
    qtbot: QtBot, removed: list[tuple[str, ...]]
) -> None:
    removals = make(removed, undo_ms=1)
    with qtbot.waitSignals([removals.changed, removals.changed]):
        removals.add(["a"], "A")
    assert removed == [("a",)]
    removals.undo()
    assert removed == [("a",)]


def test_closing_finishes_everything_once(
    qapp: QApplication, removed: list[tuple[str, ...]]
) -> None:
    removals = make(removed)
    removals.add(["a"], "A")
    removals.add(["b"], "B")
    removals.finish_all()
    removals.finish_all()
    assert removed == [("a",), ("b",)]


def test_closing_the_banner_finishes_the_latest(
    qapp: QApplication, removed: list[tuple[str, ...]]
) -> None:
    removals = make(removed)
    removals.add(["a"], "A")
    removals.add(["b"], "B")
    removals.finish_latest()
    assert removed == [("b",)]
    assert removals.latest is not None
    assert removals.latest.title == "A"
