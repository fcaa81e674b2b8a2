"""Draws the app's icons at every size the Mac asks for, from the drawings in `resources/app_icon`.

    PYTHONPATH=packaging uv run --locked python -m bundling.icons FOLDER

Small sizes have a drawing of their own: at 16 px the large one is mush.
"""

import os
import struct
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

DRAWINGS = Path(__file__).resolve().parents[2] / "resources" / "app_icon"
SMALL = 32  # px, the largest side of the small drawing
# Kind of entry in an .icns file, and the side of its picture in pixels.
KINDS = {
    b"icp4": 16,
    b"icp5": 32,
    b"ic11": 32,
    b"ic12": 64,
    b"ic07": 128,
    b"ic13": 256,
    b"ic08": 256,
    b"ic14": 512,
    b"ic09": 512,
    b"ic10": 1024,
}


def draw(drawing: Path, side: int) -> QImage:
    """Return a drawing as a square picture."""
    image = QImage(side, side, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(drawing)).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return image


def png(image: QImage) -> bytes:
    """Return a picture as PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes, Qt text
    return bytes(buffer.data().data())


def icns(pictures: dict[bytes, bytes]) -> bytes:
    """Return PNG pictures as one `.icns` file."""
    entries = b"".join(
        struct.pack(">4sI", kind, len(picture) + 8) + picture for kind, picture in pictures.items()
    )
    return struct.pack(">4sI", b"icns", len(entries) + 8) + entries


def read_icns(content: bytes) -> dict[bytes, bytes]:
    """Return the pictures of an `.icns` file by their kind."""
    found, at = {}, 8
    while at < len(content):
        kind, size = struct.unpack_from(">4sI", content, at)
        found[kind] = content[at + 8 : at + size]
        at += size
    return found


def write_icons(folder: Path) -> list[Path]:
    """Write the app's and its documents' icons; a QGuiApplication must exist."""
    folder.mkdir(parents=True, exist_ok=True)
    large, small = DRAWINGS / "icon.svg", DRAWINGS / "icon-small.svg"
    app = {kind: png(draw(small if side <= SMALL else large, side)) for kind, side in KINDS.items()}
    page = {kind: png(draw(DRAWINGS / "document.svg", side)) for kind, side in KINDS.items()}
    written = [folder / "Undertone.icns", folder / "Document.icns"]
    for file, pictures in zip(written, (app, page), strict=True):
        file.write_bytes(icns(pictures))
    for side in sorted(set(KINDS.values())):
        written.append(folder / f"undertone-{side}.png")
        written[-1].write_bytes(png(draw(small if side <= SMALL else large, side)))
    return written


if __name__ == "__main__":
    application = QGuiApplication(["icons"])
    for file in write_icons(Path(sys.argv[1])):
        print(file)
