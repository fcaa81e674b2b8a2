"""What could be installed, read from `resources/models.toml`: data, no decisions.

What is not known is empty or 0 and never guessed: sizes, commits and hashes are filled in by
`packaging/refresh_models.py`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.confidence import USUAL, Calibration
from app.core.model import Family

_GROUP = 64  # weights that share a scale and an offset of 16 bits each


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """A file of a model; `size_bytes` is 0 and `sha256` empty where they are not known."""

    name: str
    size_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model of the catalog.

    Attributes:
        built_in: the folder under `resources/models` that ships with the app; empty for the others.
        memory_bytes: what it needs in memory, weights and work together.
        max_speech_s: the longest speech one window may hold.
        joins_up_to_s: utterances share a window up to this length; 0 says up to `max_speech_s`.
        good_for: one or two plain sentences for people.
        purposes: `files`, `dictation`, `summaries`.
        is_hidden: whether nothing uses it yet.
        repository: where on the hub it lies.
        revision: the commit to fetch; empty for the newest.
        files: what belongs to it; empty for whatever its repository holds of a model.
        parameters: how many weights it has, as published.
        bits: of a weight, once it is installed; 0 where nobody has said.
        converts_to_bits: quantise the text part to so many bits once it is fetched; 0 for never.
        source_bits: of a weight as it is fetched.
        calibration: what its probabilities of words are worth, where somebody has measured it.
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
    joins_up_to_s: float = 0.0
    has_word_times: bool = True
    has_short_context: bool = False
    purposes: tuple[str, ...] = ("files",)
    is_hidden: bool = False
    repository: str = ""
    revision: str = ""
    files: tuple[CatalogFile, ...] = ()
    parameters: int = 0
    bits: int = 16
    converts_to_bits: int = 0
    source_bits: int = 16
    calibration: Calibration = USUAL

    @property
    def sha256(self) -> Mapping[str, str]:
        """The hash of each file whose hash is known."""
        return {file.name: file.sha256 for file in self.files if file.sha256}

    @property
    def download_bytes(self) -> int:
        """What a download takes: exact where the sizes are known, else from the parameters."""
        if self.has_exact_size:
            return sum(file.size_bytes for file in self.files)
        bits = self.source_bits if self.converts_to_bits else self.bits
        return _weight_bytes(self.parameters, bits)

    @property
    def has_exact_size(self) -> bool:
        """Whether every file's size is known."""
        return bool(self.files) and all(file.size_bytes for file in self.files)

    @property
    def disk_bytes(self) -> int:
        """About what it takes on disk once it is installed."""
        if self.converts_to_bits:
            return _weight_bytes(self.parameters, self.bits)
        return self.download_bytes

    @property
    def is_pinned(self) -> bool:
        """Whether commit, sizes and hashes are all known, so that nobody need be asked."""
        return bool(self.revision) and self.has_exact_size and all(f.sha256 for f in self.files)


def _weight_bytes(parameters: int, bits: int) -> int:
    if not bits:
        return 0
    # Below 16 bits each group of weights has a scale and an offset beside it.
    return int(parameters * (bits + (32 / _GROUP if bits < 16 else 0)) / 8)


def load_catalog(file: Path) -> tuple[CatalogEntry, ...]:
    """Return the catalog's entries in the order of the file."""
    with file.open("rb") as source:
        rows = tomllib.load(source)["model"]
    return tuple(_entry(row) for row in rows)


def _entry(row: Mapping[str, Any]) -> CatalogEntry:
    return CatalogEntry(
        model_id=row["id"],
        title=row["title"],
        family=Family(row["family"]),
        languages=tuple(row.get("languages", ())),
        max_speech_s=float(row["max_speech_s"]),
        joins_up_to_s=float(row.get("joins_up_to_s", 0)),
        memory_bytes=int(row["memory_bytes"]),
        licence=row["licence"],
        good_for=row["good_for"],
        built_in=row.get("built_in", ""),
        is_demo=bool(row.get("is_demo", False)),
        has_word_times=bool(row.get("has_word_times", True)),
        has_short_context=bool(row.get("has_short_context", False)),
        purposes=tuple(row.get("purposes", ("files",))),
        is_hidden=bool(row.get("is_hidden", False)),
        repository=row.get("repository", ""),
        revision=row.get("revision", ""),
        files=tuple(
            CatalogFile(name, int(known.get("bytes", 0)), known.get("sha256", ""))
            for name, known in row.get("files", {}).items()
        ),
        parameters=int(row.get("parameters", 0)),
        bits=int(row.get("bits", 16)),
        converts_to_bits=int(row.get("converts_to_bits", 0)),
        source_bits=int(row.get("source_bits", 16)),
        calibration=Calibration(**row["calibration"]) if "calibration" in row else USUAL,
    )
