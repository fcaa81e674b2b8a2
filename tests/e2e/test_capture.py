"""The real microphone path: sound server → PortAudio → ring → journal → FLAC."""

import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from app.audio.capture import Capture, EndReason
from app.audio.capture_events import MicrophoneLost, MicrophoneReady, TakeEnded, TakeEvent
from app.audio.devices import Device
from app.audio.finalise import finalise
from app.audio.journal import scan
from app.audio.microphone import PortAudioMicrophone
from app.audio.portaudio import PortAudio
from app.audio.take_folder import TakeFolder, make_take_folder
from app.audio.watchdog import Limits
from app.core.errors import DeviceLost
from tests.helpers.pulse import PulseServer, pulse_server

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(sys.platform != "linux", reason="the fake microphones are PulseAudio's"),
]

RATE = 16_000
E = TypeVar("E", bound=TakeEvent)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PulseServer]:
    with pulse_server(tmp_path / "pulse") as made:
        yield made


class PulseDevices:
    """ALSA's way to the sound server, at the rate of the test's microphones."""

    def __init__(self, portaudio: PortAudio) -> None:
        self._portaudio = portaudio

    def inputs(self) -> tuple[Device, ...]:
        return tuple(
            replace(device, rate_hz=RATE)
            for device in self._portaudio.inputs()
            if device.name == "default"
        )

    def output_is_bluetooth(self) -> bool:
        return False

    def refresh(self) -> bool:
        return self._portaudio.refresh()


class RealTake:
    def __init__(self, folder: TakeFolder, portaudio: PortAudio) -> None:
        self.folder = folder
        self.portaudio = portaudio
        self.events: queue.SimpleQueue[TakeEvent] = queue.SimpleQueue()
        devices = PulseDevices(portaudio)
        devices.refresh()
        self.capture = Capture(
            folder,
            PortAudioMicrophone(portaudio),
            devices,
            self.events.put,
            limits=replace(Limits(), give_up_s=2.0),
        )
        self.capture.start()

    def wait_for(self, kind: type[E], timeout_s: float = 10.0) -> E:
        deadline = time.monotonic() + timeout_s
        while True:
            event = self.events.get(timeout=max(deadline - time.monotonic(), 0.01))
            if isinstance(event, kind):
                return event
            assert not isinstance(event, TakeEnded), event

    def wait_for_duration(self, seconds: float) -> None:
        deadline = time.monotonic() + 10
        while self.capture.duration_s < seconds and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.capture.duration_s >= seconds


@pytest.fixture
def portaudio() -> Iterator[PortAudio]:
    made = PortAudio()
    made.inputs()
    made.refresh()  # an earlier test's server is gone
    yield made
    assert made.open_streams == 0


@pytest.fixture
def speaking(server: PulseServer, tmp_path: Path) -> Iterator[tuple[PulseServer, "Speaker"]]:
    speaker = Speaker(server)
    yield server, speaker
    speaker.stop()


