"""How soon words show in the app itself: sound server → microphone → disk → model → window.

The real app runs (without a screen) over a private sound server; clips are played into its
microphone. Times are of the clock on the wall. Meanwhile the window's event loop is watched for
stalls, and afterwards, with its window closed, for what it costs to do nothing.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from app.audio.devices import Device
from app.audio.microphone import PortAudioMicrophone
from app.audio.portaudio import PortAudio
from app.audio.take_folder import TakeFolder
from app.config.paths import Paths
from app.core.agreement import normal_form
from app.core.dictation import Dictation, Stage
from app.core.events import PartialChanged
from app.core.packing import SAMPLE_RATE, Audio
from app.core.recording import RecordingKind
from app.core.transcript import Word
from app.macos.insert import FakeInserter
from app.pipeline.rig import Rig
from app.ui.main import App
from tests.bench.live import Spoken, matched
from tests.helpers.pulse import PulseServer, pulse_server

RATE = 16_000
_TICK_MS = 5
_IDLE_S = 10.0
_PATIENCE_S = 60.0


@dataclass
class Seen:
    """What was measured, in seconds of the clock."""

    first_partials_s: list[float] = field(default_factory=list)
    commits_s: list[float] = field(default_factory=list)
    finals_s: list[float] = field(default_factory=list)
    stalls_s: list[float] = field(default_factory=list)
    words: int = 0
    heard: int = 0
    idle_share: float = 0.0


class Devices:
    """ALSA's way to the private sound server."""

    def __init__(self, portaudio: PortAudio) -> None:
        self._portaudio = portaudio

    def inputs(self) -> tuple[Device, ...]:
        found = self._portaudio.inputs()
        return tuple(replace(d, rate_hz=RATE) for d in found if d.name == "default")

    def output_is_bluetooth(self) -> bool:
        return False

    def refresh(self) -> bool:
        return self._portaudio.refresh()


class Ear(QObject):
    """Hears the partials as a window does, and feels whether the event loop stalls."""

    def __init__(self, app: App, dictation: Dictation) -> None:
        super().__init__()
        self._dictation = dictation
        self.partials: list[tuple[float, PartialChanged]] = []
        self.stalls_s: list[float] = []
        self.began_s = float("inf")  # the clock at the take's first sample
        app.bus.partial_changed.connect(self._on_partial)
        self._last_s = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start(_TICK_MS)

    def forget(self) -> None:
        self.partials.clear()
        self.began_s = float("inf")

    def stop(self) -> None:
        self._timer.stop()

    @Slot(PartialChanged)
    def _on_partial(self, partial: PartialChanged) -> None:
        self.partials.append((time.monotonic(), partial))

    @Slot()
    def _on_tick(self) -> None:
        now = time.monotonic()
        self.stalls_s.append(max(0.0, now - self._last_s - _TICK_MS / 1000))
        self._last_s = now
        elapsed_s = self._dictation.elapsed_s()
        if elapsed_s:
            self.began_s = min(self.began_s, now - elapsed_s)


def measure_path(spoken: list[Spoken]) -> Seen:
    """Play all of `spoken` to the app and return what was seen."""
    application = QApplication.instance() or QApplication(["undertone"])
    assert isinstance(application, QCoreApplication)
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, pulse_server(Path(folder) / "pulse") as server:
        server.add_room_microphone("room", RATE)
        portaudio = PortAudio()
        devices = Devices(portaudio)
        devices.refresh()
        rig = Rig(PortAudioMicrophone(portaudio), devices, FakeInserter())
        paths = Paths(Path(folder) / "home")
        app = App(paths, rig)
        try:
            app.open()
            assert app.dictation is not None
            ear = Ear(app, app.dictation)
            for number, one in enumerate(spoken):
                ear.forget()
                _play(one, number, app.dictation, ear, server, paths, seen)
            ear.stop()
            seen.stalls_s = ear.stalls_s
            seen.idle_share = _idle(app)
        finally:
            app.close()
    return seen


