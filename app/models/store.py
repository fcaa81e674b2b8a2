"""Which models are on this machine: the built-in one, and every folder a person put in `models`.

The disk is the truth: nothing about installed models is remembered anywhere else. A model whose
files changed since they were verified is not handed to the engine before they are verified again.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.config.paths import make_private_folder
from app.core.errors import DiskFull, ModelDamaged, ModelMissing, mark
from app.core.language import AUTO
from app.core.model import Family, Model
from app.models.catalog import CatalogEntry, load_catalog
from app.models.manifest import (
    Manifest,
    hash_steps,
    read_manifest,
    record,
    sha256_of,
    touched,
    write_manifest,
)
from app.models.recognise import is_whole as is_whole
from app.models.recognise import recognise
from app.models.recognise import weight_files as weight_files

PARTIAL = ".partial"  # downloads under way
REMOVED = ".removed"  # what can still be brought back
_WHISPER_WORK_BYTES = 400_000_000  # beside its weights a window needs about this much
_VOXTRAL_WORK_BYTES = 1_000_000_000  # caches of four windows and one encoder's work


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models of this machine.

    Attributes:
        folder: where a person's models lie, one folder each.
        built_in: where the models that ship with the app lie.
        catalog: what is known about models by id.
    """

    folder: Path
    built_in: Path
    catalog: tuple[CatalogEntry, ...]

    def installed(self) -> tuple[Model, ...]:
        """Return every usable model, the built-in demonstration last."""
        models = [model for entry in self.catalog if (model := self._shipped(entry))]
        known = {entry.model_id: entry for entry in self.catalog}
        for folder in self._folders():
            if model := _model_in(folder, known.get(folder.name)):
                models.append(model)
        return tuple(sorted(models, key=lambda model: (model.is_demo, model.title)))

    def find(self, model_id: str) -> Model:
        """Return the installed model `model_id`; `auto` is the best one that is here.

        Raises:
            ModelMissing: there is none of that name.
        """
        models = self.installed()
        if model_id == AUTO and models:
            return max(models, key=lambda model: (not model.is_demo, model.memory_bytes))
        for model in models:
            if model.model_id == model_id:
                return model
        raise ModelMissing(
            mark("The model “{model}” is not on this Mac."),
            mark("Choose one of these: {installed}."),
            model=model_id,
            installed=", ".join(model.model_id for model in models) or "–",
        )

    def entry(self, model_id: str) -> CatalogEntry | None:
        """Return what the catalog knows of a model."""
        return next((entry for entry in self.catalog if entry.model_id == model_id), None)

    def damaged_files(self, model: Model) -> tuple[str, ...]:
        """Return the names of the model's files that are not what they should be.

        Whole files are read: seconds for each gigabyte.
        """
        return tuple(
            name
            for name, wanted in self._known_hashes(model).items()
            if sha256_of(model.folder / name) != wanted
        )

    def verify(self, model: Model, on_bytes: Callable[[int], None]) -> tuple[str, ...]:
        """Do what `damaged_files` does and tell how far it is; a model found whole is trusted."""
        bad = []
        for name, wanted in self._known_hashes(model).items():
            found: int | str = ""
            with contextlib.suppress(OSError):
                for step in hash_steps(model.folder / name):
                    found = step
                    if isinstance(step, int):
                        on_bytes(step)
            if found != wanted:
                bad.append(name)
        if not bad:
            self._trust(model)
        return tuple(bad)

    def check_steps(self, model: Model) -> Generator[None, None, None]:
        """Verify what changed since it was last verified, one step at a time. Thread: engine.

        Raises:
            ModelDamaged: a file is not what it was.
        """
        manifest = read_manifest(model.folder)
        changed = touched(model.folder, manifest) if manifest is not None else ()
        for name in changed:
            found: int | str = ""
            with contextlib.suppress(OSError):
                for step in hash_steps(model.folder / name):
                    found = step
                    yield
            if manifest is None or found != manifest.files[name].sha256:
                raise ModelDamaged(
                    mark("The file {file} of the model “{model}” was changed or is damaged."),
                    mark("Delete the model in Models and download it again."),
                    file=name,
                    model=model.title,
                )
        if changed:
            self._trust(model)

    def is_verifiable(self, model: Model) -> bool:
        """Whether there are hashes to compare the model's files with."""
        return bool(self._known_hashes(model))

    def unusable_folders(self) -> tuple[Path, ...]:
        """Return the folders among the models that hold none we can run."""
        usable = {model.folder for model in self.installed()}
        return tuple(folder for folder in self._folders() if folder not in usable)

    def note(self, model_id: str) -> str:
        """Return what a person should know about a model, in the source language."""
        entry = self.entry(model_id)
        return entry.good_for if entry else ""

    def remove(self, model_id: str) -> Path:
        """Take a model away so that it can be brought back; return where it lies meanwhile.

        Raises:
            ModelMissing: it is not among the person's models.
        """
        folder = self.folder / model_id
        if Path(model_id).name != model_id or not folder.is_dir() or model_id.startswith("."):
            raise ModelMissing(
                mark("The model “{model}” cannot be deleted: it is not among your models."),
                mark("The built-in model belongs to Undertone and stays."),
                model=model_id,
            )
        bin_folder = make_private_folder(self.folder / REMOVED)
        place = bin_folder / f"{model_id}@{time.time_ns()}"
        folder.rename(place)
        return place

    def restore(self, place: Path) -> bool:
        """Bring a removed model back; not when another of its name is there by now."""
        target = self.folder / place.name.rpartition("@")[0]
        if target.exists() or not place.is_dir():
            return False
        place.rename(target)
        return True

    def purge(self, place: Path | None = None) -> None:
        """Delete removed models for good: one, or all of them."""
        for folder in [place] if place else list((self.folder / REMOVED).glob("*@*")):
            if folder.parent == self.folder / REMOVED:
                shutil.rmtree(folder, ignore_errors=True)

    def used_bytes(self) -> int:
        """Return what all of the person's models take on disk."""
        return sum(folder_bytes(folder) for folder in self._folders())

    def free_bytes(self) -> int:
        """Return what is free on the disk that holds the models."""
        place = self.folder
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free

    def require_room(self, need_bytes: int) -> None:
        """Make sure that `need_bytes` and a tenth more are free.

        Raises:
            DiskFull: they are not.
        """
        free = self.free_bytes()
        if free < need_bytes * 11 // 10:
            raise DiskFull(
                mark("There is not enough room on the disk: {need} are needed, {free} are free."),
                mark("Free some disk space or delete models you do not use, then try again."),
                need=f"{need_bytes * 1.1 / 1e9:.1f} GB",
                free=f"{free / 1e9:.1f} GB",
            )

    def admit(self, draft: Path, model_id: str, manifest: Manifest) -> Model:
        """Make a finished draft folder a model of this machine, in one step.

        Raises:
            ModelDamaged: it holds no model that can be run; nothing was changed.
        """
        write_manifest(draft, manifest)
        found = _model_in(draft, self.entry(model_id), model_id)
        if found is None:
            raise ModelDamaged(
                mark("What was put together as “{model}” is no model Undertone can run."),
                mark("Choose another model."),
                model=model_id,
            )
        target = self.folder / model_id
        old: Path | None = None
        if target.exists():
            old = make_private_folder(self.folder / REMOVED) / f"{model_id}@{time.time_ns()}"
            target.rename(old)
        draft.rename(target)
        _sync_folder(self.folder)
        if old is not None:
            self.purge(old)
        return replace(found, folder=target)

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        folders = (one for one in sorted(self.folder.iterdir()) if one.is_dir())
        return [folder for folder in folders if not folder.name.startswith(".")]

    def _known_hashes(self, model: Model) -> dict[str, str]:
        """Return what is known of the model's files: by its manifest, else by the catalog."""
        manifest = read_manifest(model.folder)
        if manifest is not None:
            return {name: one.sha256 for name, one in manifest.files.items()}
        entry = self.entry(model.model_id)
        return dict(entry.sha256) if entry is not None and not entry.converts_to_bits else {}

    def _trust(self, model: Model) -> None:
        manifest = read_manifest(model.folder)
        if manifest is None:
            return
        files = {
            name: record(model.folder / name, one.sha256) for name, one in manifest.files.items()
        }
        with contextlib.suppress(OSError):  # a folder we may only read is verified each time
            write_manifest(model.folder, replace(manifest, files=files))

    def _shipped(self, entry: CatalogEntry) -> Model | None:
        folder = self.built_in / entry.built_in
        if not entry.built_in or not (folder / "config.json").is_file():
            return None
        return _model(entry, folder)


