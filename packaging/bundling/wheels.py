"""The locked macOS wheels: do they run on the floor, is the app complete, and how big will it be.

Their facts were read by `packaging/mac_wheels.py` from the wheels themselves; the lock file says
which versions they must be of.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bundling.macho import Image, needs_newer_than, version_key

FACTS = Path(__file__).with_name("mac_wheels.json")
# These say they need a newer macOS than the app promises, and do not: everything they take from
# libc++ and libSystem is older, and the system holds only programs, not libraries, to the number.
SAY_TOO_MUCH = {"pyside6-essentials": "15.0", "pyside6-addons": "15.0", "shiboken6": "15.0"}
PYTHON_BYTES = 36 << 20  # interpreter, its extension modules and base library, thin
OWN_CODE_BYTES = 12 << 20  # compressed Python code of app and packages, measured on Linux


def sort_name(name: str) -> str:
    """Return a package's name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Wheel:
    """What one locked wheel brings into the bundle."""

    name: str
    version: str
    tags: tuple[str, ...]
    images: tuple[Image, ...]
    cxx: tuple[str, ...]
    other_bytes: int

    @property
    def size(self) -> int:
        return self.other_bytes + sum(image.size for image in self.images)


def read_facts(facts: Mapping[str, Any] | None = None) -> tuple[Wheel, ...]:
    """Return the recorded wheels."""
    found = json.loads(FACTS.read_text("utf-8")) if facts is None else facts
    return tuple(
        Wheel(
            name,
            entry["version"],
            tuple(entry["tags"]),
            tuple(_image(image) for image in entry["images"]),
            tuple(entry["cxx"]),
            entry["other_bytes"],
        )
        for name, entry in found.items()
    )


def _image(facts: dict[str, Any]) -> Image:
    return Image(
        facts["name"],
        facts["size"],
        facts["floor"],
        tuple(facts["needed"]),
        tuple(facts["weak"]),
        tuple(facts["rpaths"]),
    )


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of the lock that a Mac gets: its versions and the names of its wheels."""

    name: str
    versions: tuple[str, ...]
    wheels: tuple[str, ...] = field(default=())

    @property
    def is_pure(self) -> bool:
        return all(name.endswith("-none-any.whl") for name in self.wheels)


def locked_packages(lock: Path) -> dict[str, Locked]:
    """Return what the app itself (no tools) gets on a Mac by the lock."""
    packages = tomllib.loads(lock.read_text("utf-8"))["package"]
    by_name: dict[str, list[dict[str, Any]]] = {}
    for package in packages:
        by_name.setdefault(package["name"], []).append(package)
    wanted: set[str] = set()
    open_ends = ["undertone"]
    while open_ends:
        name = open_ends.pop()
        if name in wanted:
            continue
        wanted.add(name)
        for package in by_name.get(name, []):
            open_ends += [
                needed["name"]
                for needed in package.get("dependencies", [])
                if "sys_platform == 'linux'" not in needed.get("marker", "")
                or "darwin" in needed.get("marker", "")
            ]
    return {
        name: Locked(
            name,
            tuple(package["version"] for package in by_name[name]),
            tuple(
                wheel["url"].rpartition("/")[2]
                for package in by_name[name]
                for wheel in package.get("wheels", [])
            ),
        )
        for name in sorted(wanted - {"undertone"})
    }


def stale_facts(wheels: tuple[Wheel, ...], locked: Mapping[str, Locked]) -> list[str]:
    """Return which recorded facts are not of the locked version."""
    recorded = {wheel.name: wheel for wheel in wheels}
    faults = []
    for name, package in locked.items():
        if package.is_pure:
            continue
        if name not in recorded:
            faults.append(f"{name}: locked, but nothing is known of its wheel")
        elif recorded[name].version not in package.versions:
            versions = " and ".join(package.versions)
            faults.append(f"{name}: locked {versions}, known is {recorded[name].version}")
    return faults


def tag_faults(wheels: tuple[Wheel, ...], floor: str) -> list[str]:
    """Return which wheels are not for arm64 Macs of the floor; MLX's must be exactly for it."""
    faults = []
    for wheel in wheels:
        tags = [re.search(r"macosx_(\d+)_(\d+)_(arm64|universal2)$", tag) for tag in wheel.tags]
        floors = [f"{tag[1]}.{tag[2]}" for tag in tags if tag]
        if not floors:
            faults.append(f"{wheel.name}: no wheel for arm64 Macs ({', '.join(wheel.tags)})")
        elif min(map(version_key, floors)) > version_key(floor):
            faults.append(f"{wheel.name}: its wheel is for macOS {floors[0]}, not {floor}")
        elif wheel.name.startswith("mlx") and floor not in floors:
            faults.append(f"{wheel.name}: an old wheel for macOS {floors[0]} instead of {floor}")
    return faults


def image_faults(wheels: tuple[Wheel, ...], floor: str) -> list[str]:
    """Return which binaries would not load on macOS `floor`."""
    faults = []
    for wheel in wheels:
        allowed = max(floor, SAY_TOO_MUCH.get(wheel.name, floor), key=version_key)
        faults += [
            f"{image.name}: says it needs macOS {image.floor}, the app promises {floor}"
            for image in wheel.images
            if image.floor == "?" or version_key(image.floor) > version_key(allowed)
        ]
        for symbol in wheel.cxx:
            since = needs_newer_than(symbol, floor)
            if since is not None:
                faults.append(f"{wheel.name}: {symbol} is in libc++ since macOS {since} only")
    return faults


def missing_libraries(wheels: tuple[Wheel, ...]) -> list[str]:
    """Return which libraries a binary loads that no wheel brings."""
    there = {PurePosixPath(image.name).name for wheel in wheels for image in wheel.images}
    return sorted(
        f"{image.name}: {path} is in no wheel"
        for wheel in wheels
        for image in wheel.images
        for path in image.needed
        if path not in image.weak and PurePosixPath(path).name not in there
    )


def app_bytes(wheels: tuple[Wheel, ...], resources: Path) -> int:
    """Return about how big the `.app` will be."""
    own = sum(file.stat().st_size for file in resources.rglob("*") if file.is_file())
    return sum(wheel.size for wheel in wheels) + own + PYTHON_BYTES + OWN_CODE_BYTES
