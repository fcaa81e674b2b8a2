"""What a finished model folder says of itself: where it came from and what each file's hash is.

It is written last, so a folder without one was never verified by us. Sizes and times of change tell
whether a file could have been touched since; only then are hashes computed again.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

NAME = ".undertone.json"
_FORMAT = 1
_CHUNK_BYTES = 4 << 20
_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file as it was verified."""

    size_bytes: int
    sha256: str
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model folder's own record.

    Attributes:
        source: `hub`, `folder`, `cache` or `converted`.
        repository: on the hub, if it came from there.
        commit: of the repository.
        title: for people; empty when the catalog knows one.
    """

    source: str
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    repository: str = ""
    commit: str = ""
    title: str = ""


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of `folder`, or `None` when there is none that can be read."""
    file = folder / NAME
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            return None
        raw = json.loads(file.read_text(encoding="utf-8"))
        return Manifest(
            str(raw["source"]),
            {
                str(name): FileRecord(
                    int(known["size"]), str(known["sha256"]), int(known["changed_ns"])
                )
                for name, known in raw["files"].items()
            },
            str(raw.get("repository", "")),
            str(raw.get("commit", "")),
            str(raw.get("title", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of `folder`, whole or not at all."""
    content = {
        "format": _FORMAT,
        "source": manifest.source,
        "repository": manifest.repository,
        "commit": manifest.commit,
        "title": manifest.title,
        "files": {
            name: {"size": one.size_bytes, "sha256": one.sha256, "changed_ns": one.changed_ns}
            for name, one in manifest.files.items()
        },
    }
    draft = folder / f"{NAME}.new"
    with draft.open("w", encoding="utf-8") as out:
        json.dump(content, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(folder / NAME)


def record(file: Path, sha256: str) -> FileRecord:
    """Return the record of a file whose hash is known."""
    state = file.stat()
    return FileRecord(state.st_size, sha256, state.st_mtime_ns)


def touched(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return the files that are gone, or differ in size or time of change from their record."""
    return tuple(name for name, one in manifest.files.items() if not _is_same(folder / name, one))


def _is_same(file: Path, known: FileRecord) -> bool:
    with contextlib.suppress(OSError):
        state = file.stat()
        return state.st_size == known.size_bytes and state.st_mtime_ns == known.changed_ns
    return False


def hash_steps(file: Path) -> Iterator[int | str]:
    """Yield how many bytes were read at each step, and at last the file's SHA-256.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            yield len(chunk)
    yield digest.hexdigest()


def sha256_of(file: Path) -> str:
    """Return the file's SHA-256, or nothing when it cannot be read."""
    try:
        *_counts, found = hash_steps(file)
    except OSError:
        return ""
    return str(found)
