import ctypes
import threading
import types
from typing import Any, ClassVar

import numpy as np
import pytest

from app.audio import coreaudio
from app.audio.coreaudio import CoreAudio, load_core_audio
from app.audio.devices import Choice, Device, FakeDevices, choose
from app.audio.microphone import PortAudioMicrophone
from app.audio.portaudio import PortAudio
from app.core.errors import AudioError

BUILTIN = Device("builtin", "MacBook Microphone", 48_000, is_builtin=True)
USB = Device("usb-1", "Røde", 44_100)
AIRPODS = Device("air-1", "AirPods", 24_000, is_bluetooth=True, is_default=True)
ALL = (AIRPODS, USB, BUILTIN)


@pytest.mark.parametrize(
    ("choice", "is_bluetooth_out", "without", "expected"),
    [
        (Choice(), False, (), AIRPODS),
        (Choice(), True, (), BUILTIN),
        (Choice("usb-1", "whatever"), True, (), USB),
        (Choice("moved-port", "Røde"), False, (), USB),
        (Choice("air-1"), True, (), AIRPODS),  # a person's choice stands
        (Choice("usb-1"), False, ("usb-1",), AIRPODS),
        (Choice("usb-1"), True, ("usb-1",), BUILTIN),
        (Choice("gone", "gone"), False, ("air-1",), BUILTIN),
        (Choice(), True, ("builtin",), AIRPODS),
        (Choice(), False, ("air-1", "builtin"), USB),
        (Choice(), False, ("air-1", "builtin", "usb-1"), None),
    ],
)
def test_the_microphone_of_a_take(
    choice: Choice,
    is_bluetooth_out: bool,
    without: tuple[str, ...],
    expected: Device | None,
) -> None:
    found = choose(ALL, choice, output_is_bluetooth=is_bluetooth_out, without=without)
    assert found == expected


def test_a_person_may_want_the_headset_in_spite_of_its_sound() -> None:
    assert choose(ALL, Choice(prefers_builtin=False), output_is_bluetooth=True) == AIRPODS


def test_a_list_is_as_old_as_the_last_refresh() -> None:
    devices = FakeDevices(USB)
    devices.present.append(BUILTIN)
    assert devices.inputs() == (USB,)
    assert devices.refresh()
    assert devices.inputs() == (USB, BUILTIN)


class FakeFramework:
    """CoreAudio and CoreFoundation with two devices, called the way ctypes calls the real ones."""

    OBJECTS: ClassVar[dict[int, dict[int, object]]] = {
        1: {
            coreaudio.DEVICES: [11, 12, 13, 14],
            coreaudio.DEFAULT_INPUT: 12,
            coreaudio.DEFAULT_OUTPUT: 13,
        },
        11: {
            coreaudio.DEVICE_UID: "BuiltInMicrophoneDevice",
            coreaudio.NAME: "MacBook Pro Mikrofon",
            coreaudio.TRANSPORT: coreaudio.BUILT_IN,
            coreaudio.RATE: 48_000.0,
            coreaudio.STREAMS: [1],
        },
        12: {
            coreaudio.DEVICE_UID: "00-11:input",
            coreaudio.NAME: "AirPods 世界",
            coreaudio.TRANSPORT: coreaudio.four_cc("blue"),
            coreaudio.RATE: 24_000.0,
            coreaudio.STREAMS: [1, 2],
        },
        13: {  # output only
            coreaudio.DEVICE_UID: "00-11:output",
            coreaudio.NAME: "AirPods 世界",
            coreaudio.TRANSPORT: coreaudio.four_cc("blue"),
            coreaudio.RATE: 48_000.0,
            coreaudio.STREAMS: [],
        },
        14: {},  # vanished meanwhile: every question fails
    }

    def __init__(self) -> None:
        self.strings: dict[int, str] = {}
        self.released: list[int] = []
        self.objects = self.OBJECTS

    def _value(self, target: Any, address: Any) -> object | None:
        where = address._obj
        assert where.element == 0
        is_streams = where.selector == coreaudio.STREAMS
        assert where.scope == (coreaudio.SCOPE_INPUT if is_streams else coreaudio.SCOPE_GLOBAL)
        return self.objects.get(target.value, {}).get(where.selector)

    def _raw(self, selector: int, value: object) -> bytes:
        if isinstance(value, str):
            handle = 1000 + len(self.strings)
            self.strings[handle] = value
            return handle.to_bytes(8, "little")
        if selector == coreaudio.RATE:
            return bytes(ctypes.c_double(value))  # type: ignore[arg-type]
        if selector == coreaudio.STREAMS:
            assert isinstance(value, list)
            raw = len(value).to_bytes(8, "little")  # count, then padding
            for channels in value:
                raw += channels.to_bytes(4, "little") + bytes(12)
            return raw
        if isinstance(value, list):
            return b"".join(item.to_bytes(4, "little") for item in value)
        assert isinstance(value, int)
        return value.to_bytes(4, "little")

    def AudioObjectGetPropertyDataSize(
        self, target: Any, address: Any, _size: Any, _qualifier: Any, size: Any
    ) -> int:
        value = self._value(target, address)
        if value is None:
            return 0x77686F3F  # 'who?'
        size._obj.value = len(self._raw(address._obj.selector, value))
        return 0

    def AudioObjectGetPropertyData(
        self, target: Any, address: Any, _size: Any, _qualifier: Any, size: Any, out: Any
    ) -> int:
        value = self._value(target, address)
        if value is None:
            return 0x77686F3F
        raw = self._raw(address._obj.selector, value)
        assert size._obj.value >= len(raw)
        ctypes.memmove(ctypes.addressof(out._obj), raw, len(raw))
        size._obj.value = len(raw)
        return 0

    def CFStringGetLength(self, handle: Any) -> int:
        return len(self.strings[handle.value])

    def CFStringGetMaximumSizeForEncoding(self, length: int, encoding: int) -> int:
        assert encoding == 0x08000100
        return length * 3

    def CFStringGetCString(self, handle: Any, buffer: Any, room: int, encoding: int) -> int:
        raw = self.strings[handle.value].encode() + b"\0"
        assert len(raw) <= room
        buffer[: len(raw)] = raw
        return 1

    def CFRelease(self, handle: Any) -> None:
        self.released.append(handle.value)


