"""Takes the README's pictures of the app at work: nothing in them is staged.

It starts the app on an empty library, hands it spoken clips from `tests/data`, waits for the
built-in model to transcribe them, does what a person does (folders, names of speakers, corrections,
a second transcription), and takes a picture of each state in light and dark. The voices are
synthetic and so are their sentences. On two cores it takes some minutes:

    uv run --locked python packaging/screenshots.py [FOLDER]
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import soundfile
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from app.config.paths import Paths
from app.core.recording import RecordingStatus
from app.ui import theme
from app.ui.main import App
from tests.helpers.looks import dress

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
SIZE = (1080, 720)
PATIENCE_S = 1800
LONGEST_S = 45  # of a talk, so that the whole takes minutes
COLOURS = 256  # of a palette

CLIPS = {
    "Note about the weather": DATA / "speech" / "en-11.flac",
    "Note about the office": DATA / "speech" / "en-02.flac",
    "Note about the library": DATA / "speech" / "en-03.flac",
    "Note about the budget": DATA / "speech" / "en-01.flac",
    "Note about the way": DATA / "conversations" / "talk-5-1voices.flac",
    "Talk of three": DATA / "conversations" / "talk-3-3voices.flac",
}
VOICES = {"S1": "Ada", "S2": "Ben", "S3": "Cleo"}
WORKING = ("Talk of two", DATA / "conversations" / "talk-1-2voices.flac")
LOST = ("Lost note", DATA / "speech" / "en-04.flac")


class Pictures:
    """Takes pictures of one running app."""

    def __init__(self, app: App, sounds: Path, folder: Path) -> None:
        self._app = app
        self._window = app.window
        self._parts = app.window.parts
        self._editor = app.window.parts.transcript.editor
        self._sounds = sounds
        self._folder = folder

    def take_all(self) -> None:
        self._take("empty")
        for name, clip in CLIPS.items():
            self._add(name, clip)
        self._wait(lambda: self._parts.library.model.rowCount() == len(CLIPS))
        self._wait(lambda: not self._window.board.open_jobs)
        self._window.parts.banners.close_banner("models")
        self._put_in_order()
        self._open("Talk of three")
        self._name_speakers(CLIPS["Talk of three"].with_suffix(".json"))
        self._take("library")
        self._show_editor()
        self._show_search()
        self._add(*WORKING)
        self._wait(lambda: self._open(WORKING[0]))
        self._add(*LOST)
        self._wait(lambda: len(self._parts.transcript.text.segments) >= 4)
        self._take("working")
        (self._sounds / f"{LOST[0]}.flac").unlink()
        self._window.menus.cancel.trigger()
        self._wait(lambda: self._open(LOST[0]) and self._has_failed())
        self._take("error")

    # What a person does

    def _put_in_order(self) -> None:
        deeds = self._window.deeds
        deeds.add_folder("Home", [self._id_of("Note about the weather")])
        QTest.qWait(300)
        work = ("Note about the office", "Note about the budget", "Talk of three")
        deeds.add_folder("Work", [self._id_of(name) for name in work])
        QTest.qWait(300)
        deeds.tag([self._id_of("Talk of three"), self._id_of("Note about the way")], "to publish")
        deeds.set_favourite([self._id_of("Talk of three")], True)
        QTest.qWait(500)
        self._window.news.forget_deed()

    def _name_speakers(self, reference: Path) -> None:
        turns = json.loads(reference.read_text(encoding="utf-8"))["turns"]
        for at, segment in enumerate(self._editor.session.segments):
            middle_s = (segment.start_s + segment.end_s) / 2
            turn = max((t for t in turns if t["start"] <= middle_s), key=lambda t: t["start"])
            self._editor.assign_speaker(at, 1, VOICES[turn["speaker"]])
        self._wait(lambda: self._editor.session.is_saved)
        QTest.qWait(300)

    def _show_editor(self) -> None:
        editor = self._editor
        editor.text.setFocus()
        editor.hear(editor.session.segments[2].words[2].start_s)
        editor.bar.toggle()
        self._wait(lambda: editor.bar.player.is_playing)
        self._take("playing")
        editor.bar.player.pause()
        editor.bar.seek(0.0)
        self._open("Note about the way")
        editor.text.setFocus()
        self._wait(lambda: editor.bar.wave._waves is not None)
        editor.go_to_doubt(1)
        self._wait(lambda: editor.bar.player.is_playing)
        editor.bar.player.pause()
        self._take("doubt")
        self._open("Talk of three")
        editor.open_find(replaces=True)
        editor.find_bar.find_edit.setText("the")
        editor.find_bar.replace_edit.setText("display")
        QTest.qWait(200)
        editor.find_bar.find_edit.setText("screen")
        self._take("replace")
        editor.find_bar.all_button.click()
        editor.find_bar.hide()
        editor._on_find_closed()
        self._correct("brown", "light brown")
        self._correct("purple", "violet")
        self._window.versions.open()
        self._take("compare", self._window.versions.dialog)
        self._window.retakes.ask()
        sheet = self._window.retakes.sheet
        assert sheet is not None
        self._take("again", sheet)
        self._window.retakes.ask()
        sheet = self._window.retakes.sheet
        assert sheet is not None
        sheet.accept()
        self._wait(lambda: any("Choose" in each.text() for each in self._strip_buttons()))
        self._window.retakes.choose()
        choice = self._window.retakes.choice
        assert choice is not None
        choice.go(1)
        choice.toggle()
        choice.go(1)
        self._take("choose", choice)
        self._window.retakes.keep_mine()
        QTest.qWait(300)

    def _strip_buttons(self) -> list:
        return self._parts.transcript.retake_strip.buttons

    def _correct(self, old: str, new: str) -> None:
        """Type over the first `old`."""
        text = self._editor.text
        self._editor.set_editing(True)
        place = text.toPlainText().find(old)
        if place >= 0:
            cursor = text.textCursor()
            cursor.setPosition(place)
            cursor.setPosition(place + len(old), cursor.MoveMode.KeepAnchor)
            text.setTextCursor(cursor)
            QTest.keyClicks(text, new)
        self._editor.set_editing(False)
        QTest.qWait(200)

    def _show_search(self) -> None:
        self._parts.toolbar.search_field.search("budget")
        QTest.qWait(400)
        self._parts.library.list.setFocus()
        self._parts.library.select_row(0)
        self._take("search")
        self._parts.toolbar.search_field.search("")

    # Inside

    def _has_failed(self) -> bool:
        opened = self._parts.transcript.recording
        return opened is not None and opened.status is RecordingStatus.FAILED

    def _add(self, name: str, clip: Path) -> None:
        target = self._sounds / f"{name}.flac"
        sound, rate = soundfile.read(clip, frames=LONGEST_S * soundfile.info(clip).samplerate)
        soundfile.write(target, sound, rate)
        self._window.add_files([target])
        QTest.qWait(300)

    def _row_of(self, title: str) -> int | None:
        model = self._parts.library.model
        model.ensure(0, model.rowCount())
        for row in range(model.rowCount()):
            found = model.row(row)
            if found is not None and found.recording.title == title:
                return row
        return None

    def _id_of(self, title: str) -> str:
        row = self._row_of(title)
        name = self._parts.library.model.recording_id(row) if row is not None else None
        if name is None:
            raise SystemExit(f"“{title}” is not in the library")
        return name

    def _open(self, title: str) -> bool:
        """Select the recording of that title; whether there is one."""
        row = self._row_of(title)
        if row is None:
            return False
        self._parts.library.list.setFocus()
        self._parts.library.select_row(row)
        QTest.qWait(200)
        return True

    def _wait(self, is_so: Callable[[], bool]) -> None:
        for _tenth in range(PATIENCE_S * 10):
            if is_so():
                return
            QTest.qWait(100)
        raise SystemExit("the app did not get there in time")

    def _take(self, name: str, dialog: QDialog | None = None) -> None:
        """Photograph the window, with a dialog of it on top, and close that."""
        for appearance in ("light", "dark"):
            self._window.menus.appearances[appearance].trigger()
            QTest.qWait(250)
            self._wait(lambda: self._window.board.is_settled)  # all parts tell the same progress
            picture = self._window.grab().toImage()
            if dialog is not None:
                self._lay_over(picture, dialog)
            file = self._folder / f"{name}-{appearance}.png"
            small(picture).save(str(file))
            print(file.name, f"{file.stat().st_size // 1024} KB", flush=True)
        if dialog is not None:
            dialog.reject()
            QTest.qWait(100)

    def _lay_over(self, picture: QImage, dialog: QDialog) -> None:
        """Draw a sheet where it comes down: over the middle of its window."""
        redraw = getattr(dialog, "refresh_colors", None)
        if redraw is not None:
            redraw()
        QTest.qWait(100)
        top = dialog.grab()
        ratio = picture.devicePixelRatio()
        width, height = round(top.width() / ratio), round(top.height() / ratio)
        place = QPoint((self._window.width() - width) // 2, (self._window.height() - height) // 2)
        painter = QPainter(picture)
        painter.fillRect(
            QRect(0, 0, self._window.width(), self._window.height()), QColor(0, 0, 0, 70)
        )
        painter.drawPixmap(place, top)
        painter.setPen(theme.color("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRect(place.x(), place.y(), width, height))
        painter.end()


def small(picture: QImage) -> QImage:
    """Return a picture with a palette of its commonest colours: a third of the size on disk."""
    plain = picture.convertToFormat(QImage.Format.Format_RGB32)
    height, width = plain.height(), plain.width()
    pixels = np.frombuffer(plain.constBits(), np.uint32).reshape(height, -1)[:, :width] & 0xFFFFFF
    seen, places, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    common = np.sort(np.argsort(counts)[::-1][:COLOURS])
    parts = np.stack([seen >> 16, seen >> 8 & 255, seen & 255], axis=1).astype(np.int32)
    nearest = np.empty(len(seen), np.uint8)
    for first in range(0, len(seen), 1000):
        away = parts[first : first + 1000, None, :] - parts[None, common, :]
        nearest[first : first + 1000] = (away**2).sum(axis=2).argmin(axis=1)
    mapped = np.zeros((height, -(-width // 4) * 4), np.uint8)
    mapped[:, :width] = nearest[places].reshape(height, width)
    made = QImage(
        mapped.tobytes(), width, height, mapped.shape[1], QImage.Format.Format_Indexed8
    ).copy()
    made.setColorTable([0xFF000000 | int(colour) for colour in seen[common]])
    return made


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(["undertone"])
    dress(application)
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
