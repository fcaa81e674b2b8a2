"""One take from the microphone to the disk, whatever happens to the microphone.

The capture thread opens the device, watches it and, when it falls silent, goes down a ladder: the
same device again, then any other, then the take is closed as complete. Nothing but `stop`, a disk
that takes no more and the end of that ladder ends a take: device events never do, and what an older
stream still says (each has its own generation) is not heard.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

from app.audio.ballast import Ballast
from app.audio.capture_events import (
    GapFound,
    HintsChanged,
    MicrophoneLost,
    SoundReturned,
    SoundSilent,
    SpaceLow,
    TakeEnded,
    TakeEvent,
)
from app.audio.devices import Choice, Device, Devices, choose, find
from app.audio.frames import Kind
from app.audio.journal import Clock, JournalWriter, SectionFormat
from app.audio.journal_thread import JournalThread
from app.audio.measure import Hint, Level, Meter, SoundSummary
from app.audio.microphone import Microphone, MicrophoneStream
from app.audio.take_folder import TakeFolder
from app.audio.watchdog import Limits, StreamWatch
from app.core.errors import AppError, AudioError, DeviceLost, DiskFull, mark

_RETRY_S = 0.2
_SLEPT_NS = 1_000_000_000  # a shorter jump of the clocks is no sleep


class EndReason(StrEnum):
    """Why a take ended; its sound is kept in every case."""

    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DEVICE_LOST = "device_lost"
    NO_MICROPHONE = "no_microphone"
    DISK_FULL = "disk_full"
    DISK_FAILED = "disk_failed"


def asleep_ns() -> int:
    """Return for how long this machine has ever slept, up to a constant.

    Source: clock_gettime(3) of Linux, where CLOCK_BOOTTIME goes on in sleep, and of macOS, where
    CLOCK_MONOTONIC does; `time.monotonic` stands still on both.
    """
    name = "CLOCK_BOOTTIME" if hasattr(time, "CLOCK_BOOTTIME") else "CLOCK_MONOTONIC"
    return time.clock_gettime_ns(getattr(time, name)) - time.monotonic_ns()


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where the time comes from.

    Attributes:
        monotonic_ns: all durations.
        wall_s: labels only.
        asleep_ns: see `asleep_ns`.
    """

    monotonic_ns: Clock = time.monotonic_ns
    wall_s: Callable[[], float] = time.time
    asleep_ns: Callable[[], int] = asleep_ns


