"""Recording from the main window: by button, by key, and what is told of the take."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.dictation import Outcome, Stage
from app.core.errors import AudioError, EngineHung
from app.core.events import SegmentsFinal, TakesRecovered
from app.core.recording import RecordingKind, RecordingStatus
from app.core.transcript import Segment, Transcript
from app.ui.live.pane import LivePane
from app.ui.live.text import LiveText
from app.ui.main_window import MainWindow
from app.ui.widgets.banner import Banner
from tests.helpers.ui_fakes import World, recording, world_of
from tests.ui.conftest import OpenWindow

SILENT = AudioError(
    "Undertone can't hear the microphone “{name}”. It has been silent for {seconds} seconds.",
    "Check it.",
    name="AirPods Pro",
    seconds=10,
)


def pane_of(window: MainWindow) -> LivePane:
    assert window.parts.live is not None
    return window.parts.live


def banner_of(window: MainWindow, name: str = "take") -> Banner:
    banner = window.parts.banners.banner(name) or window.parts.notices.banner(name)
    assert banner is not None
    return banner


def test_the_button_starts_and_stops(open_window: OpenWindow) -> None:
    world = World()
    window = open_window(world)
    button = window.parts.toolbar.record_button
    button.click()
    assert world.dictation.calls == [("start", RecordingKind.QUICK)]
    world.dictation.tell(Stage.RECORDING, kind=RecordingKind.QUICK)
    assert button.text() == "Stop"
    button.click()
    assert world.dictation.names() == ["start", "stop"]
    world.dictation.tell(Stage.IDLE)
    assert button.text() == "Record"


@pytest.mark.parametrize("key", [Qt.Key.Key_R, Qt.Key.Key_N])
def test_keys_record_from_the_list(open_window: OpenWindow, key: Qt.Key) -> None:
    world = world_of(3)
    window = open_window(world)
    window.parts.library.list.setFocus()
    held = Qt.KeyboardModifier.ControlModifier if key is Qt.Key.Key_N else Qt.KeyboardModifier(0)
    QTest.keyClick(window.parts.library.list, key, held)
    assert world.dictation.names() == ["start"]


def test_an_r_that_is_typed_is_a_letter(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    field = window.parts.toolbar.search_field
    field.setFocus()
    QTest.keyClicks(field, "river")
    assert field.text() == "river"
    assert world.dictation.calls == []


def test_the_pane_is_there_while_a_take_runs(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    pane = pane_of(window)
    seen = [pane.isVisible()]
    for stage in (Stage.ARMING, Stage.RECORDING, Stage.FINISHING, Stage.IDLE):
        world.dictation.tell(stage)
        seen.append(pane.isVisible())
    assert seen == [False, True, True, True, False]
    assert not pane.meter.timer.isActive()


def test_the_pane_shows_words_level_time_and_device(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    window = open_window(world)
    take, pane = world.dictation, pane_of(window)
    take.seconds, take.level = 65.0, -20.0
    take.tell(Stage.RECORDING, kind=RecordingKind.QUICK, device="Yeti")
    take.say("So the first", "thing")
    assert pane.text.toPlainText() == "So the first thing"
    world.bus.segments_final.emit(SegmentsFinal("t1", (Segment(0, 2, "So, the first."),), 2.0))
    assert pane.text.toPlainText() == "So, the first."
    assert (pane.time_label.text(), pane.state_label.text()) == ("1:05", "Listening")
    assert pane.device_label.text() == "Yeti"
    qtbot.waitUntil(lambda: pane.meter.trace.latest > 0.5)


def test_pause_stop_and_cancel(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    take, pane = world.dictation, pane_of(window)
    take.tell(Stage.RECORDING)
    pane.pause_button.click()
    take.tell(Stage.RECORDING, is_paused=True)
    assert pane.pause_button.text() == "Resume"
    assert not pane.meter.timer.isActive()
    pane.pause_button.click()
    pane.stop_button.click()
    pane.cancel_button.click()
    assert take.names() == ["pause", "resume", "stop", "cancel"]


def test_the_menu_does_the_same(open_window: OpenWindow) -> None:
    world = world_of(3)
    menus = open_window(world).menus
    take = world.dictation
    assert (menus.record.isEnabled(), menus.pause_take.isEnabled()) == (True, False)
    take.tell(Stage.RECORDING)
    assert menus.record.text() == "&Stop Recording"
    menus.pause_take.trigger()
    take.tell(Stage.RECORDING, is_paused=True)
    menus.pause_take.trigger()
    menus.record.trigger()
    menus.cancel_take.trigger()
    assert take.names() == ["pause", "resume", "stop", "cancel"]


def test_a_silent_microphone_offers_the_built_in_one(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    world.dictation.tell(Stage.RECORDING, device="AirPods Pro", problem=SILENT)
    banner = pane_of(window).banners.banner("problem")
    assert banner is not None
    assert banner.message.startswith("Undertone can't hear the microphone “AirPods Pro”.")
    (button,) = banner.buttons
    assert button.text() == "Use Built-in Microphone"
    button.click()
    assert world.commands.settings.microphone == "builtin\tBuilt-in Microphone"
    world.dictation.tell(Stage.RECORDING, device="Built-in Microphone")
    assert pane_of(window).banners.banner("problem") is None


def test_the_built_in_microphone_is_not_offered_in_place_of_itself(
    open_window: OpenWindow,
) -> None:
    world = world_of(3)
    window = open_window(world)
    world.dictation.tell(Stage.RECORDING, device="Built-in Microphone", problem=SILENT)
    banner = pane_of(window).banners.banner("problem")
    assert banner is not None
    assert banner.buttons == []


def test_a_cancelled_take_can_be_had_back(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    world.dictation.tell(Stage.RECORDING)
    world.dictation.tell(Stage.IDLE, outcome=Outcome.CANCELLED, can_undo=True)
    banner = banner_of(window)
    assert [label.text() for label in banner.labels] == ["Cancelled", "It is kept in the bin."]
    banner.buttons[0].click()
    assert world.dictation.names() == ["undo_cancel"]
    assert window.parts.notices.banner("take") is None


def test_a_take_without_text_can_be_transcribed_later(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    world.dictation.tell(Stage.RECORDING)
    world.dictation.tell(Stage.IDLE, outcome=Outcome.UNTRANSCRIBED, can_retry=True)
    banner = banner_of(window)
    assert banner.labels[1].text() == "The sound is kept. It can be transcribed later."
    banner.buttons[0].click()
    assert world.dictation.names() == ["retry"]


def test_why_nothing_was_recorded(open_window: OpenWindow) -> None:
    world = World()
    window = open_window(world)
    problem = AudioError("No microphone is connected.", "Plug one in.")
    world.dictation.tell(Stage.ARMING)
    world.dictation.tell(Stage.IDLE, outcome=Outcome.FAILED, problem=problem)
    banner = banner_of(window)
    assert banner.tone == "error"
    assert banner.labels[1].text() == "No microphone is connected. Plug one in."
    world.dictation.tell(Stage.ARMING, take_id="t2")
    assert window.parts.banners.banner("take") is None


def test_a_quick_record_is_opened_when_it_is_there(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    window = open_window(world)
    world.dictation.tell(Stage.RECORDING, kind=RecordingKind.QUICK)
    world.dictation.tell(
        Stage.IDLE, outcome=Outcome.SAVED, kind=RecordingKind.QUICK, recording_id="r000009"
    )
    made = recording(9, "Quick note", kind=RecordingKind.QUICK, status=RecordingStatus.DONE)
    world.library.put(made, Transcript((Segment(0, 1, "Call the printer."),), "en", "nano"))
    world.tell_library("r000009")
    qtbot.waitUntil(lambda: window.browser.opened_id == "r000009")


def test_recovered_takes_are_offered(open_window: OpenWindow) -> None:
    world = world_of(3)
    window = open_window(world)
    world.bus.takes_recovered.emit(TakesRecovered(()))
    assert window.parts.banners.banner("recovered") is None
    world.bus.takes_recovered.emit(TakesRecovered(("r000001", "r000002")))
    banner = banner_of(window, "recovered")
    assert banner.message.startswith("2 recordings were found")
    banner.buttons[0].click()
    assert world.commands.calls == [("retry", "r000001"), ("retry", "r000002")]
    assert window.parts.banners.banner("recovered") is None


@pytest.mark.parametrize("stage", [Stage.FINISHING, Stage.IDLE])
def test_a_hung_engine_offers_a_new_start(open_window: OpenWindow, stage: Stage) -> None:
    world = world_of(3)
    window = open_window(world)
    problem = EngineHung("The model does not answer.", "Start Undertone again.")
    world.dictation.tell(Stage.RECORDING)
    outcome = Outcome.UNTRANSCRIBED if stage is Stage.IDLE else None
    world.dictation.tell(stage, outcome=outcome, problem=problem)
    banner = pane_of(window).banners.banner("problem")
    if stage is Stage.IDLE:
        banner = banner_of(window)
    assert banner is not None
    (button,) = banner.buttons
    assert button.text() == "Start Undertone Again"
    button.click()
    assert world.commands.calls == [("relaunch",)]


def test_without_dictation_nothing_offers_to_record(open_window: OpenWindow) -> None:
    window = open_window(World(has_dictation=False))
    assert window.parts.live is None
    assert not window.parts.toolbar.record_button.isVisible()
    assert not window.menus.record.isVisible()


def test_a_take_that_runs_already_is_shown(open_window: OpenWindow) -> None:
    world = World()
    world.dictation.tell(Stage.RECORDING)
    window = open_window(world)
    assert pane_of(window).isVisible()


def test_only_the_end_of_a_long_take_is_laid_out(qtbot: QtBot) -> None:
    text = LiveText()
    qtbot.addWidget(text)
    text.show_words("word " * 20_000, "tail 🚀")
    shown = text.toPlainText()
    assert shown.startswith("… word")
    assert shown.endswith("word  tail 🚀")
    assert len(shown) < 1600


def test_words_in_full_ink_are_not_written_again(qtbot: QtBot) -> None:
    text = LiveText()
    qtbot.addWidget(text)
    seen = []
    text.show_words("So 🚀 the", "fist")
    text.document().contentsChange.connect(lambda at, removed, added: seen.append(at))
    text.show_words("So 🚀 the first", "thing")
    assert text.toPlainText() == "So 🚀 the first thing"
    assert min(seen) == len("So 🚀 the") + 1  # an emoji is two units
    text.show_words("So", "")
    assert text.toPlainText() == "So"
    text.refresh_colors()
    assert text.toPlainText() == "So"
