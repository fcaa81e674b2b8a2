"""Sound to the log-mel picture Whisper hears, one window at a time.

Only the part with sound is computed: what pads a window up to its length is silence, whose picture
is a constant. The result equals the reference's of the padded sound.
Source: openai-whisper `audio.py` (MIT); the filters are mlx-whisper's asset.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from app.core.packing import Audio
from app.engine.whisper.tokens import supplier_folder

HOP_SAMPLES = 160
FRAMES_A_SECOND = 100
_FFT_SAMPLES = 400
_SILENCE = -10.0  # log10 of the reference's floor, 1e-10

Mel = npt.NDArray[np.float32]


@cache
def _filters(n_mels: int) -> npt.NDArray[np.float32]:
    with np.load(supplier_folder() / "assets" / "mel_filters.npz", allow_pickle=False) as file:
        return np.ascontiguousarray(file[f"mel_{n_mels}"].T, dtype=np.float32)


@cache
def _hann() -> npt.NDArray[np.float32]:
    return np.hanning(_FFT_SAMPLES + 1)[:-1].astype(np.float32)


def log_mel(audio: Audio, n_mels: int, n_frames: int) -> Mel:
    """Return the log-mel picture of one window.

    Args:
        audio: (n_samples,) float32 in [-1, 1], 16 kHz mono; what is over the length is left out.
        n_mels: how many bands, 80 or 128.
        n_frames: the window's length; shorter sound is padded with silence.

    Returns:
        (n_frames, n_mels) float32.
    """
    sound = audio[: n_frames * HOP_SAMPLES]
    half = _FFT_SAMPLES // 2
    if len(sound) <= half:
        sound = np.pad(sound, (0, half + 1 - len(sound)))
    head = sound[half:0:-1]
    is_full = len(sound) == n_frames * HOP_SAMPLES
    tail = sound[-2 : -half - 2 : -1] if is_full else np.zeros(_FFT_SAMPLES, np.float32)
    padded = np.concatenate([head, sound, tail])
    count = min(n_frames, 1 + (len(padded) - _FFT_SAMPLES) // HOP_SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::HOP_SAMPLES][:count]
    spectrum = np.fft.rfft(frames * _hann(), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    picture = np.full((n_frames, n_mels), _SILENCE, np.float32)
    picture[:count] = np.log10(np.maximum(power.astype(np.float32) @ _filters(n_mels), 1e-10))
    floor = float(picture.max()) - 8.0
    return (np.maximum(picture, np.float32(floor)) + np.float32(4.0)) / np.float32(4.0)