class Capture:
    """Records one take. Owner of its stream, journal and thread.

    `start` once, then `stop`; both return at once. What happens is told to `on_event`, which is
    called on the capture thread and must only pass it on.
    """

    def __init__(
        self,
        folder: TakeFolder,
        microphone: Microphone,
        devices: Devices,
        on_event: Callable[[TakeEvent], None],
        *,
        choice: Choice | None = None,
        ballast: Ballast | None = None,
        limits: Limits | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._folder = folder
        self._microphone = microphone
        self._devices = devices
        self._on_event = on_event
        self._choice = self._wanted = choice or Choice()
        self._ballast = ballast
        self._limits = limits or Limits()
        clocks = clocks or Clocks()
        self._clock = clocks.monotonic_ns
        self._wall = clocks.wall_s
        self._asleep = clocks.asleep_ns
        self._thread = threading.Thread(target=self._run, name="capture")
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._stop_reason: EndReason | None = None
        self._wants_pause = False
        self._is_paused = False
        self._journal: JournalThread | None = None
        self._stream: MicrophoneStream | None = None
        self._watch: StreamWatch | None = None
        self._generation = 0
        self._losses: list[tuple[str, int]] = []
        self._meter: Meter | None = None
        self._hints: frozenset[Hint] = frozenset()
        self._error: AppError | None = None
        self._slept_ns = 0
        self._space_checked_ns: int | None = None

    @property
    def level(self) -> Level:
        """How loud it is right now."""
        return self._meter.level if self._meter is not None else Level()

    @property
    def duration_s(self) -> float:
        """Length of the take on disk."""
        return self._journal.duration_s if self._journal is not None else 0.0

    @property
    def device(self) -> Device | None:
        """The microphone in use."""
        stream = self._stream
        return stream.device if stream is not None else None

    def start(self) -> None:
        """Begin; the microphone is open when `MicrophoneReady` comes."""
        self._thread.start()

    def stop(self, reason: EndReason = EndReason.STOPPED) -> None:
        """Ask for the end; `TakeEnded` follows when all is on disk. Thread: any."""
        if self._stop_reason is None:
            self._stop_reason = reason
        if reason is not EndReason.STOPPED:
            self._hurry.set()
        self._stopping.set()
        self._wake.set()

    def pause(self) -> None:
        """Ask to close the microphone until `resume`. Thread: any."""
        self._wants_pause = True
        self._wake.set()

    def resume(self) -> None:
        """Ask to open it again. Thread: any."""
        self._wants_pause = False
        self._wake.set()

    def use(self, choice: Choice) -> None:
        """Ask to go on with another microphone; the take stays the same. Thread: any."""
        self._wanted = choice
        self._wake.set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the take has ended; `False` when it has not in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # The capture thread, from here on.

    def _run(self) -> None:
        try:
            writer = JournalWriter(
                self._folder.journal,
                self._folder.take_id,
                wall_s=self._wall(),
                clock=self._clock,
                ballast=self._ballast,
            )
        except AppError as error:
            reason = EndReason.DISK_FULL if isinstance(error, DiskFull) else EndReason.DISK_FAILED
            self._on_event(TakeEnded(reason, 0.0, SoundSummary(), error))
            return
        self._journal = JournalThread(writer, clock=self._clock, period_s=self._limits.drain_s)
        self._journal.start()
        self._slept_ns = self._asleep()
        reason = EndReason.DISK_FAILED  # for a bug: whatever is raised, the take is closed
        try:
            reason = self._record()
        finally:
            self._finish(reason)

    def _record(self) -> EndReason:
        if not self._connect(None, 0.0):
            return self._stop_reason or EndReason.NO_MICROPHONE
        while True:
            if self._wake.wait(self._limits.tick_s):
                self._wake.clear()
            if self._stop_reason is not None:
                return self._stop_reason
            reason = self._step()
            if reason is not None:
                return reason

    def _step(self) -> EndReason | None:
        """Look at everything once; return why the take cannot go on, if so."""
        assert self._journal is not None
        if self._journal.failure is not None or self._journal.used_ballast:
            return self._disk_reason()
        if self._wants_pause != self._is_paused:
            return self._change_pause()
        if self._is_paused or self._stream is None or self._watch is None:
            return None
        if self._wanted != self._choice:
            return self._switch(self._stream.device)
        self._look_at_sound(self._stream, self._watch)
        self._look_at_machine()
        if self._stream.has_ended or self._watch.stalled_s() >= self._limits.heartbeat_s:
            return self._recover_from_loss(self._stream.device)
        return None

    def _disk_reason(self) -> EndReason:
        assert self._journal is not None
        failure = self._journal.failure
        if failure is not None and not isinstance(failure, DiskFull):
            return EndReason.DISK_FAILED
        return EndReason.DISK_FULL

    def _change_pause(self) -> EndReason | None:
        assert self._journal is not None
        self._is_paused = self._wants_pause
        if self._is_paused:
            self._close_stream()
            self._journal.detach()
            self._journal.marker(Kind.PAUSE)
            return None
        self._journal.marker(Kind.RESUME)
        has_slept = self._asleep() - self._slept_ns > _SLEPT_NS
        patience_s = self._limits.wake_s if has_slept else self._limits.give_up_s
        if self._connect(None, patience_s):
            return None
        return self._stop_reason or EndReason.NO_MICROPHONE

    def _look_at_sound(self, stream: MicrophoneStream, watch: "StreamWatch") -> None:
        assert self._journal is not None
        for event in watch.look():
            if isinstance(event, GapFound):
                self._journal.gap(round(event.missing_s * stream.rate_hz), "clock")
            elif isinstance(event, SoundSilent) and not event.is_long:
                self._journal.marker(Kind.MUTE, silent_s=event.silent_s)
            elif isinstance(event, SoundReturned):
                self._journal.marker(Kind.MUTE, silent_s=0)
            self._on_event(event)
        assert self._meter is not None
        hints = self._meter.hints()
        if hints != self._hints:
            self._hints = hints
            self._on_event(HintsChanged(hints))

    def _look_at_machine(self) -> None:
        assert self._journal is not None
        slept = self._asleep()
        if slept - self._slept_ns > _SLEPT_NS:
            self._journal.marker(Kind.NOTE, slept_s=(slept - self._slept_ns) / 1e9)
        self._slept_ns = slept
        now = self._clock()
        if self._space_checked_ns is None or now - self._space_checked_ns > 10_000_000_000:
            self._space_checked_ns = now
            with contextlib.suppress(OSError):  # the journal says what a failing disk does
                free = shutil.disk_usage(self._folder.folder).free
                if free < self._limits.low_space_bytes:
                    self._on_event(SpaceLow(free))

    def _switch(self, before: Device) -> EndReason | None:
        """Go on with the microphone that was chosen meanwhile; with the old one if it fails."""
        self._choice = self._wanted
        device = self._pick(None, set())
        if device is None or device.uid == before.uid:
            return None
        self._close_stream()
        if self._try(device, is_gap=True) or self._connect(before, self._limits.give_up_s):
            return None
        return self._stop_reason or EndReason.DEVICE_LOST

    def _recover_from_loss(self, device: Device) -> EndReason | None:
        now = self._clock()
        self._losses.append((device.uid, now))
        self._on_event(MicrophoneLost(device))
        self._close_stream()
        if self._connect(device, self._limits.give_up_s):
            return None
        if self._stop_reason is None:
            self._error = DeviceLost(
                mark("The microphone “{name}” went away and no other one is there."),
                mark("The recording up to then is kept. Connect a microphone to record again."),
                name=device.name,
            )
        return self._stop_reason or EndReason.DEVICE_LOST

    def _connect(self, lost: Device | None, patience_s: float) -> bool:
        """Open a microphone; go on trying for `patience_s`."""
        until = self._clock() + int(patience_s * 1e9)
        while not self._climb_down(lost):
            if self._clock() >= until or self._stopping.wait(_RETRY_S):
                return False
        return True

    def _climb_down(self, lost: Device | None) -> bool:
        """Go down the ladder once; `True` at the first microphone that gives a block."""
        failed: set[str] = set()
        flapping = self._flapping()
        if lost is not None:
            self._refresh()
        for attempt in range(4):
            if self._stop_reason is not None:
                return False
            device = self._pick(lost, failed | flapping) or self._pick(lost, failed)
            if device is not None and self._try(device, is_gap=lost is not None):
                return True
            if lost is None and attempt == 0:
                self._refresh()  # the list may be stale: once more with the same device
            elif device is None:
                return False
            elif device is not None:
                failed.add(device.uid)
        return False

    def _pick(self, lost: Device | None, failed: set[str]) -> Device | None:
        try:
            inputs = self._devices.inputs()
            is_bluetooth = self._devices.output_is_bluetooth()
        except AudioError as error:
            self._error = error
            return None
        if lost is not None and lost.uid not in failed:
            again = find(inputs, Choice(lost.uid, lost.name))
            if again is not None:
                return again
        device = choose(
            inputs,
            self._choice,
            output_is_bluetooth=is_bluetooth,
            without=failed,
        )
        if device is None and self._error is None:
            self._error = AudioError(
                mark("There is no microphone."), mark("Connect a microphone and try again.")
            )
        return device

    def _try(self, device: Device, *, is_gap: bool) -> bool:
        assert self._journal is not None
        try:
            stream = self._microphone.open(device)
        except AppError as error:
            self._error = error
            return False
        self._generation += 1
        self._stream = stream
        if not self._wait_for_first_block(stream):
            self._close_stream()
            if self._stop_reason is None:
                self._error = AudioError(
                    mark("The microphone “{name}” gives no sound."),
                    mark("Choose another microphone, or disconnect it and connect it again."),
                    name=device.name,
                )
            return False
        self._error = None
        sound = SectionFormat(
            stream.rate_hz, stream.ring.channels, "int16", device.uid, device.name
        )
        self._journal.attach(stream.ring, sound, gap_reason="device" if is_gap else "")
        if self._meter is None:
            self._meter = Meter(stream.rate_hz)
        else:
            self._meter.change_rate(stream.rate_hz)
        self._watch = StreamWatch(stream, self._generation, self._meter, self._limits, self._clock)
        return True

    def _wait_for_first_block(self, stream: MicrophoneStream) -> bool:
        limits = self._limits
        patience_s = (
            limits.first_block_bluetooth_s if stream.device.is_bluetooth else limits.first_block_s
        )
        until = self._clock() + int(patience_s * 1e9)
        while not stream.ring.written:
            is_late = self._clock() > until
            if is_late or stream.has_ended or self._stop_reason is not None:
                return False
            self._stopping.wait(min(limits.tick_s, 0.01))
        return True

    def _flapping(self) -> set[str]:
        """Devices lost twice in a short time."""
        since = self._clock() - int(self._limits.flapping_s * 1e9)
        recent = [uid for uid, at in self._losses if at > since]
        return {uid for uid in recent if recent.count(uid) > 1}

    def _refresh(self) -> None:
        try:
            self._devices.refresh()
        except AudioError as error:
            self._error = error

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close(self._limits.close_s)
        if self._watch is not None:
            self._watch.look()  # its last sound counts for the summary
        self._stream = self._watch = None

    def _finish(self, reason: EndReason) -> None:
        """Take the last words, close the microphone, put everything on disk, tell."""
        assert self._journal is not None
        stream = self._stream
        if stream is not None and reason is EndReason.STOPPED:
            self._hurry.wait(self._limits.post_roll_s)
        if stream is not None:
            stream.close(min(self._limits.close_s, 0.3))  # one that hangs must not delay the disk
            if self._watch is not None:
                self._watch.look()
        summary = self._meter.summary() if self._meter is not None else SoundSummary()
        self._journal.marker(Kind.NOTE, sound=asdict(summary))
        failure = self._journal.finish(reason)
        if reason is EndReason.DISK_FULL and failure is None:
            failure = DiskFull(
                mark("Your disk is full, so the recording was ended. All of it is kept."),
                mark("Free some disk space, then start a new recording."),
            )
        self._close_stream()
        error = failure if failure is not None else self._error
        self._on_event(TakeEnded(reason, self._journal.duration_s, summary, error))
