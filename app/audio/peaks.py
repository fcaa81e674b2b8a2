"""The waveform of a recording as it is drawn: lowest and highest sample a column, at any zoom.

A pyramid: the finest level has a column every 10 ms, each coarser one covers four columns of the
one below, so any stretch is drawn from at most a few columns a pixel. Built while the sound streams
by, kept in one small file beside the audio (2 MB an hour), and the same
however the sound was cut.
"""

import contextlib
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.audio.ring import Samples
from app.core.errors import AudioError, mark

Columns = npt.NDArray[np.int16]  # (n_columns, 2): lowest and highest sample

COLUMN_S = 0.01
FACTOR = 4
_SMALLEST = 256  # columns of the coarsest level, about
_MAGIC = b"UnPk"
_VERSION = 1
_HEAD = struct.Struct("<4sHHIQII")  # magic, version, levels, rate, samples, samples a column, crc


@dataclass(frozen=True, slots=True)
class Peaks:
    """The pyramid of one recording.

    Attributes:
        rate_hz: of the sound it was made from.
        samples: how many there were.
        column_samples: samples of one column of the finest level.
        levels: finest first; the last column of each may cover less.
    """

    rate_hz: int
    samples: int
    column_samples: int
    levels: tuple[Columns, ...]

    @property
    def duration_s(self) -> float:
        return self.samples / self.rate_hz

    def columns(self, start_s: float, end_s: float, count: int) -> Columns:
        """Return `count` columns for the stretch from `start_s` to `end_s`.

        What lies outside the recording is silence. Finer than 10 ms a column repeats; draw such a
        stretch with `columns_of` its samples.
        """
        if count < 1 or end_s <= start_s:
            return np.zeros((max(count, 0), 2), np.int16)
        level, column_s = self._level_for((end_s - start_s) / count)
        edges = np.linspace(start_s / column_s, end_s / column_s, count + 1)
        first = np.floor(edges[:-1]).astype(np.int64)
        last = np.maximum(np.ceil(edges[1:]).astype(np.int64), first + 1)
        inside = (last > 0) & (first < len(level))
        first, last = np.clip(first, 0, len(level)), np.clip(last, 0, len(level))
        made = np.zeros((count, 2), np.int16)
        for at in np.flatnonzero(inside):
            part = level[first[at] : last[at]]
            made[at] = part[:, 0].min(), part[:, 1].max()
        return made

    def _level_for(self, wanted_s: float) -> tuple[Columns, float]:
        """Return the coarsest level that is at least as fine as wanted."""
        column_s = self.column_samples / self.rate_hz
        for number, level in reversed(list(enumerate(self.levels))):
            if number == 0 or column_s * FACTOR**number <= wanted_s:
                return level, column_s * FACTOR**number
        return np.zeros((0, 2), np.int16), column_s

    def save(self, file: Path) -> None:
        """Write the pyramid: afterwards `file` holds all of it, or what it held before.

        Raises:
            AudioError: it could not be written; it can always be made again.
        """
        body = b"".join(np.ascontiguousarray(level, "<i2").tobytes() for level in self.levels)
        head = _HEAD.pack(
            _MAGIC,
            _VERSION,
            len(self.levels),
            self.rate_hz,
            self.samples,
            self.column_samples,
            zlib.crc32(body),
        )
        part = file.with_name(file.name + ".part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(head)
                out.write(body)
            part.replace(file)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise AudioError(
                mark("The waveform could not be kept: {reason}."),
                mark("Free some disk space; it is made again when needed."),
                reason=error.strerror or str(error),
            ) from error


def load_peaks(file: Path) -> Peaks | None:
    """Return the pyramid in `file`, `None` when it is missing or damaged: make it again."""
    try:
        raw = file.read_bytes()
    except OSError:
        return None
    if len(raw) < _HEAD.size:
        return None
    magic, version, count, rate_hz, samples, column_samples, crc = _HEAD.unpack_from(raw)
    body = memoryview(raw)[_HEAD.size :]
    is_ours = magic == _MAGIC and version == _VERSION and rate_hz and column_samples
    if not is_ours or len(body) % 4 or zlib.crc32(body) != crc:
        return None
    everything = np.frombuffer(body, "<i2").reshape(-1, 2)
    levels = []
    at, columns = 0, -(-samples // column_samples)
    for _ in range(count):
        levels.append(everything[at : at + columns])
        at += columns
        columns = -(-columns // FACTOR)
    return Peaks(rate_hz, samples, column_samples, tuple(levels)) if at == len(everything) else None


class PeakBuilder:
    """Builds a pyramid while the sound comes. Owner: whoever made it."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._column = max(round(rate_hz * COLUMN_S), 1)
        self._rest = np.zeros((0, 2), np.int16)  # low and high of samples not yet in a column
        self._parts: list[Columns] = []
        self._samples = 0

    def feed(self, samples: Samples) -> None:
        """Take in (n_samples,) or (n_samples, n_channels), int16 or float in [-1, 1]."""
        sound = np.concatenate([self._rest, _low_high(samples)])
        self._samples += len(samples)
        whole = len(sound) // self._column * self._column
        self._rest = sound[whole:]
        if whole:
            self._parts.append(_merged(sound[:whole], self._column))
        if len(self._parts) > 1024:
            self._parts = [np.concatenate(self._parts)]

    def finish(self) -> Peaks:
        """Return the pyramid of all that came."""
        parts = list(self._parts)
        if len(self._rest):
            parts.append(_merged(self._rest, self._column))
        level = np.concatenate(parts) if parts else np.zeros((0, 2), np.int16)
        levels = [level]
        while len(level) > _SMALLEST:
            level = _merged(level, FACTOR)
            levels.append(level)
        return Peaks(self._rate_hz, self._samples, self._column, tuple(levels))


def columns_of(samples: Samples, count: int) -> Columns:
    """Return `count` columns of a short stretch of sound, at most one a sample."""
    pairs = _low_high(samples)
    count = min(count, len(pairs))
    if not count:
        return np.zeros((0, 2), np.int16)
    starts = np.linspace(0, len(pairs), count, endpoint=False).astype(np.int64)
    low = np.minimum.reduceat(pairs[:, 0], starts)
    high = np.maximum.reduceat(pairs[:, 1], starts)
    return np.stack([low, high], axis=1)


def _low_high(samples: Samples) -> Columns:
    sound = samples if samples.ndim == 2 else samples[:, None]
    if sound.dtype.kind == "f":
        sound = np.clip(np.rint(sound * 32768), -32768, 32767)
    pairs = np.stack([sound.min(axis=1), sound.max(axis=1)], axis=1)
    return pairs.astype(np.int16)


def _merged(columns: Columns, every: int) -> Columns:
    """Return one column for `every` columns; the last may cover fewer."""
    starts = np.arange(0, len(columns), every)
    low = np.minimum.reduceat(columns[:, 0], starts)
    high = np.maximum.reduceat(columns[:, 1], starts)
    return np.stack([low, high], axis=1)
