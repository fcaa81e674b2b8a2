"""A tiny Voxtral of each kind, all the way: hub, download, verification, a file, the window.

Its weights are random, so what it writes means nothing; that it is written, timed and kept does.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.audio.devices import Device, FakeDevices
from app.audio.microphone import FakeMicrophone
from app.audio.take_folder import take_folders
from app.cli.main import run
from app.config.paths import default_paths
from app.config.settings import Settings, save_settings
from app.core.dictation import Outcome, Stage
from app.core.recording import RecordingStatus
from app.library.reader import LibraryReader
from app.pipeline.rig import Rig
from app.ui.main import App
from app.ui.models.adding import RepositoryDialog
from tests.helpers.dictation import RATE, speech
from tests.helpers.fake_hub import FakeHub, Fault
from tests.helpers.pulse import pulse_server
from tests.helpers.voxtral_checkpoints import Tiny, write_checkpoint
from tests.helpers.words import SPEECH, undertone
from tests.macos.desktop import wait_for

OFFLINE, REALTIME = "somebody/Voxtral-Tiny-2507", "somebody/Voxtral-Tiny-Realtime"
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("checkpoints")
    realtime = Tiny(is_realtime=True)
    return {
        OFFLINE: write_checkpoint(place / "offline", Tiny(), seed=1, shards=2),
        REALTIME: write_checkpoint(place / "realtime", realtime, layout="mlx"),
    }


@pytest.fixture
def hub(folders: dict[str, Path]) -> Iterator[FakeHub]:
    with FakeHub() as hub:
        for repository, folder in folders.items():
            hub.add_folder(repository, folder)
        yield hub


@pytest.mark.parametrize("repository", [OFFLINE, REALTIME])
def test_by_command_line(hub: FakeHub, repository: str, capsys: pytest.CaptureFixture[str]) -> None:
    home, name = default_paths().home, repository.partition("/")[2]
    save_settings(Settings(model_mirror=hub.address), home / "settings.json")
    hub.fail("tekken.json", Fault(cut_after=3000))

    assert run(["models", "get", repository]) == 0
    assert f"{name}: done" in capsys.readouterr().err
    assert run(["models", "verify", name]) == 0
    assert run(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {model["model_id"]: model["family"] for model in listed} == {
        "nano": "whisper",
        name: "voxtral" if repository == OFFLINE else "voxtral_realtime",
    }
    done = undertone(
        "transcribe", SPEECH / "en-01.flac", "--model", name, "--words", "--format", "json",
        home=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["segments"]
    assert all(0 <= part["start_s"] <= part["end_s"] for part in document["segments"])
    has_words = any(part.get("words") for part in document["segments"])
    assert has_words == (repository == REALTIME)  # 2507 knows none, and there is no Whisper here

    assert run(["models", "remove", name]) == 0
    assert run(["models", "list"]) == 0
    assert name not in capsys.readouterr().out


@pytest.mark.serial
@pytest.mark.skipif(sys.platform != "linux", reason="the microphone is a PulseAudio of its own")
@pytest.mark.parametrize("is_realtime", [False, True], ids=["2507", "realtime"])
def test_a_live_take_by_command_line(
    folders: dict[str, Path], is_realtime: bool, tmp_path: Path
) -> None:
    home, name = default_paths().home, "tiny"
    shutil.copytree(folders[REALTIME if is_realtime else OFFLINE], home / "models" / name)
    clip = tmp_path / "said.wav"
    soundfile.write(clip, *soundfile.read(SPEECH / "en-01.flac", dtype="int16"))
    with pulse_server(tmp_path / "pulse") as server:
        server.add_room_microphone("room", 16_000)
        recording = subprocess.Popen(
            [sys.executable, "-m", "app", "record", "--model", name, "--format", "json"],
            env={**os.environ, "UNDERTONE_HOME": str(home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            wait_for(lambda: bool(take_folders(default_paths().recordings)), 60)
            server.play(clip, "room")
            recording.send_signal(signal.SIGINT)
            printed, _ = recording.communicate(timeout=60)
        finally:
            recording.kill()
            recording.communicate()
    assert recording.returncode == 0
    with LibraryReader(default_paths().library) as reader:
        (kept,) = reader.recordings()
    assert kept.model_id == name
    assert json.loads(printed)["segments"]


@pytest.mark.serial
@pytest.mark.qt_log_ignore("pipewire|PulseAudioService", extend=True)  # nothing to play to here
def test_by_window(qtbot: QtBot, hub: FakeHub, tmp_path: Path) -> None:
    paths = default_paths()
    save_settings(Settings(model_mirror=hub.address), paths.settings)
    spoken = FakeMicrophone(speech(), RATE, speed=2.0, block_samples=RATE // 50)
    microphones = FakeDevices(Device("mic", "Mic", RATE, is_default=True))
    app = App(paths, Rig(spoken, microphones))
    reader = LibraryReader(paths.library)
    try:
        app.open()
        app.window.show_models()
        window = next(w for w in QApplication.topLevelWidgets() if hasattr(w, "models_panel"))
        panel = window.models_panel
        for number, repository in enumerate((OFFLINE, REALTIME)):
            name = repository.partition("/")[2]
            panel._ask_for_repository()
            dialog = panel.findChild(RepositoryDialog)
            assert dialog is not None
            dialog.name_edit.setText(repository)
            dialog.accept()
            qtbot.waitUntil(
                lambda name=name: name in panel.cards and panel.cards[name].row.is_installed,  # type: ignore[misc]
                timeout=PATIENCE_MS,
            )
            panel.cards[name].act_requested.emit("verify", name)
            qtbot.waitUntil(
                lambda name=name: panel.cards[name].row.download is None,  # type: ignore[misc]
                timeout=PATIENCE_MS,
            )
            panel.cards[name].act_requested.emit("use", name)
            assert [badge.text() for badge in panel.cards[name].badges] == ["In use"]
            qtbot.waitUntil(
                lambda name=name: app.window.parts.toolbar.model_id == name,  # type: ignore[misc]
                timeout=PATIENCE_MS,
            )
            clip = tmp_path / f"clip-{number}.flac"
            shutil.copy(SPEECH / f"en-0{number + 1}.flac", clip)
            app.window.add_files([clip])
            qtbot.waitUntil(
                lambda number=number: _done(reader) == 2 * number + 1,  # type: ignore[misc]
                timeout=PATIENCE_MS,
            )
            assert name in {recording.model_id for recording in reader.recordings()}
            _say_something(qtbot, app, spoken)
            take = reader.recording(app.dictation.now.recording_id)  # type: ignore[union-attr]
            assert take is not None
            assert take.model_id == name
            assert reader.transcript(take.recording_id).segments
    finally:
        reader.close()
        app.close()


def _say_something(qtbot: QtBot, app: App, microphone: FakeMicrophone) -> None:
    """Record a take from the window, as R does, until it is in the library."""
    machine = app.dictation
    assert machine is not None
    microphone.given = 0
    app.window.menus.record.trigger()
    qtbot.waitUntil(lambda: machine.now.stage is Stage.RECORDING, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: machine.elapsed_s() >= 4.0, timeout=PATIENCE_MS)
    app.window.menus.record.trigger()
    qtbot.waitUntil(lambda: machine.now.outcome is not None, timeout=PATIENCE_MS)
    assert machine.now.outcome is Outcome.SAVED, machine.now


def _done(reader: LibraryReader) -> int:
    over = (RecordingStatus.DONE, RecordingStatus.EMPTY)
    failed = [one for one in reader.recordings() if one.status is RecordingStatus.FAILED]
    assert not failed, failed[0].error
    return sum(one.status in over for one in reader.recordings())
