"""Who may look after the library, and who is alive.

Both are `flock`s on files: the system drops them the moment a process ends, however it ends. Python
opens every file close-on-exec, so a spawned child never keeps one; do not fork while holding one.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import time
from pathlib import Path
from typing import Self

from app.config.paths import Paths, make_private_folder
from app.library.errors import told_plainly

_TOKEN = re.compile(r"^[0-9a-f]{32}$")
_RETRY_S = 0.02
_HELD_BY_ANOTHER = {errno.EACCES, errno.EAGAIN}


class LibraryLock:
    """Held by the one process that migrates, recovers and checkpoints the library."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, file: Path) -> "LibraryLock | None":
        """Take the lock, or return `None` when another process (or another holder here) has it."""
        with told_plainly(file):
            make_private_folder(file.parent)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _try_lock(descriptor):
                return cls(descriptor)
            os.close(descriptor)
            return None

    @classmethod
    def wait(cls, file: Path, timeout_s: float) -> "LibraryLock | None":
        """Take the lock as soon as it is free; `None` when it was not within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while True:
            lock = cls.take(file)
            if lock is not None or time.monotonic() >= deadline:
                return lock
            time.sleep(_RETRY_S)

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Owner:
    """This process as the owner of jobs: a token whose file stays locked while it lives."""

    def __init__(self, folder: Path, token: str, descriptor: int) -> None:
        self._folder = folder
        self._descriptor: int | None = descriptor
        self.token = token

    @classmethod
    def take(cls, paths: Paths) -> "Owner":
        """Make a new owner, and sweep the files of those that died."""
        folder = paths.owners
        with told_plainly(folder / "owner"):
            make_private_folder(folder)
            _sweep(folder)
            while True:
                token = secrets.token_hex(16)
                file = folder / token
                descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                # Another process may sweep the file before it is locked; then make another.
                if _try_lock(descriptor) and os.fstat(descriptor).st_nlink > 0:
                    return cls(folder, token, descriptor)
                os.close(descriptor)

    def is_alive(self, token: str) -> bool:
        """Whether the process that took `token` still runs (or has not released it)."""
        if not _TOKEN.match(token):
            return False
        if token == self.token:
            return self._descriptor is not None
        try:
            descriptor = os.open(self._folder / token, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared: two processes that ask at once do not take each other for the owner.
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                (self._folder / self.token).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_used_by_another(paths: Paths, owner: Owner | None = None) -> bool:
    """Whether an Undertone other than `owner`'s works on the library, with its lock or without."""
    if not paths.owners.is_dir():
        return False
    asking = owner or Owner.take(paths)
    try:
        names = [file.name for file in paths.owners.iterdir()]
        return any(name != asking.token and asking.is_alive(name) for name in names)
    finally:
        if owner is None:
            asking.release()


def _sweep(folder: Path) -> None:
    for file in folder.iterdir():
        if not _TOKEN.match(file.name):
            continue
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # swept by another process
        try:
            if _try_lock(descriptor):
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int, mode: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            return False
        raise
    return True
