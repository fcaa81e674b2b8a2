"""Tests marked `serial` have the machine to themselves, also when xdist runs several at once.

Every test holds a shared lock while it runs and a serial one an exclusive lock. Both pass a
turnstile first, so that a waiting serial test is not overtaken for ever.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def _shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder all workers of this run share; `None` when there is only one process."""
    if not hasattr(config, "workerinput"):
        return None
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    return factory.getbasetemp().parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    folder = _shared_folder(item.config)
    if folder is None:
        return (yield)
    wanted = fcntl.LOCK_EX if item.get_closest_marker("serial") else fcntl.LOCK_SH
    turnstile = os.open(folder / "turnstile.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    turn = os.open(folder / "turn.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(turnstile, fcntl.LOCK_EX)
        fcntl.flock(turn, wanted)
        fcntl.flock(turnstile, fcntl.LOCK_UN)
        return (yield)
    finally:
        os.close(turn)
        os.close(turnstile)
