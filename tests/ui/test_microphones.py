"""The windows learn which microphones there are and how loud one is, and never wait for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.audio.devices import Device, FakeDevices
from app.audio.microphone import FakeMicrophone
from app.config.settings import Settings
from app.core.errors import AudioError
from app.ui.microphones import SystemMicrophones

RATE = 16_000
BUILT_IN = Device("b", "Built-in", RATE, is_builtin=True, is_default=True)
YETI = Device("y", "Yeti", RATE)


class Scene:
    """Two microphones, one of which can be tried."""

    def __init__(self, samples: np.ndarray) -> None:
        self.devices = FakeDevices(BUILT_IN, YETI)
        self.microphone = FakeMicrophone(samples, loops=True)
        self.settings = Settings(microphone="y\tYeti")
        self.pool = ThreadPoolExecutor(2)
        self.found = SystemMicrophones(
            self.devices, self.microphone, self.pool, lambda: self.settings
        )

    def close(self) -> None:
        self.found.close()
        self.pool.shutdown()


@pytest.fixture
def scene(qtbot: QtBot) -> Iterator[Scene]:
    tone = np.sin(np.arange(RATE) / 10) * 8000
    made = Scene(tone.astype(np.int16))
    yield made
    made.close()


def test_the_microphones_are_listed(scene: Scene, qtbot: QtBot) -> None:
    assert not scene.found.choices
    with qtbot.waitSignal(scene.found.changed, timeout=10_000):
        scene.found.look_again()
    assert [choice.name for choice in scene.found.choices] == ["Built-in", "Yeti"]
    assert [choice.is_builtin for choice in scene.found.choices] == [True, False]
    scene.devices.present.remove(YETI)
    with qtbot.waitSignal(scene.found.changed, timeout=10_000):
        scene.found.look_again()
    assert [choice.name for choice in scene.found.choices] == ["Built-in"]


def test_a_sound_system_that_is_gone_is_told(
    scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> tuple[Device, ...]:
        raise AudioError("There is no sound system.", "Start it.")

    monkeypatch.setattr(scene.devices, "inputs", fail)
    with qtbot.waitSignal(scene.found.changed, timeout=10_000):
        scene.found.look_again()
    assert str(scene.found.problem) == "There is no sound system."
    assert not scene.found.choices


def test_the_chosen_microphone_is_tried(scene: Scene, qtbot: QtBot) -> None:
    scene.found.start_test()
    assert scene.found.is_testing
    qtbot.waitUntil(lambda: scene.found.test_level_db() > -30, timeout=10_000)
    assert [device.name for device in scene.microphone.opened] == ["Yeti"]
    scene.found.stop_test()
    assert scene.found.test_level_db() == -100.0
    qtbot.waitUntil(lambda: scene.microphone.open_streams == 0, timeout=10_000)


def test_a_refusing_microphone_is_named(scene: Scene, qtbot: QtBot) -> None:
    scene.microphone.refuses.add("y")
    scene.found.start_test()
    qtbot.waitUntil(lambda: scene.found.problem is not None, timeout=10_000)
    assert str(scene.found.problem) == "The microphone “Yeti” could not be opened."
    assert not scene.found.is_testing


def test_a_silent_microphone_is_named(
    scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.microphone.delay_s = 60.0
    scene.found._no_sound.setInterval(30)
    scene.found.start_test()
    qtbot.waitUntil(lambda: scene.found.problem is not None, timeout=10_000)
    assert str(scene.found.problem) == "The microphone “Yeti” gives no sound."
    assert scene.found.is_testing


def test_a_test_that_ends_before_the_microphone_opens_leaves_none_open(
    scene: Scene, qtbot: QtBot
) -> None:
    scene.found.start_test()
    scene.found.stop_test()
    qtbot.waitUntil(lambda: bool(scene.microphone.opened), timeout=10_000)
    qtbot.waitUntil(lambda: scene.microphone.open_streams == 0, timeout=10_000)


def test_closing_lets_go_of_the_microphone(scene: Scene, qtbot: QtBot) -> None:
    scene.found.start_test()
    qtbot.waitUntil(lambda: scene.found.test_level_db() > -30, timeout=10_000)
    scene.found.close()
    assert scene.microphone.open_streams == 0
    scene.found.start_test()
    scene.found.look_again()
    assert not scene.found.is_testing
