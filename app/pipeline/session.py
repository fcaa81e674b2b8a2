"""Opens everything one process works with, and closes it again in the right order.

The app and the command line are the only callers. Closing never loses work: what is not finished
stays in the library as an interrupted job.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.config.paths import Paths, make_private_folder, resources
from app.config.settings import Settings
from app.core.events import Event
from app.engine.host import EngineThread
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.registry import load
from app.library.lock import LibraryLock, Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.models.store import ModelStore, open_store
from app.pipeline.queue import Parts, TranscriptionQueue

_POOL_THREADS = 4
_MODEL_SHARE = 0.6  # of the machine's memory, for all loaded models together


class EngineHost(Protocol):
    """The thread the engine loop runs on."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """End the loop and wait until the thread is gone."""


@dataclass(frozen=True, slots=True)
class Session:
    """All that one process works with. Closed by `close`, once."""

    paths: Paths
    store: ModelStore
    loop: EngineLoop
    engine: EngineHost
    reader: LibraryReader
    writer: LibraryWriter
    queue: TranscriptionQueue
    pool: ThreadPoolExecutor
    owner: Owner
    lock: LibraryLock | None  # `None` when another process holds it

    def close(self) -> None:
        """Stop the work, write what is left to write, and let go of the library."""
        self.queue.close()
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.engine.stop()
        self.writer.close()
        self.reader.close()
        self.owner.release()
        if self.lock is not None:
            self.lock.release()


def open_session(
    paths: Paths,
    emit: Callable[[Event], None],
    settings: Callable[[], Settings],
    host: Callable[[EngineLoop, Callable[[], None]], EngineHost] = EngineThread,
    models: Path | None = None,
) -> Session:
    """Open the library, start the engine thread and build the queue.

    `emit` gets every event of every part, on whatever thread it happens. `models` is where the
    person's models lie when that is not under `paths`.

    Raises:
        LibraryError: the library cannot be opened for writing; says why and what to do.
    """
    make_private_folder(paths.home)
    lock = LibraryLock.take(paths.library_lock)
    try:
        writer = LibraryWriter(paths.library, emit, lock=lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    owner = Owner.take(paths)
    store = open_store(models or paths.models, resources())
    reader = LibraryReader(paths.library)
    pool = ThreadPoolExecutor(_POOL_THREADS, thread_name_prefix="io")

    def on_engine_event(event: Event) -> None:
        queue.on_event(event)
        emit(event)

    loop = EngineLoop(on_engine_event)
    residency = Residency(load, model_budget_bytes(), emit)
    parts = Parts(loop, residency, writer, reader, store, owner, paths, pool)
    queue = TranscriptionQueue(parts, emit, settings)
    engine = host(loop, residency.close)
    engine.start()
    return Session(paths, store, loop, engine, reader, writer, queue, pool, owner, lock)


def model_budget_bytes() -> int:
    """Return what all loaded models together may need on this machine."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(total * _MODEL_SHARE)
