"""The one place that talks to PortAudio.

PortAudio lists devices only when it is initialised, so it is initialised anew to see what was
plugged in, but never while a stream is open. That numbers the devices anew, so a device that was
listed before is found again by its UID or name when it is opened. The library is loaded at the
first need; where it is missing, or no sound system answers, there simply is no microphone.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

from app.audio.coreaudio import CoreAudio, CoreAudioDevice, load_core_audio
from app.audio.devices import Choice, Device, find
from app.core.errors import AudioError, mark

_BLUETOOTH_NAMES = ("bluez", "bluetooth", "headset", "airpods")


def import_sounddevice() -> ModuleType:
    """Return sounddevice, which initialises PortAudio; OSError without the library."""
    import sounddevice

    module: ModuleType = sounddevice
    return module


class PortAudio:
    """Devices and streams of this process. Owner of PortAudio's global state: make only one.

    Args:
        load: gives the sounddevice module, or a stand-in.
        core_audio: what knows UIDs on macOS; `None` elsewhere.

    Thread: any.
    """

    def __init__(
        self,
        load: Callable[[], Any] = import_sounddevice,
        core_audio: CoreAudio | None = None,
    ) -> None:
        self._load = load
        self._core_audio = core_audio if core_audio is not None else load_core_audio()
        self._sounddevice: Any = None
        self._is_down = False  # terminated, and the initialisation after it failed
        self._lock = threading.RLock()  # guards initialisation and the counts
        self._open = 0
        self._listing = 0  # how often PortAudio was initialised: each time numbers anew

    @property
    def open_streams(self) -> int:
        """How many streams are not yet closed, those that hang included."""
        return self._open

    def inputs(self) -> tuple[Device, ...]:
        """Return the microphones PortAudio saw when it was last initialised.

        Raises:
            AudioError: PortAudio is missing or cannot start.
        """
        with self._lock:
            sd = self._module()
            try:
                found = list(sd.query_devices())
                default = self._default_index(sd)
                listing = self._listing
            except sd.PortAudioError as error:
                raise _no_sound_system(error) from error
        inputs = [(index, dict(raw)) for index, raw in enumerate(found)]
        inputs = [(index, raw) for index, raw in inputs if raw["max_input_channels"] > 0]
        known = list(self._core_audio.inputs()) if self._core_audio else []
        devices = [_device(index, raw, known, default) for index, raw in inputs]
        return tuple(replace(device, listing=listing) for device in devices)

    def output_is_bluetooth(self) -> bool:
        """Whether sound comes out of a Bluetooth device; known on macOS only."""
        return self._core_audio.output_is_bluetooth() if self._core_audio else False

    def refresh(self) -> bool:
        """Initialise PortAudio anew; `False` while a stream is open.

        Raises:
            AudioError: PortAudio is missing or cannot start.
        """
        with self._lock:
            if self._open:
                return False
            if self._sounddevice is None or self._is_down:
                self._module()
                return True
            self._sounddevice._terminate()
            self._is_down = True
            self._module()
            return True

    def open_input(
        self,
        device: Device,
        channels: int,
        block_samples: int,
        on_block: Callable[[Any, int, Any, Any], None],
        on_finished: Callable[[], None],
    ) -> Any:
        """Open and start a stream of int16 samples.

        Raises:
            AudioError: it cannot be opened.
        """
        with self._lock:
            sd = self._module()
            index = self._index_now(device)
            self._open += 1  # from here on nothing is numbered anew
        stream = None
        try:
            stream = sd.InputStream(
                device=index,
                samplerate=device.rate_hz,
                channels=channels,
                blocksize=block_samples,
                dtype="int16",
                callback=on_block,
                finished_callback=on_finished,
            )
            stream.start()
        except (sd.PortAudioError, ValueError, OSError) as error:
            if stream is not None:
                stream.close(ignore_errors=True)
            with self._lock:
                self._open -= 1
            raise _not_opened(device, str(error)) from error
        return stream

    def close(self, stream: Any) -> None:
        """End `stream`; may hang on a device that is gone, so call it from a thread of its own.

        `abort`, never `stop`: stop waits for ever for a device that never gave a block.
        """
        try:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
        finally:
            with self._lock:
                self._open -= 1

    def _index_now(self, device: Device) -> int:
        """Return the number of `device` in the list as it is now."""
        if device.listing == self._listing:
            return device.index
        again = find(self.inputs(), Choice(device.uid, device.name))
        if again is None:
            raise _not_opened(device, "it is not there any more")
        return again.index

    def _module(self) -> Any:
        if self._sounddevice is None:
            try:
                self._sounddevice = self._load()
            except (ImportError, OSError) as error:
                raise AudioError(
                    mark("There is no microphone: the sound library PortAudio is missing."),
                    mark("Install it (on Debian: apt install libportaudio2) and start again."),
                ) from error
            except Exception as error:
                # sounddevice raises its own error at import when PortAudio cannot start, and its
                # class cannot be named before the import succeeded
                raise _no_sound_system(error) from error
            self._listing += 1
        if self._is_down:
            try:
                self._sounddevice._initialize()
            except self._sounddevice.PortAudioError as error:
                raise _no_sound_system(error) from error
            self._is_down = False
            self._listing += 1
        return self._sounddevice

    @staticmethod
    def _default_index(sd: Any) -> int:
        for api in sd.query_hostapis():
            if api["default_input_device"] >= 0:
                return int(api["default_input_device"])
        return -1


def _no_sound_system(error: Exception) -> AudioError:
    return AudioError(
        mark("There is no microphone: the sound system does not answer."),
        mark("Connect a microphone and try again."),
        reason=str(error),
    )


def _not_opened(device: Device, reason: str) -> AudioError:
    return AudioError(
        mark("The microphone “{name}” could not be opened."),
        mark("Check that no other app holds it and that Undertone may use the microphone."),
        name=device.name,
        reason=reason,
    )


def _device(index: int, raw: dict[str, Any], known: list[CoreAudioDevice], default: int) -> Device:
    """Join what PortAudio and CoreAudio say; equal names are matched in order, each once."""
    name = str(raw["name"])
    rate_hz = round(float(raw["default_samplerate"]))
    channels = int(raw["max_input_channels"])
    match = next((device for device in known if device.name == name), None)
    if match is None:
        lower = name.lower()
        return Device(
            uid=f"{sys.platform}:{raw.get('hostapi', 0)}:{name}",
            name=name,
            rate_hz=rate_hz,
            channels=channels,
            is_default=index == default,
            is_bluetooth=any(word in lower for word in _BLUETOOTH_NAMES),
            index=index,
        )
    known.remove(match)
    return Device(
        uid=match.uid,
        name=name,
        rate_hz=match.rate_hz or rate_hz,
        channels=channels,
        is_default=match.is_default,
        is_bluetooth=match.is_bluetooth,
        is_builtin=match.is_builtin,
        index=index,
    )
