"""Long work on files: how far it is, whether it may go on, and copying with a check sum.

A copy is there whole under its own name or not at all: it grows beside it under a hidden name.
"""

import contextlib
import errno
import gzip
import hashlib
import os
import secrets
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.library.backup import sync_file

BLOCK_BYTES = 1 << 20
PARTIAL = ".partial-"
_OUR_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # they say nothing about the file
_SHRINKS_BELOW = 0.9  # what gets no smaller than this is kept as it is


class Stopped(Exception):
    """The person stopped the work; nothing half is left behind."""


class Unreadable(OSError):
    """A file could not be read, or not be unpacked; writing has not failed."""


class Work:
    """One piece of long work: told to stop or wait from any thread, it tells how far it is.

    Args:
        tell: called with the done and the whole number of bytes, on the working thread.
    """

    def __init__(self, tell: Callable[[int, int], None] | None = None) -> None:
        self._tell = tell
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._is_stopped = False
        self._done = 0
        self._total = 0

    def stop(self) -> None:
        self._is_stopped = True
        self._may_go_on.set()

    def hold(self) -> None:
        """Let the disk alone until `go_on`."""
        self._may_go_on.clear()
        if self._is_stopped:  # looked at last: it may come from another thread meanwhile
            self._may_go_on.set()

    def go_on(self) -> None:
        self._may_go_on.set()

    def begin(self, total_bytes: int) -> None:
        self._done, self._total = 0, total_bytes
        self.did(0)

    def did(self, count: int) -> None:
        """Count `count` bytes more.

        Raises:
            Stopped: the person wants no more of it.
        """
        self._done += count
        if self._tell is not None:
            self._tell(min(self._done, self._total), self._total)
        self._may_go_on.wait()
        if self._is_stopped:
            raise Stopped


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: its length and SHA-256."""

    size_bytes: int
    sha256: str


def blocks_of(source: IO[bytes], work: Work) -> Iterator[bytes]:
    """Yield the bytes of `source`, counting them."""
    while block := source.read(BLOCK_BYTES):
        work.did(len(block))
        yield block


def file_blocks(source: Path, *, is_packed: bool = False) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked where `is_packed`.

    Raises:
        Unreadable: it is not there, or something of it cannot be read.
        OSError: this process has too much open.
    """
    try:
        with source.open("rb") as raw:
            reading: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_packed else raw  # type: ignore[assignment]
            while block := reading.read(BLOCK_BYTES):
                yield block
    except (OSError, EOFError, zlib.error) as error:
        number = getattr(error, "errno", None)
        if number in _OUR_LIMITS:
            raise
        raise Unreadable(number, str(error)) from error


def shrinks(head: bytes) -> bool:
    """Return whether packing is worth it, by a file's first block; FLAC and MP3 do not shrink."""
    return len(zlib.compress(head, 1)) < _SHRINKS_BELOW * len(head)


def copy_packed(source: Path, target: Path, work: Work, *, is_packed: bool) -> Content:
    """Copy `source` into the new file `target`, gzipped where `is_packed`; returns its content.

    Raises:
        OSError: it could not be read or written.
        Stopped: the person stopped it.
    """
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading, new_file(target) as raw:
        writing: IO[bytes] = (
            gzip.GzipFile("", "wb", 6, raw, mtime=0) if is_packed else raw  # type: ignore[assignment]
        )
        for block in blocks_of(reading, work):
            digest.update(block)
            size += len(block)
            writing.write(block)
        if is_packed:
            writing.close()
    return Content(size, digest.hexdigest())


def copy_unpacked(
    source: Path, target: Path, wanted: Content, work: Work, *, is_packed: bool
) -> bool:
    """Copy what `copy_packed` made into the new file `target`; return whether it is `wanted`.

    No more than the wanted length is ever written, whatever `source` unpacks to.
    """
    with new_file(target) as writing:
        return read_checked(source, wanted, work, is_packed=is_packed, into=writing)


def read_checked(
    source: Path, wanted: Content, work: Work, *, is_packed: bool, into: IO[bytes] | None = None
) -> bool:
    """Return whether `source` holds `wanted`, writing it `into` a file as it is read.

    Raises:
        OSError: it could not be written.
        Stopped: the person stopped it.
    """
    digest, size = hashlib.sha256(), 0
    try:
        for block in file_blocks(source, is_packed=is_packed):
            work.did(len(block))
            size += len(block)
            if size > wanted.size_bytes:
                return False
            digest.update(block)
            if into is not None:
                into.write(block)
    except Unreadable:
        return False
    return size == wanted.size_bytes and digest.hexdigest() == wanted.sha256


@contextlib.contextmanager
def new_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a new private file for writing; afterwards the drive has its bytes.

    Whoever names it for good syncs something afterwards.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def write_whole(file: Path, content: bytes) -> None:
    """Put `content` into `file`: all of it, or it stays as it was."""
    partial = partial_beside(file)
    try:
        with new_file(partial) as out:
            out.write(content)
        sync_file(partial)
        partial.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def partial_beside(file: Path) -> Path:
    """Return a hidden name of its own beside `file`."""
    return file.with_name(f"{PARTIAL}{secrets.token_hex(8)}")
