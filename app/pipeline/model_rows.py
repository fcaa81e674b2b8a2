"""The list of models a person sees: what is here, what could be, and what is on its way."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.download import Download, DownloadState
from app.core.model import Model
from app.models.catalog import CatalogEntry
from app.models.recommend import Advice, Machine, fits, in_order, reasons
from app.models.store import ModelStore, folder_bytes


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model as it now stands: known, on its way or here.

    Attributes:
        is_exact_size: whether `download_bytes` is known or calculated.
        fits: whether it can be loaded on this machine.
        reasons: what it is recommended for here: `first`, `dictation`, `files`, `quality`.
        disk_bytes: what it takes on disk; 0 when it is not here.
        download: where it stands on its way here.
        is_verifiable: whether its files can be compared with known hashes.
    """

    model_id: str
    title: str
    note: str = ""
    languages: tuple[str, ...] = ()
    licence: str = ""
    purposes: tuple[str, ...] = ()
    download_bytes: int = 0
    is_exact_size: bool = False
    memory_bytes: int = 0
    fits: bool = True
    reasons: tuple[str, ...] = ()
    is_installed: bool = False
    is_demo: bool = False
    is_custom: bool = False
    is_verifiable: bool = False
    disk_bytes: int = 0
    folder: Path | None = None
    download: Download | None = None


def model_rows(
    store: ModelStore, under_way: Iterable[Download], machine: Machine, advice: Advice
) -> tuple[ModelRow, ...]:
    """Return every model: what is here first, then what could be, recommended ones first."""
    ways = {one.model_id: one for one in under_way if one.state not in _OVER}
    rows = [
        _installed_row(store, model, ways.get(model.model_id), machine, advice)
        for model in store.installed()
    ]
    here = {row.model_id for row in rows}
    for entry in in_order(store.catalog, advice):
        if entry.model_id not in here:
            rows.append(_known_row(entry, ways.get(entry.model_id), machine, advice))
    known = {row.model_id for row in rows}
    rows += [_strange_row(way) for way in ways.values() if way.model_id not in known]
    return tuple(rows)


_OVER = (DownloadState.DONE, DownloadState.CANCELLED)


def _strange_row(download: Download) -> ModelRow:
    return ModelRow(
        download.model_id,
        download.title,
        is_custom=True,
        download_bytes=download.total_bytes,
        is_exact_size=True,
        download=download,
    )


def _installed_row(
    store: ModelStore, model: Model, download: Download | None, machine: Machine, advice: Advice
) -> ModelRow:
    entry = store.entry(model.model_id)
    return ModelRow(
        model.model_id,
        model.title,
        note=entry.good_for if entry else "",
        languages=model.languages,
        licence=entry.licence if entry else "",
        purposes=entry.purposes if entry else (),
        memory_bytes=model.memory_bytes,
        fits=model.memory_bytes <= machine.budget_bytes,
        reasons=reasons(model.model_id, advice),
        is_installed=True,
        is_demo=model.is_demo,
        is_custom=entry is None,
        is_verifiable=store.is_verifiable(model),
        disk_bytes=folder_bytes(model.folder),
        folder=model.folder,
        download=download,
    )


def _known_row(
    entry: CatalogEntry, download: Download | None, machine: Machine, advice: Advice
) -> ModelRow:
    return ModelRow(
        entry.model_id,
        entry.title,
        note=entry.good_for,
        languages=entry.languages,
        licence=entry.licence,
        purposes=entry.purposes,
        download_bytes=entry.download_bytes,
        is_exact_size=entry.has_exact_size,
        memory_bytes=entry.memory_bytes,
        fits=fits(entry, machine),
        reasons=reasons(entry.model_id, advice),
        download=download,
    )
