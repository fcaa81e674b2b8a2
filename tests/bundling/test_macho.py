"""A Mac binary's needs are read from its bytes."""

import struct
from pathlib import Path

from bundling import macho

FLOOR = 14 << 16


def binary(*, floor: int = FLOOR, weak: bool = False, symbol: bytes = b"__ZNSt3__1x") -> bytes:
    """Return a tiny arm64 library that needs libc++ and one symbol of it."""
    dylib = b"/usr/lib/libc++.1.dylib\0"
    dylib += b"\0" * (-(24 + len(dylib)) % 8)
    load = struct.pack("<6I", 0xC, 24 + len(dylib), 24, 2, 0, 0) + dylib
    version = struct.pack("<6I", 0x32, 24, 1, floor, floor, 0)
    strings = b"\0" + symbol + b"\0"
    size = len(load) + len(version) + 24
    table_at = 32 + size
    described = 1 << 8 | (0x40 if weak else 0)
    table = struct.pack("<IBBHQ", 1, 0x01, 0, described, 0)
    symtab = struct.pack("<6I", 2, 24, table_at, 1, table_at + len(table), len(strings))
    head = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 3, size, 0, 0)
    return head + load + version + symtab + table + strings


def read(tmp_path: Path, content: bytes) -> macho.Image | None:
    file = tmp_path / "lib.dylib"
    file.write_bytes(content)
    assert macho.is_macho(file)
    return macho.read_image(file, "lib.dylib")


def test_floor_libraries_and_symbols_are_read(tmp_path: Path) -> None:
    image = read(tmp_path, binary())
    assert image is not None
    assert image.floor == "14.0"
    assert image.needed == ("/usr/lib/libc++.1.dylib",)
    assert image.cxx == ("__ZNSt3__1x",)
    assert macho.faults_of(image, "14.0") == []


def test_what_a_mac_would_refuse_is_named(tmp_path: Path) -> None:
    symbol = b"__ZNSt3__113__hash_memoryEPKvm"
    image = read(tmp_path, binary(floor=26 << 16, symbol=symbol))
    assert image is not None
    faults = macho.faults_of(image, "14.0")
    assert faults[0] == "lib.dylib: needs macOS 26.0, the app promises 14.0"
    assert "libc++ since macOS 26.4 only" in faults[1]


def test_a_symbol_it_can_do_without_does_not_count(tmp_path: Path) -> None:
    image = read(tmp_path, binary(weak=True, symbol=b"__ZNSt3__113__hash_memoryEPKvm"))
    assert image is not None
    assert image.cxx == ()


def test_another_processor_is_not_ours(tmp_path: Path) -> None:
    content = bytearray(binary())
    content[4:8] = struct.pack("<I", 0x01000007)
    assert read(tmp_path, bytes(content)) is None


def test_a_text_is_no_binary(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello")
    assert not macho.is_macho(file)
