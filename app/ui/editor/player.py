"""Plays the sound of one recording at any speed, the pitch kept.

A file is opened here only after the decode worker has accepted it, as it then was; nothing but
local files is ever opened, whatever a file names. QtMultimedia is only loaded when something is
first played: its import takes most of a second. Positions are seconds. Thread: main.
"""

import contextlib
import os
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, QUrl, Signal

from app.core.errors import AppError, AudioError, mark
from app.ui.ports import CheckSound

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer

_Identity = tuple[int, int, int, int]
_PROTOCOLS = "QT_FFMPEG_PROTOCOL_WHITELIST"  # read by Qt when it opens a file
SLOWEST, FASTEST = 0.5, 3.0
_TICK_MS = 33
_SHORTEST_SKIP_S = 1.2  # pauses up to this are part of speech
_KEPT_S = 0.25  # of a skipped pause, at both of its ends


class SoundPlayer(QObject):
    """A `ports.Player` that is heard.

    Args:
        check_sound: asked before a file is first opened.
    """

    moved = Signal(float)
    playing_changed = Signal(bool)
    failed = Signal(object)  # AppError
    _checked = Signal(object)  # (file, identity, finished future)

    def __init__(self, check_sound: CheckSound, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._check_sound = check_sound
        self._accepted: _Identity | None = None  # the file as it was when it was accepted
        self._is_wanted = False  # to be played as soon as it is accepted
        self._checked.connect(self._on_checked)
        self._file: Path | None = None
        self._player: QMediaPlayer | None = None
        self._output: QAudioOutput | None = None
        self._seek_s: float | None = None  # wanted before the sound was loaded
        self._speed = 1.0
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(lambda: self.moved.emit(self.position_s))

    @property
    def position_s(self) -> float:
        if self._seek_s is not None:
            return self._seek_s
        return self._player.position() / 1000 if self._player is not None else 0.0

    @property
    def is_playing(self) -> bool:
        return self._player is not None and self._player.isPlaying()

    def open(self, file: Path | None) -> None:
        """Play `file` from now on; `None` for nothing."""
        if file == self._file:
            return
        self._file = file
        self._seek_s = 0.0
        self._is_wanted = False
        self._close()
        self.moved.emit(0.0)

    def play(self) -> None:
        if self._file is None:
            return
        if self._player is None and not self._is_accepted(self._file):
            return
        player = self._player or self._make(self._file)
        self._go_where_wanted()
        player.setPlaybackRate(self._speed)
        player.play()

    def pause(self) -> None:
        self._is_wanted = False
        if self._player is not None:
            self._player.pause()

    def seek(self, time_s: float) -> None:
        time_s = max(0.0, time_s)
        self._seek_s = time_s
        self._go_where_wanted()
        self.moved.emit(time_s)

    def set_speed(self, speed: float) -> None:
        self._speed = min(max(speed, SLOWEST), FASTEST)
        if self._player is not None:
            self._player.setPlaybackRate(self._speed)

    def _go_where_wanted(self) -> None:
        """Go there once the sound is loaded; before that Qt forgets where it was sent."""
        player = self._player
        if player is None or self._seek_s is None:
            return
        states = type(player).MediaStatus
        waiting = (states.NoMedia, states.LoadingMedia, states.InvalidMedia)
        if player.mediaStatus() not in waiting:
            time_s, self._seek_s = self._seek_s, None
            player.setPosition(round(time_s * 1000))

    def _is_accepted(self, file: Path) -> bool:
        """Whether a file may be opened now; if not yet, it is played once it may."""
        identity = _identity(file)
        if identity is not None and identity == self._accepted:
            return True
        if not self._is_wanted:
            self._is_wanted = True
            check = self._check_sound(file)
            check.add_done_callback(lambda done: self._tell(file, identity, done))
            _load_multimedia()  # takes about as long as the check, which is made elsewhere
        return False

    def _tell(self, file: Path, identity: _Identity | None, done: "Future[object]") -> None:
        """Bring the answer to the main thread. Thread: io pool."""
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._checked.emit((file, identity, done))

    def _on_checked(self, answer: "tuple[Path, _Identity | None, Future[object]]") -> None:
        file, identity, done = answer
        if file != self._file:
            return  # another one is open by now
        if done.cancelled():
            self._is_wanted = False
            return
        if identity != _identity(file):  # it was written to meanwhile: the answer is for the old
            was_wanted, self._is_wanted = self._is_wanted, False
            if was_wanted:
                self.play()
            return
        error = done.exception()
        if error is None and identity is not None:
            self._accepted = identity
            if self._is_wanted:
                self._is_wanted = False
                self.play()
            return
        self._is_wanted = False
        self.failed.emit(error if isinstance(error, AppError) else _unplayable(file, ""))

    def _make(self, file: Path) -> "QMediaPlayer":
        _load_multimedia()
        from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer

        player = QMediaPlayer(self)
        self._output = QAudioOutput(self)
        player.setAudioOutput(self._output)
        player.setPitchCompensation(True)
        player.playingChanged.connect(self._on_playing)
        player.mediaStatusChanged.connect(lambda _status: self._go_where_wanted())
        player.errorOccurred.connect(
            lambda _code, text: self.failed.emit(_unplayable(file, str(text)))
        )
        player.setSource(QUrl.fromLocalFile(str(file)))
        self._player = player
        return player

    def _on_playing(self, is_playing: bool) -> None:
        if is_playing:
            self._tick.start()
        else:
            self._tick.stop()
        self.playing_changed.emit(is_playing)
        self.moved.emit(self.position_s)

    def _close(self) -> None:
        player, self._player = self._player, None
        output, self._output = self._output, None
        self._tick.stop()
        if player is not None:
            was_playing = player.isPlaying()
            player.stop()
            player.setSource(QUrl())
            player.deleteLater()
            if output is not None:
                output.deleteLater()
            if was_playing:
                self.playing_changed.emit(False)


def _load_multimedia() -> None:
    """Import QtMultimedia, which may open local files and nothing else."""
    os.environ[_PROTOCOLS] = "file"
    import PySide6.QtMultimedia  # noqa: F401


def _identity(file: Path) -> _Identity | None:
    """Return what tells whether a file is still the one it was; `None` when there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unplayable(file: Path, reason: str) -> AudioError:
    return AudioError(
        mark("“{name}” cannot be played. {reason}"),
        mark("Check that the file is still there and that sound works in other apps."),
        name=file.name,
        reason=reason,
    )


class Pauses:
    """Where nobody speaks, to be passed over."""

    def __init__(self, speech: Sequence[tuple[float, float]] = ()) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []
        until_s = 0.0
        for start_s, end_s in speech:
            if start_s - until_s >= _SHORTEST_SKIP_S:
                self._starts.append(until_s + (_KEPT_S if until_s else 0.0))
                self._ends.append(start_s - _KEPT_S)
            until_s = max(until_s, end_s)

    def after(self, time_s: float) -> float | None:
        """Return where speech goes on when `time_s` lies in a pause."""
        at = bisect_right(self._starts, time_s) - 1
        return self._ends[at] if at >= 0 and time_s < self._ends[at] else None
