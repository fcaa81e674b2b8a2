"""What a person can do with models: get, add, convert, verify, delete; composed of their parts.

Whatever takes long runs on the download thread, the io pool or, where it needs MLX, as a job of the
engine loop; what came of it is told as `DownloadChanged` and `ModelsChanged`. A model that was
deleted can be brought back until `forget_removed`.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from app.config.paths import make_private_folder
from app.config.settings import Settings
from app.core.download import Download, DownloadState
from app.core.errors import (
    AppError,
    DownloadFailed,
    EngineFailed,
    ImportFailed,
    ModelDamaged,
    ModelMissing,
    mark,
)
from app.core.events import DownloadChanged, Event, ModelsChanged
from app.core.ids import new_id
from app.core.job import Priority
from app.core.model import Model
from app.engine.loop import EngineLoop, Steps
from app.engine.memory import Residency
from app.models.catalog import CatalogEntry
from app.models.custom import (
    Cached,
    add_folder,
    cached_models,
    import_cached,
    look_at,
    model_id_for,
)
from app.models.download import Downloads, repository_entry
from app.models.fetch import Patience
from app.models.hub import PUBLIC_HUB, Route
from app.models.manifest import Manifest, record, sha256_of
from app.models.recommend import Advice, Machine, recommend
from app.models.store import PARTIAL, ModelStore, folder_bytes
from app.pipeline.conversion import Conversion
from app.pipeline.model_rows import ModelRow, model_rows

_TOLD_BYTES = 64 << 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelParts:
    """What `Models` works with; all of it outlives it."""

    store: ModelStore
    loop: EngineLoop
    residency: Residency
    pool: ThreadPoolExecutor
    machine: Machine
    patience: Patience | None = None


class _Stopped(Exception):
    """The person asked for it, or the app closes."""


class Models:
    """The models of this machine and of the catalog, and everything done to them.

    Calls come from the main thread and never wait, but for `rows`, which reads some folders.
    """

    def __init__(
        self, parts: ModelParts, emit: Callable[[Event], None], settings: Callable[[], Settings]
    ) -> None:
        self._parts = parts
        self._store = parts.store
        self._emit = emit
        self._settings = settings
        self._lock = threading.Lock()
        self._work: dict[str, Download] = {}  # what is done here and is no download
        self._again: dict[str, Callable[[], None]] = {}  # how what is in `_work` was begun
        self._stopped: set[str] = set()
        self._removed: list[Path] = []
        self._is_closing = False
        self._advice = recommend(parts.machine)
        self.downloads = Downloads(
            parts.store,
            emit,
            lambda: route_of(settings()),
            lambda: settings().offline,
            parts.patience,
            self._convert_fetched,
        )

    # What there is

    @property
    def advice(self) -> Advice:
        """What is recommended for this machine."""
        return self._advice

    @property
    def machine(self) -> Machine:
        return self._parts.machine

    @property
    def store(self) -> ModelStore:
        return self._store

    def rows(self) -> tuple[ModelRow, ...]:
        """Return every model: what is here first, then what could be, recommended ones first."""
        under_way = (*self.downloads.all, *self._work.values())
        return model_rows(self._store, under_way, self.machine, self._advice)

    def used_bytes(self) -> int:
        """Return what the person's models take on disk."""
        return self._store.used_bytes()

    def free_bytes(self) -> int:
        """Return what is free on the disk that holds them."""
        return self._store.free_bytes()

    def cached(self) -> tuple[Cached, ...]:
        """Return models of hub caches on this machine that are not here yet."""
        here = {model.model_id for model in self._store.installed()}
        known = {entry.repository: entry.model_id for entry in self._store.catalog}
        return tuple(
            one
            for one in cached_models()
            if known.get(one.repository, model_id_for(one.repository.rpartition("/")[2]))
            not in here
        )

    # What a person may do

    def get(self, model_id: str) -> None:
        """Download a model of the catalog, or go on with one; what failed here is tried again."""
        with self._lock:
            again = self._again.get(model_id) if model_id in self._work else None
        if again is not None:
            again()
            return
        entry = self._store.entry(model_id) or self.downloads.entry(model_id)
        if entry is None or entry.built_in or entry.is_hidden:
            raise _unknown(model_id)
        self._start(entry)

    def get_repository(self, repository: str, revision: str = "") -> str:
        """Download a model by its name on the hub; return what it will be called here."""
        name = repository.strip().removeprefix(PUBLIC_HUB).strip("/")
        if name.count("/") != 1 or not all(part.strip() for part in name.split("/")):
            raise ImportFailed(
                mark("“{name}” is no name of a model on the hub."),
                mark("Write it like owner/model."),
                name=repository,
            )
        known = next(
            (e for e in self._store.catalog if e.repository == name and not revision), None
        )
        if known is not None and not known.is_hidden:
            self._start(known)
            return known.model_id
        entry = repository_entry(name, revision, model_id_for(name.partition("/")[2]))
        self._start(entry)
        return entry.model_id

    def pause(self, model_id: str) -> None:
        """Stop fetching for now."""
        self.downloads.pause(model_id)

    def cancel(self, model_id: str) -> None:
        """Stop whatever is done with a model that is on its way."""
        with self._lock:
            if model_id in self._work:
                self._stopped.add(model_id)
                return
        self.downloads.cancel(model_id)

    def forget(self, model_id: str) -> None:
        """Leave what failed out of the list."""
        with self._lock:
            known = self._work.get(model_id)
            if known is not None and not known.state.is_active:
                del self._work[model_id]
                self._again.pop(model_id, None)
        self.downloads.forget(model_id)

    def remove(self, model_id: str) -> Path:
        """Delete a model so that it can be brought back with what is returned.

        Raises:
            ModelMissing: it is not among the person's models.
        """
        found = [model for model in self._store.installed() if model.model_id == model_id]
        place = self._store.remove(model_id)
        self._removed.append(place)
        self.forget(model_id)
        for model in found:
            self._on_engine(lambda model=model: self._parts.residency.discard(model))  # type: ignore[misc]
        self._emit(ModelsChanged())
        return place

    def restore(self, place: Path) -> bool:
        """Bring a deleted model back."""
        is_back = self._store.restore(place)
        if place in self._removed:
            self._removed.remove(place)
        self._emit(ModelsChanged())
        return is_back

    def forget_removed(self, place: Path) -> None:
        """Delete a model for good."""
        if place in self._removed:
            self._removed.remove(place)
            self._parts.pool.submit(self._store.purge, place)

    def verify(self, model_id: str) -> None:
        """Compare a model's files with what they should be."""
        model = self._store.find(model_id)
        total = folder_bytes(model.folder)
        self._begin(model_id, model.title, DownloadState.VERIFYING, total, self._verify, model)

    def add_folder(self, folder: Path, model_id: str = "") -> str:
        """Copy a model from a folder; return what it will be called.

        Raises:
            ImportFailed: there is no model in it.
        """
        found = look_at(folder)
        name = model_id_for(model_id or folder.name)
        self._begin(name, name, DownloadState.RUNNING, found.weight_bytes, self._add, folder, name)
        return name

    def import_cached(self, cached: Cached) -> str:
        """Take a model over from a hub cache; return its repository."""
        name = model_id_for(cached.repository.rpartition("/")[2])
        for entry in self._store.catalog:
            if entry.repository == cached.repository and not entry.converts_to_bits:
                name = entry.model_id
        total = cached.found.weight_bytes
        self._begin(
            name, cached.repository, DownloadState.RUNNING, total, self._import, cached, name
        )
        return name

    def convert(self, source: str | Path, bits: int, model_id: str = "") -> str:
        """Make a smaller model of an installed one or of a folder; return what it is called.

        Raises:
            ModelMissing, ImportFailed: there is no such model.
        """
        folder = source if isinstance(source, Path) else self._store.find(source).folder
        look_at(folder)
        name = model_id_for(model_id or f"{folder.name}-{bits}bit")
        if (self._store.folder / name).exists():
            raise ImportFailed(
                mark("There is a model called “{name}” already."),
                mark("Delete it first, or add this one under another name."),
                name=name,
            )
        self._begin(name, name, DownloadState.CONVERTING, 0, self._convert, folder, name, bits)
        return name

    def stay_offline(self) -> None:
        """Stop what uses the network, because the person wants that."""
        self.downloads.pause_all()

    def tidy(self) -> None:
        """Throw away what earlier sessions left: deleted models, downloads of a week ago."""
        self._parts.pool.submit(self._store.purge)
        self._parts.pool.submit(self.downloads.sweep)

    def close(self) -> None:
        """Stop everything; downloads go on when the person resumes them."""
        self._is_closing = True
        self.downloads.close()

    # What runs on the pool

    def _begin(
        self,
        model_id: str,
        title: str,
        state: DownloadState,
        total: int,
        work: Callable[..., None],
        *arguments: object,
    ) -> None:
        with self._lock:
            known = self._work.get(model_id)
            if known is not None and known.state.is_active:
                return
            self._stopped.discard(model_id)
            self._work[model_id] = Download(model_id, title, state, 0, total)
            if state is not DownloadState.VERIFYING:
                self._again[model_id] = lambda: self._begin(
                    model_id, title, state, total, work, *arguments
                )
        self._emit(DownloadChanged(self._work[model_id]))
        self._parts.pool.submit(self._in_pool, model_id, work, *arguments)

    def _in_pool(self, model_id: str, work: Callable[..., None], *arguments: object) -> None:
        changes: dict[str, object] = {"state": DownloadState.DONE}
        try:
            work(*arguments)
        except _Stopped:
            changes = {"state": DownloadState.CANCELLED}
        except AppError as error:
            changes = _failure(error)
        except Exception as error:  # noqa: BLE001  # the net of io tasks: told, never lost
            _log.exception("work on a model failed")
            changes = _failure(_unexpected(error))
        with self._lock:
            # Taken away in the same breath: what begins next must not be taken for this.
            ended = replace(self._work.pop(model_id), **changes)  # type: ignore[arg-type]  # our own field names
            if ended.state is DownloadState.FAILED:
                self._work[model_id] = ended
            else:
                self._again.pop(model_id, None)
        self._emit(DownloadChanged(ended))
        self._emit(ModelsChanged())

    def _verify(self, model: Model) -> None:
        bad = self._store.verify(model, self._counter(model.model_id))
        if bad:
            raise ModelDamaged(
                mark("The model “{model}” is damaged: {files}."),
                mark("Delete it and download it again."),
                model=model.title,
                files=", ".join(bad),
            )

    def _add(self, folder: Path, name: str) -> None:
        add_folder(self._store, folder, name, self._counter(name))

    def _import(self, cached: Cached, name: str) -> None:
        import_cached(self._store, cached, self._counter(name))

    def _convert(self, folder: Path, name: str, bits: int) -> None:
        draft = self._converted(folder, name, bits, lambda: name in self._stopped, name)
        try:
            self._admit_converted(draft, name, "", "")
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _admit_converted(self, draft: Path, name: str, repository: str, commit: str) -> None:
        files = {one.name: record(one, sha256_of(one)) for one in sorted(draft.iterdir())}
        title = "" if self._store.entry(name) else name
        self._store.admit(draft, name, Manifest("converted", files, repository, commit, title))

    def _convert_fetched(
        self, entry: CatalogEntry, folder: Path, should_stop: Callable[[], bool]
    ) -> Path:
        """Make what was fetched as small as the catalog says. Thread: one of the download's."""
        return self._converted(folder, entry.model_id, entry.converts_to_bits, should_stop)

    def _converted(
        self,
        folder: Path,
        name: str,
        bits: int,
        should_stop: Callable[[], bool],
        told: str = "",
    ) -> Path:
        """Convert on the engine thread and wait for it; return the draft's folder."""
        draft = self._store.folder / PARTIAL / f"converting-{name}"
        shutil.rmtree(draft, ignore_errors=True)
        make_private_folder(draft)
        run = Conversion(folder, draft, bits, lambda done: self._tell_part(told, done))
        try:
            is_done = run.wait(
                self._parts.loop,
                self._parts.residency,
                lambda: should_stop() or self._is_closing,
            )
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        if not is_done:
            shutil.rmtree(draft, ignore_errors=True)
            raise _Stopped
        return draft

    def _on_engine(self, work: Callable[[], None]) -> None:
        def steps() -> Steps:
            work()
            yield None

        self._parts.loop.submit(f"models-{new_id()}", Priority.SUMMARY, steps)

    def _start(self, entry: CatalogEntry) -> None:
        self.downloads.get(entry)
        self._emit(ModelsChanged())

    # Telling

    def _counter(self, model_id: str) -> Callable[[int], None]:
        done = told = 0

        def count(more: int) -> None:
            nonlocal done, told
            if model_id in self._stopped or self._is_closing:
                raise _Stopped
            done += more
            if done - told >= _TOLD_BYTES:
                told = done
                self._tell(model_id, done_bytes=done)

        return count

    def _tell_part(self, model_id: str, fraction: float) -> None:
        if model_id:
            self._tell(model_id, done_bytes=int(fraction * 1000), total_bytes=1000)

    def _tell(self, model_id: str, **changes: object) -> None:
        with self._lock:
            known = self._work.get(model_id)
            if known is None:
                return
            changed = replace(known, **changes)  # type: ignore[arg-type]  # our own field names
            self._work[model_id] = changed
        self._emit(DownloadChanged(changed))


def route_of(settings: Settings) -> Route:
    """Return how the person wants the hub to be reached."""
    return Route(settings.model_mirror or PUBLIC_HUB, settings.proxy)


def _failure(error: AppError) -> dict[str, object]:
    return {
        "state": DownloadState.FAILED,
        "error": str(error.message),
        "hint": str(error.hint),
    }


def _unknown(model_id: str) -> ModelMissing:
    return ModelMissing(
        mark("Undertone knows no model called “{model}”."),
        mark("“undertone models list --all” names those it knows."),
        model=model_id,
    )


def _unexpected(error: Exception) -> AppError:
    kind = EngineFailed if isinstance(error, RuntimeError) else DownloadFailed
    return kind(
        mark("Something unexpected went wrong with the model ({kind})."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )
