"""Opens everything one process works with, and closes it again in the right order.

The app and the command line are the only callers. Closing never loses work: what is not finished
stays in the library as an interrupted job.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.audio.ballast import Ballast
from app.audio.devices import Devices
from app.config.paths import Paths, make_private_folder, resources
from app.config.settings import Settings
from app.core.events import Event
from app.core.job import JobStatus
from app.engine.host import EngineThread
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.registry import load
from app.library.lock import LibraryLock, Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.models.store import ModelStore, open_store
from app.pipeline.dictation import DictationMachine, DictationParts
from app.pipeline.idle import IdleUnloading
from app.pipeline.main_thread import MainThread
from app.pipeline.queue import Parts, TranscriptionQueue
from app.pipeline.recognition import Recognition, RecognitionParts
from app.pipeline.recover import recover_takes
from app.pipeline.rig import Rig
from app.pipeline.take import TakeKeeper
from app.pipeline.warm import Warmth

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
    residency: Residency
    emit: Callable[[Event], None]
    settings: Callable[[], Settings]

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
    return Session(
        paths, store, loop, engine, reader, writer, queue, pool, owner, lock,
        residency, emit, settings,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Live:
    """Live recording over a session. Closed by `close`, before the session."""

    machine: DictationMachine
    idle: IdleUnloading
    devices: Devices

    def close(self) -> None:
        """End what is being recorded; its sound is on disk."""
        self.machine.close()


def open_live(session: Session, rig: Rig, main: MainThread) -> Live:
    """Build live recording over `session`. Thread: main, which owns it."""
    paths, settings = session.paths, session.settings
    warmth = Warmth()

    def is_busy() -> bool:
        runs = any(job.status is JobStatus.RUNNING for job in session.queue.jobs)
        return runs or live.machine.is_busy

    idle = IdleUnloading(
        session.loop, session.residency, warmth, main,
        lambda: settings().unload_after_min, is_busy,
    )  # fmt: skip
    keeper = TakeKeeper(
        paths, session.writer, session.reader, session.owner, session.pool, session.emit, settings
    )
    recognition = Recognition(
        RecognitionParts(
            session.loop, session.residency, warmth, session.store, keeper, main, idle
        ),
        settings,
    )
    ballast = Ballast(paths.recordings / ".ballast")
    parts = DictationParts(rig, main, keeper, recognition, session.reader, paths, ballast)
    live = Live(DictationMachine(parts, session.emit, settings), idle, rig.devices)
    return live


def recover(session: Session) -> "Future[tuple[str, ...]]":
    """Bring back the takes that a crash left behind, on the io pool; told as an event."""
    return session.pool.submit(
        recover_takes,
        session.paths,
        session.writer,
        session.reader,
        session.owner,
        session.emit,
    )


def model_budget_bytes() -> int:
    """Return what all loaded models together may need on this machine."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(total * _MODEL_SHARE)
