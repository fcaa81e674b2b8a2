"""Which models are on this machine: the built-in one, and every folder a person put in `models`.

The disk is the truth: nothing about installed models is remembered anywhere else.
"""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import ModelMissing, mark
from app.core.language import AUTO
from app.core.model import Family, Model
from app.models.catalog import CatalogEntry, load_catalog

_WEIGHTS = ("weights.safetensors", "weights.npz", "model.safetensors")
_LONGEST_HEADER_BYTES = 100_000_000  # the format's own limit
_WORK_BYTES = 400_000_000  # beside its weights a Whisper window needs about this much


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
        if self.folder.is_dir():
            for folder in sorted(self.folder.iterdir()):
                if model := _recognise(folder, known.get(folder.name)):
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

    def damaged_files(self, model: Model) -> tuple[str, ...]:
        """Return the names of the model's files that are not what the catalog says they are."""
        known = next((e.sha256 for e in self.catalog if e.model_id == model.model_id), {})
        return tuple(
            name for name, wanted in known.items() if _sha256(model.folder / name) != wanted
        )

    def unusable_folders(self) -> tuple[Path, ...]:
        """Return the folders among the models that hold none we can run."""
        if not self.folder.is_dir():
            return ()
        usable = {model.folder for model in self.installed()}
        return tuple(
            folder
            for folder in sorted(self.folder.iterdir())
            if folder.is_dir() and folder not in usable and not folder.name.startswith(".")
        )

    def note(self, model_id: str) -> str:
        """Return what a person should know about a model, in the source language."""
        return next((e.good_for for e in self.catalog if e.model_id == model_id), "")

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


def _model(entry: CatalogEntry, folder: Path) -> Model:
    return Model(
        model_id=entry.model_id,
        title=entry.title,
        family=entry.family,
        folder=folder,
        languages=entry.languages,
        max_speech_s=entry.max_speech_s,
        memory_bytes=entry.memory_bytes,
        is_demo=entry.is_demo,
        has_word_times=entry.has_word_times,
        has_short_context=entry.has_short_context,
    )


def weight_files(folder: Path) -> list[Path]:
    """Return the files in `folder` that should hold weights."""
    return [folder / name for name in _WEIGHTS if (folder / name).is_file()]


def is_whole(weights: Path) -> bool:
    """Whether a weights file is as long as its own header says; its numbers are not looked at.

    Source: the safetensors format (8 bytes of header length, JSON, then the tensors' bytes).
    """
    if weights.suffix == ".npz":
        return zipfile.is_zipfile(weights)
    try:
        size = weights.stat().st_size
        with weights.open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER_BYTES):
                return False
            header = json.loads(source.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return False
    return bool(ends) and size == 8 + length + max(ends)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        return ""


def _recognise(folder: Path, entry: CatalogEntry | None) -> Model | None:
    """Return the model in `folder`, or `None` when it holds none that we can run."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    weights = weight_files(folder)
    if not isinstance(config, dict) or not any(is_whole(file) for file in weights):
        return None
    if entry is not None:
        return _model(entry, folder)
    if "n_audio_state" not in config and config.get("model_type") != "whisper":
        return None
    return Model(
        model_id=folder.name,
        title=folder.name,
        family=Family.WHISPER,
        folder=folder,
        memory_bytes=weights[0].stat().st_size + _WORK_BYTES,
    )
