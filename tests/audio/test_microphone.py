"""A whole take with fake microphones, twenty times as fast as the clock."""

import errno
import functools
import os
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from app.audio.ballast import Ballast
from app.audio.capture import Capture, Clocks, EndReason, asleep_ns
from app.audio.capture_events import (
    HintsChanged,
    MicrophoneLost,
    MicrophoneReady,
    SoundReturned,
    SoundSilent,
    SpaceLow,
    TakeEnded,
    TakeEvent,
)
from app.audio.devices import Choice, Device, FakeDevices
from app.audio.frames import Kind
from app.audio.journal import JournalScan, JournalWriter, scan
from app.audio.journal_cursor import JournalCursor, JournalSound
from app.audio.measure import Hint
from app.audio.microphone import FakeMicrophone
from app.audio.ring import Samples
from app.audio.take_folder import TakeFolder, make_take_folder
from app.audio.watchdog import Limits
from app.core.errors import AudioError, DeviceLost, DiskFull

RATE = 16_000
SPEED = 20
WIRED = Device("usb-1", "Røde", RATE)
OTHER = Device("built-in", "Built-in", RATE, is_builtin=True, is_default=True)
HEADSET = Device("air-1", "AirPods", RATE, is_bluetooth=True)
# Twenty times as fast, a hiccup of this machine is twenty times as long.
LIMITS = Limits(
    tick_s=0.002,
    drain_s=0.004,
    post_roll_s=0.0,
    gap_s=6.0,
    heartbeat_s=6.0,
    first_block_s=12.0,
    first_block_bluetooth_s=40.0,
    low_space_bytes=0,
)
FIRST_CHOICE = Choice("usb-1", "Røde")

E = TypeVar("E", bound=TakeEvent)


def numbered(seconds: float) -> Samples:
    """Samples that tell their place and are never zero."""
    made: Samples = (1 + np.arange(int(seconds * RATE)) % 32000).astype(np.int16)
    return made


class Take:
    """A running capture and what it told."""

    def __init__(
        self, recordings: Path, microphone: FakeMicrophone, devices: FakeDevices, **options: object
    ) -> None:
        made = options.pop("folder", None)
        self.folder = (
            made if isinstance(made, TakeFolder) else make_take_folder(recordings, "take-1", {})
        )
        self.microphone = microphone
        self.devices = devices
        self.events: list[TakeEvent] = []
        self.asleep_ns = 0
        self._queue: queue.SimpleQueue[TakeEvent] = queue.SimpleQueue()
        options.setdefault("limits", LIMITS)
        clocks = Clocks(lambda: time.monotonic_ns() * SPEED, lambda: 1234.5, lambda: self.asleep_ns)
        self.capture = Capture(
            self.folder,
            microphone,
            devices,
            self._queue.put,
            clocks=clocks,
            **options,  # type: ignore[arg-type]
        )
        self.capture.start()

    def wait_for(self, kind: type[E]) -> E:
        while True:
            event = self._queue.get(timeout=10)
            self.events.append(event)
            if isinstance(event, kind):
                return event
            assert not isinstance(event, TakeEnded), event

    def wait_until_given(self, samples: int) -> None:
        deadline = time.monotonic() + 10
        while self.microphone.given < samples and time.monotonic() < deadline:
            time.sleep(0.002)
        assert self.microphone.given >= samples

    def wait_until_closed(self) -> None:
        deadline = time.monotonic() + 5
        while self.microphone.open_streams and time.monotonic() < deadline:
            time.sleep(0.002)
        assert self.microphone.open_streams == 0

    def stop(self, reason: EndReason = EndReason.STOPPED) -> TakeEnded:
        self.capture.stop(reason)
        return self.wait_for(TakeEnded)

    def scan(self) -> JournalScan:
        return scan(self.folder.journal, thorough=True)

    def sound(self) -> list[tuple[bool, Samples]]:
        source = JournalSound(self.folder.journal)
        pieces = []
        while (piece := source.next()) is not None:
            pieces.append((piece.is_silence, piece.samples))
        source.close()
        assert source.is_finished
        return pieces


Start = Callable[..., Take]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    takes: list[Take] = []

    def begin(microphone: FakeMicrophone, *devices: Device, **options: object) -> Take:
        fake = FakeDevices(*devices, output_is_bluetooth=HEADSET in devices)
        takes.append(Take(tmp_path / "recordings", microphone, fake, **options))
        return takes[-1]

    yield begin
    for take in takes:
        take.capture.stop()
        assert take.capture.join(10)
        assert take.microphone.open_streams == 0


