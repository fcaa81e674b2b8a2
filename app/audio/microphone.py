"""An open microphone: a ring that fills while the stream is there.

A stream exists only during a take: `open` makes one, `close` ends it, and `open_streams` counts
those not yet closed. What fills the ring copies and counts, nothing else. `close` never waits for a
device that hangs longer than it was told to.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from app.audio.devices import Device
from app.audio.portaudio import PortAudio
from app.audio.ring import RING_S, Ring, Samples
from app.core.errors import AudioError, mark

CLOSE_S = 2.0
BLOCK_SAMPLES = 512


class MicrophoneStream(Protocol):
    """One open stream of one device."""

    @property
    def device(self) -> Device: ...

    @property
    def rate_hz(self) -> int: ...

    @property
    def ring(self) -> Ring: ...

    @property
    def has_ended(self) -> bool:
        """Whether the sound system itself says that nothing more will come."""

    @property
    def overflows(self) -> int:
        """How often the sound system said that it lost samples."""

    def close(self, deadline_s: float = CLOSE_S) -> bool:
        """End the stream; `False` when the device did not answer in time. Idempotent."""


class Microphone(Protocol):
    """Opens streams."""

    @property
    def open_streams(self) -> int:
        """How many streams are open: 0 outside a take."""

    def open(self, device: Device) -> MicrophoneStream:
        """Begin to listen to `device` at its own rate.

        Raises:
            AudioError: it cannot be opened.

        Thread: any but the window's; a Bluetooth device takes seconds.
        """


class PortAudioMicrophone:
    """The real one."""

    def __init__(self, portaudio: PortAudio, *, channels: int = 1) -> None:
        self._portaudio = portaudio
        self._channels = channels

    @property
    def open_streams(self) -> int:
        return self._portaudio.open_streams

    def open(self, device: Device) -> "PortAudioStream":
        return PortAudioStream(self._portaudio, device, min(self._channels, device.channels))


class PortAudioStream:
    """One PortAudio input stream. Owner: the capture thread; the callback writes the ring."""

    def __init__(self, portaudio: PortAudio, device: Device, channels: int) -> None:
        self._portaudio = portaudio
        self._device = device
        self._ring = Ring(int(RING_S * device.rate_hz), channels)
        self._has_ended = False
        self._overflows = 0
        self._closing: threading.Thread | None = None
        self._stream = portaudio.open_input(
            device, channels, BLOCK_SAMPLES, self._on_block, self._on_finished
        )

    @property
    def device(self) -> Device:
        return self._device

    @property
    def rate_hz(self) -> int:
        return self._device.rate_hz

    @property
    def ring(self) -> Ring:
        return self._ring

    @property
    def has_ended(self) -> bool:
        return self._has_ended

    @property
    def overflows(self) -> int:
        return self._overflows

    def _on_block(self, block: Samples, _frames: int, _at: Any, status: Any) -> None:
        self._ring.write(block)
        if status:
            self._overflows += 1

    def _on_finished(self) -> None:
        self._has_ended = True

    def close(self, deadline_s: float = CLOSE_S) -> bool:
        if self._closing is None:
            # PortAudio may hang for ever on a device that is gone: never wait here for it.
            self._closing = threading.Thread(
                target=self._portaudio.close, args=(self._stream,), name="close-mic", daemon=True
            )
            self._closing.start()
        self._closing.join(deadline_s)
        return not self._closing.is_alive()


class FakeMicrophone:
    """Plays samples as if they were spoken, in a thread, `speed` times as fast as the clock.

    Owner: the test or script. `lost` (a set of UIDs) and `refuses` may be changed at any time.

    Args:
        samples: (n_samples, n_channels) int16, repeated for ever when `loops`.
        rate_hz: of the samples; every device is taken to have it.
        speed: how much faster than real time.
        delay_s: real seconds until the first block of each stream.
        block_samples: what a callback gets.
        loops: whether to start again at the end; else the stream stalls there.
        on_block: called with the count of samples given so far, after each block.
    """

    def __init__(
        self,
        samples: Samples,
        rate_hz: int = 16_000,
        *,
        speed: float = 1.0,
        delay_s: float = 0.0,
        block_samples: int = BLOCK_SAMPLES,
        loops: bool = False,
        on_block: Callable[[int], None] | None = None,
    ) -> None:
        self.samples = samples if samples.ndim == 2 else samples[:, None]
        self.rate_hz = rate_hz
        self.speed = speed
        self.delay_s = delay_s
        self.block_samples = block_samples
        self.loops = loops
        self.on_block = on_block
        self.lost: set[str] = set()
        self.refuses: set[str] = set()
        self.opened: list[Device] = []
        self.given = 0
        self._open = 0

    @property
    def open_streams(self) -> int:
        return self._open

    def open(self, device: Device) -> "FakeStream":
        self.opened.append(device)
        if device.uid in self.refuses:
            raise AudioError(
                mark("The microphone “{name}” could not be opened."),
                mark("Choose another microphone."),
                name=device.name,
            )
        self._open += 1
        return FakeStream(self, device)

    def closed(self) -> None:
        """Count a stream as closed; called by it."""
        self._open -= 1


class FakeStream:
    """One stream of a `FakeMicrophone`."""

    def __init__(self, microphone: FakeMicrophone, device: Device) -> None:
        self._microphone = microphone
        self._device = device
        samples = microphone.samples
        capacity = int(RING_S * microphone.rate_hz * max(microphone.speed / 5, 1.0))
        self._ring = Ring(capacity, samples.shape[1], samples.dtype)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="fake-mic")
        self._thread.start()

    @property
    def device(self) -> Device:
        return self._device

    @property
    def rate_hz(self) -> int:
        return self._microphone.rate_hz

    @property
    def ring(self) -> Ring:
        return self._ring

    @property
    def has_ended(self) -> bool:
        return False  # the worst case: nothing is ever said

    @property
    def overflows(self) -> int:
        return 0

    def close(self, deadline_s: float = CLOSE_S) -> bool:
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join(deadline_s)
            self._microphone.closed()
        return not self._thread.is_alive()

    def _play(self) -> None:
        mic = self._microphone
        start = time.monotonic() + mic.delay_s
        block_s = mic.block_samples / mic.rate_hz / mic.speed
        count = 0
        while not self._stop.wait(max(start + (count + 1) * block_s - time.monotonic(), 0)):
            if self._device.uid in mic.lost:
                return
            block = self._block(mic.given)
            if not len(block):
                return
            self._ring.write(block)
            mic.given += len(block)
            count += 1
            if mic.on_block is not None:
                mic.on_block(mic.given)

    def _block(self, at: int) -> Samples:
        mic = self._microphone
        if not mic.loops:
            return mic.samples[at : at + mic.block_samples]
        rows = np.arange(at, at + mic.block_samples) % len(mic.samples)
        return mic.samples[rows]
