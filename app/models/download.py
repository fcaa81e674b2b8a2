"""Models from the hub to this machine, one at a time; pausing, cancelling and a kill lose nothing.

What is fetched lies in `.partial/<model>`, with a plan that names the commit, so that a later try
asks for the same files. Only when every hash is right does the folder become a model, in one
step. With the offline switch on, no connection is opened and no thread started.
"""

import asyncio
import contextlib
import logging
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import httpx

from app.config.paths import make_private_folder
from app.core.download import Download, DownloadState
from app.core.errors import AppError, DownloadFailed, Offline, mark
from app.core.events import DownloadChanged, Event, ModelsChanged
from app.core.model import Family
from app.models.bundle import PLAN, Bundle, read_plan, require_room, write_plan
from app.models.catalog import CatalogEntry
from app.models.fetch import Patience
from app.models.hub import Listing, Route, ask_for_files, open_client
from app.models.manifest import FileRecord, Manifest, record, sha256_of
from app.models.store import PARTIAL, ModelStore

KEPT_DAYS = 7

_log = logging.getLogger(__name__)

# Makes a fetched folder what the entry promises (quantised, say): (entry, folder, should_stop) ->
# folder. It raises when it was stopped.
Convert = Callable[[CatalogEntry, Path, Callable[[], bool]], Path]