def test_a_take_holds_every_sample_and_leaves_no_stream_open(start: Start) -> None:
    take = start(FakeMicrophone(numbered(8), RATE, speed=SPEED), WIRED, OTHER)
    ready = take.wait_for(MicrophoneReady)
    assert (ready.device, ready.generation) == (OTHER, 1)
    assert take.microphone.open_streams == 1
    take.wait_until_given(4 * RATE)
    cursor = JournalCursor(take.folder.journal)
    live = [cursor.read()]
    ended = take.stop()
    assert take.microphone.open_streams == 0
    while not cursor.is_finished:
        live.append(cursor.read())
    cursor.close()
    assert (ended.reason, ended.error) == (EndReason.STOPPED, None)
    sound = np.concatenate([samples for _, samples in take.sound()])[:, 0]
    assert len(sound) >= 4 * RATE
    np.testing.assert_array_equal(sound, numbered(8)[: len(sound)])
    np.testing.assert_array_equal(np.concatenate(live) * 32768, sound)
    found = take.scan()
    assert ended.duration_s == found.duration_s == len(sound) / RATE
    assert (found.take_id, found.wall_s, found.end_reason) == ("take-1", 1234.5, "stopped")
    assert found.missing_s == 0
    notes = [marker.details for marker in found.markers if marker.kind is Kind.NOTE]
    assert notes[-1]["sound"]["duration_s"] == pytest.approx(ended.sound.duration_s)
    assert ended.sound.duration_s == pytest.approx(ended.duration_s, abs=0.11)


def test_a_lost_microphone_is_replaced_and_the_gap_is_silence(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), WIRED, OTHER, choice=FIRST_CHOICE)
    assert take.wait_for(MicrophoneReady).device == WIRED
    take.wait_until_given(2 * RATE)
    take.devices.present.remove(WIRED)
    take.microphone.lost.add("usb-1")
    gone_ns = time.monotonic_ns()
    assert take.wait_for(MicrophoneLost).device == WIRED
    noticed_s = (time.monotonic_ns() - gone_ns) * SPEED / 1e9
    ready = take.wait_for(MicrophoneReady)
    assert (ready.device, ready.generation) == (OTHER, 2)
    at_switch = take.microphone.given
    take.wait_until_given(at_switch + RATE)
    ended = take.stop()
    assert ended.reason == EndReason.STOPPED
    found = take.scan()
    assert [section.sound.device_uid for section in found.sections] == ["usb-1", "built-in"]
    assert 5.5 <= found.missing_s <= noticed_s + 3
    assert ended.duration_s == pytest.approx(found.duration_s)
    # Every sample given is there, in order; only the gap between the sections is silence.
    pieces = take.sound()
    heard = np.concatenate([samples for is_silence, samples in pieces if not is_silence])[:, 0]
    np.testing.assert_array_equal(heard, numbered(60)[: len(heard)])
    assert take.devices.refreshes == 1


def test_another_microphone_can_be_chosen_within_a_take(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60.0), speed=SPEED), WIRED, OTHER, choice=FIRST_CHOICE)
    assert take.wait_for(MicrophoneReady).device == WIRED
    take.wait_until_given(RATE)
    take.capture.use(FIRST_CHOICE)
    take.capture.use(Choice(OTHER.uid, OTHER.name))
    ready = take.wait_for(MicrophoneReady)
    assert (ready.device, ready.generation) == (OTHER, 2)
    take.stop()
    assert not any(isinstance(event, MicrophoneLost) for event in take.events)
    assert [device.uid for device in take.microphone.opened] == [WIRED.uid, OTHER.uid]
    assert take.microphone.open_streams == 0


def test_a_chosen_microphone_that_fails_leaves_the_one_before(start: Start) -> None:
    microphone = FakeMicrophone(numbered(60.0), speed=SPEED)
    microphone.refuses.add(OTHER.uid)
    take = start(microphone, WIRED, OTHER, choice=FIRST_CHOICE)
    take.wait_for(MicrophoneReady)
    take.capture.use(Choice(OTHER.uid, OTHER.name))
    ready = take.wait_for(MicrophoneReady)
    assert (ready.device, ready.generation) == (WIRED, 2)
    assert take.stop().reason is EndReason.STOPPED


def test_the_same_microphone_is_tried_first(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), WIRED, OTHER, choice=FIRST_CHOICE)
    take.wait_for(MicrophoneReady)
    take.microphone.lost.add("usb-1")
    take.wait_for(MicrophoneLost)
    take.microphone.lost.clear()  # a hiccup: it is back at once
    assert take.wait_for(MicrophoneReady).device == WIRED
    take.stop()
    assert [device.uid for device in take.microphone.opened] == ["usb-1", "usb-1"]


