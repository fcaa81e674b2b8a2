"""How results and progress are written: results to standard output, progress to standard error."""

import contextlib
import dataclasses
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TextIO

from app.config.translate import tr, tr_phrase
from app.core.errors import AppError
from app.core.job import Job, JobStage, JobStatus
from app.core.timecode import clock


def print_json(value: object) -> None:
    """Print `value` (dataclasses, paths and enums allowed) as JSON."""
    is_limited = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf")
    print(json.dumps(_plain(value), ensure_ascii=is_limited, indent=1))


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows with their columns aligned; nothing when there are none."""
    table = [list(row) for row in rows]
    if not table:
        return
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value


def take_any_text() -> None:
    """Let what an output cannot hold be written as its code rather than end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def end_output() -> None:
    """Hand on what was printed.

    Raises:
        OSError: it could not be; what is left of it is dropped, so that Python does not try again.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):  # no file of its own
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        raise


def complain(error: AppError, about: str = "") -> None:
    """Write what happened and what to do to standard error."""
    lead = f"{about}: " if about else ""
    print(f"undertone: {lead}{tr_phrase(error.message)}", file=sys.stderr)
    if error.hint.source:
        print(f"  {tr_phrase(error.hint)}", file=sys.stderr)


class ProgressLine:
    """One line on standard error that says how far a job is.

    On a terminal it is written over itself; elsewhere a new line comes at every tenth.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._is_terminal = self._out.isatty()
        self._started_s = time.monotonic()
        self._last = ""
        self._last_tenth = -1

    def show(self, job: Job) -> None:
        """Show where `job` stands."""
        self.write(f"{job.title}: {self._state(job)}", job.fraction)

    def write(self, text: str, fraction: float | None) -> None:
        """Show `text`; off a terminal only when another tenth of `fraction` is reached."""
        if self._is_terminal:
            self._out.write("\r\x1b[K" + text)
            self._out.flush()
        elif text != self._last and self._is_news(fraction):
            self._out.write(text + "\n")
            self._out.flush()
        self._last = text

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal and self._last:
            self._out.write("\n")
            self._out.flush()

    def _is_news(self, fraction: float | None) -> bool:
        tenth = int((fraction or 0.0) * 10)
        is_news = tenth != self._last_tenth
        self._last_tenth = tenth
        return is_news

    def _state(self, job: Job) -> str:
        if job.status is JobStatus.RUNNING and job.stage is JobStage.TRANSCRIBING:
            took_s = max(0.001, time.monotonic() - self._started_s)
            done_s = job.done_s - job.from_s
            done = clock(done_s)
            if job.total_s and job.fraction is not None:
                return tr(
                    "{percent} %  {done} of {total}  ({speed:.0f}× real time)",
                    percent=int(job.fraction * 100),
                    done=done,
                    total=clock(job.total_s),
                    speed=done_s / took_s,
                )
            return tr("{done} done", done=done)
        return {
            JobStage.WAITING: tr("waiting"),
            JobStage.READING: tr("reading the file"),
            JobStage.LOADING_MODEL: tr("loading the model"),
            JobStage.TRANSCRIBING: tr("done"),
            JobStage.COOLING: tr("waiting for the computer to cool down"),
        }[job.stage]
