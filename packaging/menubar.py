"""Makes the PNG files of the menu bar's icons: what AppKit loads on every version of macOS.

uv run --locked python packaging/menubar.py [FOLDER]
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parents[1] / "resources" / "menubar"
SIDE = 36  # px: 18 points at twice the resolution


def draw(svg: Path) -> QImage:
    """Return the picture of one icon."""
    image = QImage(SIDE, SIDE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(str(svg)).render(painter, QRectF(0, 0, SIDE, SIDE))
    painter.end()
    return image


def main() -> None:
    """Write a PNG file beside each SVG file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ICONS
    _app = QGuiApplication.instance() or QGuiApplication(["menubar"])
    for svg in sorted(ICONS.glob("*.svg")):
        draw(svg).save(str(folder / f"{svg.stem}.png"))


if __name__ == "__main__":
    main()
