"""The microphones for the windows: which there are, and how loud the chosen one is right now.

Looking and opening take time and happen on the io pool; what came of it arrives as a signal. The
try-out keeps nothing: it reads the ring of an open stream and measures.
"""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from PySide6.QtCore import QObject, QTimer, Signal

from app.audio.devices import Choice, Device, Devices, choose
from app.audio.measure import Meter
from app.audio.microphone import Microphone, MicrophoneStream
from app.audio.ring import RingReader
from app.config.settings import Settings
from app.core.errors import AppError, AudioError, mark
from app.ui.ports import MicrophoneChoice

_SILENCE_DB = -100.0
_NO_SOUND_MS = 2_500  # a Bluetooth microphone takes so long to begin
_LONGEST_TEST_MS = 60_000  # nobody keeps a microphone open that is forgotten


class SystemMicrophones(QObject):
    """Implements `ports.Microphones`. Lives in the main thread.

    Args:
        devices: what microphones there are.
        microphone: opens one.
        pool: where slow work runs.
        settings: which one is chosen.
    """

    changed = Signal()
    _looked = Signal(object, object)  # tuple[Device, ...], AppError | None
    _opened = Signal(object, object)  # MicrophoneStream | None, AppError | None

    def __init__(
        self,
        devices: Devices,
        microphone: Microphone,
        pool: Executor,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._devices = devices
        self._microphone = microphone
        self._pool = pool
        self._settings = settings
        self._inputs: tuple[Device, ...] = ()
        self._problem: AppError | None = None
        self._is_looking = False
        self._is_testing = False
        self._is_closed = False
        self._stream: MicrophoneStream | None = None
        self._reader: RingReader | None = None
        self._meter: Meter | None = None
        self._looked.connect(self._on_looked)
        self._opened.connect(self._on_opened)
        self._no_sound = self._alarm(_NO_SOUND_MS, self._on_no_sound)
        self._longest = self._alarm(_LONGEST_TEST_MS, self.stop_test)

    @property
    def choices(self) -> Sequence[MicrophoneChoice]:
        return tuple(
            MicrophoneChoice(
                device.uid, device.name, device.is_default, device.is_builtin, device.is_bluetooth
            )
            for device in self._inputs
        )

    @property
    def problem(self) -> AppError | None:
        return self._problem

    @property
    def is_testing(self) -> bool:
        return self._is_testing

    def look_again(self) -> None:
        if self._is_looking or self._is_closed:
            return
        self._is_looking = True
        self._pool.submit(self._look)

    def start_test(self) -> None:
        if self._is_testing or self._is_closed:
            return
        self._is_testing = True
        self._problem = None
        self._longest.start()
        settings = self._settings()
        uid, _, name = settings.microphone.partition("\t")
        self._pool.submit(self._open, Choice(uid, name, settings.builtin_while_bluetooth))
        self.changed.emit()

    def stop_test(self) -> None:
        if not self._is_testing:
            return
        self._is_testing = False
        self._let_go()
        self.changed.emit()

    def test_level_db(self) -> float:
        if self._reader is None or self._meter is None:
            return _SILENCE_DB
        chunk = self._reader.read()
        if len(chunk.samples):
            self._no_sound.stop()
            self._meter.feed(chunk.samples)
        return max(self._meter.level.rms_db, _SILENCE_DB)

    def close(self) -> None:
        """Let go of the microphone; nothing is told any more."""
        self._is_closed = True
        self._is_testing = False
        self._let_go()

    # Thread: io

    def _look(self) -> None:
        problem: AppError | None = None
        inputs: tuple[Device, ...] = ()
        try:
            self._devices.refresh()
            inputs = self._devices.inputs()
        except AppError as error:
            problem = error
        with contextlib.suppress(RuntimeError):  # the app has ended meanwhile
            self._looked.emit(inputs, problem)

    def _open(self, choice: Choice) -> None:
        stream: MicrophoneStream | None = None
        problem: AppError | None = None
        try:
            device = choose(
                self._devices.inputs(),
                choice,
                output_is_bluetooth=self._devices.output_is_bluetooth(),
            )
            if device is None:
                raise AudioError(
                    mark("No microphone is connected."), mark("Plug one in and try again.")
                )
            stream = self._microphone.open(device)
        except AppError as error:
            problem = error
        try:
            self._opened.emit(stream, problem)
        except RuntimeError:  # the app has ended meanwhile
            if stream is not None:
                stream.close()

    # Thread: main

    def _on_looked(self, inputs: tuple[Device, ...], problem: AppError | None) -> None:
        self._is_looking = False
        self._inputs = inputs
        if not self._is_testing:
            self._problem = problem
        self.changed.emit()

    def _on_opened(self, stream: MicrophoneStream | None, problem: AppError | None) -> None:
        if stream is None:
            self._is_testing = False
            self._problem = problem
            self._let_go()
        elif not self._is_testing or self._stream is not None:
            self._pool_close(stream)
        else:
            self._stream = stream
            self._reader = RingReader(stream.ring)
            self._meter = Meter(stream.rate_hz)
            self._no_sound.start()
        self.changed.emit()

    def _on_no_sound(self) -> None:
        if self._stream is None:
            return
        self._problem = AudioError(
            mark("The microphone “{name}” gives no sound."),
            mark("It may be muted, or in use by another program."),
            name=self._stream.device.name,
        )
        self.changed.emit()

    def _let_go(self) -> None:
        self._no_sound.stop()
        self._longest.stop()
        stream, self._stream = self._stream, None
        self._reader = self._meter = None
        if stream is not None:
            self._pool_close(stream)

    def _pool_close(self, stream: MicrophoneStream) -> None:
        if self._is_closed:
            stream.close()
        else:
            self._pool.submit(stream.close)

    def _alarm(self, after_ms: int, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(after_ms)
        timer.timeout.connect(call)
        return timer
