"""What could be installed, read from `resources/models.toml`: data, no decisions."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.core.model import Family


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model of the catalog.

    Attributes:
        built_in: the folder under `resources/models` that ships with the app; empty for the others.
        memory_bytes: what it needs in memory, weights and work together.
        max_speech_s: the longest speech one window may hold.
        good_for: one or two plain sentences for people.
        sha256: the hash of each file, where it is known.
    """

    model_id: str
    title: str
    family: Family
    languages: tuple[str, ...]
    max_speech_s: float
    memory_bytes: int
    licence: str
    good_for: str
    built_in: str = ""
    is_demo: bool = False
    has_word_times: bool = True
    has_short_context: bool = False
    sha256: Mapping[str, str] = field(default_factory=dict)


def load_catalog(file: Path) -> tuple[CatalogEntry, ...]:
    """Return the catalog's entries in the order of the file."""
    with file.open("rb") as source:
        rows = tomllib.load(source)["model"]
    return tuple(
        CatalogEntry(
            model_id=row["id"],
            title=row["title"],
            family=Family(row["family"]),
            languages=tuple(row.get("languages", ())),
            max_speech_s=float(row["max_speech_s"]),
            memory_bytes=int(row["memory_bytes"]),
            licence=row["licence"],
            good_for=row["good_for"],
            built_in=row.get("built_in", ""),
            is_demo=bool(row.get("is_demo", False)),
            has_word_times=bool(row.get("has_word_times", True)),
            has_short_context=bool(row.get("has_short_context", False)),
            sha256=dict(row.get("sha256", {})),
        )
        for row in rows
    )
