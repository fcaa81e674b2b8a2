"""The growing take on disk: what the microphone gave, before anything else sees it.

Frames (`app.audio.frames`) are only ever appended: nothing truncates, rewrites or deletes a
journal here. Sound is at the device's own rate; a gap is a marker of known length and means
silence, so that times stay true to the clock. A process that dies loses what was not yet handed to
`JournalWriter`; a machine that dies, what was not yet synced.
"""

import contextlib
import errno
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.ballast import Ballast
from app.audio.frames import Frame, FrameReader, Kind, pack, pack_details
from app.audio.ring import Samples
from app.config.medium import flush_to_medium
from app.core.errors import AppError, AudioError, DiskFull, mark

FORMATS: dict[str, np.dtype[Any]] = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}
_CHECKED_AT_THE_END = 64  # frames whose sound a scan reads: more than can be unsynced

Clock = Callable[[], int]  # monotonic nanoseconds


@dataclass(frozen=True, slots=True)
class SectionFormat:
    """The device and the format of one section's samples.

    Attributes:
        rate_hz: the device's own.
        channels: interleaved.
        sample_format: `int16` or `float32`.
        device_uid: what names the device for good.
        device_name: what a person calls it.
    """

    rate_hz: int
    channels: int = 1
    sample_format: str = "int16"
    device_uid: str = ""
    device_name: str = ""

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return FORMATS[self.sample_format].itemsize * self.channels

    @classmethod
    def from_details(cls, details: dict[str, Any]) -> "SectionFormat":
        """Read what a `DEVICE` frame holds; raises ValueError or TypeError if it cannot be."""
        known = {key: details[key] for key in cls.__dataclass_fields__ if key in details}
        found = cls(**known)
        if found.sample_format not in FORMATS or found.rate_hz < 1 or found.channels < 1:
            raise ValueError("unknown sample format")
        return found


