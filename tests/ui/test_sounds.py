"""A take is heard to begin once it really records, and to end; never against the person's wish."""

import runpy
import wave
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.config.paths import resources
from app.core.dictation import Outcome, Stage
from app.ui.sounds import Cue, QtPlayer, Sounds
from tests.helpers.ui_fakes import World

ROOT = Path(__file__).resolve().parents[2]


class Ear:
    """A player that writes down what it is asked."""

    def __init__(self) -> None:
        self.heard: list[Cue] = []
        self.prepared = 0

    def prepare(self) -> None:
        self.prepared += 1

    def play(self, cue: Cue) -> None:
        self.heard.append(cue)


class Scene:
    """Sounds over a fake take."""

    def __init__(self) -> None:
        self.world = World()
        self.take = self.world.dictation
        self.ear = Ear()
        self.is_wanted = True
        self.sounds = Sounds(self.world.bus, self.ear, lambda: self.is_wanted)


@pytest.fixture
def scene(qtbot: QtBot) -> Scene:
    return Scene()


def test_the_start_is_heard_with_the_first_sample(scene: Scene) -> None:
    scene.take.tell(Stage.ARMING)
    assert (scene.ear.heard, scene.ear.prepared) == ([], 1)
    scene.take.tell(Stage.RECORDING)
    assert scene.ear.heard == [Cue.START]


def test_pausing_and_hints_are_silent(scene: Scene) -> None:
    scene.take.tell(Stage.RECORDING)
    scene.take.tell(Stage.RECORDING, is_paused=True)
    scene.take.tell(Stage.RECORDING, is_paused=False)
    assert scene.ear.heard == [Cue.START]


@pytest.mark.parametrize(
    ("stages", "outcome", "cues"),
    [
        ((Stage.RECORDING, Stage.FINISHING), Outcome.INSERTED, [Cue.START, Cue.STOP]),
        ((Stage.RECORDING, Stage.FINISHING), Outcome.NOTHING_HEARD, [Cue.START, Cue.STOP]),
        ((Stage.RECORDING,), Outcome.SAVED, [Cue.START, Cue.STOP]),
        ((Stage.RECORDING,), Outcome.CANCELLED, [Cue.START, Cue.CANCEL]),
        ((Stage.ARMING,), Outcome.FAILED, [Cue.PROBLEM]),
        (
            (Stage.RECORDING, Stage.FINISHING),
            Outcome.UNTRANSCRIBED,
            [Cue.START, Cue.STOP, Cue.PROBLEM],
        ),
    ],
)
def test_each_end_has_its_sound(
    scene: Scene, stages: tuple[Stage, ...], outcome: Outcome, cues: list[Cue]
) -> None:
    for stage in stages:
        scene.take.tell(stage)
    scene.take.tell(Stage.IDLE, outcome=outcome)
    scene.take.tell(Stage.IDLE, outcome=outcome)
    assert scene.ear.heard == cues


def test_two_takes_are_heard_twice(scene: Scene) -> None:
    for take_id in ("a", "b"):
        scene.take.tell(Stage.RECORDING, take_id=take_id)
    assert scene.ear.heard == [Cue.START, Cue.START]


def test_who_wants_silence_has_it(scene: Scene) -> None:
    scene.is_wanted = False
    for stage in (Stage.ARMING, Stage.RECORDING, Stage.FINISHING, Stage.IDLE):
        scene.take.tell(stage)
    assert (scene.ear.heard, scene.ear.prepared) == ([], 0)


@pytest.mark.qt_log_ignore("([Pp]ulse|pipewire|multimedia|[Aa]udio|ALSA)")
def test_a_machine_without_sound_is_no_error(qtbot: QtBot) -> None:
    parent = QObject()
    player = QtPlayer(parent)
    player.prepare()
    for cue in Cue:
        player.play(cue)


def test_the_files_are_what_the_script_makes_and_quiet() -> None:
    script = runpy.run_path(str(ROOT / "packaging" / "sounds.py"))
    assert sorted(script["STROKES"]) == sorted(cue.value for cue in Cue)
    for cue in Cue:
        with wave.open(str(resources() / "sounds" / f"{cue}.wav")) as file:
            stored = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)
            assert (file.getframerate(), file.getnchannels()) == (44_100, 1)
        made = np.frombuffer(script["samples"](cue.value), "<i2").astype(int)
        assert np.abs(stored - made).max() <= 1  # the last bit of a sine differs by machine
        assert np.abs(stored).max() < 0.25 * 32767
        assert 0.2 < len(stored) / 44_100 < 0.6
        assert np.abs(stored[:5]).max() < 300  # no click
        assert np.abs(stored[-5:]).max() < 300