def test_a_microphone_that_comes_and_goes_is_given_up(start: Start) -> None:
    take = start(
        FakeMicrophone(numbered(60), RATE, speed=SPEED),
        WIRED,
        OTHER,
        choice=FIRST_CHOICE,
        limits=Limits(
            tick_s=0.002, drain_s=0.004, post_roll_s=0, low_space_bytes=0, flapping_s=1000
        ),
    )
    for _ in range(2):
        assert take.wait_for(MicrophoneReady).device == WIRED
        take.microphone.lost.add("usb-1")
        take.wait_for(MicrophoneLost)
        take.microphone.lost.clear()
    assert take.wait_for(MicrophoneReady).device == OTHER
    take.stop()


def test_the_only_microphone_is_tried_again_however_often_it_goes(start: Start) -> None:
    limits = replace(LIMITS, heartbeat_s=2.0, flapping_s=1000)
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), WIRED, limits=limits)
    for generation in range(1, 4):
        ready = take.wait_for(MicrophoneReady)
        assert (ready.device, ready.generation) == (WIRED, generation)
        take.microphone.lost.add("usb-1")
        take.wait_for(MicrophoneLost)
        take.microphone.lost.clear()
    take.wait_for(MicrophoneReady)
    assert take.stop().reason is EndReason.STOPPED


def test_the_last_microphone_lost_closes_the_take_as_complete(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), WIRED)
    take.wait_for(MicrophoneReady)
    take.wait_until_given(RATE)
    take.devices.present.clear()
    take.microphone.lost.add("usb-1")
    ended = take.wait_for(TakeEnded)
    assert ended.reason == EndReason.DEVICE_LOST
    assert isinstance(ended.error, DeviceLost)
    assert "Røde" in str(ended.error)
    found = take.scan()
    assert found.end_reason == "device_lost"
    assert found.duration_s >= 1.0


def test_without_a_microphone_there_is_a_sentence_and_a_closed_journal(start: Start) -> None:
    take = start(FakeMicrophone(numbered(1)))
    ended = take.wait_for(TakeEnded)
    assert (ended.reason, ended.duration_s) == (EndReason.NO_MICROPHONE, 0.0)
    assert isinstance(ended.error, AudioError)
    assert str(ended.error) == "There is no microphone."
    assert take.scan().end_reason == "no_microphone"
    assert take.devices.refreshes == 1  # one may have been plugged in since


def test_a_refused_microphone_gives_way_to_another(start: Start) -> None:
    microphone = FakeMicrophone(numbered(60), RATE, speed=SPEED)
    microphone.refuses.add("usb-1")
    take = start(microphone, WIRED, OTHER, choice=FIRST_CHOICE)
    assert take.wait_for(MicrophoneReady).device == OTHER
    assert [device.uid for device in microphone.opened] == ["usb-1", "usb-1", "built-in"]
    take.stop()


def test_a_microphone_that_gives_nothing_is_named(start: Start) -> None:
    microphone = FakeMicrophone(numbered(60), RATE, speed=SPEED)
    microphone.lost.add("usb-1")
    take = start(microphone, WIRED)
    ended = take.wait_for(TakeEnded)
    assert ended.reason == EndReason.NO_MICROPHONE
    assert "gives no sound" in str(ended.error)


def test_a_headset_counts_as_ready_only_with_real_sound(start: Start) -> None:
    sound = np.concatenate([np.zeros(2 * RATE, np.int16), numbered(60)])
    take = start(
        FakeMicrophone(sound, RATE, speed=SPEED, delay_s=0.1), HEADSET, choice=Choice("air-1")
    )
    silent = take.wait_for(SoundSilent)
    assert not silent.is_long
    take.wait_for(MicrophoneReady)
    assert take.microphone.given > 2 * RATE
    assert not any(isinstance(event, MicrophoneReady) for event in take.events[:-1])
    take.wait_for(SoundReturned)
    take.stop()
    mutes = [marker for marker in take.scan().markers if marker.kind is Kind.MUTE]
    assert [marker.details["silent_s"] > 0 for marker in mutes] == [True, False]


