"""What a Mac binary asks of its system: oldest macOS, libraries, and symbols of the C++ library.

Read with macholib and struct, so that everything here runs on Linux. Only the arm64 slice counts;
the bundle is thin.
"""

import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from macholib.mach_o import (
    LC_BUILD_VERSION,
    LC_LOAD_DYLIB,
    LC_LOAD_WEAK_DYLIB,
    LC_REEXPORT_DYLIB,
    LC_RPATH,
    LC_SYMTAB,
    LC_VERSION_MIN_MACOSX,
)
from macholib.MachO import MachO, MachOHeader

MAGICS = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
_ARM64 = 0x0100000C
_NLIST = struct.Struct("<IBBHQ")
_N_TYPE, _N_STAB, _N_EXT = 0x0E, 0xE0, 0x01
_N_WEAK_REF = 0x40
_CXX = "libc++"
# The first macOS whose libc++ exports a symbol, for those added since LLVM 17.
# Source: LLVM's ABI changelog of libc++ and its availability table (LLVM 18 came with macOS 15.0,
# LLVM 19 with 15.4, LLVM 20 with 26.0).
NEWER_SYMBOLS = {
    "__is_posix_terminal": "15.0",
    "__cxa_init_primary_exception": "15.0",
    "__get_ostream_file": "15.0",
    "bad_function_call": "15.4",
    "bad_expected_access": "15.4",
    "__from_chars_floating_point": "26.0",
    "__hash_memory": "26.4",
    "__atomic_wait_native": "26.4",
    "__atomic_monitor_global": "26.4",
}


@dataclass(frozen=True, slots=True)
class Image:
    """The arm64 slice of one binary.

    Attributes:
        name: its path among the packages.
        size: of the slice, in bytes.
        floor: the oldest macOS it says it runs on.
        needed: the libraries it loads, as it names them.
        weak: those of them it can do without.
        rpaths: where it looks for them.
        cxx: the symbols it must find in the system's C++ library.
    """

    name: str
    size: int
    floor: str
    needed: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    rpaths: tuple[str, ...] = ()
    cxx: tuple[str, ...] = ()

    def plain(self) -> dict[str, object]:
        return asdict(self)


def is_macho(file: Path) -> bool:
    """Return whether `file` is a Mac program or dynamic library (no archive for a linker)."""
    if file.suffix == ".a":
        return False
    with file.open("rb") as source:
        return source.read(4) in MAGICS


def read_image(file: Path, name: str) -> Image | None:
    """Return what the arm64 slice of `file` asks for; `None` when it has no such slice."""
    for header in MachO(str(file)).headers:
        if header.header.cputype == _ARM64:
            return _image(file, name, header)
    return None


def _image(file: Path, name: str, header: MachOHeader) -> Image:
    floor, symtab = "?", None
    needed: list[str] = []
    weak: list[str] = []
    rpaths: list[str] = []
    for load, command, data in header.commands:
        if load.cmd == LC_BUILD_VERSION:
            floor = _version(int(command.minos))
        elif load.cmd == LC_VERSION_MIN_MACOSX:
            floor = _version(int(command.version))
        elif load.cmd in (LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB):
            needed.append(_text(data))
            if load.cmd == LC_LOAD_WEAK_DYLIB:
                weak.append(needed[-1])
        elif load.cmd == LC_RPATH:
            rpaths.append(_text(data))
        elif load.cmd == LC_SYMTAB:
            symtab = command
    cxx = _cxx_symbols(file, header.offset, symtab, needed) if symtab is not None else ()
    return Image(name, header.size, floor, tuple(needed), tuple(weak), tuple(rpaths), cxx)


def _cxx_symbols(file: Path, start: int, symtab: object, needed: list[str]) -> tuple[str, ...]:
    """Return the strong references that are bound to the system's libc++."""
    with file.open("rb") as source:
        source.seek(start + int(symtab.symoff))  # type: ignore[attr-defined]
        table = source.read(int(symtab.nsyms) * _NLIST.size)  # type: ignore[attr-defined]
        source.seek(start + int(symtab.stroff))  # type: ignore[attr-defined]
        strings = source.read(int(symtab.strsize))  # type: ignore[attr-defined]
    found = set()
    for at, kind, _section, described, _value in _NLIST.iter_unpack(table):
        is_undefined = not kind & (_N_STAB | _N_TYPE) and kind & _N_EXT
        library = described >> 8
        if not is_undefined or described & _N_WEAK_REF or not 1 <= library <= len(needed):
            continue
        if _CXX in needed[library - 1].rpartition("/")[2]:
            found.add(strings[at : strings.index(b"\0", at)].decode("utf-8", "replace"))
    return tuple(sorted(found))


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")


def _version(packed: int) -> str:
    return f"{packed >> 16}.{packed >> 8 & 0xFF}"


def version_key(version: str) -> tuple[int, ...]:
    """Return a version in a form that compares."""
    return tuple(int(part) for part in version.split("."))


def needs_newer_than(symbol: str, floor: str) -> str | None:
    """Return the macOS that first has `symbol` in its libc++, if that is newer than `floor`."""
    for part, since in NEWER_SYMBOLS.items():
        if part in symbol and version_key(since) > version_key(floor):
            return since
    return None


def faults_of(image: Image, floor: str) -> list[str]:
    """Return why `image` would not load on macOS `floor`, one sentence each."""
    faults = []
    if image.floor == "?":
        faults.append(f"{image.name}: does not say which macOS it needs")
    elif version_key(image.floor) > version_key(floor):
        faults.append(f"{image.name}: needs macOS {image.floor}, the app promises {floor}")
    for symbol in image.cxx:
        since = needs_newer_than(symbol, floor)
        if since is not None:
            faults.append(f"{image.name}: {symbol} is in libc++ since macOS {since} only")
    return faults
