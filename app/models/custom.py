"""Models a person has already: in a folder of their own, or in another program's hub cache.

Files are cloned where the disk can do that, linked never (a program that changes its cache must not
change a model of ours), else copied; each is hashed on the way and the folder becomes a model in
one step.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config.paths import make_private_folder
from app.core.errors import ImportFailed, mark
from app.core.model import Model
from app.models.manifest import Manifest, record
from app.models.recognise import BESIDES, CONFIGS, INDEX, TOKENIZER, Found, read_config, recognise
from app.models.store import PARTIAL, ModelStore

_CHUNK_BYTES = 4 << 20
_UNSAFE = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Cached:
    """A model that lies in a hub cache of this machine.

    Attributes:
        repository: its name on the hub.
        commit: which state of it.
        folder: where its files lie.
        found: what it is.
    """

    repository: str
    commit: str
    folder: Path
    found: Found


def look_at(folder: Path) -> Found:
    """Return which model lies in `folder`.

    Raises:
        ImportFailed: none that can be run; says what is missing.
    """
    found = recognise(folder)
    if found is not None:
        return found
    if read_config(folder) is None:
        hint = mark("Choose the folder that holds config.json and the weights.")
    elif not any(folder.glob("*.safetensors")) and not any(folder.glob("*.npz")):
        hint = mark("Its weights must be safetensors or npz files; other formats can run code.")
    else:
        hint = mark("It must be a whole Whisper or Voxtral model; Voxtral needs tekken.json too.")
    raise ImportFailed(
        mark("There is no model Undertone can run in “{name}”."), hint, name=folder.name
    )


def model_id_for(name: str) -> str:
    """Return `name` as a model's id: plain letters, no path."""
    return _UNSAFE.sub("-", name).strip("-.")[:80] or "model"


def add_folder(
    store: ModelStore,
    folder: Path,
    model_id: str = "",
    on_bytes: Callable[[int], None] = lambda _count: None,
    *,
    source: str = "folder",
    repository: str = "",
    commit: str = "",
) -> Model:
    """Copy the model in `folder` to the person's models.

    Args:
        store: where it is to lie.
        folder: where it lies now.
        model_id: what to call it; empty for the folder's name.
        on_bytes: told how many bytes more are done; raises to stop.
        source: what the manifest says of where it came from.
        repository: on the hub, if known.
        commit: of the repository.

    Raises:
        ImportFailed: there is no model in it, or one of that name is here already.
        DiskFull: there is no room.
    """
    found = look_at(folder)
    name = model_id_for(model_id or folder.name)
    if (store.folder / name).exists():
        raise ImportFailed(
            mark("There is a model called “{name}” already."),
            mark("Delete it first, or add this one under another name."),
            name=name,
        )
    files = list(_files(folder, found))
    store.require_room(sum(file.stat().st_size for file in files))
    draft = store.folder / PARTIAL / f"adding-{name}"
    shutil.rmtree(draft, ignore_errors=True)  # a kill may have left one with files of another model
    make_private_folder(draft)
    try:
        records = {}
        for file in files:
            sha256 = _copy(file, draft / file.name, on_bytes)
            records[file.name] = record(draft / file.name, sha256)
        title = "" if store.entry(name) else (repository or folder.name)
        return store.admit(draft, name, Manifest(source, records, repository, commit, title))
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _files(folder: Path, found: Found) -> Iterator[Path]:
    for name in (*CONFIGS, TOKENIZER, *BESIDES):
        if (folder / name).is_file():
            yield folder / name
    if len(found.weights) > 1:
        yield folder / INDEX
    yield from found.weights


def _copy(source: Path, target: Path, on_bytes: Callable[[int], None]) -> str:
    """Clone or copy a file and return its SHA-256."""
    digest = hashlib.sha256()
    is_cloned = _clone(source, target)
    with source.open("rb") as read, contextlib.ExitStack() as stack:
        write = None if is_cloned else stack.enter_context(target.open("wb"))
        while chunk := read.read(_CHUNK_BYTES):
            digest.update(chunk)
            if write is not None:
                write.write(chunk)
            on_bytes(len(chunk))
        if write is not None:
            write.flush()
            os.fsync(write.fileno())
    return digest.hexdigest()


def _clone(source: Path, target: Path) -> bool:
    """Let `target` share the blocks of `source` until one is written; whether the disk can."""
    if platform.system() != "Darwin":
        return False
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.clonefile(os.fsencode(source.resolve()), os.fsencode(target), 0) == 0)


def hub_caches() -> tuple[Path, ...]:
    """Return where other programs of this person keep what they took from a hub."""
    places = [
        os.environ.get("HF_HUB_CACHE", ""),
        f"{os.environ['HF_HOME']}/hub" if os.environ.get("HF_HOME") else "",
        str(Path.home() / ".cache" / "huggingface" / "hub"),
    ]
    known = dict.fromkeys(Path(place).expanduser() for place in places if place)
    return tuple(place for place in known if place.is_dir())


def cached_models(caches: tuple[Path, ...] | None = None) -> tuple[Cached, ...]:
    """Return the models in hub caches that can be run, the newest state of each repository."""
    found: list[Cached] = []
    for cache in hub_caches() if caches is None else caches:
        for place in sorted(cache.glob("models--*--*")):
            with contextlib.suppress(OSError):
                found.extend(_cached(place))
    return tuple(found)


def _cached(place: Path) -> Iterator[Cached]:
    repository = place.name.removeprefix("models--").replace("--", "/", 1)
    reference = place / "refs" / "main"
    commits = [reference.read_text().strip()] if reference.is_file() else []
    snapshots = place / "snapshots"
    if snapshots.is_dir():
        commits += [one.name for one in sorted(snapshots.iterdir(), reverse=True)]
    for commit in commits:
        folder = snapshots / Path(commit).name
        if folder.is_dir() and (model := recognise(folder)) is not None:
            yield Cached(repository, commit, folder, model)
            return


def import_cached(
    store: ModelStore, cached: Cached, on_bytes: Callable[[int], None] = lambda _count: None
) -> Model:
    """Make a model of a hub cache one of the person's models.

    Its catalog id is used where the catalog knows the repository and its files are the right ones.

    Raises:
        ImportFailed: one of that name is here already.
        DiskFull: there is no room.
    """
    name = cached.repository.rpartition("/")[2]
    for entry in store.catalog:
        if entry.repository == cached.repository and not entry.converts_to_bits:
            name = entry.model_id
    return add_folder(
        store,
        cached.folder,
        name,
        on_bytes,
        source="cache",
        repository=cached.repository,
        commit=cached.commit,
    )
