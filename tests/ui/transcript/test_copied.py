"""Text copied from a transcript may stay on the clipboard when the process ends."""

import os
import subprocess
import sys

_SCRIPT = """
from PySide6.QtWidgets import QApplication
app = QApplication([])
from app.core.transcript import Segment
from app.ui.transcript.text import TranscriptText
text = TranscriptText(lambda _text, _query: [])
text.show_segments([Segment(0.0, 1.0, "what was <b>said</b>")])
text.selectAll()
text.copy()
data = app.clipboard().mimeData()
print(data.formats(), data.text())
"""


def test_the_process_ends_cleanly_with_plain_text_on_the_clipboard() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "['text/plain'] what was <b>said</b>\n", done.stderr
    assert done.returncode == 0, "what was copied crashes the exit"
