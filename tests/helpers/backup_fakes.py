"""Backups without a disk: writes down what it is asked and says what a test wants it to."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import SignalInstance

from app.core.backup import BackupChanged, BackupLine
from app.core.errors import AppError

DAY = 86_400.0


def backup_line(number: int, at: float, **changes: object) -> BackupLine:
    """Return backup number `number`; the higher, the older."""
    line = BackupLine(f"b{number}", at - number * DAY, 312 - number, 4_112_000_000 - number)
    return replace(line, **changes)  # type: ignore[arg-type]


class FakeBackups:
    """`app.ui.ports.Backups` in memory."""

    def __init__(self, changed: SignalInstance) -> None:
        self._changed = changed
        self.now = BackupChanged()
        self.calls: list[tuple[object, ...]] = []
        self.lines: tuple[BackupLine, ...] = ()
        self.refused: AppError | None = None

    def tell(self, **changes: object) -> None:
        """Let something change, and tell it."""
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]
        self._changed.emit(self.now)

    def folder_chosen(self) -> None:
        self.calls.append(("folder_chosen",))

    def back_up(self) -> None:
        self.calls.append(("back_up",))

    def stop(self) -> None:
        self.calls.append(("stop",))

    def list(self, chosen: Path) -> "Future[tuple[BackupLine, ...]]":
        self.calls.append(("list", chosen))
        done: Future[tuple[BackupLine, ...]] = Future()
        if self.refused is not None:
            done.set_exception(self.refused)
        else:
            done.set_result(self.lines)
        return done

    def restore(self, chosen: Path, name: str, *, without_damaged: bool = False) -> None:
        self.calls.append(("restore", chosen, name, without_damaged))

    def write_archive(self, file: Path) -> None:
        self.calls.append(("write_archive", file))

    def take_in_archive(self, file: Path) -> None:
        self.calls.append(("take_in_archive", file))
