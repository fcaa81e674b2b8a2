"""A journal becomes a FLAC file, and only a FLAC file that was read back equal.

The journal is never touched: whoever calls deletes it, and only after the library knows the new
file. Gaps and damaged stretches are silence of their exact length, so that the times of a
transcript made live fit the file. A half written file never bears the final name.
"""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from app.audio.journal import JournalScan, SectionFormat, scan, sync_folder
from app.audio.journal_cursor import JournalSound, Piece, to_mono
from app.audio.peaks import PeakBuilder
from app.config.medium import flush_to_medium
from app.core.errors import AppError, AudioError, DiskFull, mark

Int16 = npt.NDArray[np.int16]

_FLAC_CHANNELS = 8
_READ_SAMPLES = 1 << 16
_LITTLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Finalised:
    """The FLAC file made from a journal.

    Attributes:
        file: it.
        rate_hz: the highest of the sections'.
        channels: as recorded; 1 where sections differ.
        samples: of one channel.
        sha256: of the 16-bit samples, as verified by decoding the file.
        damaged: how many stretches of the journal could not be read.
        tail_bytes: what at the journal's end could not be read.
    """

    file: Path
    rate_hz: int
    channels: int
    samples: int
    sha256: str
    damaged: int
    tail_bytes: int

    @property
    def duration_s(self) -> float:
        return self.samples / self.rate_hz


def finalise(journal: Path, flac: Path, peaks: Path | None = None) -> Finalised:
    """Write the sound of `journal` to `flac`, verify it and give it its name.

    The waveform goes to `peaks`; without room for it there is none, it can be made again.

    Raises:
        AudioError: there is no sound in it, or it could not be read back equal.
        DiskFull: no room; nothing was changed.

    Thread: io; it takes a few seconds for an hour.
    """
    import soundfile  # with its library a twentieth of the start, which packs nothing

    found = scan(journal)
    rate_hz, channels = _target(found)
    part = flac.with_name(flac.name + ".part")
    try:
        samples, digest, damaged = _encode(journal, part, rate_hz, channels)
        _sync_file(part)
        waveform = PeakBuilder(rate_hz)
        if _decoded(part, waveform) != (samples, digest):
            raise AudioError(
                mark("The recording could not be packed: what was written reads differently."),
                mark("It is kept unpacked. Check the disk that holds your library."),
            )
        part.replace(flac)
        sync_folder(flac.parent)
        if peaks is not None:
            with contextlib.suppress(AudioError):
                waveform.finish().save(peaks)
    except (OSError, AssertionError, soundfile.SoundFileError) as error:
        # soundfile asserts that all samples were written, which a full disk refutes
        raise _as_app_error(error, flac.parent) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return Finalised(flac, rate_hz, channels, samples, digest, damaged, found.tail_bytes)


def _target(found: JournalScan) -> tuple[int, int]:
    with_sound = [section for section in found.sections if section.samples]
    if not with_sound:
        raise AudioError(
            mark("This recording holds no sound."),
            mark("Check that the right microphone is chosen and not muted."),
        )
    channels = {section.sound.channels for section in with_sound}
    same = len(channels) == 1 and max(channels) <= _FLAC_CHANNELS
    return max(section.sound.rate_hz for section in with_sound), channels.pop() if same else 1


def _encode(journal: Path, part: Path, rate_hz: int, channels: int) -> tuple[int, str, int]:
    """Return how many samples were written, their hash and the count of damaged stretches."""
    import soundfile

    digest = hashlib.sha256()
    samples = 0
    source = JournalSound(journal)
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with soundfile.SoundFile(
            part, "w", samplerate=rate_hz, channels=channels, subtype="PCM_16", format="FLAC"
        ) as out:
            for block in _blocks(source, rate_hz, channels):
                out.write(block)
                digest.update(block.tobytes())
                samples += len(block)
        return samples, digest.hexdigest(), source.damaged
    finally:
        source.close()


def _blocks(source: JournalSound, rate_hz: int, channels: int) -> Iterator[Int16]:
    resample: Any = None
    current: SectionFormat | None = None
    while (piece := source.next(is_growing=False)) is not None:
        if piece.sound is not current:
            if resample is not None:
                yield _to_int16(resample.resample_chunk(_none(channels), last=True))
            current, resample = piece.sound, None
            if piece.sound.rate_hz != rate_hz:
                resample = soxr.ResampleStream(piece.sound.rate_hz, rate_hz, channels)
        if resample is None:
            yield _exact(piece, channels)
        else:
            yield _to_int16(resample.resample_chunk(_float(piece, channels)))
    if resample is not None:
        yield _to_int16(resample.resample_chunk(_none(channels), last=True))


def _exact(piece: Piece, channels: int) -> Int16:
    if piece.samples.dtype == np.int16 and piece.sound.channels == channels:
        return piece.samples
    return _to_int16(_float(piece, channels))


def _float(piece: Piece, channels: int) -> npt.NDArray[np.float32]:
    if piece.sound.channels != channels:
        return to_mono(piece.samples)[:, None]
    scale = np.float32(1 / 32768) if piece.samples.dtype.kind == "i" else np.float32(1)
    return piece.samples.astype(np.float32) * scale


def _none(channels: int) -> npt.NDArray[np.float32]:
    return np.zeros((0, channels), np.float32)


def _to_int16(sound: npt.NDArray[np.float32]) -> Int16:
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)


def _sync_file(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)
    try:
        flush_to_medium(descriptor)
    finally:
        os.close(descriptor)


def _decoded(file: Path, waveform: PeakBuilder) -> tuple[int, str]:
    import soundfile

    digest = hashlib.sha256()
    samples = 0
    with soundfile.SoundFile(file) as flac:
        while len(block := flac.read(_READ_SAMPLES, dtype="int16", always_2d=True)):
            digest.update(block.tobytes())
            waveform.feed(block)
            samples += len(block)
    return samples, digest.hexdigest()


def _as_app_error(error: Exception, folder: Path) -> AppError:
    number = error.errno if isinstance(error, OSError) else None
    # libsndfile says only "System error"
    if number in (errno.ENOSPC, errno.EDQUOT) or shutil.disk_usage(folder).free < _LITTLE_BYTES:
        return DiskFull(
            mark("There is not enough room on your disk to pack the recording."),
            mark("It is kept unpacked. Free some space and Undertone packs it at its next start."),
        )
    reason = getattr(error, "strerror", None) or getattr(error, "error_string", None) or str(error)
    return AudioError(
        mark("The recording could not be packed: {reason}."),
        mark("It is kept unpacked. Check the disk that holds your library."),
        reason=reason,
    )
