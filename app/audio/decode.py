"""Any media file in: 16 kHz mono float32, decoded in a child process.

Nothing of the file is looked at in this process. Whatever the child does — refuses, crashes, hangs,
eats memory — ends as sound up to there or as one `DecodeFailed`, and `close` ends it at once.
"""

import json
import os
import select
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.audio import decode_worker as worker
from app.core.errors import DecodeFailed, Phrase, mark
from app.core.packing import SAMPLE_RATE, Audio

WORKER_VERB = "decode-worker"  # what the bundled program is called with to be the worker
_LARGEST_RECORD_BYTES = 1 << 20
_KEPT_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_REAP_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one decoding may take.

    Attributes:
        duration_s: the longest recording.
        memory_bytes: the most memory of the child.
        stall_s: how long nothing may come before the child counts as hung.
        cpu_s: the most processor time of the child.
        streams: the most streams of a container.
    """

    duration_s: float = 24 * 3600.0
    memory_bytes: int = 1 << 30
    stall_s: float = 30.0
    cpu_s: int = 3600
    streams: int = 64


@dataclass(frozen=True, slots=True)
class MediaHeader:
    """What a file says about itself; `duration_s` is `None` where it doesn't say."""

    duration_s: float | None
    title: str | None
    format: str
    has_video: bool
    rate_hz: int
    channels: int


def worker_command() -> list[str]:
    """Return the command line that starts the worker, in the source tree and in the bundle."""
    if getattr(sys, "frozen", False):
        return [sys.executable, WORKER_VERB]
    return [sys.executable, "-P", "-s", "-m", "app.audio.decode_worker"]


def open_media(file: Path, *, limits: Limits | None = None) -> "MediaStream":
    """Start decoding `file` and wait until its header is read.

    Raises:
        DecodeFailed: it is missing, unreadable, no media, has no sound …
    """
    stream = MediaStream(file, limits=limits)
    try:
        stream.open()
    except BaseException:
        stream.close()
        raise
    return stream


def probe(file: Path, *, limits: Limits | None = None) -> MediaHeader:
    """Return what `file` says about itself without decoding it.

    Raises:
        DecodeFailed: as `open_media`.
    """
    with MediaStream(file, limits=limits, is_probe=True) as stream:
        return stream.info


