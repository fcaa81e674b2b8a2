"""Events posted from anywhere reach the main thread as signals, in order, partials thinned out."""

import threading
import typing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QThread, SignalInstance
from pytestqt.qtbot import QtBot

from app.core.backup import BackupChanged
from app.core.dictation import Stage, StageChanged
from app.core.download import Download
from app.core.errors import EngineFailed
from app.core.events import (
    DownloadChanged,
    Event,
    Exported,
    Failed,
    FilesChecked,
    JobChanged,
    JobEnded,
    LibraryChanged,
    ModelChanged,
    ModelsChanged,
    ModelState,
    PartialChanged,
    SegmentsFinal,
    TakesRecovered,
)
from app.core.job import Job
from app.ui.bus import PARTIALS_PER_S, Bus

ONE_OF_EACH: dict[str, Event] = {
    "segments_final": SegmentsFinal("j", (), 1.0),
    "partial_changed": PartialChanged("t", "a", "b", 0.0),
    "job_changed": JobChanged(Job("j", "r", "Talk", "auto", "auto")),
    "job_ended": JobEnded("j"),
    "model_changed": ModelChanged("m", ModelState.READY),
    "download_changed": DownloadChanged(Download("m", "Model")),
    "models_changed": ModelsChanged(),
    "library_changed": LibraryChanged(frozenset({"recordings"})),
    "files_checked": FilesChecked(()),
    "exported": Exported((Path("a.txt"),)),
    "stage_changed": StageChanged(),
    "takes_recovered": TakesRecovered(("r",)),
    "backup_changed": BackupChanged(),
    "failed": Failed(EngineFailed("It failed.")),
}


class Ear(QObject):
    """Writes down what it hears and where."""

    def __init__(self, *signals: SignalInstance) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.threads: set[QThread] = set()
        for signal in signals:
            signal.connect(self._on_heard)

    def _on_heard(self, event: object) -> None:
        self.heard.append(event)
        self.threads.add(QThread.currentThread())


@pytest.fixture
def bus(qapp: QCoreApplication) -> typing.Iterator[Bus]:
    bus = Bus()
    yield bus
    bus.close()


def test_every_event_has_its_signal(bus: Bus, qtbot: QtBot) -> None:
    assert {type(event) for event in ONE_OF_EACH.values()} == set(typing.get_args(Event))
    for name, event in ONE_OF_EACH.items():
        with qtbot.waitSignal(getattr(bus, name), timeout=10_000) as waited:
            bus.post(event)
        assert waited.args == [event]


def test_events_come_in_order_in_the_main_thread(
    bus: Bus, qtbot: QtBot, qapp: QCoreApplication
) -> None:
    ear = Ear(bus.segments_final, bus.job_ended)
    facts: list[Event] = [SegmentsFinal("j", (), float(number)) for number in range(500)]
    end = JobEnded("j")

    def post_all() -> None:
        for fact in [*facts, end]:
            bus.post(fact)

    poster = threading.Thread(target=post_all)
    with qtbot.waitSignal(bus.job_ended, timeout=20_000):
        poster.start()
    poster.join()
    assert ear.heard == [*facts, end]
    assert ear.threads == {qapp.thread()}


def test_nothing_is_told_within_post(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.job_ended)
    bus.post(JobEnded("j"))
    assert ear.heard == []
    qtbot.waitUntil(lambda: ear.heard == [JobEnded("j")])


def test_nothing_is_lost_when_many_threads_post(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.job_ended)
    with ThreadPoolExecutor(4) as pool:
        for number in range(1000):
            pool.submit(bus.post, JobEnded(str(number)))
        qtbot.waitUntil(lambda: len(ear.heard) == 1000)
    assert len({event.job_id for event in ear.heard if isinstance(event, JobEnded)}) == 1000


def test_partials_are_thinned_out_and_the_newest_wins(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.partial_changed)
    first, *_, last = partials = [PartialChanged("t", "", str(n), 0.0) for n in range(200)]
    for partial in partials:
        bus.post(partial)
    with qtbot.waitSignal(bus.partial_changed, timeout=10_000):
        pass
    assert ear.heard == [first]
    qtbot.waitUntil(lambda: len(ear.heard) > 1)
    assert ear.heard == [first, last]
    assert PARTIALS_PER_S == 15


def test_takes_do_not_hide_each_other(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.partial_changed)
    for number in range(10):
        bus.post(PartialChanged("a", "", str(number), 0.0))
        bus.post(PartialChanged("b", "", str(number), 0.0))
    wanted = {PartialChanged("a", "", "9", 0.0), PartialChanged("b", "", "9", 0.0)}
    qtbot.waitUntil(lambda: wanted <= set(ear.heard))


def test_no_partial_comes_after_the_final_that_replaces_it(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.partial_changed, bus.segments_final, bus.job_ended)
    final = SegmentsFinal("t", (), 1.0)
    posted: list[Event] = [PartialChanged("t", "", str(n), 0.0) for n in range(3)]
    for event in (*posted, final, JobEnded("t")):
        bus.post(event)
    with qtbot.waitSignal(bus.job_ended, timeout=10_000):
        pass
    assert ear.heard == [posted[0], posted[2], final, JobEnded("t")]
    assert not bus._pause.isActive() or not bus._partials


def test_no_partial_comes_after_the_take_has_ended(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.partial_changed, bus.stage_changed)
    end = StageChanged(Stage.IDLE, "t")
    posted: list[Event] = [PartialChanged("t", "", str(n), 0.0) for n in range(3)]
    for event in (*posted, end):
        bus.post(event)
    with qtbot.waitSignal(bus.stage_changed, timeout=10_000):
        pass
    assert ear.heard == [posted[0], posted[2], end]


def test_a_closed_bus_is_silent(bus: Bus, qtbot: QtBot) -> None:
    ear = Ear(bus.job_ended, bus.partial_changed)
    bus.post(JobEnded("before"))
    bus.close()
    bus.post(JobEnded("after"))
    qtbot.wait(20)
    assert ear.heard == []
