"""How the sound itself is: level, clipping, noise, silence.

Measured in frames of 50 ms, so that the result is the same however the sound was cut into blocks.
No speech detector is asked: loud frames (95th percentile) are taken for speech, quiet ones (10th)
for the room.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from app.audio.ring import Samples

FRAME_S = 0.05
SILENCE_DB = -120.0

_RECENT_FRAMES = 100  # 5 s: what the live hints are about
_ENOUGH_FRAMES = 20  # 1 s: before that nothing is said
_FULL_SCALE = 32767 / 32768 - 1e-6
_CLIPPED_SAMPLES = 3  # at full scale in one frame; a single one is a normal peak
_CLIPPED_FRAMES = 2
_CLIPPED_SHARE = 0.002
_QUIET_DB = -42.0  # speech below needs care with the microphone
_MODULATION_DB = 10.0  # loud to quiet: below, nobody speaks
_NOISY_FLOOR_DB = -50.0
_NOISY_SNR_DB = 15.0
_GATED_SHARE = 0.1
_LOWEST_DB = int(SILENCE_DB)
_DEAD_DB = -90.0  # below half a 16-bit step: no microphone is that quiet


class Hint(StrEnum):
    """What a person could do better."""

    SILENT = "silent"  # nothing but zeros: muted, or the wrong device
    TOO_QUIET = "too_quiet"
    CLIPPING = "clipping"
    NOISY = "noisy"


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness in dBFS; `SILENCE_DB` for zeros. A full-scale sine has an `rms_db` of -3."""

    rms_db: float = SILENCE_DB
    peak_db: float = SILENCE_DB


@dataclass(frozen=True, slots=True)
class SoundSummary:
    """A whole take, kept with it.

    Attributes:
        duration_s: measured sound, without gaps.
        peak_db: the loudest sample.
        speech_db: level of the loud frames.
        noise_db: level of the quiet ones that are not plain zeros.
        clipped_share: of the frames.
        zero_share: of the frames.
        hints: what holds for the take as a whole.
    """

    duration_s: float = 0.0
    peak_db: float = SILENCE_DB
    speech_db: float = SILENCE_DB
    noise_db: float = SILENCE_DB
    clipped_share: float = 0.0
    zero_share: float = 0.0
    hints: tuple[Hint, ...] = ()

    @property
    def snr_db(self) -> float:
        """Estimated distance of speech and room."""
        return self.speech_db - self.noise_db


def decibels(amplitude: float) -> float:
    """Return an amplitude (1.0 is full scale) in dBFS, never below `SILENCE_DB`."""
    if amplitude <= 0:
        return SILENCE_DB
    return max(20 * float(np.log10(amplitude)), SILENCE_DB)


def level(samples: Samples) -> Level:
    """Return the level of (n_samples, n_channels), int16 or float."""
    sound = _to_float(samples)
    if not len(sound):
        return Level()
    return Level(decibels(float(np.sqrt(np.mean(sound**2)))), decibels(float(np.abs(sound).max())))


