"""Sound to log-mel pictures: of a whole window for 2507, as it comes for Realtime.

In NumPy, so that nothing lazy is left behind. 2507 looks at the loudest point of its window, the
realtime model at a constant, because it cannot look ahead.
Source: openai-whisper `audio.py` (MIT), Hugging Face `VoxtralRealtimeFeatureExtractor`
(Apache-2.0); the filters are mlx-whisper's asset.
"""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.packing import Audio

HOP_SAMPLES = 160
FFT_SAMPLES = 400
_LOUDEST = 1.5  # log10 power the realtime model was trained to take for the loudest

Mel = npt.NDArray[np.float32]


@cache
def _filters(n_mels: int) -> npt.NDArray[np.float32]:
    spec = importlib.util.find_spec("mlx_whisper")  # finds it without running its imports
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("mlx_whisper")
    path = Path(next(iter(spec.submodule_search_locations))) / "assets" / "mel_filters.npz"
    with np.load(path, allow_pickle=False) as file:
        return np.ascontiguousarray(file[f"mel_{n_mels}"].T, dtype=np.float32)


@cache
def _hann() -> npt.NDArray[np.float32]:
    return np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)


def _log_power(padded: Audio, count: int, n_mels: int) -> Mel:
    """Return log10 of the mel power of the first `count` frames of `padded`."""
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES][:count]
    spectrum = np.fft.rfft(frames * _hann(), axis=-1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.log10(np.maximum(power @ _filters(n_mels), np.float32(1e-10)))


def _scaled(picture: Mel, loudest: float) -> Mel:
    floored = np.maximum(picture, np.float32(loudest - 8.0))
    return (floored + np.float32(4.0)) / np.float32(4.0)


def window_mel(audio: Audio, n_mels: int, n_frames: int) -> Mel:
    """Return the log-mel picture (n_frames, n_mels) of one window.

    Args:
        audio: (n_samples,) float32 in [-1, 1], 16 kHz mono; what is over the length is left out.
        n_mels: how many bands.
        n_frames: the window's length; shorter sound is padded with silence.
    """
    n_samples = n_frames * HOP_SAMPLES
    sound = np.zeros(n_samples, np.float32)
    sound[: len(audio)] = audio[:n_samples]
    picture = _log_power(np.pad(sound, FFT_SAMPLES // 2, mode="reflect"), n_frames, n_mels)
    return _scaled(picture, float(picture.max()))


class MelStream:
    """The realtime model's picture of sound that keeps coming; what is done with is let go.

    The sound begins with silence (the left padding), which makes the picture the same as that of
    the whole sound.
    """

    def __init__(self, n_mels: int) -> None:
        self._n_mels = n_mels
        self._rest = np.zeros(FFT_SAMPLES // 2, np.float32)

    def feed(self, audio: Audio) -> Mel:
        """Take in more sound; return the frames (n, n_mels) it completes."""
        sound = np.concatenate([self._rest, np.asarray(audio, np.float32)])
        count = max(0, 1 + (len(sound) - FFT_SAMPLES) // HOP_SAMPLES)
        self._rest = sound[count * HOP_SAMPLES :].copy()
        if not count:
            return np.zeros((0, self._n_mels), np.float32)
        return _scaled(_log_power(sound, count, self._n_mels), _LOUDEST)

    def end(self) -> Mel:
        """Return the frames that look past the end, where there is silence."""
        return self.feed(np.zeros(FFT_SAMPLES // 2 - HOP_SAMPLES, np.float32))