class MediaStream:
    """One file being decoded. Made and read on an io thread; `close` may come from any.

    Making it starts the child; `open` (or entering it as a context) waits for the header. To be
    able to cancel that wait too, keep the object and call `close` from another thread.

    Attributes:
        is_complete: whether the end of the file was reached; never after a `close` before that.
        is_truncated: at the end: whether parts were missing or damaged and left out.
        peak_bytes: at the end: the most memory the child held.
    """

    def __init__(self, file: Path, *, limits: Limits | None = None, is_probe: bool = False) -> None:
        self.file = file
        self.is_complete = False
        self.is_truncated = False
        self.peak_bytes = 0
        self._limits = limits or Limits()
        self._is_probe = is_probe
        self._info: MediaHeader | None = None
        self._n_read = 0
        self._is_closed = False
        self._reading = threading.Lock()
        _check_file(file)
        self._child = self._start()

    @property
    def info(self) -> MediaHeader:
        """What the file says about itself; there once it is open."""
        if self._info is None:
            raise RuntimeError("the stream is not open")
        return self._info

    @property
    def read_s(self) -> float:
        """How much of the recording has been read."""
        return self._n_read / SAMPLE_RATE

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def warning(self) -> Phrase | None:
        """What a person should know about a file that could be read only in part."""
        if not self.is_truncated:
            return None
        source = mark("“{name}” is damaged or incomplete; everything readable was kept.")
        return Phrase(source, {"name": display_name(self.file)})

    def open(self) -> MediaHeader:
        """Wait for the header and return what it says.

        Raises:
            DecodeFailed: the file can't be decoded, or `close` was called meanwhile.
        """
        if self._info is not None:
            return self._info
        record = self._next_record()
        if record is None:
            raise self._failure("closed")
        kind, payload = record
        if kind != worker.HEADER:
            raise self._failure("crashed")
        try:
            self._info = MediaHeader(**_parsed(payload))
        except (TypeError, ValueError) as error:
            raise self._failure("crashed") from error
        return self._info

    def read(self) -> Audio | None:
        """Return the next (n_samples,) float32, 4 s at most, or `None` at the end.

        Also `None` once `close` was called, even while this waits; `is_complete` tells them apart.

        Raises:
            DecodeFailed: the child crashed, hung or gave up.
        """
        if self.is_complete:
            return None
        self.open()
        record = self._next_record()
        if record is None:
            return None
        kind, payload = record
        if kind == worker.BLOCK and len(payload) % 4 == 0:
            block = np.frombuffer(payload, dtype="<f4").astype(np.float32, copy=False)
            self._n_read += len(block)
            return block
        if kind != worker.END:
            raise self._failure("crashed")
        end = _parsed(payload)
        if end.get("samples") != self._n_read:
            raise self._failure("crashed")
        self.is_truncated = bool(end.get("is_truncated"))
        self.peak_bytes = int(end.get("peak_bytes", 0))
        self.is_complete = True
        return None

    def __iter__(self) -> Iterator[Audio]:
        while (block := self.read()) is not None:
            yield block

    def close(self) -> None:
        """End the child at once and take it off the process table. Thread: any."""
        self._is_closed = True
        self._child.kill()  # closes the pipe's only writing end: a blocked read returns
        if not self._reading.acquire(timeout=_REAP_S):
            return
        try:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_REAP_S)
        finally:
            self._reading.release()

    def __enter__(self) -> "MediaStream":
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the child and tell it, by pipe and not by argument, which file to read."""
        root = Path(__file__).resolve().parents[2]
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        child = subprocess.Popen(
            worker_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=kept
            | {
                "PYTHONPATH": str(root),
                "LC_ALL": "C.UTF-8",
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "MALLOC_ARENA_MAX": "2",
            },
            umask=0o077,
            start_new_session=True,
        )
        path = os.fsencode(self.file.absolute())
        request = asdict(self._limits) | {"path": path.hex(), "is_probe": self._is_probe}
        # Short enough for the pipe's buffer: this never waits. The pipe stays open: its end tells
        # the child that we are gone.
        with suppress(BrokenPipeError):
            assert child.stdin is not None
            child.stdin.write(json.dumps(request).encode() + b"\n")
        return child

    def _next_record(self) -> tuple[bytes, bytes] | None:
        """Return kind and payload of the next record, `None` when closed.

        Raises:
            DecodeFailed: there will be none, and the child says why or can't.
        """
        with self._reading:
            try:
                prefix = self._receive(worker.PREFIX.size)
                kind, n_bytes = worker.PREFIX.unpack(prefix)
                if n_bytes > _LARGEST_RECORD_BYTES:
                    raise self._failure("crashed")
                payload = self._receive(n_bytes)
            except (EOFError, ValueError) as error:
                if self._is_closed:
                    return None
                raise self._failure(self._why_ended()) from error
        if kind == worker.ERROR:
            raise self._failure(str(_parsed(payload).get("kind")))
        return kind, payload

    def _receive(self, n_bytes: int) -> bytes:
        """Read exactly `n_bytes` from the child.

        Raises:
            EOFError: the child is gone.
            DecodeFailed: nothing came for too long.
        """
        if self._is_closed or self._child.stdout is None:
            raise EOFError
        fd = self._child.stdout.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLIN | select.POLLHUP)
        received = bytearray(n_bytes)
        view = memoryview(received)
        deadline = time.monotonic() + self._limits.stall_s
        while view:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                self._child.kill()
                raise self._failure("stalled")
            n = os.readv(fd, [view])
            if n == 0:
                raise EOFError
            view = view[n:]
        return bytes(received)

    def _why_ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            if self._child.wait(_REAP_S) == worker.EXIT_MEMORY:
                return "memory"
        return "crashed"

    def _failure(self, kind: str) -> DecodeFailed:
        return _failure(kind, self.file)


def display_name(file: Path) -> str:
    """Return the file's name as text that can be shown and stored, whatever bytes it holds."""
    return os.fsencode(file.name).decode("utf-8", "replace")


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        record = json.loads(payload)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _check_file(file: Path) -> None:
    """Refuse what is no readable file before a child is started for it.

    Raises:
        DecodeFailed: missing, a folder, a device, empty, or not ours to read.
    """
    try:
        # Not blocking: opening a named pipe would wait for its writer.
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _failure(_os_error_kind(error), file) from error
    try:
        status = os.fstat(fd)
    finally:
        os.close(fd)
    if stat.S_ISDIR(status.st_mode):
        raise _failure("folder", file)
    if not stat.S_ISREG(status.st_mode):
        raise _failure("special", file)
    if status.st_size == 0:
        raise _failure("empty", file)


