"""Gathers what the app owes to others: name, version, licence and licence texts of each package.

The bundle carries them as `resources/notices`; About shows them. A package whose licence text is
missing stops the build, because passing it on without would be wrong.
"""

import builtins
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from bundling.wheels import locked_packages

ROOT = Path(__file__).resolve().parents[2]
_TEXT = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
# Packages in the lock that do not go into the bundle.
_LEFT_OUT = frozenset({"pip", "huggingface-hub", "hf-xet", "pyyaml", "fsspec", "undertone"})
# Whose wheels hold no licence text: what it is, and which of our texts says it.
_KNOWN = {
    "mlx-whisper": ("MIT", "mlx-1.txt"),  # the same authors and the same text
    "pyside6-essentials": ("LGPL-3.0-only", "LGPL-3.txt"),
    "pyside6-addons": ("LGPL-3.0-only", "LGPL-3.txt"),
    "shiboken6": ("LGPL-3.0-only", "LGPL-3.txt"),
}
# Parts that come inside a wheel or with us, and are no packages of their own.
_INSIDE = (
    ("FFmpeg, x264 and x265 (in PyAV)", "GPL-3.0-or-later", ("GPL-3.txt",)),
    ("FFmpeg (in Qt Multimedia)", "LGPL-2.1-or-later", ("LGPL-2.1.txt",)),
    ("libsndfile (in soundfile)", "LGPL-2.1-or-later", ("LGPL-2.1.txt",)),
    ("libsoxr (in soxr)", "LGPL-2.1-or-later", ("LGPL-2.1.txt",)),
    ("Qt", "LGPL-3.0-only", ("LGPL-3.txt", "GPL-3.txt")),
    ("Silero VAD", "MIT", ("silero-vad.txt",)),
    ("Python", "PSF-2.0", ("python.txt",)),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One part of the bundle that others made; `texts` are names of files beside the index."""

    name: str
    version: str
    license: str
    texts: tuple[str, ...]
    page: str = ""


def bundled_packages(root: Path = ROOT) -> list[str]:
    """Return the names of the packages that go into the bundle, as the lock writes them."""
    lock = tomllib.loads((root / "uv.lock").read_text("utf-8"))
    everyone = {package["name"] for package in lock["package"]}
    return [
        name
        for name in locked_packages(root / "uv.lock")
        if name in everyone and name not in _LEFT_OUT
    ]


def texts_of(found: Distribution) -> list[tuple[str, str]]:
    """Return the licence texts a package brings, as (name, text)."""
    texts = []
    for file in found.files or ():
        if ".dist-info/" in str(file) and _TEXT.search(str(file)):
            content = Path(str(found.locate_file(file))).read_text("utf-8", "replace")
            texts.append((Path(str(file)).name, content))
    return texts


def license_of(found: Distribution) -> str:
    """Return what a package says its licence is, in a few words."""
    about: Any = found.metadata
    said = about.get("License-Expression") or ""
    if not said:
        classes = [
            line.rpartition(" :: ")[2]
            for line in about.get_all("Classifier") or []
            if line.startswith("License ::")
        ]
        said = ", ".join(classes) or (about.get("License") or "").strip().split("\n")[0]
    return said[:80]


def gather(names: Iterable[str], folder: Path) -> list[Notice]:
    """Write the licence texts of the installed packages `names` and an index into `folder`.

    Packages that this system does not get (the Mac's on Linux) are left out.

    Raises:
        LookupError: a package brings no licence text and none is known for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for whole in (ROOT / "resources" / "licenses").glob("*.txt"):
        (folder / whole.name).write_text(whole.read_text("utf-8"), "utf-8")
    silero = ROOT / "resources" / "vad" / "LICENSE"
    (folder / "silero-vad.txt").write_text(silero.read_text("utf-8"), "utf-8")
    (folder / "python.txt").write_text(python_license(), "utf-8")
    (folder / "undertone.txt").write_text((ROOT / "LICENSE").read_text("utf-8"), "utf-8")
    notices = [Notice(name, "", said, texts) for name, said, texts in _INSIDE]
    for name in names:
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        said, texts = license_of(found), []
        for at, (_file, text) in enumerate(texts_of(found)):
            texts.append(f"{name}-{at + 1}.txt")
            (folder / texts[-1]).write_text(text, "utf-8")
        if name in _KNOWN:
            said, known = _KNOWN[name]
            texts.append(known)
        if not texts and said:
            texts.append(f"{name}.txt")
            (folder / texts[-1]).write_text(_stand_in(found, said), "utf-8")
        if not texts:
            raise LookupError(f"{name} brings neither a licence text nor the name of a licence")
        about: Any = found.metadata
        page = about.get("Home-page") or ""
        notices.append(Notice(name, found.version, said or "see the text", tuple(texts), page))
    index = [asdict(notice) for notice in sorted(notices, key=lambda n: n.name.lower())]
    (folder / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False), "utf-8")
    return notices


def python_license() -> str:
    """Return the licence of the Python that is bundled."""
    printer: Any = builtins.license  # `site` makes it
    printer._Printer__setup()
    return "\n".join(printer._Printer__lines)


def _stand_in(found: Distribution, said: str) -> str:
    about: Any = found.metadata
    author = about.get("Author") or about.get("Author-email") or "its authors"
    return f"{about['Name']} {found.version}, by {author}.\nLicence: {said}.\n"
