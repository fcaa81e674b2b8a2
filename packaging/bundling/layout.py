"""Where each file lands inside the `.app`, computed by PyInstaller's own function, on any system.

macOS wants programs and libraries under Frameworks and everything else under Resources, with links
between the two; what a library expects beside itself must be reachable there all the same.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from bundling.contents import Entry, metal_links
from bundling.wheels import Wheel

FRAMEWORKS = "Contents/Frameworks"
METAL = "mlx.metallib"
_MOST_LINKS = 20


def app_layout(entries: Iterable[Entry]) -> dict[str, tuple[str, str]]:
    """Return what PyInstaller makes of the entries: place → (source or link's target, kind)."""
    from PyInstaller.building.osx import BUNDLE

    bundle = BUNDLE.__new__(BUNDLE)
    placed = bundle._process_bundle_toc(list(entries))
    return {name: (source, kind) for name, source, kind in placed}


def resolve(layout: Mapping[str, tuple[str, str]], path: str) -> str | None:
    """Follow every link in `path` and return where the file really lies; `None` when nowhere."""
    current = PurePosixPath(path)
    for _ in range(_MOST_LINKS):
        for part in (*reversed(current.parents), current):
            target, kind = layout.get(str(part), ("", ""))
            if kind == "SYMLINK":
                rest = current.relative_to(part)
                current = _normal(part.parent / target / rest)
                break
        else:
            return str(current) if str(current) in layout else None
    return None


def _normal(path: PurePosixPath) -> PurePosixPath:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts)


def entries_of(wheels: Iterable[Wheel], metallib: str = METAL) -> list[Entry]:
    """Return the entries a Mac build would collect from the recorded wheels.

    PyInstaller puts a link to every library that lies in a folder at the top, where the rewritten
    rpaths look first.
    """
    binaries: list[Entry] = []
    for wheel in wheels:
        for image in wheel.images:
            is_extension = image.name.endswith(".so")
            binaries.append((image.name, image.name, "EXTENSION" if is_extension else "BINARY"))
    links: list[Entry] = []
    for name, _source, kind in binaries:
        path = PurePosixPath(name)
        if kind == "BINARY" and path.suffix == ".dylib" and "/plugins/" not in name:
            links.append((path.name, name, "SYMLINK"))
    top = [(name, source, kind) for name, source, kind in links]
    return [*binaries, *top, *metal_links([*binaries, *top], metallib)]


def metal_faults(layout: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return every place of `libmlx.dylib` from where MLX would not find its Metal library."""
    folders = {
        PurePosixPath(name).parent for name in layout if PurePosixPath(name).name == "libmlx.dylib"
    }
    if not folders:
        return ["libmlx.dylib is not in the app"]
    return sorted(
        f"{folder}: no {METAL} beside libmlx.dylib"
        for folder in folders
        if resolve(layout, f"{folder}/{METAL}") is None
    )