class Downloads:
    """The queue of downloads.

    Calls may come from any thread; `emit` is called on the download thread or the caller's.

    Args:
        store: where models end.
        emit: told of every change.
        route: how to reach the hub, asked at each start.
        is_offline: whether no connection may be opened.
        patience: how long to wait for what.
        convert: makes fetched models smaller on this machine, where the catalog says so.
    """

    def __init__(
        self,
        store: ModelStore,
        emit: Callable[[Event], None],
        route: Callable[[], Route] = Route,
        is_offline: Callable[[], bool] = lambda: False,
        patience: Patience | None = None,
        convert: Convert | None = None,
    ) -> None:
        self._store = store
        self._emit = emit
        self._route = route
        self._is_offline = is_offline
        self._patience = patience or Patience()
        self._convert = convert
        self._lock = threading.Lock()
        self._entries: dict[str, CatalogEntry] = {}
        self._downloads: OrderedDict[str, Download] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._running: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop_as: DownloadState | None = None
        self._is_closing = False
        self._find_interrupted()

    @property
    def all(self) -> tuple[Download, ...]:
        """Every download of this session, and what an earlier one left, as it now stands."""
        with self._lock:
            return tuple(self._downloads.values())

    def get(self, entry: CatalogEntry) -> None:
        """Fetch a model, or go on fetching it.

        Raises:
            Offline: the person wants no connections.
        """
        if self._is_offline():
            raise _offline()
        with self._lock:
            known = self._downloads.get(entry.model_id)
            if self._is_closing or (known is not None and known.state.is_active):
                return
            self._entries[entry.model_id] = entry
            total = entry.download_bytes if entry.has_exact_size else 0
            fresh = known or Download(entry.model_id, entry.title, total_bytes=total)
            queued = replace(fresh, state=DownloadState.QUEUED, error="", hint="", rate_bytes=0.0)
            self._downloads[entry.model_id] = queued
            self._downloads.move_to_end(entry.model_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="download")
                self._thread.start()
        self._emit(DownloadChanged(queued))

    def pause(self, model_id: str) -> None:
        """Stop for now; what is here stays."""
        self._halt(model_id, DownloadState.PAUSED)

    def pause_all(self) -> None:
        """Stop everything for now: the person wants no connections any more."""
        for download in self.all:
            if download.state.is_active:
                self.pause(download.model_id)

    def cancel(self, model_id: str) -> None:
        """Stop for good and throw away what is here."""
        self._halt(model_id, DownloadState.CANCELLED)

    def forget(self, model_id: str) -> None:
        """Leave a download that is over, or failed, out of the list."""
        with self._lock:
            known = self._downloads.get(model_id)
            if known is not None and not known.state.is_active:
                del self._downloads[model_id]

    def close(self) -> None:
        """Pause what runs and wait until the thread is gone; it can go on at the next start."""
        with self._lock:
            self._is_closing = True
            thread = self._thread
        self.pause_all()
        if thread is not None:
            thread.join()

    def wait(self) -> None:
        """Wait until nothing is queued or running."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def sweep(self, now_s: float | None = None) -> None:
        """Throw away what was left lying for a week."""
        oldest_s = (time.time() if now_s is None else now_s) - KEPT_DAYS * 86_400
        for folder in self._partial_folders():
            with contextlib.suppress(OSError):
                newest_s = max(one.stat().st_mtime for one in (folder, *folder.iterdir()))
                if newest_s < oldest_s:
                    self._drop(folder.name)
                    with self._lock:
                        self._downloads.pop(folder.name, None)

    # The thread

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            try:
                asyncio.run(self._run(entry))
            except Exception as error:  # noqa: BLE001  # the net of io tasks: told, never lost
                self._fail(entry.model_id, error)

    def _next(self) -> CatalogEntry | None:
        with self._lock:
            self._running = None
            self._loop = self._task = self._stop_as = None
            for model_id, download in self._downloads.items():
                if download.state is DownloadState.QUEUED and not self._is_closing:
                    self._running = model_id
                    return self._entries[model_id]
            self._thread = None
            return None

    async def _run(self, entry: CatalogEntry) -> None:
        task = asyncio.current_task()
        with self._lock:
            self._loop, self._task = asyncio.get_running_loop(), task
            stop_as = self._stop_as
        try:
            if stop_as is not None:
                raise asyncio.CancelledError
            await self._bring(entry)
        except asyncio.CancelledError:
            with self._lock:
                stop_as = self._stop_as or DownloadState.PAUSED
            if stop_as is DownloadState.CANCELLED:
                self._drop(entry.model_id)
            self._tell(entry.model_id, state=stop_as, rate_bytes=0.0)

    async def _bring(self, entry: CatalogEntry) -> None:
        if self._is_offline():
            raise _offline()
        folder = make_private_folder(self._store.folder / PARTIAL / entry.model_id)
        route = self._route()
        self._tell(entry.model_id, state=DownloadState.ASKING)
        async with open_client(route, self._patience.stall_s) as client:
            listing = await self._listing(client, route, entry, folder)
            bundle = Bundle(
                client, route, listing, folder, self._patience, self._teller(entry, listing)
            )
            require_room(self._store, bundle, entry)
            hashes = await bundle.fetch_all()
        if entry.converts_to_bits:
            await self._converted(entry, listing, folder)
            return
        files = {name: record(folder / name, sha256) for name, sha256 in hashes.items()}
        self._admit(entry, folder, "hub", listing, files)

    async def _listing(
        self, client: httpx.AsyncClient, route: Route, entry: CatalogEntry, folder: Path
    ) -> Listing:
        planned = read_plan(folder, entry)
        if planned is not None:
            return planned
        for old in folder.iterdir():  # of another commit
            old.unlink()
        listing = await self._patiently(lambda: ask_for_files(client, route, entry), entry)
        write_plan(folder, listing)
        return listing

    def _teller(
        self, entry: CatalogEntry, listing: Listing
    ) -> Callable[[int, float, DownloadState], None]:
        total = listing.total_bytes

        def tell(done: int, rate: float, state: DownloadState) -> None:
            self._tell(
                entry.model_id, done_bytes=done, rate_bytes=rate, state=state, total_bytes=total
            )

        return tell

    async def _patiently(
        self, ask: Callable[[], Coroutine[None, None, Listing]], entry: CatalogEntry
    ) -> Listing:
        for wait_s in (*self._patience.waits_s, None):
            try:
                return await ask()
            except httpx.HTTPError as error:
                if wait_s is None:
                    raise DownloadFailed(
                        mark("The model server cannot be reached."),
                        mark("Check the network connection, then try again."),
                    ) from error
            self._tell(entry.model_id, state=DownloadState.WAITING)
            await self._patience.sleep(wait_s)
        raise AssertionError("unreachable")

    async def _converted(self, entry: CatalogEntry, listing: Listing, folder: Path) -> None:
        if self._convert is None:
            raise DownloadFailed(
                mark("“{model}” is made smaller on this Mac, which cannot be done right now."),
                mark("Start Undertone again and resume: what is here stays."),
                model=entry.title,
            )
        self._tell(entry.model_id, state=DownloadState.CONVERTING, rate_bytes=0.0)
        made = await asyncio.to_thread(
            self._convert, entry, folder, lambda: self._stop_as is not None
        )
        hashes = await asyncio.to_thread(_hashes, made)
        files = {name: record(made / name, sha256) for name, sha256 in hashes.items()}
        self._admit(entry, made, "converted", listing, files)
        self._drop(entry.model_id)

    def _admit(
        self,
        entry: CatalogEntry,
        folder: Path,
        source: str,
        listing: Listing,
        files: dict[str, FileRecord],
    ) -> None:
        (folder / PLAN).unlink(missing_ok=True)
        title = "" if self._store.entry(entry.model_id) else entry.title
        manifest = Manifest(source, files, listing.repository, listing.commit, title)
        self._store.admit(folder, entry.model_id, manifest)
        total = listing.total_bytes
        self._tell(entry.model_id, state=DownloadState.DONE, rate_bytes=0.0, done_bytes=total)
        self._emit(ModelsChanged())

    # The table

    def _tell(self, model_id: str, **changes: object) -> None:
        with self._lock:
            known = self._downloads.get(model_id)
            if known is None:
                return
            changed = replace(known, **changes)  # type: ignore[arg-type]  # our own field names
            self._downloads[model_id] = changed
        self._emit(DownloadChanged(changed))

    def _fail(self, model_id: str, error: Exception) -> None:
        if not isinstance(error, AppError):
            _log.error("download of %s failed", model_id, exc_info=error)
            error = DownloadFailed(
                mark("Something unexpected went wrong while the model was downloaded ({kind})."),
                mark("Resume; if it happens again, please report it with the log file."),
                kind=type(error).__name__,
            )
        message, hint = str(error.message), str(error.hint)
        self._tell(model_id, state=DownloadState.FAILED, error=message, hint=hint, rate_bytes=0.0)

    def _halt(self, model_id: str, state: DownloadState) -> None:
        with self._lock:
            known = self._downloads.get(model_id)
            if known is None or known.state is DownloadState.DONE:
                return
            if model_id == self._running:
                self._stop_as = state
                loop, task = self._loop, self._task
                if loop is not None and task is not None:
                    # It may be over by now, with its loop: then there is nothing to stop.
                    with contextlib.suppress(RuntimeError):
                        loop.call_soon_threadsafe(task.cancel)
                return
            changed = replace(known, state=state, rate_bytes=0.0)
            self._downloads[model_id] = changed
        if state is DownloadState.CANCELLED:
            self._drop(model_id)
        self._emit(DownloadChanged(changed))

    def _drop(self, model_id: str) -> None:
        shutil.rmtree(self._store.folder / PARTIAL / model_id, ignore_errors=True)

    def _partial_folders(self) -> list[Path]:
        place = self._store.folder / PARTIAL
        return [one for one in sorted(place.iterdir()) if one.is_dir()] if place.is_dir() else []

    def _find_interrupted(self) -> None:
        """List what an earlier session left, as paused."""
        for folder in self._partial_folders():
            entry = self._store.entry(folder.name)
            listing = read_plan(folder, entry)
            if listing is None:
                continue
            entry = entry or _custom(folder.name, listing)
            self._entries[folder.name] = entry
            done = sum(
                one.stat().st_size
                for one in folder.iterdir()
                if one.suffix != ".ranges" and one.name != PLAN
            )
            self._downloads[folder.name] = Download(
                folder.name, entry.title, DownloadState.PAUSED,
                min(done, listing.total_bytes), listing.total_bytes,
            )  # fmt: skip

    def entry(self, model_id: str) -> CatalogEntry | None:
        """Return what a download in the list would fetch."""
        with self._lock:
            return self._entries.get(model_id)


def _custom(model_id: str, listing: Listing) -> CatalogEntry:
    return repository_entry(listing.repository, listing.commit, model_id)


def repository_entry(repository: str, revision: str = "", model_id: str = "") -> CatalogEntry:
    """Return an entry for a repository the catalog does not know: whatever of a model it holds."""
    return CatalogEntry(
        model_id=model_id or repository.rpartition("/")[2],
        title=repository,
        family=Family.WHISPER,  # its files say what it is, once they are here
        languages=(),
        max_speech_s=30.0,
        memory_bytes=0,
        licence="",
        good_for="",
        repository=repository,
        revision=revision,
    )


def _hashes(folder: Path) -> dict[str, str]:
    files = [one for one in sorted(folder.iterdir()) if one.is_file()]
    return {one.name: sha256_of(one) for one in files if not one.name.startswith(".")}


def _offline() -> Offline:
    return Offline(
        mark("Undertone is set to stay offline, so nothing is downloaded."),
        mark("Switch that off in Settings, under Models, or add a model from a folder."),
    )