def open_store(folder: Path, resources: Path) -> ModelStore:
    """Return the store over a person's model folder and the files that ship with the app."""
    return ModelStore(folder, resources / "models", load_catalog(resources / "models.toml"))


def only_demo(models: Sequence[Model]) -> bool:
    """Whether nothing but the demonstration model is installed."""
    return all(model.is_demo for model in models)


def folder_bytes(folder: Path) -> int:
    """Return what a folder's files take on disk."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _model(entry: CatalogEntry, folder: Path) -> Model:
    return Model(
        model_id=entry.model_id,
        title=entry.title,
        family=entry.family,
        folder=folder,
        languages=entry.languages,
        max_speech_s=entry.max_speech_s,
        joins_up_to_s=entry.joins_up_to_s,
        memory_bytes=entry.memory_bytes,
        is_demo=entry.is_demo,
        has_word_times=entry.has_word_times,
        has_short_context=entry.has_short_context,
        calibration=entry.calibration,
    )


def _model_in(folder: Path, entry: CatalogEntry | None, model_id: str = "") -> Model | None:
    """Return the model in `folder`, or `None` when it holds none that we can run."""
    found = recognise(folder)
    if found is None:
        return None
    # A folder that is called like a model of the catalog may hold anything.
    if entry is not None and entry.family is found.family:
        return _model(entry, folder)
    manifest = read_manifest(folder)
    name = model_id or folder.name
    is_whisper = found.family is Family.WHISPER
    return Model(
        model_id=name,
        title=manifest.title if manifest and manifest.title else name,
        family=found.family,
        folder=folder,
        max_speech_s=min(30.0, found.max_speech_s),
        memory_bytes=found.weight_bytes
        + (_WHISPER_WORK_BYTES if is_whisper else _VOXTRAL_WORK_BYTES),
        has_word_times=found.family is not Family.VOXTRAL,
    )