def _os_error_kind(error: OSError | ValueError) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "missing"
    if isinstance(error, PermissionError):
        return "permission"
    if isinstance(error, ValueError):  # a NUL in the name
        return "name"
    return "unreadable"


def _failure(kind: str, file: Path) -> DecodeFailed:
    message, hint = _SENTENCES.get(kind, _SENTENCES["crashed"])
    return DecodeFailed(message, hint, name=display_name(file))


_OTHER_COPY = mark("Try another copy of the file.")
_CONVERT = mark("Convert it to WAV, MP3 or M4A and try again.")
_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": (
        mark("“{name}” is no longer where it was."),
        mark("Put it back, or add it again from where it is now."),
    ),
    "permission": (
        mark("“{name}” may not be read."),
        mark("Allow this user to read it; on a Mac also look in Privacy & Security > Files."),
    ),
    "unreadable": (
        mark("“{name}” could not be read from the disk."),
        mark("Check the disk it is on, then try again."),
    ),
    "name": (mark("“{name}” is not a possible file name."), mark("Rename the file and try again.")),
    "folder": (mark("“{name}” is a folder."), mark("Add the files inside it.")),
    "special": (
        mark("“{name}” is not an ordinary file."),
        mark("Add an audio or video file."),
    ),
    "empty": (mark("“{name}” is empty (0 bytes)."), _OTHER_COPY),
    "not_media": (
        mark("“{name}” is not an audio or video file that can be read."),
        _CONVERT,
    ),
    "playlist": (
        mark("“{name}” is a playlist, not a recording."),
        mark("Add the recordings it names."),
    ),
    "no_audio": (mark("“{name}” has no sound track."), mark("Choose a file with sound.")),
    "no_sound": (mark("“{name}” holds no sound."), _OTHER_COPY),
    "unknown_codec": (mark("The sound in “{name}” is of an unknown kind."), _CONVERT),
    "damaged": (mark("“{name}” is damaged; no sound could be read from it."), _OTHER_COPY),
    "encrypted": (
        mark("“{name}” is copy-protected."),
        mark("Choose a file without copy protection."),
    ),
    "too_long": (
        mark("“{name}” is longer than 24 hours."),
        mark("Cut it into shorter files."),
    ),
    "too_many_streams": (mark("“{name}” has too many tracks."), _CONVERT),
    "stalled": (mark("Reading “{name}” took too long and was stopped."), _CONVERT),
    "memory": (mark("Reading “{name}” needed too much memory and was stopped."), _CONVERT),
    "crashed": (mark("Reading “{name}” failed unexpectedly."), _CONVERT),
    "closed": (mark("Reading “{name}” was stopped."), mark("Add it again to go on.")),
}
