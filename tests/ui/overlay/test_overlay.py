"""The overlay shows each state of a take, takes no focus and no click, and rests when idle."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.core.dictation import Outcome, Stage
from app.core.errors import AudioError
from app.core.events import SegmentsFinal
from app.core.recording import RecordingKind
from app.core.transcript import Segment
from app.macos.panel import FakePanels
from app.ui import theme
from app.ui.live.wording import Act
from app.ui.overlay import overlay as overlay_module
from app.ui.overlay.overlay import Overlay
from app.ui.overlay.place import bottom_centre
from tests.helpers.ui_fakes import World

SILENT = AudioError("The microphone “{name}” is silent.", "Check it.", name="AirPods")


class Scene:
    """An overlay and what it is given."""

    def __init__(self, *, is_calm: bool = False) -> None:
        self.world = World()
        self.take = self.world.dictation
        self.panels = FakePanels()
        self.is_wanted = True
        self.overlay = Overlay(
            self.take,
            self.world.bus,
            self.panels,
            is_wanted=lambda: self.is_wanted,
            is_calm=is_calm,
        )
        self.said: list[str] = []
        self.overlay.announcer.announced.connect(self.said.append)

    @property
    def word(self) -> str:
        content = self.overlay.pill.content
        return content.face.state if content and self.overlay.is_shown else ""


@pytest.fixture
def scene(qapp: QApplication) -> Iterator[Scene]:
    made = Scene()
    yield made
    made.overlay.close()


def test_it_follows_a_take_from_start_to_end(scene: Scene) -> None:
    assert not scene.overlay.is_shown
    words = []
    for stage in (Stage.ARMING, Stage.RECORDING, Stage.FINISHING):
        scene.take.tell(stage)
        words.append(scene.word)
    scene.take.tell(Stage.IDLE, outcome=Outcome.INSERTED, text="Good morning.")
    assert [*words, scene.word] == ["Starting…", "Ready", "Finishing…", "Inserted"]
    assert scene.overlay.pill.accessibleDescription() == "Inserted Good morning."


def test_it_shows_what_was_said(scene: Scene) -> None:
    scene.take.tell(Stage.RECORDING)
    scene.take.say("So the first", "thing")
    content = scene.overlay.pill.content
    assert content is not None
    assert (content.committed, content.tail) == ("So the first", "thing")
    scene.world.bus.segments_final.emit(
        SegmentsFinal("t1", (Segment(0.0, 2.0, "So, the first thing."),), 2.0)
    )
    content = scene.overlay.pill.content
    assert content is not None
    assert (content.committed, content.tail) == ("So, the first thing.", "")


def test_words_of_the_last_take_are_gone(scene: Scene) -> None:
    scene.take.tell(Stage.RECORDING)
    scene.take.say("Old words")
    scene.take.tell(Stage.RECORDING, take_id="t2")
    content = scene.overlay.pill.content
    assert content is not None
    assert not content.has_words


def test_its_windows_take_no_focus_and_the_pill_no_click(scene: Scene, qtbot: QtBot) -> None:
    field = QLineEdit()
    qtbot.addWidget(field)
    field.show()
    field.activateWindow()
    qtbot.waitUntil(lambda: QGuiApplication.focusWindow() is field.windowHandle())
    scene.take.tell(Stage.RECORDING)
    scene.take.tell(Stage.IDLE, outcome=Outcome.CANCELLED, can_undo=True)
    assert scene.overlay.buttons.isVisible()
    assert QGuiApplication.focusWindow() is field.windowHandle()
    for window in (scene.overlay.pill, scene.overlay.buttons):
        assert window.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
        assert window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert scene.overlay.pill.windowFlags() & Qt.WindowType.WindowTransparentForInput
    assert not scene.overlay.buttons.windowFlags() & Qt.WindowType.WindowTransparentForInput
    assert len(scene.panels.touched) == 2


def test_undo_and_retry_are_clicked(scene: Scene) -> None:
    for outcome, able, act, call in (
        (Outcome.CANCELLED, "can_undo", Act.UNDO, "undo_cancel"),
        (Outcome.UNTRANSCRIBED, "can_retry", Act.RETRY, "retry"),
    ):
        scene.take.tell(Stage.IDLE, outcome=outcome, **{able: True})
        (button,) = scene.overlay.buttons.buttons
        assert button.act is act
        assert scene.overlay.buttons.geometry().intersects(scene.overlay.pill.geometry())
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert scene.take.names()[-1] == call


def test_nothing_ticks_unless_something_is_recorded_and_seen(scene: Scene) -> None:
    ticker = scene.overlay.ticker
    active = []
    for stage, changes in (
        (Stage.ARMING, {}),
        (Stage.RECORDING, {}),
        (Stage.RECORDING, {"is_paused": True}),
        (Stage.FINISHING, {}),
        (Stage.IDLE, {"outcome": Outcome.SAVED}),
    ):
        scene.take.tell(stage, **changes)
        active.append(ticker.isActive())
    assert active == [False, True, False, True, False]
    scene.is_wanted = False
    scene.take.tell(Stage.RECORDING, take_id="t2")
    assert not ticker.isActive()
    assert not scene.overlay.is_shown


def test_the_level_moves_and_only_it_is_painted_anew(scene: Scene, qtbot: QtBot) -> None:
    scene.take.level = -20.0
    scene.take.tell(Stage.RECORDING)
    qtbot.waitUntil(lambda: scene.overlay.pill.trace.latest > 0.5)
    assert scene.take.polls > 0


def test_the_seconds_go_on(scene: Scene, qtbot: QtBot) -> None:
    scene.take.tell(Stage.RECORDING)
    assert scene.word == "Ready"
    scene.take.seconds = 65.2
    qtbot.waitUntil(lambda: scene.word == "Listening")
    assert scene.overlay.pill.content is not None
    assert scene.overlay.pill.content.seconds == 65


def test_the_end_is_shown_for_a_while_and_then_gone(
    scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(overlay_module._STAY_MS, Outcome.SAVED, 30)
    scene.take.tell(Stage.RECORDING)
    scene.take.tell(Stage.IDLE, outcome=Outcome.SAVED)
    assert scene.overlay.is_shown
    qtbot.waitUntil(lambda: not scene.overlay.is_shown)
    scene.world.bus.segments_final.emit(SegmentsFinal("t1", (Segment(0, 1, "Late."),), 1.0))
    assert not scene.overlay.is_shown


def test_a_new_take_outlives_the_end_of_the_last(
    scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(overlay_module._STAY_MS, Outcome.SAVED, 1)
    scene.take.tell(Stage.IDLE, outcome=Outcome.SAVED)
    scene.take.tell(Stage.RECORDING, take_id="t2")
    qtbot.wait(20)
    assert scene.word == "Ready"


def test_our_own_window_shows_a_quick_record_itself(
    scene: Scene, qtbot: QtBot, qapp: QApplication
) -> None:
    scene.take.tell(Stage.RECORDING, kind=RecordingKind.QUICK)
    assert scene.overlay.is_shown
    field = QLineEdit()
    qtbot.addWidget(field)
    field.show()
    field.activateWindow()
    qtbot.waitUntil(lambda: not scene.overlay.is_shown)
    field.close()
    qapp.focusWindowChanged.emit(None)  # as desktops tell it; the offscreen one forgets to
    assert scene.overlay.is_shown


def test_states_are_announced_once(scene: Scene) -> None:
    scene.take.tell(Stage.ARMING)
    scene.take.tell(Stage.RECORDING)
    scene.take.tell(Stage.RECORDING)
    scene.take.tell(Stage.RECORDING, problem=SILENT)
    scene.take.tell(Stage.FINISHING)
    scene.take.tell(Stage.IDLE, outcome=Outcome.INSERTED, text="Good morning.")
    assert scene.said == [
        "Ready.",
        "Ready. The microphone “AirPods” is silent. Check it.",
        "Finishing.",
        "Inserted. Good morning.",
    ]


def test_less_motion_ticks_seldom_and_draws_steps(qapp: QApplication) -> None:
    scene = Scene(is_calm=True)
    assert scene.overlay.ticker.interval() >= 250
    scene.take.tell(Stage.RECORDING)
    assert not scene.overlay.pill.grab().isNull()
    scene.overlay.close()


def test_it_survives_that_every_screen_is_gone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    for area in (None, QRect(0, 0, 1440, 900), None, QRect(1440, 0, 1920, 1080)):
        monkeypatch.setattr(overlay_module, "screen_area", lambda area=area: area)
        scene.overlay._on_screens_changed()
        scene.take.tell(Stage.RECORDING)
        shown.append(scene.overlay.is_shown)
    assert shown == [False, True, False, True]
    assert scene.overlay.pill.geometry().center().x() == pytest.approx(1440 + 960, abs=2)


def test_it_goes_to_the_screen_with_the_pointer(
    scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    area = [QRect(0, 0, 1440, 900)]
    monkeypatch.setattr(overlay_module, "screen_area", lambda: area[0])
    scene.take.tell(Stage.RECORDING)
    area[0] = QRect(1440, 200, 1920, 1080)
    qtbot.waitUntil(lambda: scene.overlay.pill.x() >= 1440)


@pytest.mark.parametrize("area", [QRect(0, 25, 1440, 800), QRect(-800, 0, 600, 60)])
def test_it_lies_at_the_bottom_centre(area: QRect) -> None:
    size = QSize(664, 84)
    where = QRect(bottom_centre(size, area), size)
    assert abs(where.center().x() - area.center().x()) <= 1
    assert where.top() >= area.top()
    assert where.bottom() <= area.bottom() or area.height() < size.height() + 22


HOSTILE = (
    "<b>bold</b> & <img src='file:///x'>",
    "שלום לכולם היום נדבר על הנהר " * 20,
    "Donaudampfschifffahrtsgesellschaft" * 20,
    "🚀" * 400,
    "\u202etxet desrever\n\n\x07",
    "a",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_stays_within_the_pill(scene: Scene, text: str) -> None:
    theme.use_appearance("light")
    scene.take.tell(Stage.RECORDING)
    scene.take.say(text, text)
    pill = scene.overlay.pill
    image = pill.grab().toImage()
    outside = QPoint(int(pill.outline.left()) - 4, int(pill.outline.center().y()))
    assert image.pixelColor(outside).alpha() == 0
    assert pill.outline.width() <= 640
    scene.take.tell(Stage.IDLE, outcome=Outcome.INSERTED, text=text)
    assert pill.outline.width() <= 640
    assert not pill.grab().isNull()


def test_the_end_of_a_long_text_is_seen(scene: Scene) -> None:
    pictures = []
    for tail in ("river", "shore"):
        scene.take.tell(Stage.RECORDING, take_id=tail)
        scene.take.say("and so it went on for ever " * 500, tail)
        pictures.append(scene.overlay.pill.grab().toImage())
    assert pictures[0] != pictures[1]
