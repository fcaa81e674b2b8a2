"""A file on its way here: what of it is on disk for sure, and which ranges are still missing.

Two files lie side by side: the bytes, and a journal with one line for each range that was written,
flushed to the disk and hashed. After a kill or a power cut the journal is read back and every range
hashed again: what agrees is never fetched again, what does not is a hole.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 8 << 20  # at most so much is not in the journal yet
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Bytes `start` … `end` - 1 of the file."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


class Part:
    """One file being put together. Owner: the download thread.

    Args:
        file: where it will lie; `.part` and `.ranges` are added meanwhile.
        size_bytes: how long it must become.
    """

    def __init__(self, file: Path, size_bytes: int) -> None:
        self._bytes = file.with_name(file.name + ".part")
        self._journal = file.with_name(file.name + ".ranges")
        self._size = size_bytes
        self._sure: list[Range] = []
        self._unsure: list[Range] = []  # written, but killed before the journal knew
        self._block_start = 0
        self._at = 0
        self._block = hashlib.sha256()
        self._out: int | None = None

    @property
    def path(self) -> Path:
        return self._bytes

    @property
    def done_bytes(self) -> int:
        pending = self._at - self._block_start if self._out is not None else 0
        return sum(r.size for r in (*self._sure, *self._unsure)) + pending

    @property
    def has_unsure(self) -> bool:
        """Whether there are bytes nobody vouches for yet."""
        return bool(self._unsure)

    def read_back(self) -> Iterator[None]:
        """Find out what is here from an earlier try, a little at a time."""
        self._sure, self._unsure = [], []
        if not self._bytes.exists():
            return
        length = min(self._bytes.stat().st_size, self._size)
        told: list[Range] = []  # the journal's, what agrees and what does not
        for one, digest in self._written_down():
            told.append(one)
            if one.end > length or any(one.start < r.end and r.start < one.end for r in self._sure):
                continue
            found = hashlib.sha256()
            for chunk in self._read(one):
                found.update(chunk)
                yield
            if found.hexdigest() == digest:
                self._sure.append(one)
        self._sure.sort()
        self._unsure = list(_between(told, length))

    def missing(self) -> Range | None:
        """Return the first range that is not here."""
        return next(_between([*self._sure, *self._unsure], self._size), None)

    def drop_unsure(self) -> None:
        """Forget the bytes nobody vouches for: they are fetched again."""
        self._unsure = []

    def drop_all(self) -> None:
        """Begin anew."""
        self.stop()
        self._sure, self._unsure = [], []
        self._bytes.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    def begin(self, start: int) -> None:
        """Write from `start` on.

        Raises:
            OSError: it cannot be written.
        """
        self.stop()
        self._out = os.open(self._bytes, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._block_start = self._at = start
        self._block = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take in the next bytes.

        Raises:
            OSError: they cannot be written.
        """
        assert self._out is not None
        view = memoryview(chunk)
        while view:
            written = os.pwrite(self._out, view, self._at)
            self._block.update(view[:written])
            self._at += written
            view = view[written:]
        if self._at - self._block_start >= BLOCK_BYTES:
            self._write_down()

    def stop(self) -> None:
        """Write down to the byte what has come, and let go of the file."""
        if self._out is None:
            return
        try:
            if self._at > self._block_start:
                self._write_down()
        finally:
            os.close(self._out)
            self._out = None

    def finish(self) -> Path:
        """Return the bytes' file; the journal is not needed any more once it was verified."""
        self.stop()
        self._journal.unlink(missing_ok=True)
        return self._bytes

    def _write_down(self) -> None:
        assert self._out is not None
        os.fsync(self._out)
        line = f"{self._block_start} {self._at} {self._block.hexdigest()}\n"
        with self._journal.open("a", encoding="ascii") as journal:
            journal.write(line)
            journal.flush()
            os.fsync(journal.fileno())
        self._sure.append(Range(self._block_start, self._at))
        self._block_start, self._block = self._at, hashlib.sha256()

    def _written_down(self) -> Iterator[tuple[Range, str]]:
        try:
            text = self._journal.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return
        for line in text.splitlines():
            words = line.split(" ")
            if len(words) != 3 or not (words[0].isdigit() and words[1].isdigit()):
                continue  # torn by a power cut
            one = Range(int(words[0]), int(words[1]))
            if one.start < one.end <= self._size:
                yield one, words[2]

    def _read(self, one: Range) -> Iterator[bytes]:
        with self._bytes.open("rb") as source:
            source.seek(one.start)
            left = one.size
            while left > 0 and (chunk := source.read(min(left, _CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk


def _between(ranges: Iterable[Range], end: int) -> Iterator[Range]:
    """Yield what of the first `end` bytes lies in none of `ranges`, in order."""
    at = 0
    for one in sorted(ranges):
        if at < min(one.start, end):
            yield Range(at, min(one.start, end))
        at = max(at, one.end)
    if at < end:
        yield Range(at, end)