def test_core_audio_names_devices_and_how_they_are_connected() -> None:
    framework = FakeFramework()
    audio = CoreAudio(framework, framework)
    builtin, airpods = audio.inputs()
    assert (builtin.uid, builtin.name) == ("BuiltInMicrophoneDevice", "MacBook Pro Mikrofon")
    assert (builtin.rate_hz, builtin.channels) == (48_000, 1)
    assert (builtin.is_builtin, builtin.is_bluetooth, builtin.is_default) == (True, False, False)
    assert (airpods.name, airpods.rate_hz, airpods.channels) == ("AirPods 世界", 24_000, 3)
    assert (airpods.is_builtin, airpods.is_bluetooth, airpods.is_default) == (False, True, True)
    assert audio.output_is_bluetooth()
    assert sorted(framework.released) == sorted(framework.strings)  # no string leaks


def test_core_audio_that_knows_nothing_lists_nothing() -> None:
    framework = FakeFramework()
    framework.objects = {}
    audio = CoreAudio(framework, framework)
    assert audio.inputs() == ()
    assert not audio.output_is_bluetooth()


def test_the_struct_is_laid_out_as_in_c() -> None:
    assert ctypes.sizeof(coreaudio.Address) == 12
    assert ctypes.sizeof(coreaudio._Buffer) == 16
    assert coreaudio._BufferListHead.first.offset == 8
    assert coreaudio.four_cc("uid ") == 1969841184


def test_without_the_frameworks_there_is_no_core_audio() -> None:
    assert coreaudio._load() is None or load_core_audio() is not None


class PortAudioError(Exception):
    pass


class FakeStreamOfSoundDevice:
    def __init__(self, owner: "FakeSoundDevice", **arguments: Any) -> None:
        self.owner = owner
        self.arguments = arguments
        self.calls: list[str] = []
        if owner.refuses:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")

    def start(self) -> None:
        self.calls.append("start")
        if self.owner.refuses_start:
            raise PortAudioError("Internal PortAudio error [PaErrorCode -9986]")

    def abort(self, ignore_errors: bool) -> None:
        self.calls.append("abort")

    def close(self, ignore_errors: bool) -> None:
        self.calls.append("close")


class FakeSoundDevice(types.ModuleType):
    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.names = ["MacBook Pro Mikrofon", "Speakers", "AirPods 世界", "AirPods 世界"]
        self.initialised = 1
        self.refuses = self.refuses_start = self.is_broken = False
        self.streams: list[FakeStreamOfSoundDevice] = []

    def query_devices(self) -> list[dict[str, object]]:
        if not self.initialised:
            raise PortAudioError("PortAudio not initialized")
        return [
            {
                "name": name,
                "hostapi": 0,
                "max_input_channels": 0 if name == "Speakers" else 2,
                "default_samplerate": 44_100.0,
            }
            for name in self.names
        ]

    def query_hostapis(self) -> tuple[dict[str, object], ...]:
        return ({"default_input_device": -1}, {"default_input_device": 2})

    def _terminate(self) -> None:
        self.initialised -= 1

    def _initialize(self) -> None:
        if self.is_broken:
            raise PortAudioError("Error initializing PortAudio")
        self.initialised += 1

    def InputStream(self, **arguments: Any) -> FakeStreamOfSoundDevice:
        self.streams.append(FakeStreamOfSoundDevice(self, **arguments))
        return self.streams[-1]


