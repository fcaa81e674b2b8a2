"""Where the app writes down what it did, never what was said.

Log lines hold ids, counts, durations and error classes. Texts, titles and file names stay out. Only
this user can read them.
"""

import faulthandler
import logging
import logging.handlers
import os
from pathlib import Path
from typing import TextIO

from app.config.paths import make_private_folder

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_crash_file: TextIO | None = None


def start_logging(folder: Path) -> None:
    """Log to a rotating file in `folder`, and leave a native crash's traceback beside it."""
    global _crash_file  # faulthandler needs the file to stay open
    make_private_folder(folder)
    handler = _PrivateHandler(
        folder / "undertone.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger("app")
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    root.propagate = False
    _crash_file = _append_privately(folder / "crash.log")
    faulthandler.enable(_crash_file)


def log_problems(folder: Path) -> None:
    """Log what goes wrong to that same file, which is made only when something does."""
    handler = _QuietHandler(folder / "undertone.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.setLevel(logging.WARNING)
    logging.getLogger("app").addHandler(handler)


def stop_logging() -> None:
    """Close what `start_logging` or `log_problems` opened."""
    global _crash_file
    root = logging.getLogger("app")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    if _crash_file is not None:
        faulthandler.disable()
        _crash_file.close()
        _crash_file = None


class _PrivateHandler(logging.handlers.RotatingFileHandler):
    """Rotates, and keeps others from reading."""

    def _open(self) -> TextIO:  # type: ignore[override]  # a text stream is all that it needs
        return _append_privately(Path(self.baseFilename))


class _QuietHandler(logging.FileHandler):
    """Opens its file at the first line, and says nothing where that cannot be written."""

    def _open(self) -> TextIO:  # type: ignore[override]  # a text stream is all that it needs
        make_private_folder(Path(self.baseFilename).parent)
        return _append_privately(Path(self.baseFilename))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        """Leave standard error to what the person asked for."""


def _append_privately(file: Path) -> TextIO:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")
