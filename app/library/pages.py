"""Reads the rows that are still whole out of a damaged SQLite file, without SQLite.

Works page by page and needs no other page to be whole: neither the first one nor those that lead to
others. Nothing is trusted: a cell that does not add up is passed over. The log beside the file is
read first, as far as its check sums hold, as SQLite would.

Source: the SQLite file format, https://www.sqlite.org/fileformat2.html (public domain).
"""

import errno
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.library.rows import Value

_LEAF = 0x0D
_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_SIZES = tuple(1 << power for power in range(9, 17))
_COMMON_SIZE = 4096
_STEP_BYTES = 1 << 20
_BLOCK_BYTES = 4096  # what a disk gives or does not
_MOST_COLUMNS = 64
_MOST_BYTES = 256 * 1024 * 1024  # of one row
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)


class _Torn(Exception):
    """A cell that does not add up."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the file holds it: its number and its columns."""

    number: int
    columns: tuple[Value, ...]


def _readable(file: Path, read: Callable[[int, int, int], bytes]) -> Iterator[bytes]:
    """Yield all of a file; zeros stand for the blocks that the disk cannot give any more."""
    with file.open("rb", buffering=0) as source:
        size, at, step = os.fstat(source.fileno()).st_size, 0, _STEP_BYTES
        while at < size:
            wanted = min(step, size - at)
            try:
                got = read(source.fileno(), wanted, at)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                if step > _BLOCK_BYTES:
                    step = _BLOCK_BYTES  # to find out which of them it is
                    continue
                got = bytes(wanted)
            if not got:
                return  # it is shorter now
            yield got
            at += len(got)
            if at % _STEP_BYTES == 0:
                step = _STEP_BYTES


class DamagedFile:
    """The pages of a damaged file.

    Args:
        file: what is damaged.
        read: as `os.pread`.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, file: Path, read: Callable[[int, int, int], bytes] = os.pread) -> None:
        self._bytes = b"".join(_readable(file, read))
        self._size = _page_size(self._bytes)
        self._usable = self._size - _reserved(self._bytes)
        self._newer = _log_pages(file.with_name(f"{file.name}-wal"), self._size)
        last = max(self._newer, default=0)
        self.page_count = max(len(self._bytes) // self._size, last)

    def rows(self, page: int) -> Iterator[Row]:
        """Yield the whole rows on a page, counted from 1; none when it holds none."""
        content = self._page(page)
        start = _HEADER_BYTES if page == 1 else 0
        if len(content) < self._size or content[start] != _LEAF:
            return
        (count,) = struct.unpack_from(">H", content, start + 3)
        for place in range(min(count, (self._size - start - 8) // 2)):
            (at,) = struct.unpack_from(">H", content, start + 8 + 2 * place)
            try:
                yield self._row(content, at)
            except (_Torn, IndexError, struct.error, UnicodeDecodeError):
                continue

    def _page(self, number: int) -> bytes:
        newer = self._newer.get(number)
        if newer is not None:
            return newer
        start = (number - 1) * self._size
        return self._bytes[start : start + self._size]

    def _row(self, page: bytes, at: int) -> Row:
        length, at = _varint(page, at)
        number, at = _varint(page, at)
        if not 0 < length <= _MOST_BYTES:
            raise _Torn
        local = self._local(length)
        payload = page[at : at + local]
        if len(payload) < local:
            raise _Torn
        if local < length:
            (following,) = struct.unpack_from(">I", page, at + local)
            payload += self._overflow(following, length - local)
        return Row(number, tuple(_columns(payload)))

    def _local(self, length: int) -> int:
        """Return how many bytes of a payload stand on the leaf itself."""
        most = self._usable - 35
        if length <= most:
            return length
        least = (self._usable - 12) * 32 // 255 - 23
        fitting = least + (length - least) % (self._usable - 4)
        return fitting if fitting <= most else least

    def _overflow(self, page: int, left: int) -> bytes:
        pieces = []
        while left > 0:
            content = self._page(page) if 0 < page <= self.page_count else b""
            if len(content) < self._size:
                raise _Torn
            piece = content[4 : min(self._usable, 4 + left)]
            pieces.append(piece)
            left -= len(piece)
            (page,) = struct.unpack_from(">I", content)
        return b"".join(pieces)


def _columns(payload: bytes) -> Iterator[Value]:
    header, at = _varint(payload, 0)
    if not at <= header <= len(payload):
        raise _Torn
    types = []
    while at < header:
        kind, at = _varint(payload, at)
        types.append(kind)
    if at != header or not 0 < len(types) <= _MOST_COLUMNS:
        raise _Torn
    for kind in types:
        value, at = _value(payload, at, kind)
        yield value
    if at != len(payload):
        raise _Torn


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind in (10, 11):
        raise _Torn
    size = _INTEGER_BYTES[kind] if kind < 7 else (kind - 12) // 2
    piece = payload[at : at + size]
    if len(piece) < size:
        raise _Torn
    if kind < 7:
        return int.from_bytes(piece, "big", signed=True), at + size
    return (piece.decode("utf-8") if kind % 2 else piece), at + size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(8):
        byte = content[at + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    value = value << 8 | content[at + 8]
    return value - (1 << 64) if value >= 1 << 63 else value, at + 9


def _page_size(content: bytes) -> int:
    """Return the page size: the file's own word for it, or where leaves are found."""
    if content.startswith(_MAGIC):
        (size,) = struct.unpack_from(">H", content, 16)
        size = 65_536 if size == 1 else size
        if size in _SIZES and len(content) % size == 0:
            return int(size)
    found = Counter(
        {
            size: sum(content[at] == _LEAF for at in range(size, len(content), size))
            for size in _SIZES
            if len(content) % size == 0
        }
    )
    if found[_COMMON_SIZE]:
        return _COMMON_SIZE  # ours have it; a multiple finds leaves too
    return found.most_common(1)[0][0] if found else _COMMON_SIZE


def _reserved(content: bytes) -> int:
    reserved = content[20] if content.startswith(_MAGIC) and len(content) > 20 else 0
    return reserved if reserved <= 32 else 0


def _log_pages(log: Path, size: int) -> dict[int, bytes]:
    """Return the newest committed pages of the write-ahead log."""
    try:
        content = log.read_bytes()
    except OSError:
        return {}
    if len(content) < 32:
        return {}
    magic, _version, page_size, _seq = struct.unpack_from(">4I", content)
    if magic not in _WAL_MAGIC or page_size != size:
        return {}
    order = ">" if magic & 1 else "<"
    salts = content[16:24]
    sums = _check_sums(order, content[:24], (0, 0))
    if struct.pack(">2I", *sums) != content[24:32]:
        return {}
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    for at in range(32, len(content) - 24 - size + 1, 24 + size):
        page = content[at + 24 : at + 24 + size]
        sums = _check_sums(order, page, _check_sums(order, content[at : at + 8], sums))
        is_whole = struct.pack(">2I", *sums) == content[at + 16 : at + 24]
        if content[at + 8 : at + 16] != salts or not is_whole:
            break
        number, committed = struct.unpack_from(">2I", content, at)
        pending[number] = page
        if committed:
            pages.update(pending)
            pending = {}
    return pages


def _check_sums(order: str, content: bytes, sums: tuple[int, int]) -> tuple[int, int]:
    first, second = sums
    for left, right in struct.iter_unpack(f"{order}2I", content):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return first, second
