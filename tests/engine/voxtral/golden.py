"""What the golden arrays are about; they are written by `tests/parity/voxtral_oracle.py`."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.helpers.voxtral_checkpoints import Tiny

FOLDER = Path(__file__).parents[2] / "data" / "parity" / "voxtral"
SHORT = Tiny(positions=100)  # a window of 2 s, which keeps the everyday tests quick
LONG = Tiny(is_realtime=True)
NARROW = Tiny(is_realtime=True, audio_window=48, text_window=40)
SOUNDS = (0, 1, 2, 3)
STREAM_S = 4.0
TOLERANCE = 1e-4


def noise_mel(seed: int) -> npt.NDArray[np.float32]:
    """Return a picture that no Fourier transform has a part in: (frames, mels) of a window."""
    shape = (2 * SHORT.positions, SHORT.n_mels)
    return np.random.default_rng(seed).normal(0, 0.7, shape).astype(np.float32)


STRINGS = (
    "",
    "Hello world",
    " the thing in the sea",
    "lang:en",
    "Grüße aus München, 1 234,56 €!",
    "naïve café — “quoted”…",
    "日本語の文字起こし。テスト？",
    "한국어 받아쓰기",
    "हिन्दी में लिखना",
    "العربية",
    "emoji 👩‍👩‍👧 and\ttabs\n\n  newlines \r\n",
    "[INST] is plain text here </s>",
    "x" * 70,
)
