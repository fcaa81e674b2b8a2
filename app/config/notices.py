"""Whose work Undertone contains, and under which licences.

A bundle carries the list and every text (made by `packaging/bundling/notices.py`). In the source
tree there is no bundle: then the installed packages say for themselves what they are.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config.identity import NAME, VERSION
from app.config.paths import resources

_FOLDER = "notices"
_OWN_TEXT = "undertone.txt"
# What the source tree shows; the bundle's list is complete.
_MAIN_PACKAGES = (
    *("av", "mlx", "mlx-whisper", "numpy", "platformdirs", "pyside6-addons", "pyside6-essentials"),
    *("sounddevice", "soundfile", "soxr", "sqlite-utils", "tiktoken", "httpx", "truststore"),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One part; `files` are its licence texts."""

    name: str
    version: str
    license: str
    files: tuple[Path, ...]

    def text(self) -> str:
        """Return the licence texts, one after the other."""
        parts = [file.read_text("utf-8", "replace").strip() for file in self.files]
        return f"\n\n{'—' * 20}\n\n".join(parts)


def all_notices() -> list[Notice]:
    """Return every part, Undertone itself first."""
    folder = resources() / _FOLDER
    index = folder / "index.json"
    if not index.is_file():
        return list(_of_source_tree())
    own = Notice(NAME, VERSION, "GPL-3.0 (source: MIT)", (folder / _OWN_TEXT, folder / "GPL-3.txt"))
    return [
        own,
        *(
            Notice(
                entry["name"],
                entry["version"],
                entry["license"],
                tuple(folder / name for name in entry["texts"]),
            )
            for entry in json.loads(index.read_text("utf-8"))
        ),
    ]


def _of_source_tree() -> Iterator[Notice]:
    from importlib.metadata import PackageNotFoundError, distribution  # not at the app's start

    root = resources().parent
    own = (root / "LICENSE", resources() / "licenses" / "GPL-3.txt")
    yield Notice(NAME, VERSION, "MIT", tuple(file for file in own if file.is_file()))
    for name in _MAIN_PACKAGES:
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        files = tuple(
            Path(str(found.locate_file(file)))
            for file in found.files or ()
            if ".dist-info/" in str(file)
            and Path(str(file)).name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))
        )
        about = found.metadata.json
        said = str(about.get("license_expression") or about.get("license") or "")
        yield Notice(name, found.version, said.split("\n")[0][:60], files)