class Meter:
    """Measures sound as it comes. Owner: the capture thread; the properties may be read anywhere.

    Args:
        rate_hz: of what is fed.
    """

    def __init__(self, rate_hz: int) -> None:
        self._frame = max(int(rate_hz * FRAME_S), 1)
        self._rest = np.zeros(0, np.float32)
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_RECENT_FRAMES)
        self._histogram = np.zeros(1 - _LOWEST_DB, np.int64)  # frames by level, in whole dB
        self._frames = self._clipped = self._zeros = 0
        self._zero_run = 0
        self._peak = 0.0
        self._level = Level()

    @property
    def level(self) -> Level:
        """The newest frame's."""
        return self._level

    @property
    def zero_run_s(self) -> float:
        """For how long nothing but zeros has come."""
        return self._zero_run * FRAME_S

    def change_rate(self, rate_hz: int) -> None:
        """Go on with sound of another rate."""
        self._frame = max(int(rate_hz * FRAME_S), 1)
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> None:
        """Take in (n_samples, n_channels), int16 or float in [-1, 1]."""
        sound = np.concatenate([self._rest, _loudest_channel(_to_float(samples))])
        count = len(sound) // self._frame
        self._rest = sound[count * self._frame :]
        frames = sound[: count * self._frame].reshape(count, self._frame)
        peaks = np.abs(frames).max(axis=1) if count else np.zeros(0)
        rms = frames.std(axis=1)  # without the offset some devices add
        clipped = (np.abs(frames) >= _FULL_SCALE).sum(axis=1) >= _CLIPPED_SAMPLES
        for peak, power, is_clipped in zip(
            peaks.tolist(), rms.tolist(), clipped.tolist(), strict=True
        ):
            self._add(peak, decibels(power), is_clipped)

    def hints(self) -> frozenset[Hint]:
        """What holds right now, about the last 5 s."""
        found = set()
        if self.zero_run_s >= _ENOUGH_FRAMES * FRAME_S:
            found.add(Hint.SILENT)
        recent = list(self._recent)
        if sum(is_clipped for _, is_clipped in recent) >= _CLIPPED_FRAMES:
            found.add(Hint.CLIPPING)
        audible = [loudness for loudness, _ in recent if loudness > _DEAD_DB]
        if len(audible) >= _ENOUGH_FRAMES:
            noise, speech = np.percentile(audible, (10, 95))
            dead_share = 1 - len(audible) / len(recent)
            found |= _hints_of(float(speech), float(noise), dead_share)
        return frozenset(found)

    def summary(self) -> SoundSummary:
        """Return what was measured so far."""
        if not self._frames:
            return SoundSummary()
        speech, noise = self._percentile(0.95), self._percentile(0.10)
        clipped, zeros = self._clipped / self._frames, self._zeros / self._frames
        hints = set()
        if zeros == 1.0:
            hints.add(Hint.SILENT)
        elif self._frames - self._zeros >= _ENOUGH_FRAMES:
            hints |= _hints_of(speech, noise, zeros)
        if clipped > _CLIPPED_SHARE and self._clipped >= _CLIPPED_FRAMES:
            hints.add(Hint.CLIPPING)
        return SoundSummary(
            duration_s=self._frames * FRAME_S,
            peak_db=decibels(self._peak),
            speech_db=speech,
            noise_db=noise,
            clipped_share=clipped,
            zero_share=zeros,
            hints=tuple(sorted(hints)),
        )

    def _add(self, peak: float, loudness: float, is_clipped: bool) -> None:
        self._frames += 1
        self._clipped += is_clipped
        self._peak = max(self._peak, peak)
        self._level = Level(loudness, decibels(peak))
        self._recent.append((loudness, is_clipped))
        if peak == 0:
            self._zeros += 1
            self._zero_run += 1
        else:
            self._zero_run = 0
            self._histogram[min(round(loudness), 0) - _LOWEST_DB] += 1

    def _percentile(self, share: float) -> float:
        total = int(self._histogram.sum())
        if not total:
            return SILENCE_DB
        at = int(np.searchsorted(np.cumsum(self._histogram), share * total))
        return float(min(at, len(self._histogram) - 1) + _LOWEST_DB)


def _hints_of(speech_db: float, noise_db: float, dead_share: float) -> set[Hint]:
    """Return what two levels say; the noise is that of the frames that are not dead.

    A microphone that mutes the pauses has no noise: all its quiet frames are parts of words.
    """
    found = set()
    is_gated = dead_share > _GATED_SHARE
    modulation = speech_db - noise_db
    if speech_db < _QUIET_DB and modulation >= _MODULATION_DB:
        found.add(Hint.TOO_QUIET)
    if noise_db > _NOISY_FLOOR_DB and modulation < _NOISY_SNR_DB and not is_gated:
        found.add(Hint.NOISY)
    return found


def _to_float(samples: Samples) -> npt.NDArray[np.float32]:
    sound: npt.NDArray[np.float32] = samples.astype(np.float32)
    return sound / np.float32(32768) if samples.dtype.kind == "i" else sound


def _loudest_channel(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Keep of each sample the channel that deviates most: one dead channel says nothing."""
    if sound.ndim == 1 or sound.shape[1] == 1:
        return sound.reshape(-1)
    loudest: npt.NDArray[np.float32] = np.take_along_axis(
        sound, np.abs(sound).argmax(axis=1)[:, None], axis=1
    )
    return loudest[:, 0]
