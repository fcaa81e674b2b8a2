"""The engine on a QThread: windows stay awake, cancelling is quick, the end is clean."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt, QThread, QTimer
from pytestqt.qtbot import QtBot

from app.core.events import JobEnded
from app.core.job import Priority
from app.engine.loop import EngineLoop, Steps
from app.ui.bus import Bus
from app.ui.engine_thread import EngineThread
from tests.helpers.device_work import multiply

LONGEST_STALL_S = 0.05


class Pulse(QObject):
    """Ticks every 5 ms and keeps the longest pause between two ticks."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_s = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start(5)

    def _on_tick(self) -> None:
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self._last)
        self._last = now


class Engine:
    """A hosted loop and the bus its facts come up through."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.loop = EngineLoop(self.bus.post)
        self.thread = EngineThread(self.loop)

    def close(self) -> None:
        self.thread.stop()
        self.bus.close()


@pytest.fixture
def engine(qapp: QCoreApplication) -> Iterator[Engine]:
    engine = Engine()
    engine.thread.start()
    yield engine
    engine.close()


def test_jobs_run_on_the_engine_thread_and_end(engine: Engine, qtbot: QtBot) -> None:
    where: list[bool] = []

    def work() -> Steps:
        where.append(QThread.currentThread() is not engine.bus.thread())
        yield None

    with qtbot.waitSignal(engine.bus.job_ended, timeout=20_000) as waited:
        engine.loop.submit("a", Priority.FILE, work)
    assert waited.args == [JobEnded("a")]
    assert where == [True]


@pytest.mark.serial
def test_windows_stay_awake_during_inference(engine: Engine, qtbot: QtBot) -> None:
    stalls = []
    for attempt in range(5):  # another program may steal the machine for a moment
        pulse = Pulse()
        with qtbot.waitSignal(engine.bus.job_ended, timeout=60_000):
            engine.loop.submit(str(attempt), Priority.FILE, lambda: multiply("a", 30))
        stalls.append(pulse.longest_s)
        if stalls[-1] <= LONGEST_STALL_S:
            return
    pytest.fail(f"the windows stood still for {stalls} s")


def test_cancel_takes_at_most_the_step_that_is_running(engine: Engine, qtbot: QtBot) -> None:
    taken = []

    def work() -> Steps:
        for fact in multiply("a", 10_000):
            taken.append(fact)
            yield fact

    with qtbot.waitSignal(engine.bus.segments_final, timeout=10_000):
        engine.loop.submit("a", Priority.FILE, work)
    with qtbot.waitSignal(engine.bus.job_ended, timeout=10_000) as waited:
        engine.loop.cancel("a")
        at_cancel = len(taken)
    assert waited.args == [JobEnded("a", was_cancelled=True)]
    assert len(taken) <= at_cancel + 1


def test_stop_waits_for_the_running_step_and_closes_the_job(qapp: QCoreApplication) -> None:
    closed = []
    has_begun = threading.Event()

    def work() -> Steps:
        try:
            while True:
                has_begun.set()
                yield None
        finally:
            closed.append(QThread.currentThread().objectName())

    engine = Engine()
    engine.loop.submit("a", Priority.FILE, work)
    engine.thread.start()
    assert has_begun.wait(5)
    engine.close()
    assert closed == ["engine"]
    assert engine.thread.isFinished()


QUIT_IN_THE_MIDDLE = """
import sys
from PySide6.QtCore import QCoreApplication
from app.core.job import Priority
from app.engine.loop import EngineLoop
from app.ui.bus import Bus
from app.ui.engine_thread import EngineThread
from tests.helpers.device_work import multiply

application = QCoreApplication([])
bus = Bus()
loop = EngineLoop(bus.post)
engine = EngineThread(loop)
bus.segments_final.connect(application.quit)
loop.submit("a", Priority.FILE, lambda: multiply("a", 10_000))
engine.start()
assert application.exec() == 0
engine.stop()
bus.close()
assert "mlx.core" in sys.modules
print("ended")
"""


def _quit_once(_: int) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", QUIT_IN_THE_MIDDLE], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_the_process_ends_cleanly_20_times_of_20() -> None:
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(_quit_once, range(20)))
    assert ends == [(0, "ended\n", "")] * 20
