"""The real app, a real sound server, a real desktop: words arrive where the person writes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.audio.journal import scan
from app.audio.take_folder import take_folders
from app.config.paths import Paths
from app.core.recording import RecordingKind, RecordingStatus
from app.library.reader import LibraryReader
from tests.helpers.pulse import PulseServer, pulse_server
from tests.helpers.words import SPEECH, word_error_rate
from tests.macos.desktop import Desktop, OtherApp, wait_for

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(
        sys.platform != "linux" or not Desktop.is_possible(), reason="needs Xvfb and PulseAudio"
    ),
]

SAID = "Please send the budget report before Monday morning."
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
START_S = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PulseServer]:
    with pulse_server(tmp_path / "pulse") as made:
        made.add_room_microphone("room", 16_000)
        yield made


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    made = Desktop()
    made.start()
    yield made
    made.close()


@dataclass
class Running:
    """The app in a process of its own."""

    process: "subprocess.Popen[bytes]"
    paths: Paths

    def has_cancelled(self) -> bool:
        details = [folder.details() for folder in take_folders(self.paths.recordings)]
        return any(one is not None and one["status"] == "cancelled" for one in details)


@contextlib.contextmanager
def running_app(home: Path, desktop: Desktop, **settings: object) -> Iterator[Running]:
    home.mkdir()
    paths = Paths(home)
    paths.settings.write_text(json.dumps({"version": 1, **settings}), encoding="utf-8")
    environment = {**desktop.environment, "UNDERTONE_HOME": str(home)}
    process = subprocess.Popen([sys.executable, "-m", "app"], env=environment)
    try:
        yield Running(process, paths)
    finally:
        process.kill()
        process.wait()


def tap(desktop: Desktop) -> None:
    hold(desktop, is_down=True)
    hold(desktop, is_down=False)


def windows_of(desktop: Desktop, name: str) -> set[int]:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", name],
        env=desktop.environment,
        capture_output=True,
        check=False,
        text=True,
    )
    return {int(number) for number in found.stdout.split()}


def hold(desktop: Desktop, *, is_down: bool) -> None:
    for key in ("Control_L", "Alt_L", "space")[:: 1 if is_down else -1]:
        desktop.key(key, is_down)


def test_words_spoken_arrive_in_the_program_in_front_and_in_the_library(
    server: PulseServer, desktop: Desktop, tmp_path: Path
) -> None:
    clip = tmp_path / "said.wav"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-i", SPEECH / "en-01.flac", clip],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    with (
        running_app(
            tmp_path / "home", desktop, dictate_hotkey="ctrl+alt+space", sounds=False
        ) as app,
        OtherApp(desktop) as other,
    ):
        wait_for(lambda: desktop.active_window() in windows_of(desktop, "Undertone"), START_S)

        def is_recording(number: int) -> bool:
            return len(take_folders(app.paths.recordings)) == number

        def answers() -> bool:
            tap(desktop)
            with contextlib.suppress(AssertionError):
                wait_for(lambda: is_recording(1), 10.0)
                return True
            return False

        wait_for(answers, START_S)  # it has come to rest, and a tap has begun a take

        def cancels() -> bool:
            for is_down in (True, False):
                desktop.key("Escape", is_down)
            with contextlib.suppress(AssertionError):
                wait_for(app.has_cancelled, 10.0)
                return True
            return False

        wait_for(cancels, START_S)
        other.bring_to_front(desktop)
        other.reset()
        other.own_clipboard(text__plain=b"mine", image__png=IMAGE)
        before, window = other.clipboard(), desktop.active_window()

        losses = other.ask("losses")
        hold(desktop, is_down=True)
        wait_for(lambda: is_recording(2), START_S)
        # X11 itself says “focus out” once when a hotkey is pressed: the keyboard is grabbed.
        wait_for(lambda: other.ask("losses") == losses + 1)
        server.play(clip, "room")
        journal = take_folders(app.paths.recordings)[-1].journal
        played_s = scan(journal).duration_s
        # Nobody lets go on the last sound, and a busy machine hears it late.
        wait_for(lambda: scan(journal).duration_s >= played_s + 1.0, START_S)
        hold(desktop, is_down=False)
        wait_for(lambda: other.text, 2 * START_S)

        assert word_error_rate([(SAID, other.text)]) <= 0.15
        assert desktop.active_window() == window
        assert other.ask("losses") == losses + 1

        def has_clipboard_back() -> bool:
            time.sleep(1.0)  # it is given back once nobody has read it for a while
            now = other.clipboard()  # X11 adds formats of its own to a foreign owner's
            return {kind: now.get(kind) for kind in before} == before

        wait_for(has_clipboard_back, START_S)
        with LibraryReader(app.paths.library) as reader:
            wait_for(lambda: reader.recordings()[0].audio_path is not None, START_S)
            (kept,) = reader.recordings()  # what was cancelled is in the bin
            transcript = reader.transcript(kept.recording_id)
        assert (kept.status, kept.kind) == (RecordingStatus.DONE, RecordingKind.DICTATION)
        assert kept.app_name == "other-app"
        assert word_error_rate([(SAID, transcript.text)]) <= 0.15


@pytest.fixture
def recorder(server: PulseServer, tmp_path: Path) -> Iterator["Terminal"]:
    made = Terminal(server, tmp_path / "home")
    yield made
    made.close()


class Terminal:
    """`undertone record` in a terminal of its own; what it shows is kept."""

    def __init__(self, server: PulseServer, home: Path) -> None:
        import pty

        self.paths = Paths(home)
        self._screen, inside = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "record", "--language", "en"],
            env={**os.environ, "UNDERTONE_HOME": str(home), "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=inside,
        )
        os.close(inside)
        os.set_blocking(self._screen, False)
        self.shown = ""

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._screen)

    def look(self) -> str:
        with contextlib.suppress(OSError):  # nothing new, or the process has ended
            while piece := os.read(self._screen, 65536):
                self.shown += piece.decode("utf-8", "replace")
        return self.shown


def test_a_terminal_shows_the_words_while_they_are_spoken_and_prints_the_text(
    recorder: Terminal, server: PulseServer, tmp_path: Path
) -> None:
    clip = tmp_path / "said.wav"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-i", SPEECH / "en-01.flac", clip],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    wait_for(lambda: "●" in recorder.look(), START_S)
    server.play(clip, "room")
    wait_for(lambda: "budget" in recorder.look(), START_S)
    recorder.process.send_signal(signal.SIGINT)
    out, _ = recorder.process.communicate(timeout=START_S)
    assert recorder.process.returncode == 0, recorder.look()
    assert word_error_rate([(SAID, out.decode())]) <= 0.15
    assert re.search(r"\r\x1b\[K● 0:0\d Please", recorder.look())
    with LibraryReader(recorder.paths.library) as reader:
        (kept,) = reader.recordings()
        assert (kept.status, kept.kind) == (RecordingStatus.DONE, RecordingKind.QUICK)
        assert kept.audio_path is not None


@pytest.mark.soak
def test_a_killed_terminal_loses_nothing_that_was_said(
    recorder: Terminal, server: PulseServer
) -> None:
    wait_for(lambda: "0:02" in recorder.look(), START_S)
    recorder.process.kill()
    recorder.process.wait()
    (folder,) = take_folders(recorder.paths.recordings)
    assert scan(folder.journal).duration_s >= 1.5
    done = subprocess.run(
        [sys.executable, "-m", "app", "library", "rebuild"],
        env={**os.environ, "UNDERTONE_HOME": str(recorder.paths.home)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with LibraryReader(recorder.paths.library) as reader:
        (kept,) = reader.recordings()
        assert kept.status is RecordingStatus.FAILED
        assert kept.audio_path == folder.flac