def _play(
    one: Spoken,
    number: int,
    dictation: Dictation,
    ear: Ear,
    server: PulseServer,
    paths: Paths,
    seen: Seen,
) -> None:
    clip = paths.home / f"clip-{number}.wav"
    soundfile.write(clip, one.audio, SAMPLE_RATE, "PCM_16")
    dictation.start(RecordingKind.QUICK)
    _turn(lambda: dictation.now.stage is Stage.RECORDING)
    player = server.start_playing(clip, "room")
    _turn(lambda: player.poll() is not None)
    _turn_for(0.3)
    stopped_s = time.monotonic()
    dictation.stop()
    _turn(lambda: dictation.now.outcome is not None)
    seen.finals_s.append(time.monotonic() - stopped_s)
    take = TakeFolder(paths.recordings / dictation.now.take_id)
    _turn(lambda: take.flac.exists() and not take.journal.exists())
    recorded, rate_hz = soundfile.read(take.flac, dtype="float32")
    assert rate_hz == RATE
    _compare(one, ear, ear.began_s + _offset_s(recorded, one.audio), seen)


def _compare(one: Spoken, ear: Ear, began_s: float, seen: Seen) -> None:
    """Take down how late everything was; `began_s` is the clock at the clip's first sample."""
    shown = [at for at, partial in ear.partials if partial.committed or partial.tail]
    if shown:
        seen.first_partials_s.append(shown[0] - began_s - one.onsets_s[0])
    said: list[tuple[Word, float]] = []
    for at, partial in ear.partials:
        words = partial.committed.split()
        for text in words[len(said) :]:
            said.append((Word(text, 0.0, 0.0, 1.0), at))
    seen.words += len(one.words)
    heard = [normal_form(word.text) for word, _ in said]
    right = [normal_form(word.text) for word in one.words]
    for reference, place in matched(right, heard):
        seen.heard += 1
        seen.commits_s.append(said[place][1] - began_s - one.words[reference].end_s)


def _offset_s(recorded: Audio, clip: Audio) -> float:
    """Return where in the recording the clip begins."""
    size = 1 << (len(recorded) + len(clip) - 1).bit_length()
    spectrum = np.fft.rfft(recorded, size) * np.conj(np.fft.rfft(clip, size))
    return float(np.argmax(np.fft.irfft(spectrum, size)[: len(recorded)])) / SAMPLE_RATE


def _idle(app: App) -> float:
    """Return which share of a processor the app takes with its window closed."""
    app.window.hide()
    _turn_for(1.0)
    began, cpu = time.monotonic(), time.process_time()
    loop = QEventLoop()
    QTimer.singleShot(round(_IDLE_S * 1000), loop.quit)
    loop.exec()
    return (time.process_time() - cpu) / (time.monotonic() - began)


def _turn(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "the app did not get there"
        _turn_for(0.02)


def _turn_for(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def rows(seen: Seen) -> list[tuple[str, str]]:
    """Return the figures as rows of a table."""

    def spread(values: list[float]) -> str:
        if not values:
            return "–"
        p50, p95 = np.quantile(values, [0.5, 0.95])
        return f"p50 {p50:.2f} s, p95 {p95:.2f} s, most {max(values):.2f} s ({len(values)})"

    stalls = np.quantile(seen.stalls_s, [0.5, 0.99]) if seen.stalls_s else np.zeros(2)
    return [
        ("first partial after speech starts", spread(seen.first_partials_s)),
        ("word committed after it ended", spread(seen.commits_s)),
        ("words matched, of words spoken", f"{seen.heard} of {seen.words}"),
        ("text complete after stop", spread(seen.finals_s)),
        (
            "the window's event loop is late by",
            f"p50 {stalls[0] * 1000:.1f} ms, p99 {stalls[1] * 1000:.1f} ms",
        ),
        ("processor while idle, window closed", f"{seen.idle_share * 100:.2f} %"),
    ]
