"""A file that only takes up room, so that a take on a full disk can still be closed cleanly.

It lies on the same disk as the takes and is given back when a journal meets a full disk.
"""

import contextlib
import os
import shutil
from pathlib import Path

BALLAST_BYTES = 64 * 1024 * 1024
_SHARE = 4  # never more than this part of what is free
_PIECE = bytes(1 << 20)


class Ballast:
    """Owner of the ballast file of one recordings folder."""

    def __init__(self, file: Path, wanted_bytes: int = BALLAST_BYTES) -> None:
        self.file = file
        self._wanted_bytes = wanted_bytes

    @property
    def size_bytes(self) -> int:
        try:
            return self.file.stat().st_size
        except OSError:
            return 0

    def ensure(self) -> int:
        """Make the file as large as wanted, or a quarter of what is free; return its size.

        Thread: any but the journal's; it takes a moment. Never raises: no ballast is no error.
        """
        have = self.size_bytes
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self.file.parent).free
            target = min(self._wanted_bytes, have + (free - have) // _SHARE)
            if target > have:
                self._grow(have, target)
        return self.size_bytes

    def _grow(self, have: int, target: int) -> None:
        # Real blocks, not a hole: written, not truncated to length.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while have < target:
                have += os.write(descriptor, _PIECE[: target - have])
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def release(self) -> bool:
        """Give the room back; `False` when there was none to give."""
        had = self.size_bytes > 0
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)
        return had and not self.file.exists()