def test_a_pause_closes_the_microphone_and_is_no_part_of_the_time(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), OTHER)
    take.wait_for(MicrophoneReady)
    take.wait_until_given(RATE)
    take.capture.pause()
    take.wait_until_closed()
    take.capture.resume()
    assert take.wait_for(MicrophoneReady).generation == 2
    ended = take.stop()
    found = take.scan()
    assert found.missing_s == 0
    assert ended.duration_s == pytest.approx(take.microphone.given / RATE, abs=0.5)
    kinds = [marker.kind for marker in found.markers]
    assert kinds.index(Kind.PAUSE) < kinds.index(Kind.RESUME)


@pytest.mark.parametrize(
    ("slept_s", "limits"),
    [
        (0, replace(LIMITS, give_up_s=10_000.0)),
        (3600, replace(LIMITS, give_up_s=0.0, wake_s=10_000.0)),
    ],
    ids=["resumed", "woken"],
)
def test_a_microphone_that_comes_back_late_does_not_end_a_paused_take(
    start: Start, slept_s: int, limits: Limits
) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), OTHER, limits=limits)
    take.wait_for(MicrophoneReady)
    take.capture.pause()
    take.wait_until_closed()
    take.devices.present.clear()
    take.devices.refresh()
    take.asleep_ns += slept_s * 1_000_000_000
    take.capture.resume()
    deadline = time.monotonic() + 5
    while take.devices.refreshes < 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    take.devices.present.append(OTHER)
    ready = take.wait_for(MicrophoneReady)
    assert (ready.device, ready.generation) == (OTHER, 2)
    assert take.stop().reason is EndReason.STOPPED
    assert take.scan().missing_s == 0


def test_stopping_while_the_microphone_is_being_opened(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED, delay_s=30), WIRED)
    deadline = time.monotonic() + 5
    while not take.microphone.opened and time.monotonic() < deadline:
        time.sleep(0.002)
    ended = take.stop(EndReason.CANCELLED)
    assert (ended.reason, ended.error) == (EndReason.CANCELLED, None)


def test_hints_and_low_space_are_told(start: Start) -> None:
    loud = np.tile(np.array([32767, -32768] * 200 + [0] * 400, np.int16), 2000)  # in each frame
    take = start(
        FakeMicrophone(loud, RATE, speed=SPEED),
        OTHER,
        limits=replace(LIMITS, low_space_bytes=1 << 60),
    )
    assert Hint.CLIPPING in take.wait_for(HintsChanged).hints
    if not any(isinstance(event, SpaceLow) for event in take.events):
        take.wait_for(SpaceLow)
    assert take.capture.level.peak_db > -1
    assert Hint.CLIPPING in take.stop().sound.hints


def test_sleep_is_noted_but_is_no_silence(start: Start) -> None:
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), OTHER)
    take.wait_for(MicrophoneReady)
    take.asleep_ns = 3_600_000_000_000
    take.wait_until_given(take.microphone.given + RATE)
    ended = take.stop()
    notes = [m.details for m in take.scan().markers if m.kind is Kind.NOTE]
    assert notes[0] == {"slept_s": 3600.0}
    assert ended.duration_s < 60
    assert asleep_ns() - asleep_ns() < 1_000_000_000


def test_a_full_disk_ends_the_take_on_the_ballast(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    ballast = Ballast(tmp_path / ".ballast", 100_000)
    ballast.ensure()

    def write(descriptor: int, data: memoryview) -> int:
        if ballast.size_bytes and os.fstat(descriptor).st_size > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(descriptor, data)

    full_disk = functools.partial(JournalWriter, write=write)
    monkeypatch.setattr("app.audio.capture.JournalWriter", full_disk)
    take = start(FakeMicrophone(numbered(60), RATE, speed=SPEED), OTHER, ballast=ballast)
    ended = take.wait_for(TakeEnded)
    assert ended.reason == EndReason.DISK_FULL
    assert isinstance(ended.error, DiskFull)
    sound = np.concatenate([samples for _, samples in take.sound()])[:, 0]
    np.testing.assert_array_equal(sound, numbered(60)[: len(sound)])
    assert len(sound) * 2 > 100_000
    assert take.scan().end_reason == "disk_full"


def test_a_journal_that_cannot_be_made_ends_the_take(start: Start, tmp_path: Path) -> None:
    take_folder = tmp_path / "recordings" / "take-1"
    microphone = FakeMicrophone(numbered(1))
    take_folder.mkdir(parents=True)
    (take_folder / "audio.journal").touch()
    take = start(microphone, OTHER, folder=TakeFolder(take_folder))
    ended = take.wait_for(TakeEnded)
    assert ended.reason == EndReason.DISK_FAILED
    assert microphone.opened == []
    assert (take_folder / "audio.journal").stat().st_size == 0