def test_port_audio_and_core_audio_are_joined_by_name_each_once() -> None:
    framework = FakeFramework()
    portaudio = PortAudio(FakeSoundDevice, CoreAudio(framework, framework))
    builtin, first, second = portaudio.inputs()
    assert (builtin.uid, builtin.index, builtin.rate_hz) == ("BuiltInMicrophoneDevice", 0, 48_000)
    assert (first.uid, first.index, first.is_bluetooth, first.is_default) == (
        "00-11:input",
        2,
        True,
        True,
    )
    assert second.index == 3  # a twin CoreAudio does not list: usable, named by its name
    assert second.uid.endswith("AirPods 世界")
    assert portaudio.output_is_bluetooth()


def test_without_core_audio_name_and_default_come_from_port_audio() -> None:
    inputs = PortAudio(FakeSoundDevice).inputs()
    assert [device.is_default for device in inputs] == [False, True, False]
    assert not PortAudio(FakeSoundDevice).output_is_bluetooth()


@pytest.mark.parametrize("error", [OSError("PortAudio library not found"), PortAudioError("no")])
def test_a_missing_library_is_a_sentence(error: Exception) -> None:
    def load() -> Any:
        raise error

    with pytest.raises(AudioError, match="There is no microphone") as caught:
        PortAudio(load).inputs()
    assert str(caught.value.hint)


def test_port_audio_is_initialised_anew_only_when_idle() -> None:
    fake = FakeSoundDevice()
    portaudio = PortAudio(lambda: fake)
    microphone = PortAudioMicrophone(portaudio)
    device = portaudio.inputs()[0]
    fake.names.append("New")
    stream = microphone.open(device)
    assert microphone.open_streams == 1
    assert not portaudio.refresh()
    stream.ring.write(np.ones((5, 1), np.int16))
    assert stream.close()
    assert stream.close()
    assert fake.streams[0].calls == ["start", "abort", "close"]
    assert microphone.open_streams == 0
    assert portaudio.refresh()
    assert fake.initialised == 1
    assert fake.streams[0].arguments["samplerate"] == 44_100
    assert fake.streams[0].arguments["dtype"] == "int16"


def test_a_device_is_opened_by_what_it_is_not_by_an_old_number() -> None:
    fake = FakeSoundDevice()
    portaudio = PortAudio(lambda: fake)
    microphone = PortAudioMicrophone(portaudio)
    wanted = portaudio.inputs()[0]
    fake.names.insert(0, "New")
    assert portaudio.refresh()
    assert microphone.open(wanted).close()
    assert fake.streams[0].arguments["device"] == 1
    fake.names.remove(wanted.name)
    assert portaudio.refresh()
    with pytest.raises(AudioError, match="MacBook Pro Mikrofon"):
        microphone.open(wanted)
    assert (len(fake.streams), portaudio.open_streams) == (1, 0)


def test_a_sound_system_that_comes_back_is_found_again() -> None:
    fake = FakeSoundDevice()
    portaudio = PortAudio(lambda: fake)
    portaudio.inputs()
    fake.is_broken = True
    for ask in (portaudio.refresh, portaudio.inputs, portaudio.refresh):
        with pytest.raises(AudioError, match="does not answer"):
            ask()
    fake.is_broken = False
    assert portaudio.refresh()
    assert len(portaudio.inputs()) == 3
    assert fake.initialised == 1


@pytest.mark.parametrize("when", ["refuses", "refuses_start"])
def test_a_device_that_cannot_be_opened_is_named_and_not_counted(when: str) -> None:
    fake = FakeSoundDevice()
    setattr(fake, when, True)
    portaudio = PortAudio(lambda: fake)
    with pytest.raises(AudioError, match="MacBook Pro Mikrofon"):
        PortAudioMicrophone(portaudio).open(portaudio.inputs()[0])
    assert portaudio.open_streams == 0


def test_a_device_that_hangs_in_close_is_left_behind() -> None:

    fake = FakeSoundDevice()
    portaudio = PortAudio(lambda: fake)
    stream = PortAudioMicrophone(portaudio).open(portaudio.inputs()[0])
    release = threading.Event()
    fake.streams[0].abort = lambda ignore_errors: release.wait()  # type: ignore[assignment]
    assert not stream.close(deadline_s=0.01)
    assert portaudio.open_streams == 1
    assert not portaudio.refresh()
    release.set()
    assert stream.close()
    assert portaudio.open_streams == 0
