"""Records the overlay as it is seen on a screen: the real app, a real microphone, nothing staged.

On a private X11 desktop a second program is in front; a spoken clip from `tests/data` is played
into a private PulseAudio microphone, dictated with the built-in model and inserted. The screen is
photographed whenever the overlay shows something else. Linux with Xvfb, openbox and PulseAudio;
some minutes:

    uv run --locked python packaging/overlay_frames.py [FOLDER]
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_SCALE_FACTOR", "2")

from tests.helpers.looks import dress
from tests.helpers.pulse import PulseServer, pulse_server
from tests.macos.desktop import Desktop, OtherApp

SPEECH = ROOT / "tests" / "data" / "speech"
CLIPS = ("en-02", "en-04")
SCREEN = "2000x1300x24"
ROOM = "room"
CROP = (700, 116)  # px, around the pill
BACKGROUND = {"light": 0xA9B6C6, "dark": 0x27303B}


class Camera:
    """Photographs the part of the screen where the overlay lies, once for each thing it shows."""

    def __init__(self, app: "App", folder: Path, appearance: str) -> None:
        self._overlay = app.desktop.overlay
        self._folder = folder
        self._appearance = appearance
        self._number = 0
        self._seen: set[tuple[str, str, int] | None] = {None}

    def look(self) -> None:
        """Take a picture if the overlay shows something new."""
        overlay = self._overlay
        if overlay is None or self._key() in self._seen:
            return
        QTest.qWait(120)  # the screen is painted, and the level moves
        key = self._key()
        if key is None or key in self._seen:
            return
        self._seen.add(key)
        self._number += 1
        state = key[0].rstrip("…").lower().replace(" ", "-")
        name = f"{self._number:02d}-{state}-{self._appearance}.png"
        pill = overlay.pill.geometry()
        screen = overlay.pill.screen()
        left = pill.center().x() - CROP[0] // 2
        top = pill.bottom() - CROP[1] + 22
        screen.grabWindow(0, left, top, *CROP).save(str(self._folder / name))
        print(self._folder / name, flush=True)

    def _key(self) -> tuple[str, str, int] | None:
        """Return what makes a picture worth taking; every few words it is another."""
        overlay = self._overlay
        content = overlay.pill.content if overlay is not None and overlay.is_shown else None
        if content is None:
            return None
        words = f"{content.committed} {content.tail}".split()
        return content.face.state, content.face.message, (len(words) + 5) // 6


class Director:
    """Does what a person would."""

    def __init__(self, app: "App", camera: Camera, server: PulseServer) -> None:
        self._camera = camera
        self._server = server
        assert app.dictation is not None
        self._take = app.dictation

    def dictate(self, *clips: str) -> None:
        """Speak into the program in front."""
        self._take.start(RecordingKind.DICTATION)
        self._wait(lambda: self._take.now.stage is Stage.RECORDING)
        self._pass(600)
        self._speak(*clips)
        self._pass(700)
        self._take.stop()
        self._wait(lambda: self._take.now.stage is Stage.IDLE)
        self._pass(500)

    def pause_and_cancel(self, clip: str) -> None:
        """Begin again, pause, and think better of it."""
        self._take.start(RecordingKind.DICTATION)
        self._wait(lambda: self._take.now.stage is Stage.RECORDING)
        self._speak(clip)
        self._take.pause()
        self._pass(800)
        self._take.cancel()
        self._wait(lambda: self._take.now.outcome is Outcome.CANCELLED)
        self._pass(800)

    def be_silent(self) -> None:
        """Record a room in which nobody speaks."""
        self._take.start(RecordingKind.QUICK)
        self._wait(lambda: self._take.now.stage is Stage.RECORDING)
        self._pass(3_500)
        self._take.stop()
        self._wait(lambda: self._take.now.stage is Stage.IDLE)
        self._pass(500)

    def _speak(self, *clips: str) -> None:
        def play() -> None:
            for clip in clips:
                self._server.play(SPEECH / f"{clip}.flac", ROOM)

        speaker = threading.Thread(target=play)
        speaker.start()
        self._wait(lambda: not speaker.is_alive())

    def _pass(self, ms: int) -> None:
        for _turn in range(ms // 50):
            QTest.qWait(50)
            self._camera.look()

    def _wait(self, is_so: Callable[[], bool]) -> None:
        for _turn in range(2_400):
            if is_so():
                return
            QTest.qWait(25)
            self._camera.look()
        raise SystemExit("the app did not get there in time")


def film(folder: Path, appearance: str, desktop: Desktop, server: PulseServer) -> None:
    """Record one run of the app."""
    color = BACKGROUND[appearance]
    root = desktop.display.screen().root
    root.change_attributes(background_pixel=color)
    root.clear_area()
    desktop.display.sync()
    with tempfile.TemporaryDirectory() as home, OtherApp(desktop) as other:
        paths = Paths(Path(home))
        save_settings(Settings(appearance=appearance, sounds=False), paths.settings)
        app = App(paths)
        app.open()
        QTest.qWait(1_500)
        app.window.hide()
        other.bring_to_front(desktop)
        QTest.qWait(500)
        director = Director(app, Camera(app, folder, appearance), server)
        try:
            director.dictate(*CLIPS)
            print("the other program has:", other.text, flush=True)
            QTest.qWait(2_000)
            director.pause_and_cancel("en-03")
            QTest.qWait(7_000)
            director.be_silent()
        finally:
            app.close()


def main() -> None:
    """Record both schemes, each in a process of its own."""
    default = Path(__file__).with_name("screenshots") / "overlay"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    if len(sys.argv) <= 2:
        folder.mkdir(parents=True, exist_ok=True)
        for appearance in ("light", "dark"):
            command = [sys.executable, __file__, str(folder), appearance]
            subprocess.run(command, check=True)
        return
    desktop = Desktop(SCREEN)
    desktop.start()
    os.environ.update(DISPLAY=desktop.name, QT_QPA_PLATFORM="xcb")
    try:
        with tempfile.TemporaryDirectory() as place, pulse_server(Path(place) / "pulse") as server:
            server.add_room_microphone(ROOM)
            application = Application(["undertone"])
            dress(application)
            application.setQuitOnLastWindowClosed(False)
            film(folder, sys.argv[2], desktop, server)
    finally:
        desktop.close()


from PySide6.QtTest import QTest

from app.config.paths import Paths
from app.config.settings import Settings, save_settings
from app.core.dictation import Outcome, Stage
from app.core.recording import RecordingKind
from app.ui.main import App
from app.ui.presence import Application

if __name__ == "__main__":
    main()
