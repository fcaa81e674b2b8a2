"""Opens everything one process works with, and closes it again in the right order.

The app and the command line are the only callers. Closing never loses work: what is not finished
stays in the library as an interrupted job.
"""

import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.audio.ballast import Ballast
from app.audio.devices import Devices
from app.config.paths import Paths, make_private_folder, resources
from app.config.settings import Settings
from app.core.errors import AppError
from app.core.events import Event
from app.core.job import JobStatus
from app.core.model import Family, Model
from app.engine.base import Recognizer
from app.engine.host import EngineThread
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.registry import limit_memory, load
from app.library.lock import LibraryLock, Owner
from app.library.reader import LibraryReader
from app.library.restore import finish_restore
from app.library.unarchive import finish_take_in
from app.library.writer import LibraryWriter
from app.macos.power import Heat
from app.macos.pressure import memory_pressure
from app.macos.time_machine import leave_out_of_backups
from app.models.recommend import this_machine
from app.models.store import ModelStore, open_store
from app.pipeline.backups import BackupParts, Backups
from app.pipeline.dictation import DictationMachine, DictationParts
from app.pipeline.main_thread import MainThread
from app.pipeline.models import ModelParts, Models
from app.pipeline.once import sweep_once
from app.pipeline.queue import Parts, TranscriptionQueue
from app.pipeline.recognition import HANG_S, Recognition, RecognitionParts
from app.pipeline.recover import recover_takes
from app.pipeline.rig import Rig
from app.pipeline.salvage import finish_salvage
from app.pipeline.take import TakeKeeper
from app.pipeline.warm import Warmth

_log = logging.getLogger(__name__)
_POOL_THREADS = 4
_STOP_S = 60.0  # for the engine's last step; a piece of a large model takes a few seconds


class EngineHost(Protocol):
    """The thread the engine loop runs on."""

    def start(self) -> None: ...

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the loop and wait until the thread is gone; `False` when it is not in time."""


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
    models: Models
    backups: Backups
    pool: ThreadPoolExecutor
    owner: Owner
    lock: LibraryLock | None  # `None` when another process holds it
    residency: Residency
    emit: Callable[[Event], None]
    settings: Callable[[], Settings]

    def close(self) -> bool:
        """Stop the work, write what is left to write, and let go of the library.

        `False` when the engine is in a step that does not come back: all is written, but its thread
        cannot be ended, only the process can (`os._exit`).
        """
        is_hanging = self.loop.busy_for_s() > HANG_S
        self.queue.close()
        self.models.close()
        self.backups.close()
        self.pool.shutdown(wait=not is_hanging, cancel_futures=True)
        has_ended = self.engine.stop(0.1 if is_hanging else _STOP_S)
        self.writer.close()
        self.reader.close()
        self.owner.release()
        if self.lock is not None:
            self.lock.release()
        return has_ended


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
        if lock is not None:
            finish_salvage(paths)
            finish_restore(paths, lock)
        writer = LibraryWriter(paths.library, emit, lock=lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    try:
        finish_take_in(paths)
    except AppError:
        _log.warning("what was left of taking an archive in could not be put in place yet")
    owner = Owner.take(paths)
    store = open_store(models or paths.models, resources())
    reader = LibraryReader(paths.library)
    pool = ThreadPoolExecutor(_POOL_THREADS, thread_name_prefix="io")

    def on_engine_event(event: Event) -> None:
        queue.on_event(event)
        emit(event)

    loop = EngineLoop(on_engine_event)
    pool.submit(leave_out_of_backups, store.folder)
    machine = this_machine()
    residency = _residency(store, machine.budget_bytes, emit, settings)
    loop.look_after(residency.look)
    parts = Parts(loop, residency, writer, reader, store, owner, paths, pool)
    queue = TranscriptionQueue(parts, emit, settings)
    shelf = Models(ModelParts(store, loop, residency, pool, machine), emit, settings)
    backups = Backups(
        BackupParts(
            paths,
            writer,
            pool,
            lambda: any(job.status is JobStatus.RUNNING for job in queue.jobs),
        ),
        emit,
        settings,
    )
    engine = host(loop, residency.close)
    engine.start()
    return Session(
        paths, store, loop, engine, reader, writer, queue, shelf, backups, pool, owner, lock,
        residency, emit, settings,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Live:
    """Live recording over a session. Closed by `close`, before the session."""

    machine: DictationMachine
    devices: Devices

    def close(self) -> None:
        """End what is being recorded; its sound is on disk."""
        self.machine.close()


def open_live(session: Session, rig: Rig, main: MainThread) -> Live:
    """Build live recording over `session`. Thread: main, which owns it."""
    paths, settings = session.paths, session.settings
    keeper = TakeKeeper(
        paths, session.writer, session.reader, session.owner, session.pool, session.emit, settings
    )
    recognition = Recognition(
        RecognitionParts(session.loop, session.residency, Warmth(), session.store, keeper, main),
        settings,
    )
    ballast = Ballast(paths.recordings / ".ballast")
    parts = DictationParts(
        rig, main, keeper, recognition, session.reader, paths, ballast,
        lambda heat: session.queue.cool(is_hot=heat >= Heat.SERIOUS),
    )  # fmt: skip
    return Live(DictationMachine(parts, session.emit, settings), rig.devices)


def recover(session: Session) -> "Future[tuple[str, ...]]":
    """Bring back the takes that a crash left behind, on the io pool; told as an event.

    What a killed run that keeps nothing left behind goes.
    """
    session.pool.submit(sweep_once, session.paths.home)
    recovered = session.pool.submit(
        recover_takes,
        session.paths,
        session.writer,
        session.reader,
        session.owner,
        session.emit,
    )
    recovered.add_done_callback(_log_failure)
    return recovered


def _log_failure(done: "Future[tuple[str, ...]]") -> None:
    """Write a bug down; the app goes on, and the next start tries again."""
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.error("takes could not be recovered", exc_info=error)


def _residency(
    store: ModelStore,
    budget_bytes: int,
    emit: Callable[[Event], None],
    settings: Callable[[], Settings],
) -> Residency:
    """Return what keeps models loaded, each verified before it is."""
    is_limited = False

    def load_verified(model: Model) -> Generator[None, None, Recognizer]:
        nonlocal is_limited
        yield from store.check_steps(model)
        if not is_limited and model.family is not Family.SCRIPTED:
            is_limited = True
            limit_memory(budget_bytes)
        return (yield from load(model, lambda: settings().voxtral_delay_ms))

    def idle_after_s() -> float | None:
        minutes = settings().unload_after_min
        return minutes * 60.0 if minutes else None

    return Residency(
        load_verified,
        budget_bytes,
        emit,
        idle_after_s=idle_after_s,
        is_pressed=memory_pressure().is_pressed,
        installed=store.installed,
    )
