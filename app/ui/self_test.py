"""Whether this build can draw: asked of a bundle, on a screen nobody sees."""

import os

from PySide6.QtGui import QImageReader
from PySide6.QtWidgets import QApplication

from app.ui import theme


def try_windows() -> str:
    """Draw one of our icons and name what Qt brought along.

    Raises:
        RuntimeError: something was not drawn.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QApplication.instance() or QApplication(["undertone"])
    picture = theme.pixmap("library", "#123456", 32).toImage()
    inked = any(
        picture.pixelColor(x, y).alpha()
        for x in range(picture.width())
        for y in range(picture.height())
    )
    if not inked:
        raise RuntimeError("an icon is empty")
    formats = sorted(bytes(name.data()).decode() for name in QImageReader.supportedImageFormats())
    style = application.style().objectName() if isinstance(application, QApplication) else "?"
    return f"style {style}, pictures {' '.join(formats)}"
