"""Words fifteen times a second and a moving level keep nobody waiting, and rest costs nothing."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.core.dictation import Outcome, Stage
from app.core.events import SegmentsFinal
from app.core.recording import RecordingKind
from app.core.transcript import Segment
from app.macos.panel import FakePanels
from app.ui.bus import PARTIALS_PER_S
from app.ui.overlay.overlay import Overlay
from tests.helpers.ui_fakes import world_of
from tests.ui.conftest import OpenWindow
from tests.ui.test_stall import STALL_S, Heartbeat, calmest_s

LINE = (
    "so the first thing to say is that nobody expected the river to rise that quickly and when "
    "it did the whole street came out to help carry what could be carried"
)
WORDS = LINE.split()
SECONDS = 1.5
LONG_TALK = " ".join(WORDS * 600)  # more than an hour of it


@pytest.mark.serial
def test_partials_and_level_stall_nothing(open_window: OpenWindow, qtbot: QtBot) -> None:
    def attempt() -> float:
        world = world_of(300)
        window = open_window(world)
        overlay = Overlay(
            world.dictation, world.bus, FakePanels(), is_wanted=lambda: True, parent=window
        )
        take = world.dictation
        take.tell(Stage.RECORDING, kind=RecordingKind.DICTATION)
        before = SegmentsFinal("t1", (Segment(0.0, 3000.0, LONG_TALK),), 3000.0)
        world.bus.segments_final.emit(before)
        said: list[str] = []

        def say() -> None:
            at = len(said)
            take.seconds, take.level = 3000.0 + at / PARTIALS_PER_S, -50.0 + at * 7 % 40
            words = [WORDS[(at // 3 + n) % len(WORDS)] for n in range(at % 40 + 2)]
            take.say(" ".join(words[:-2]), " ".join(words[-2:]), 3000.0)
            said.append(words[-1])

        speaker = QTimer(window)
        speaker.timeout.connect(say)
        speaker.start(1000 // PARTIALS_PER_S)
        heartbeat = Heartbeat(window)
        wanted = int(SECONDS * PARTIALS_PER_S)
        qtbot.waitUntil(lambda: len(said) > wanted and take.polls > wanted, timeout=60_000)
        speaker.stop()
        overlay.close()
        window.close()
        return float(np.percentile(heartbeat.gaps_s, 99))

    assert calmest_s(attempt) <= STALL_S


@pytest.mark.serial
def test_an_hour_of_words_costs_no_more_than_a_minute(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    """What is shown for each partial does not grow with the take."""

    def cost_s(text: str) -> float:
        world = world_of(3)
        window = open_window(world)
        overlay = Overlay(world.dictation, world.bus, FakePanels(), is_wanted=lambda: True)
        take = world.dictation
        take.tell(Stage.RECORDING, kind=RecordingKind.DICTATION)
        world.bus.segments_final.emit(SegmentsFinal("t1", (Segment(0.0, 9.0, text),), 9.0))
        take.say("warm", "up", 9.0)
        overlay.pill.grab()
        start_s = time.thread_time()
        for at in range(30):
            take.say(" ".join(WORDS[: at + 1]), "tail", 9.0)
            overlay.pill.grab()
        spent_s = time.thread_time() - start_s
        overlay.close()
        window.close()
        return spent_s / 30

    assert cost_s(LONG_TALK) <= max(3 * cost_s(" ".join(WORDS)), 0.02)


@pytest.mark.serial
def test_a_closed_window_and_no_take_wake_nothing(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(300)
    window = open_window(world)
    overlay = Overlay(world.dictation, world.bus, FakePanels(), is_wanted=lambda: True)
    world.dictation.tell(Stage.RECORDING)
    world.dictation.tell(Stage.IDLE, outcome=Outcome.NOTHING_HEARD)
    overlay._hide_later.setInterval(0)
    overlay._hide_later.start()
    qtbot.waitUntil(lambda: not overlay.is_shown)
    window.close()
    qtbot.waitUntil(lambda: not _running(window), timeout=20_000)
    assert _running(overlay) == []
    assert _running(window) == []
    overlay.close()


def _running(root: object) -> list[QTimer]:
    assert isinstance(root, Overlay) or hasattr(root, "findChildren")
    found: list[QTimer] = root.findChildren(QTimer)
    return [timer for timer in found if timer.isActive()]
