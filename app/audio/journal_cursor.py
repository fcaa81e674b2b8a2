"""Reading a journal: piece by piece at the device's rate, or as 16 kHz mono behind its writer.

Whoever reads gets a time line that is true to the clock: gaps and damaged stretches are silence of
their exact length. Pieces are never longer than about a second, whatever a marker claims.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from app.audio.frames import Frame, FrameReader, Kind
from app.audio.journal import FORMATS, Marker, SectionFormat, open_for_reading
from app.audio.ring import Samples
from app.core.packing import SAMPLE_RATE, Audio

_STUCK_BYTES = 1 << 20  # so much good sound behind a bad frame means that it stays bad


@dataclass(frozen=True, slots=True)
class Piece:
    """Some sound of one section: (n_samples, n_channels) of its format."""

    sound: SectionFormat
    samples: Samples
    is_silence: bool = False


class JournalSound:
    """The sound of a journal from its beginning on, while it may still grow.

    Owner: whoever made it; call `close`.
    """

    def __init__(self, file: Path) -> None:
        self._descriptor = open_for_reading(file)
        self._reader = FrameReader(self._descriptor)
        self._sound: SectionFormat | None = None
        self._section = 0
        self._position = 0
        self._silence = 0
        self._held: Piece | None = None
        self._before_s = 0.0
        self.is_finished = False
        self.damaged = 0
        self.markers: list[Marker] = []

    def close(self) -> None:
        """Give the file back; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def next(self, *, is_growing: bool = True) -> Piece | None:
        """Return the next piece, or `None` when there is none (yet).

        With `is_growing` a bad frame at the very end may just not be there yet; without, or with
        much sound behind it, what is damaged is passed over.
        """
        while not self.is_finished:
            if self._silence:
                return self._some_silence()
            if self._held is not None:
                piece, self._held = self._held, None
                return piece
            frame = self._reader.next()
            if frame is None:
                if not self._pass_damage(is_growing):
                    return None
            elif frame.kind is Kind.AUDIO:
                self._take_audio(frame)
            else:
                self._take_marker(frame)
        return None

    def _some_silence(self) -> Piece:
        assert self._sound is not None
        count = min(self._silence, self._sound.rate_hz)
        self._silence -= count
        dtype = FORMATS[self._sound.sample_format]
        return Piece(self._sound, np.zeros((count, self._sound.channels), dtype), is_silence=True)

    def _pass_damage(self, is_growing: bool) -> bool:
        behind = os.fstat(self._descriptor).st_size - self._reader.offset
        if is_growing and behind < _STUCK_BYTES:
            return False
        if self._reader.find_next() is None:
            return False
        self.damaged += 1
        return True

    def _take_audio(self, frame: Frame) -> None:
        if self._sound is None or frame.section != self._section:
            self.damaged += 1  # its DEVICE frame is gone: no one knows what these bytes are
            return
        samples = np.frombuffer(frame.payload, FORMATS[self._sound.sample_format])
        samples = samples.reshape(-1, self._sound.channels)
        self._silence = max(frame.position - self._position, 0)
        self._position = frame.position + len(samples)
        self._held = Piece(self._sound, samples)

    def _take_marker(self, frame: Frame) -> None:
        try:
            details = frame.details
            if frame.kind is Kind.DEVICE:
                sound = SectionFormat.from_details(details)
                if self._sound is not None:
                    self._before_s += self._position / self._sound.rate_hz
                self._sound, self._section, self._position = sound, frame.section, 0
            elif frame.kind is Kind.GAP and frame.section == self._section:
                end = frame.position + int(details["samples"])
                self._silence = max(end - self._position, 0)
                self._position = max(end, self._position)
        except (KeyError, TypeError, ValueError):  # whole, but not written by us
            self.damaged += 1
            return
        self.is_finished = frame.kind is Kind.END
        rate_hz = self._sound.rate_hz if self._sound else 1
        at_s = self._before_s + frame.position / rate_hz
        self.markers.append(Marker(frame.kind, at_s, details))


class JournalCursor:
    """A journal as 16 kHz mono, read behind its writer; never waits.

    The sound is the same however it is read. Owner: whoever made it; call `close`.
    """

    def __init__(self, file: Path) -> None:
        self._source = JournalSound(file)
        self._resampler: _Resampler | None = None
        self._ready: list[Audio] = []
        self._given = 0
        self._is_flushed = False

    @property
    def position_s(self) -> float:
        """How far the take has been read."""
        return self._given / SAMPLE_RATE

    @property
    def is_finished(self) -> bool:
        """Whether the take was closed and all of it has been read."""
        return self._is_flushed and not self._ready

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The markers passed so far."""
        return tuple(self._source.markers)

    def read(self, limit_s: float = 30.0, *, is_growing: bool = True) -> Audio:
        """Return what has come since the last call: (n_samples,) float32, 16 kHz mono.

        Args:
            limit_s: stop about there; the rest comes with the next call.
            is_growing: `False` when nobody writes the journal any more (its writer died).
        """
        limit = int(limit_s * SAMPLE_RATE)
        count = sum(map(len, self._ready))
        while count < limit and not self._is_flushed:
            piece = self._source.next(is_growing=is_growing)
            if piece is not None:
                count += self._feed(piece)
            elif self._source.is_finished or not is_growing:
                count += self._flush()
                self._is_flushed = True
            else:
                break
        whole = np.concatenate(self._ready) if self._ready else np.zeros(0, np.float32)
        given = whole[:limit]
        self._ready = [whole[limit:]] if len(whole) > limit else []
        self._given += len(given)
        return given

    def close(self) -> None:
        """Give the file back; idempotent."""
        self._source.close()

    def _feed(self, piece: Piece) -> int:
        count = 0
        if self._resampler is None or self._resampler.sound is not piece.sound:
            count = self._flush()
            self._resampler = _Resampler(piece.sound)
        return count + self._keep(self._resampler.feed(to_mono(piece.samples)))

    def _flush(self) -> int:
        if self._resampler is None:
            return 0
        return self._keep(self._resampler.finish())

    def _keep(self, audio: Audio) -> int:
        if len(audio):
            self._ready.append(audio)
        return len(audio)


class _Resampler:
    """One section to 16 kHz; gives exactly as many samples as the section is long."""

    def __init__(self, sound: SectionFormat, target_hz: int = SAMPLE_RATE) -> None:
        self.sound = sound
        self._target_hz = target_hz
        self._fed = self._given = 0
        self._stream = None
        if sound.rate_hz != target_hz:
            self._stream = soxr.ResampleStream(sound.rate_hz, target_hz, 1, dtype="float32")

    def feed(self, mono: Audio) -> Audio:
        self._fed += len(mono)
        if self._stream is None:
            return mono
        return self._count(self._stream.resample_chunk(mono))

    def finish(self) -> Audio:
        if self._stream is None:
            return np.zeros(0, np.float32)
        rest = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        self._stream = None
        wanted = round(self._fed * self._target_hz / self.sound.rate_hz) - self._given
        rest = rest[: max(wanted, 0)]
        return np.pad(rest, (0, max(wanted - len(rest), 0)))

    def _count(self, audio: Audio) -> Audio:
        self._given += len(audio)
        return audio


def to_mono(samples: Samples) -> Audio:
    """Return the mean of the channels: (n_samples,) float32 in [-1, 1]."""
    scale = np.float32(1 / 32768) if samples.dtype.kind == "i" else np.float32(1)
    if samples.shape[1] == 1:
        mono: Audio = samples[:, 0].astype(np.float32)
    else:
        mono = samples.mean(axis=1, dtype=np.float32)
    return mono * scale
