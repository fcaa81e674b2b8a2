"""What tells the window something: a bus without an app, a player without a sound."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal


class FakeBus(QObject):
    """The signals of `app.ui.bus.Bus` that the window listens to."""

    segments_final = Signal(object)
    stage_changed = Signal(object)
    partial_changed = Signal(object)
    takes_recovered = Signal(object)
    job_changed = Signal(object)
    library_changed = Signal(object)
    files_checked = Signal(object)
    exported = Signal(object)
    failed = Signal(object)
    download_changed = Signal(object)
    models_changed = Signal(object)
    backup_changed = Signal(object)


class FakePlayer(QObject):
    """Is wherever it was sent; time passes when a test says so."""

    moved = Signal(float)
    playing_changed = Signal(bool)
    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.position_s = 0.0
        self.is_playing = False
        self.speed = 1.0
        self.file: Path | None = None

    def open(self, file: Path | None) -> None:
        self.file = file
        self.pause()
        self.seek(0.0)

    def play(self) -> None:
        self.is_playing = True
        self.playing_changed.emit(True)

    def pause(self) -> None:
        self.is_playing = False
        self.playing_changed.emit(False)

    def seek(self, time_s: float) -> None:
        self.position_s = time_s
        self.moved.emit(time_s)

    def set_speed(self, speed: float) -> None:
        self.speed = speed


class FakeDesk(QObject):
    """Answers at once; with `is_holding`, when `answer` is called."""

    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.is_holding = False
        self.waiting: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {}

    def ask(self, key: str, question: Callable[[], Any], answer: Callable[[Any], object]) -> None:
        if self.is_holding:
            self.waiting[key] = (question, answer)
        else:
            answer(question())

    def answer(self) -> None:
        """Answer what is waiting, and what is asked because of that."""
        while self.waiting:
            question, answer = self.waiting.pop(next(iter(self.waiting)))
            answer(question())
