"""The real app in a window: a dropped file becomes a searchable transcript, and it all ends."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.config.paths import default_paths
from app.core.recording import RecordingStatus
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.ui.main import App
from app.ui.single import hand_over
from tests.helpers.words import SPEECH, undertone

PATIENCE_MS = 120_000


def _drop(app: App, *files: Path) -> bool:
    """Drop files on the window; `False` when it does not take any."""
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    where, copy = QPointF(400, 300), Qt.DropAction.CopyAction
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), copy, dropped, left, none)
    QApplication.sendEvent(app.window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(app.window, QDropEvent(where, copy, dropped, left, none))
    return enter.isAccepted()


@pytest.mark.serial
def test_a_dropped_file_becomes_a_searchable_transcript(qtbot: QtBot, tmp_path: Path) -> None:
    clip = tmp_path / "budget.flac"
    shutil.copy(SPEECH / "en-01.flac", clip)
    paths = default_paths()
    app = App(paths)
    reader = LibraryReader(paths.library)
    try:
        app.open()
        assert _drop(app, clip)
        qtbot.waitUntil(
            lambda: bool(reader.search(ListQuery("budget report"))), timeout=PATIENCE_MS
        )
        qtbot.waitUntil(
            lambda: reader.recordings()[0].status is RecordingStatus.DONE, timeout=PATIENCE_MS
        )
        hit = reader.search(ListQuery("budget report"))[0]
        assert "before Monday" in reader.transcript(hit.recording.recording_id).text
        assert "budget" in "".join(piece.text for piece in hit.snippet if piece.is_match)
    finally:
        reader.close()
        app.close()


@pytest.mark.serial
def test_a_second_start_hands_its_files_to_the_first(qtbot: QtBot, tmp_path: Path) -> None:
    clip = tmp_path / "handed.flac"
    shutil.copy(SPEECH / "en-02.flac", clip)
    paths = default_paths()
    assert not hand_over(paths.home, [clip])
    app = App(paths)
    reader = LibraryReader(paths.library)
    try:
        app.open()
        code = (
            "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication; "
            "from app.ui.single import hand_over; app = QCoreApplication([]); "
            f"sys.exit(0 if hand_over(Path({str(paths.home)!r}), [Path({str(clip)!r})]) else 3)"
        )
        second = subprocess.Popen([sys.executable, "-c", code])
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=PATIENCE_MS)
        assert second.returncode == 0
        qtbot.waitUntil(lambda: reader.count() == 1, timeout=PATIENCE_MS)
    finally:
        reader.close()
        app.close()


@pytest.mark.serial
def test_a_library_of_a_newer_app_can_be_read_but_not_written(qtbot: QtBot, tmp_path: Path) -> None:
    import sqlite3

    paths = default_paths()
    done = undertone("transcribe", SPEECH / "en-01.flac", home=paths.home)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(paths.library) as library:
        library.execute("PRAGMA user_version = 999")
    library.close()
    app = App(paths)
    try:
        app.open()
        assert not _drop(app, SPEECH / "en-02.flac")
        shown = " ".join(label.text() for label in app.window.findChildren(QLabel))
        assert "newer" in shown
        reader = LibraryReader(paths.library)
        assert reader.count() == 1
        reader.close()
    finally:
        app.close()


@pytest.mark.serial
@pytest.mark.skipif(sys.platform != "linux", reason="starts a virtual X display")
def test_the_program_opens_its_window_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    environment = {**os.environ, "UNDERTONE_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    environment.pop("QT_QPA_PLATFORM", None)
    read, write = os.pipe()
    screen = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(screen, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            environment["DISPLAY"] = f":{answer.readline().strip()}"
        program = subprocess.Popen([sys.executable, "-m", "app"], env=environment)
        try:
            find = ["xdotool", "search", "--onlyvisible", "--name", "Undertone"]
            found = ""
            deadline = time.monotonic() + 60
            while not found and time.monotonic() < deadline and program.poll() is None:
                seen = subprocess.run(
                    find, env=environment, capture_output=True, text=True, check=False
                )
                found = seen.stdout.strip()
                time.sleep(0.2)
            assert found, "no window appeared"
            while program.poll() is None and time.monotonic() < deadline:
                for window in found.split():  # some are Qt's own and take no keys
                    subprocess.run(
                        ["xdotool", "key", "--window", window, "ctrl+q"],
                        env=environment, stderr=subprocess.DEVNULL, check=False,
                    )  # fmt: skip
                time.sleep(0.5)
            assert program.poll() == 0
        finally:
            program.kill()
            program.wait()
    finally:
        server.kill()
        server.wait()


_HUNG = """
import sys, time
from PySide6.QtCore import QTimer
from app.core.job import Priority
from app.pipeline import session
from app.ui import main

session.HANG_S = 1.0  # a person would have been told after 20

def hang():
    time.sleep(3600)
    yield None

class Hung(main.App):
    def open(self):
        super().open()
        QTimer.singleShot(1000, self.hang_up)

    def hang_up(self):
        self._session.loop.submit("never ends", Priority.LIVE_FINAL, hang)
        QTimer.singleShot(2000, self.relaunch)

main.App = Hung
sys.exit(main.run_app())
"""


@pytest.mark.serial
def test_an_app_whose_model_hangs_starts_again_as_a_new_program(
    qtbot: QtBot, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "-c", _HUNG],
        env={**os.environ, "UNDERTONE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        command = Path(f"/proc/{process.pid}/cmdline")
        qtbot.waitUntil(lambda: b"\0-m\0app\0" in command.read_bytes(), timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda: hand_over(home, []), timeout=PATIENCE_MS)  # it has the library
        assert process.poll() is None
    finally:
        process.kill()
        _, said = process.communicate()
    assert "Traceback" not in said, said
