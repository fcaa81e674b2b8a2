"""Takes the README's pictures of the app at work: nothing in them is staged.

It starts the app on an empty library, hands it spoken clips from `tests/data`, waits for the
built-in model to transcribe them, and takes a picture of each state in light and dark. The voices
are synthetic and so are their sentences. On two cores it takes some minutes:

    uv run --locked python packaging/screenshots.py [FOLDER]
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtCore import QLocale
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.config.paths import Paths
from app.core.recording import RecordingStatus
from app.ui.main import App

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
SIZE = (1080, 720)
PATIENCE_S = 1800

CLIPS = {
    "Note about the budget": DATA / "speech" / "en-01.flac",
    "Note about the meeting": DATA / "speech" / "en-02.flac",
    "Note about the library": DATA / "speech" / "en-03.flac",
    "Long note": DATA / "conversations" / "talk-5-1voices.flac",
}
TALK = ("Talk of two", DATA / "conversations" / "talk-1-2voices.flac")
LOST = ("Lost note", DATA / "speech" / "en-04.flac")


class Pictures:
    """Takes pictures of one running app."""

    def __init__(self, app: App, sounds: Path, folder: Path) -> None:
        self._app = app
        self._window = app.window
        self._parts = app.window.parts
        self._sounds = sounds
        self._folder = folder

    def take_all(self) -> None:
        self._take("empty")
        for name, clip in CLIPS.items():
            self._add(name, clip)
        self._wait(lambda: self._parts.library.model.rowCount() == len(CLIPS))
        self._wait(lambda: not self._window.board.open_jobs)
        self._open("Long note")
        self._take("transcript")
        self._parts.toolbar.search_field.search("budget")
        QTest.qWait(300)
        self._parts.library.list.setFocus()
        self._parts.library.select_row(0)
        self._take("search")
        self._parts.toolbar.search_field.search("")
        self._add(*TALK)
        self._wait(lambda: self._open(TALK[0]))
        self._add(*LOST)
        self._wait(lambda: len(self._parts.transcript.text.segments) >= 4)
        self._take("working")
        (self._sounds / f"{LOST[0]}.flac").unlink()
        self._window.menus.cancel.trigger()
        self._wait(lambda: self._open(LOST[0]) and self._has_failed())
        self._take("error")

    def _has_failed(self) -> bool:
        opened = self._parts.transcript.recording
        return opened is not None and opened.status is RecordingStatus.FAILED

    def _add(self, name: str, clip: Path) -> None:
        target = self._sounds / f"{name}.flac"
        shutil.copyfile(clip, target)
        self._window.add_files([target])
        QTest.qWait(300)

    def _open(self, title: str) -> bool:
        """Select the recording of that title; whether there is one."""
        model = self._parts.library.model
        for row in range(model.rowCount()):
            found = model.row(row)
            if found is not None and found.recording.title == title:
                self._parts.library.list.setFocus()
                self._parts.library.select_row(row)
                QTest.qWait(200)
                return True
        return False

    def _wait(self, is_so: Callable[[], bool]) -> None:
        for _tenth in range(PATIENCE_S * 10):
            if is_so():
                return
            QTest.qWait(100)
        raise SystemExit("the app did not get there in time")

    def _take(self, name: str) -> None:
        for appearance in ("light", "dark"):
            self._window.menus.appearances[appearance].trigger()
            QTest.qWait(200)
            self._wait(lambda: self._window.board.is_settled)  # all parts tell the same progress
            file = self._folder / f"{name}-{appearance}.png"
            self._window.grab().save(str(file))
            print(file, flush=True)


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(["undertone"])
    application.setStyle("Fusion")
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    if "Inter" in QFontDatabase.families():
        application.setFont(QFont("Inter", 10))
    with tempfile.TemporaryDirectory() as place:
        sounds = Path(place) / "sounds"
        sounds.mkdir()
        app = App(Paths(Path(place) / "home"))
        app.window.resize(*SIZE)
        app.open()
        QTest.qWait(300)
        try:
            Pictures(app, sounds, folder).take_all()
        finally:
            app.close()


if __name__ == "__main__":
    main()
