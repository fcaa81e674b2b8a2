"""Waiting until what was written is on the medium itself, where it survives a power cut."""

import os
import sys


def flush_to_medium(descriptor: int) -> None:
    """Wait until the file's data would survive a power cut.

    Source: fsync(2) of macOS says that only F_FULLFSYNC reaches the medium.
    """
    if not _flush_the_drive(descriptor):
        (os.fsync if sys.platform == "darwin" else os.fdatasync)(descriptor)


def flush_folder(descriptor: int) -> None:
    """Wait until the names in an open folder would survive a power cut."""
    if not _flush_the_drive(descriptor):
        os.fsync(descriptor)


def _flush_the_drive(descriptor: int) -> bool:
    """Empty the drive's own cache; `False` where the system or the file system cannot."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:  # not every file system knows it
            return False
        return True
    return False
