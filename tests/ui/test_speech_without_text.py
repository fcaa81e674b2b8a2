"""Speech that stays without text is said in the window, with where it is."""

from pytestqt.qtbot import QtBot

from app.core.dictation import Outcome, Stage
from app.core.events import SegmentsFinal
from app.core.job import JobStatus
from app.core.packing import Region
from app.ui.main_window import MainWindow
from app.ui.widgets.banner import Banner
from tests.helpers.ui_fakes import World, job, recording, running, world_of
from tests.ui.conftest import OpenWindow

LOST = (Region(65.2, 68.0), Region(125.0, 127.5))


def banner_of(window: MainWindow) -> Banner | None:
    return window.parts.banners.banner("speech_without_text")


def end_job(world: World, at: int, status: JobStatus, missing: tuple[Region, ...]) -> None:
    world.tell_job(running(at))
    world.bus.segments_final.emit(SegmentsFinal(f"j{at:06d}", (), 200.0, missing=missing))
    world.tell_job(job(at, status=status))


def lines_of(window: MainWindow) -> list[str]:
    banner = banner_of(window)
    assert banner is not None
    return [label.text() for label in banner.labels[1:]]


def test_a_job_that_is_done_tells_where(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    window = open_window(world)
    end_job(world, 1, JobStatus.DONE, LOST)
    qtbot.waitUntil(lambda: window.board.is_settled)
    assert lines_of(window) == ["Recording 1: 1:05 – 1:08, 2:05 – 2:07"]


def test_all_is_said_until_it_was_seen(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(9)
    window = open_window(world)
    for at in range(6):
        end_job(world, at, JobStatus.DONE, LOST[:1])
    qtbot.waitUntil(lambda: window.board.is_settled)
    lines = lines_of(window)
    assert lines[0] == "Recording 5: 1:05 – 1:08"
    assert lines[-1] == "… and 2 more."
    banner = banner_of(window)
    assert banner is not None
    banner.close_button.click()
    end_job(world, 7, JobStatus.DONE, LOST[:1])
    qtbot.waitUntil(lambda: window.board.is_settled)
    assert lines_of(window) == ["Recording 7: 1:05 – 1:08"]


def test_show_opens_the_recording(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    window = open_window(world)
    end_job(world, 2, JobStatus.DONE, LOST)
    qtbot.waitUntil(lambda: window.board.is_settled)
    banner = banner_of(window)
    assert banner is not None
    banner.buttons[0].click()
    qtbot.waitUntil(lambda: window.browser.opened_id == "r000002")


def test_what_ended_otherwise_or_lacks_nothing_is_not_told(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = world_of(3)
    window = open_window(world)
    end_job(world, 0, JobStatus.DONE, ())
    end_job(world, 1, JobStatus.CANCELLED, LOST)
    qtbot.waitUntil(lambda: window.board.is_settled)
    assert banner_of(window) is None


def test_a_take_tells_when_it_is_over(open_window: OpenWindow) -> None:
    world = world_of(3)
    world.library.put(recording(50, "A thought"))
    window = open_window(world)
    take = world.dictation
    take.tell(Stage.RECORDING, take_id="r000050")
    world.bus.segments_final.emit(SegmentsFinal("r000050", (), 5.0, missing=LOST[:1]))
    take.tell(Stage.FINISHING, take_id="r000050")
    assert banner_of(window) is None
    take.tell(Stage.IDLE, outcome=Outcome.INSERTED, recording_id="r000050")
    assert lines_of(window) == ["A thought: 1:05 – 1:08"]
