"""A preallocated ring between the audio callback and everyone who wants its samples.

One writer, any number of readers, no lock: the writer only copies and counts, every sample has an
absolute index that never wraps, and a reader that comes too late learns exactly how many samples it
lost. Samples handed out are copies and were never half overwritten.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]  # (n_samples, n_channels), int16 or float32

RING_S = 10.0  # what a stalled reader may miss without loss


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one read returned: first the `lost` samples are gone, then `samples` follow.

    `start` is the absolute index of `samples[0]`.
    """

    start: int
    samples: Samples
    lost: int


class Ring:
    """The last `capacity` samples of one open stream. Owner of the writing side: its callback."""

    def __init__(self, capacity: int, channels: int = 1, dtype: npt.DTypeLike = np.int16) -> None:
        if capacity < 1 or channels < 1:
            raise ValueError("a ring holds at least one sample of one channel")
        self._buffer: Samples = np.empty((capacity, channels), dtype=dtype)
        self._buffer.fill(0)  # touches every page now, so that the callback never has to
        self._capacity = capacity
        self._claimed = 0  # end of what the writer may be overwriting right now
        self._written = 0  # end of what is whole

    @property
    def capacity(self) -> int:
        return self._capacity

    @property
    def channels(self) -> int:
        return int(self._buffer.shape[1])

    @property
    def written(self) -> int:
        """How many samples were ever written: the absolute index of the next one."""
        return self._written

    def write(self, block: Samples) -> None:
        """Copy `block` in: (n_samples, n_channels) of the ring's dtype.

        Thread: the one writer; no lock, no log, no memory kept.
        """
        count = len(block)
        end = self._written + count
        self._claimed = end
        if count > self._capacity:
            block = block[count - self._capacity :]
            count = self._capacity
        at = (end - count) % self._capacity
        head = min(count, self._capacity - at)
        self._buffer[at : at + head] = block[:head]
        if head < count:
            self._buffer[: count - head] = block[head:]
        self._written = end

    def read(self, start: int, limit: int) -> Chunk:
        """Return up to `limit` samples from absolute index `start` on, and what is lost of them.

        Thread: any.
        """
        end = self._written
        first = min(max(start, self._claimed - self._capacity), end)
        count = min(limit, end - first)
        at = first % self._capacity
        head = min(count, self._capacity - at)
        copy = np.empty((count, self.channels), dtype=self._buffer.dtype)
        copy[:head] = self._buffer[at : at + head]
        copy[head:] = self._buffer[: count - head]
        # What the writer has claimed since then may be half overwritten in the copy.
        torn = min(max(self._claimed - self._capacity - first, 0), count)
        return Chunk(first + torn, copy[torn:], first + torn - min(start, end))


class RingReader:
    """One reader's place in a ring; starts with the first sample not yet written, or at `start`."""

    def __init__(self, ring: Ring, start: int | None = None) -> None:
        self._ring = ring
        self._next = ring.written if start is None else start
        self._lost = 0

    @property
    def position(self) -> int:
        """The absolute index of the sample to be read next."""
        return self._next

    @property
    def lost(self) -> int:
        """How many samples this reader has missed so far."""
        return self._lost

    @property
    def waiting(self) -> int:
        """How many samples could be read or are already lost."""
        return self._ring.written - self._next

    def read(self, limit: int | None = None) -> Chunk:
        """Return what has come since the last call, `limit` samples at most."""
        chunk = self._ring.read(self._next, self._ring.capacity if limit is None else limit)
        self._next = chunk.start + len(chunk.samples)
        self._lost += chunk.lost
        return chunk
