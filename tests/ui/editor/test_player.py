"""What is played: only files on this computer that the decode worker has accepted."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pytestqt.qtbot import QtBot

from app.audio.decode import probe
from app.core.errors import AppError, DecodeFailed
from app.ui.editor.player import SoundPlayer

# What Qt says on a machine without a sound card.
pytestmark = pytest.mark.qt_log_ignore(
    "pipewire", "PulseAudio", "No audio device", "Could not open media", extend=True
)
RATE = 16_000


class Web:
    """A server on this computer that counts who asks."""

    def __init__(self) -> None:
        asked = self.asked = []  # type: list[bytes]

        class Answer(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked.append(self.rfile.readline())

        self.server = socketserver.TCPServer(("127.0.0.1", 0), Answer)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def playlist(file: Path, web: Web) -> Path:
    """Write a playlist that names a sound elsewhere."""
    file.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{web.address}/a.ts\n#EXT-X-ENDLIST\n"
    )
    return file


def tone(folder: Path) -> Path:
    file = folder / "tone.wav"
    soundfile.write(file, np.sin(np.arange(RATE) / 9).astype(np.float32) * 0.1, RATE)
    return file


@pytest.mark.serial
def test_a_playlist_is_refused_and_nobody_is_asked(
    tmp_path: Path, web: Web, pool: ThreadPoolExecutor, qtbot: QtBot
) -> None:
    player = SoundPlayer(lambda file: pool.submit(probe, file))
    player.open(playlist(tmp_path / "talk.mp3", web))
    with qtbot.waitSignal(player.failed, timeout=30_000) as failed:
        player.play()
    error = failed.args[0] if failed.args else None
    assert isinstance(error, DecodeFailed)
    assert "playlist" in str(error) or "not an audio" in str(error)
    assert not player.is_playing
    assert player._player is None
    assert web.asked == []


@pytest.mark.serial
def test_even_unchecked_nothing_but_local_files_is_opened(
    tmp_path: Path, web: Web, qtbot: QtBot, capfd: pytest.CaptureFixture[str]
) -> None:
    player = SoundPlayer(accept)
    player.open(playlist(tmp_path / "talk.m3u8", web))
    with qtbot.waitSignal(player.failed, timeout=30_000) as failed:
        player.play()
    assert failed.args
    assert isinstance(failed.args[0], AppError)
    player.open(None)
    assert web.asked == []
    capfd.readouterr()  # FFmpeg says there that it was not let


def accept(_file: Path) -> "Future[object]":
    done: Future[object] = Future()
    done.set_result(None)
    return done


def kept(answers: "list[Future[object]]") -> Callable[[Path], "Future[object]"]:
    def ask(_file: Path) -> "Future[object]":
        answers.append(Future())
        return answers[-1]

    return ask


def test_a_file_that_changed_meanwhile_is_not_opened(tmp_path: Path, qtbot: QtBot) -> None:
    answers: list[Future[object]] = []
    player = SoundPlayer(kept(answers))
    file = tone(tmp_path)
    player.open(file)
    player.play()
    player.play()
    assert len(answers) == 1
    file.write_bytes(file.read_bytes() + b"more")
    answers[0].set_result(None)
    assert player._player is None
    assert not player.is_playing


@pytest.mark.serial
def test_a_file_that_changed_meanwhile_is_checked_again(tmp_path: Path, qtbot: QtBot) -> None:
    answers: list[Future[object]] = []
    player = SoundPlayer(kept(answers))
    file = tone(tmp_path)
    player.open(file)
    player.play()
    file.write_bytes(file.read_bytes() + b"more")
    answers[0].set_result(None)
    assert len(answers) == 2
    answers[1].set_result(None)
    assert player._player is not None
    player.open(None)


def test_after_a_pause_a_changed_file_waits_to_be_played(tmp_path: Path, qtbot: QtBot) -> None:
    answers: list[Future[object]] = []
    player = SoundPlayer(kept(answers))
    file = tone(tmp_path)
    player.open(file)
    player.play()
    player.pause()
    file.write_bytes(file.read_bytes() + b"more")
    answers[0].set_result(None)
    assert len(answers) == 1
    player.play()
    assert len(answers) == 2


def test_a_check_that_is_not_made_can_be_asked_for_again(tmp_path: Path, qtbot: QtBot) -> None:
    answers: list[Future[object]] = []
    player = SoundPlayer(kept(answers))
    player.open(tone(tmp_path))
    player.play()
    answers[0].cancel()
    assert len(answers) == 1
    player.play()
    assert len(answers) == 2


def test_the_answer_for_another_file_changes_nothing(tmp_path: Path, qtbot: QtBot) -> None:
    answers: list[Future[object]] = []
    player = SoundPlayer(kept(answers))
    failed: list[object] = []
    player.failed.connect(failed.append)
    player.open(tmp_path / "gone.wav")
    player.play()
    player.open(tone(tmp_path))
    player.play()
    answers[0].set_exception(DecodeFailed("gone", "look"))
    player.play()
    assert len(answers) == 2
    assert failed == []


def test_pausing_before_the_answer_plays_nothing(tmp_path: Path, qtbot: QtBot) -> None:
    answers: list[Future[object]] = []
    player = SoundPlayer(kept(answers))
    player.open(tone(tmp_path))
    player.play()
    player.pause()
    answers[0].set_result(None)
    assert player._player is None
    player.open(None)
    player.play()
    assert len(answers) == 1


@pytest.mark.serial
def test_an_accepted_sound_is_opened(tmp_path: Path, qtbot: QtBot) -> None:
    player = SoundPlayer(accept)
    player.open(tone(tmp_path))
    player.seek(0.5)
    heard: list[float] = []
    player.moved.connect(heard.append)
    player.play()
    assert player._player is not None
    assert player._player.source().isLocalFile()
    qtbot.waitUntil(lambda: len(heard) > 3 and heard[-1] > 0.55)
    assert min(heard) >= 0.5  # the first sound is where it was sent before it was loaded
    player.open(None)
