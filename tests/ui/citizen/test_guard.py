"""Quitting asks first while something is being recorded."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.dictation import Stage, StageChanged
from app.ui.citizen.guards import QuitGuard


class Recording:
    """As much of a dictation as the guard looks at."""

    def __init__(self, stage: Stage) -> None:
        self.now = StageChanged(stage)


def guard_of(qtbot: QtBot, stage: Stage | None) -> tuple[QuitGuard, Recording | None, list[str]]:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    left: list[str] = []
    recording = Recording(stage) if stage is not None else None
    guard = QuitGuard(recording, window, lambda: left.append("left"), window)  # type: ignore[arg-type]
    return guard, recording, left


@pytest.mark.parametrize("stage", [None, Stage.IDLE, Stage.FINISHING])
def test_nothing_to_lose_means_no_question(qtbot: QtBot, stage: Stage | None) -> None:
    guard, _recording, _left = guard_of(qtbot, stage)
    assert guard.may_quit()
    assert guard.question is None


@pytest.mark.parametrize("stage", [Stage.ARMING, Stage.RECORDING])
def test_a_recording_is_kept_by_escape(qtbot: QtBot, stage: Stage) -> None:
    guard, _recording, left = guard_of(qtbot, stage)
    assert not guard.may_quit()
    assert not guard.may_quit()  # asked again: still one question
    box = guard.question
    assert box is not None
    qtbot.waitUntil(box.isVisible, timeout=5_000)
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert guard.question is None
    assert left == []
    assert not guard.may_quit()


def test_the_default_answer_keeps_recording(qtbot: QtBot) -> None:
    guard, _recording, left = guard_of(qtbot, Stage.RECORDING)
    guard.may_quit()
    box = guard.question
    assert box is not None
    assert box.defaultButton().text() == "Keep Recording"
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert left == []


def test_stop_and_quit_leaves(qtbot: QtBot) -> None:
    guard, _recording, left = guard_of(qtbot, Stage.RECORDING)
    guard.may_quit()
    box = guard.question
    assert box is not None
    stop = next(button for button in box.findChildren(QPushButton) if "Quit" in button.text())
    stop.click()
    assert left == ["left"]
    assert guard.may_quit()


def test_the_question_goes_when_the_recording_ends(qtbot: QtBot) -> None:
    guard, recording, left = guard_of(qtbot, Stage.RECORDING)
    assert recording is not None
    guard.may_quit()
    recording.now = StageChanged(Stage.IDLE)
    guard.on_stage(recording.now)
    assert guard.question is None
    assert left == []
    assert guard.may_quit()
