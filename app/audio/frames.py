"""The journal's frames: how sound and markers lie on disk, and how they are read back.

A frame is `header | payload`; the header has a checksum of its own, so that a reader can hop over
sound without reading it and find its way again behind a damaged stretch. All numbers are little
endian. A frame that is there whole and right was written whole; nothing else is trusted.

    magic 4s | kind u8 | version u8 | section u16 | seq u32 | monotonic_ns u64 | position u64
    | length u32 | payload crc32 u32 | header crc32 u32

`section` counts the devices of the take, `position` the samples of that section before this frame,
gaps included.
"""

import json
import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

MAGIC = b"UnJ\x01"
VERSION = 1
MAX_PAYLOAD_BYTES = 1 << 24  # no honest frame is longer; a length above is damage

_BODY = struct.Struct("<4sBBHIQQII")
_CRC = struct.Struct("<I")
_WHOLE = struct.Struct("<4sBBHIQQIII")
HEADER_BYTES = _BODY.size + _CRC.size
_SEARCH_BYTES = 1 << 20


class Kind(IntEnum):
    """What a frame holds. All but `AUDIO` carry a JSON object."""

    HEADER = 1  # the take: id, wall clock; always the first frame
    DEVICE = 2  # a section begins: device and format of all sound up to the next one
    AUDIO = 3  # interleaved samples
    GAP = 4  # `samples` of this section are missing here; readers give silence
    PAUSE = 5  # the person paused; what follows was said after the pause
    RESUME = 6
    MUTE = 7  # the device has given nothing but zeros for a while, or does so no longer
    NOTE = 8  # anything else worth keeping
    END = 9  # the take was closed; nothing follows


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as read."""

    kind: Kind
    section: int
    seq: int
    monotonic_ns: int
    position: int
    length: int
    offset: int
    payload: bytes

    @property
    def end(self) -> int:
        """Where the next frame begins in the file."""
        return self.offset + HEADER_BYTES + self.length

    @property
    def details(self) -> dict[str, Any]:
        """The JSON object of a marker."""
        found = json.loads(self.payload)
        return found if isinstance(found, dict) else {}


def pack(
    kind: Kind, section: int, seq: int, monotonic_ns: int, position: int, payload: bytes
) -> bytes:
    """Return the frame as it lies on disk."""
    body = _BODY.pack(
        MAGIC,
        kind,
        VERSION,
        section,
        seq,
        monotonic_ns,
        position,
        len(payload),
        zlib.crc32(payload),
    )
    return b"".join((body, _CRC.pack(zlib.crc32(body)), payload))


def pack_details(details: dict[str, Any]) -> bytes:
    return json.dumps(details, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


class FrameReader:
    """Reads frames of one open file from `offset` on; never writes, never moves the file's place.

    Owner: whoever made it; the file may grow meanwhile.
    """

    def __init__(self, descriptor: int, offset: int = 0) -> None:
        self._descriptor = descriptor
        self.offset = offset

    def next(self) -> Frame | None:
        """Return the next frame, or `None` when there is none that is whole and right (yet)."""
        frame = self._at(self.offset)
        if frame is not None:
            self.offset = frame.end
        return frame

    def hop_audio(self, offsets: deque[int]) -> tuple[int, int, int] | None:
        """Hop over all sound up to the next marker, checking headers only.

        Args:
            offsets: gets where each frame hopped over begins.

        Returns:
            section, position and length in bytes of the last frame of sound; `None` when the next
            frame is none. All are of one section: another begins with a marker.
        """
        descriptor, offset, last = self._descriptor, self.offset, None
        size = os.fstat(descriptor).st_size
        # 8 h are half a million frames: this loop is what a start after a crash waits for.
        pread, unpack, crc32, body_bytes = os.pread, _WHOLE.unpack, zlib.crc32, _BODY.size
        while len(raw := pread(descriptor, HEADER_BYTES, offset)) == HEADER_BYTES:
            magic, kind, version, section, _, _, position, length, _, crc = unpack(raw)
            end = offset + HEADER_BYTES + length
            if kind != _AUDIO or end > size or crc32(raw[:body_bytes]) != crc:
                break
            if magic != MAGIC or version != VERSION or length > MAX_PAYLOAD_BYTES:
                break
            last = (section, position, length)
            offsets.append(offset)
            offset = end
        self.offset = offset
        return last

    def find_next(self) -> Frame | None:
        """Go to the first good frame behind a damaged stretch and return it without reading past.

        `None`: there is none; the place stays where it was.
        """
        at = self.offset + 1
        while True:
            piece = os.pread(self._descriptor, _SEARCH_BYTES, at)
            if len(piece) < HEADER_BYTES:
                return None
            hit = piece.find(MAGIC)
            while hit >= 0:
                frame = self._at(at + hit)
                if frame is not None:
                    self.offset = at + hit
                    return frame
                hit = piece.find(MAGIC, hit + 1)
            at += len(piece) - len(MAGIC) + 1

    def _at(self, offset: int) -> Frame | None:
        raw = os.pread(self._descriptor, HEADER_BYTES, offset)
        if len(raw) < HEADER_BYTES:
            return None
        body = raw[: _BODY.size]
        if zlib.crc32(body) != _CRC.unpack_from(raw, _BODY.size)[0]:
            return None
        magic, kind, version, section, seq, ns, position, length, crc = _BODY.unpack(body)
        if magic != MAGIC or version != VERSION or length > MAX_PAYLOAD_BYTES:
            return None
        if kind not in _KINDS:
            return None
        payload = os.pread(self._descriptor, length, offset + HEADER_BYTES)
        if len(payload) < length or zlib.crc32(payload) != crc:
            return None
        return Frame(_KINDS[kind], section, seq, ns, position, length, offset, payload)


_KINDS = {kind.value: kind for kind in Kind}
_AUDIO = int(Kind.AUDIO)