class Speaker(threading.Thread):
    """Somebody who speaks numbered samples into the default microphone until told to stop."""

    def __init__(self, server: PulseServer) -> None:
        super().__init__(name="speaker")
        self.microphone = server.add_pipe_microphone("pipemic", RATE)
        self.said = 0
        self._enough = threading.Event()
        self.start()

    @staticmethod
    def samples(start: int, count: int) -> npt.NDArray[np.int16]:
        return (1 + np.arange(start, start + count) % 30011).astype(np.int16)

    def run(self) -> None:
        while not self._enough.is_set():
            self.microphone.speak(self.samples(self.said, RATE // 10), self._enough)
            self.said += RATE // 10

    def stop(self) -> None:
        self._enough.set()
        self.join()


def expected_from(first: int, count: int) -> npt.NDArray[np.int16]:
    return Speaker.samples(first - 1, count)


@pytest.fixture
def take(
    speaking: tuple[PulseServer, Speaker], portaudio: PortAudio, tmp_path: Path
) -> Iterator[RealTake]:
    made = RealTake(make_take_folder(tmp_path / "recordings", "take-1", {}), portaudio)
    yield made
    made.capture.stop()
    assert made.capture.join(10)


def test_every_sample_of_the_microphone_is_in_the_flac(
    take: RealTake, portaudio: PortAudio
) -> None:
    ready = take.wait_for(MicrophoneReady)
    assert ready.device.name == "default"
    assert portaudio.open_streams == 1
    take.wait_for_duration(2.0)
    asked = time.monotonic()
    take.capture.stop()
    ended = take.wait_for(TakeEnded)
    assert time.monotonic() - asked < 1.0
    assert take.capture.join(5)
    assert portaudio.open_streams == 0
    assert (ended.reason, ended.error) == (EndReason.STOPPED, None)
    found = scan(take.folder.journal, thorough=True)
    assert (found.missing_s, found.damaged, found.tail_bytes) == (0, 0, 0)
    made = finalise(take.folder.journal, take.folder.flac)
    sound, rate_hz = soundfile.read(made.file, dtype="int16")
    assert rate_hz == RATE
    assert len(sound) == made.samples >= 2 * RATE
    first = int(np.flatnonzero(sound)[0])
    assert first < RATE  # what the server gave before somebody spoke
    np.testing.assert_array_equal(
        sound[first:], expected_from(int(sound[first]), len(sound) - first)
    )


def test_an_unplugged_microphone_is_noticed_and_the_take_goes_on(
    take: RealTake, speaking: tuple[PulseServer, Speaker]
) -> None:
    server, speaker = speaking
    take.wait_for(MicrophoneReady)
    take.wait_for_duration(0.7)
    unplugged = time.monotonic()
    server.unload(speaker.microphone.module)
    server.add_room_microphone("room", RATE)
    take.wait_for(MicrophoneLost)
    assert time.monotonic() - unplugged <= 2.0
    assert take.wait_for(MicrophoneReady).generation >= 2
    before = take.capture.duration_s
    take.wait_for_duration(before + 0.3)
    take.capture.stop()
    ended = take.wait_for(TakeEnded)
    assert ended.reason == EndReason.STOPPED
    found = scan(take.folder.journal)
    assert len(found.sections) >= 2
    assert 0.3 <= found.missing_s <= 6.0
    assert found.sections[0].duration_s >= 0.7
    assert take.capture.join(5)


def test_a_killed_sound_server_ends_the_take_with_its_sound_kept(
    take: RealTake, speaking: tuple[PulseServer, Speaker]
) -> None:
    server, _ = speaking
    take.wait_for(MicrophoneReady)
    take.wait_for_duration(0.7)
    killed = time.monotonic()
    server.kill()
    take.wait_for(MicrophoneLost)
    assert time.monotonic() - killed <= 2.0
    ended = take.wait_for(TakeEnded, timeout_s=15)
    assert ended.reason == EndReason.DEVICE_LOST
    assert isinstance(ended.error, DeviceLost)
    assert take.capture.join(5)
    made = finalise(take.folder.journal, take.folder.flac)
    assert made.duration_s >= 0.7


def test_a_stream_moved_behind_our_back_keeps_its_times(
    take: RealTake, speaking: tuple[PulseServer, Speaker]
) -> None:
    """The server moves the stream to another microphone and tells nobody: samples are missing."""
    server, speaker = speaking
    take.wait_for(MicrophoneReady)
    server.add_room_microphone("room", RATE, is_default=False)
    take.wait_for_duration(0.7)
    begun, at = time.monotonic(), take.capture.duration_s
    server.unload(speaker.microphone.module)
    while time.monotonic() < begun + 3.5:
        time.sleep(0.05)
    take.capture.stop()
    ended = take.wait_for(TakeEnded)
    elapsed = time.monotonic() - begun
    assert ended.reason == EndReason.STOPPED
    assert ended.duration_s - at == pytest.approx(elapsed, abs=0.5)
    assert scan(take.folder.journal).missing_s > 0.2


def test_a_microphone_that_never_gives_a_block_is_named_in_time(
    server: PulseServer, portaudio: PortAudio, tmp_path: Path
) -> None:
    """PortAudio's own stop would hang here for ever."""
    server.add_pipe_microphone("mute", RATE)
    take = RealTake(make_take_folder(tmp_path / "recordings", "take-1", {}), portaudio)
    ended = take.wait_for(TakeEnded, timeout_s=8)
    assert ended.reason == EndReason.NO_MICROPHONE
    assert "gives no sound" in str(ended.error)
    assert take.capture.join(5)
