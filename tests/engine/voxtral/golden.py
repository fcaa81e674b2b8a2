"""What the golden arrays are about; they are written by `tests/parity/voxtral_oracle.py`."""

from pathlib import Path

from tests.helpers.voxtral_checkpoints import Tiny

FOLDER = Path(__file__).parents[2] / "data" / "parity" / "voxtral"
SHORT = Tiny(positions=100)  # a window of 2 s, which keeps the everyday tests quick
LONG = Tiny(is_realtime=True)
NARROW = Tiny(is_realtime=True, audio_window=48, text_window=40)
SOUNDS = (0, 1, 2, 3)
STREAM_S = 4.0
TOLERANCE = 1e-4

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
