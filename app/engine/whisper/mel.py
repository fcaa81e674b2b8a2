"""Sound to the log-mel picture Whisper hears, one window at a time.

Only the frames with sound are computed. What pads a window up to its length is the number 0 in the
picture, as in the reference's `transcribe`; live sound that simply has not come yet is padded with
the picture of silence, as when its sound is padded.
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
_FLOOR = np.float32(1e-10)
_SILENCE = -10.0  # its log10

Mel = npt.NDArray[np.float32]


@cache
def _filters(n_mels: int) -> npt.NDArray[np.float32]:
    with np.load(supplier_folder() / "assets" / "mel_filters.npz", allow_pickle=False) as file:
        return np.ascontiguousarray(file[f"mel_{n_mels}"].T, dtype=np.float32)


@cache
def _hann() -> npt.NDArray[np.float32]:
    return np.hanning(_FFT_SAMPLES + 1)[:-1].astype(np.float32)


def log_mel(audio: Audio, n_mels: int, n_frames: int, *, is_live: bool = False) -> Mel:
    """Return the log-mel picture of one window.

    Args:
        audio: (n_samples,) float32 in [-1, 1], 16 kHz mono; what is over the length is left out.
        n_mels: how many bands, 80 or 128.
        n_frames: the window's length.
        is_live: whether what is beyond the sound is silence instead of 0.

    Returns:
        (n_frames, n_mels) float32.
    """
    sound = audio[: n_frames * HOP_SAMPLES]
    half = _FFT_SAMPLES // 2
    if len(sound) <= half:
        sound = np.pad(sound, (0, half + 1 - len(sound)))
    head = sound[half:0:-1]
    padded = np.concatenate([head, sound, np.zeros(_FFT_SAMPLES, np.float32)])
    count = len(sound) // HOP_SAMPLES
    if is_live:  # as far as a frame still touches the sound
        count = min(n_frames, 1 + (len(padded) - _FFT_SAMPLES) // HOP_SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::HOP_SAMPLES][:count]
    spectrum = np.fft.rfft(frames * _hann(), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    heard = np.log10(np.maximum(power.astype(np.float32) @ _filters(n_mels), _FLOOR))
    floor = np.float32(heard.max(initial=_SILENCE) - 8.0)
    beyond = (floor + np.float32(4.0)) / np.float32(4.0) if is_live else np.float32(0.0)
    picture = np.full((n_frames, n_mels), beyond, np.float32)
    picture[:count] = (np.maximum(heard, floor) + np.float32(4.0)) / np.float32(4.0)
    return picture
