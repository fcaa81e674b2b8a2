"""What the first window waits for: nothing that it does not need is imported for it."""

import os
import subprocess
import sys

# What is imported where it is used: the network, tables of dictionaries, media files, documents,
# models, the microphone, sound to hear.
LATER = {
    *("httpx", "truststore", "asyncio", "sqlite_utils", "click", "rich", "av", "soundfile", "docx"),
    *(
        "mlx",
        "mlx_whisper",
        "tiktoken",
        "sounddevice",
        "PySide6.QtMultimedia",
        "importlib.metadata",
    ),
}


def test_the_window_is_not_kept_waiting_for_what_comes_later() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import app.ui.main, sys; print(*sys.modules)"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = set(told.stdout.split())
    assert "app.ui.main_window" in loaded
    assert loaded & LATER == set()