class JournalWriter:
    """Appends one take to one new file.

    Owner: the journal thread; `sync` may run in another one at the same time.
    """

    def __init__(
        self,
        file: Path,
        take_id: str,
        *,
        wall_s: float,
        clock: Clock = time.monotonic_ns,
        ballast: Ballast | None = None,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self.file = file
        self._clock = clock
        self._ballast = ballast
        self._write = write
        self._seq = 0
        self._section = 0
        self._format: SectionFormat | None = None
        self._position = 0  # samples of this section, gaps included
        self._seconds_before = 0.0  # of the sections before this one
        self._pending = b""
        self._bytes = 0
        self._synced_bytes = 0
        self.used_ballast = False
        try:
            self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _as_app_error(error, 0.0) from error
        try:
            self._append(Kind.HEADER, pack_details({"take_id": take_id, "wall_s": wall_s}))
        except AppError:
            self.close()
            raise

    @property
    def duration_s(self) -> float:
        """Length of the take so far, gaps included."""
        rate_hz = self._format.rate_hz if self._format else 1
        return self._seconds_before + self._position / rate_hz

    @property
    def written_bytes(self) -> int:
        """What survives the end of this process."""
        return self._bytes

    @property
    def synced_bytes(self) -> int:
        """What survives a power cut."""
        return self._synced_bytes

    def begin_section(self, sound: SectionFormat) -> None:
        """Say where the sound comes from, from here on; before the first `audio`."""
        self._seconds_before = self.duration_s
        self._position = 0
        self._section += 1
        self._format = sound
        self._append(Kind.DEVICE, pack_details(asdict(sound)))

    def audio(self, samples: Samples) -> None:
        """Append (n_samples, n_channels) of the section's format.

        Raises:
            DiskFull: no room left; the part already written is kept and the rest retried first
                with the next call.
            AudioError: the disk failed.
        """
        if self._format is None:
            raise RuntimeError("sound before a section")
        raw = np.ascontiguousarray(samples, dtype=FORMATS[self._format.sample_format]).tobytes()
        position = self._position
        self._position += len(samples)
        self._append(Kind.AUDIO, raw, position)

    def gap(self, missing_samples: int, reason: str) -> None:
        """Mark that `missing_samples` of this section were never delivered."""
        position = self._position
        self._position += missing_samples
        details = {"samples": missing_samples, "reason": reason}
        self._append(Kind.GAP, pack_details(details), position)

    def marker(self, kind: Kind, **details: object) -> None:
        """Append a marker."""
        self._append(kind, pack_details(details))

    def end(self, reason: str) -> None:
        """Mark the take as closed; the last frame."""
        self.marker(Kind.END, reason=reason)

    def sync(self) -> None:
        """Put on the medium what was written so far. Thread: any one beside the writer's.

        Raises:
            DiskFull, AudioError: see `audio`.
        """
        before = self._bytes
        try:
            flush_to_medium(self._descriptor)
        except OSError as error:
            raise _as_app_error(error, self.duration_s) from error
        self._synced_bytes = max(self._synced_bytes, before)

    def close(self) -> None:
        """Give the file back; idempotent."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):  # written data is safe, a late report helps nobody
                os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, kind: Kind, payload: bytes, position: int | None = None) -> None:
        at = self._position if position is None else position
        frame = pack(kind, self._section, self._seq, self._clock(), at, payload)
        self._seq += 1
        self._pending += frame
        self._flush()

    def _flush(self) -> None:
        """Write what is pending; a short write goes on where it stopped."""
        view = memoryview(self._pending)
        try:
            while view:
                try:
                    written = self._write(self._descriptor, view)
                except OSError as error:
                    if error.errno not in _FULL or not self._release_ballast():
                        raise _as_app_error(error, self.duration_s) from error
                    continue
                view = view[written:]
                self._bytes += written
        finally:
            self._pending = bytes(view)

    def _release_ballast(self) -> bool:
        if self._ballast is None or not self._ballast.release():
            return False
        self.used_ballast = True
        return True


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _as_app_error(error: OSError, duration_s: float) -> AppError:
    minutes, seconds = divmod(int(duration_s), 60)
    at = f"{minutes}:{seconds:02}"
    if error.errno in _FULL:
        return DiskFull(
            mark("Your disk is full. The recording was ended; everything up to {at} is kept."),
            mark("Free some disk space, then start a new recording."),
            at=at,
        )
    return AudioError(
        mark("The recording could not be written to your disk: {reason}. It is kept up to {at}."),
        mark("Check the disk that holds your library, then start a new recording."),
        reason=error.strerror or str(error),
        at=at,
    )


def sync_folder(folder: Path) -> None:
    """Put names made, moved or removed in `folder` on the medium."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker and where in the take it stands, in seconds."""

    kind: Kind
    at_s: float
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """What one device gave: its format, how many samples, gaps and damage included."""

    sound: SectionFormat
    samples: int

    @property
    def duration_s(self) -> float:
        return self.samples / self.sound.rate_hz


@dataclass(frozen=True, slots=True)
class JournalScan:
    """What a journal holds.

    Attributes:
        take_id: empty when even the header is damaged.
        wall_s: wall clock at the start, a label only.
        sections: in order.
        markers: in order, `GAP`s included.
        end_reason: why the take was closed, `None` when it never was (the process died).
        damaged: how many stretches inside could not be read; they become silence.
        good_bytes: up to where frames are good.
        tail_bytes: what follows and is not: a torn last frame, or zeros after a power cut.
    """

    take_id: str
    wall_s: float
    sections: tuple[Section, ...]
    markers: tuple[Marker, ...]
    end_reason: str | None
    damaged: int
    good_bytes: int
    tail_bytes: int

    @property
    def duration_s(self) -> float:
        return sum(section.duration_s for section in self.sections)

    @property
    def missing_s(self) -> float:
        """How much of the duration the device never delivered."""
        return sum(
            float(marker.details.get("seconds", 0.0))
            for marker in self.markers
            if marker.kind is Kind.GAP
        )


def scan(file: Path, *, thorough: bool = False) -> JournalScan:
    """Return what the journal `file` holds, without changing it.

    All headers are checked; the sound itself only at the end, where a crash may have torn it,
    unless `thorough`.

    Raises:
        AudioError: the file cannot be opened.
    """
    descriptor = open_for_reading(file)
    try:
        reader = FrameReader(descriptor)
        tally = _Tally()
        recent: deque[int] = deque(maxlen=_CHECKED_AT_THE_END)
        while True:
            if not thorough and (last := reader.hop_audio(recent)) is not None:
                tally.add_audio(*last)
            frame = reader.next()
            if frame is None:
                if reader.find_next() is None:
                    break
                tally.damaged += 1
                continue
            try:
                tally.add(frame)
            except (TypeError, ValueError):  # whole, but not written by us
                tally.damaged += 1
        if not thorough and any(FrameReader(descriptor, at).next() is None for at in recent):
            return scan(file, thorough=True)
        return tally.result(reader.offset, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def open_for_reading(file: Path) -> int:
    """Return a descriptor of the journal `file`.

    Raises:
        AudioError: it cannot be opened.
    """
    try:
        return os.open(file, os.O_RDONLY)
    except OSError as error:
        raise AudioError(
            mark("A recording could not be read: {reason}."),
            mark("Check the disk that holds your library."),
            reason=error.strerror or str(error),
        ) from error


class _Tally:
    """Adds up frames into a `JournalScan`."""

    def __init__(self) -> None:
        self.damaged = 0
        self._take_id = ""
        self._wall_s = 0.0
        self._sections: list[Section] = []
        self._section_number = 0
        self._markers: list[Marker] = []
        self._end_reason: str | None = None
        self._sound: SectionFormat | None = None
        self._samples = 0
        self._before_s = 0.0

    def add_audio(self, section: int, position: int, length: int) -> None:
        if self._sound is not None and section == self._section_number:
            self._samples = position + length // self._sound.sample_bytes

    def add(self, frame: Frame) -> None:
        if frame.kind is Kind.AUDIO:
            self.add_audio(frame.section, frame.position, frame.length)
            return
        details = frame.details
        if frame.kind is Kind.HEADER:
            self._take_id = str(details.get("take_id", ""))
            self._wall_s = float(details.get("wall_s", 0.0))
        elif frame.kind is Kind.DEVICE:
            self._close_section()
            self._sound = SectionFormat.from_details(details)
            self._section_number = frame.section
        elif frame.kind is Kind.GAP and self._sound is not None:
            missing = int(details.get("samples", 0))
            self._samples = frame.position + missing
            details = {**details, "seconds": missing / self._sound.rate_hz}
        elif frame.kind is Kind.END:
            self._end_reason = str(details.get("reason", ""))
        rate_hz = self._sound.rate_hz if self._sound else 1
        self._markers.append(Marker(frame.kind, self._before_s + frame.position / rate_hz, details))

    def _close_section(self) -> None:
        if self._sound is not None:
            self._sections.append(Section(self._sound, self._samples))
            self._before_s += self._samples / self._sound.rate_hz
        self._samples = 0

    def result(self, good_bytes: int, size_bytes: int) -> JournalScan:
        self._close_section()
        return JournalScan(
            self._take_id,
            self._wall_s,
            tuple(self._sections),
            tuple(self._markers),
            self._end_reason,
            self.damaged,
            good_bytes,
            size_bytes - good_bytes,
        )
