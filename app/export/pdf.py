"""PDF, in any script: Qt lays the text out and embeds the fonts.

The only module below the front ends that knows Qt, and it is imported when a PDF is first written.
Without a running app it makes its own, which needs no display.
"""

import os
import sys
from typing import BinaryIO

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QPageLayout,
    QPageSize,
    QPdfWriter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)

from app.config.translate import tr
from app.core.timecode import clock
from app.export.document import ExportDocument, ExportOptions, one_line
from app.export.plain import about

_DPI = 300
_MARGIN_MM = 20.0
_application: QGuiApplication | None = None  # ours, where nobody else made one; Qt needs it kept


def write_pdf(document: ExportDocument, file: BinaryIO, options: ExportOptions) -> None:
    """Write title, what is known of the recording, and a paragraph a segment."""
    _need_application()
    made = QByteArray()
    buffer = QBuffer(made)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(one_line(document.title))
    writer.setCreator("Undertone")
    writer.setResolution(_DPI)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4),
            QPageLayout.Orientation.Portrait,
            QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM),
            QPageLayout.Unit.Millimeter,
        )
    )
    text = QTextDocument()
    text.documentLayout().setPaintDevice(writer)
    text.setDefaultFont(QFont("Helvetica", 11))
    rect = writer.pageLayout().paintRectPixels(_DPI)
    text.setPageSize(QSizeF(rect.width(), rect.height()))
    text.setDocumentMargin(0)
    _fill(text, document, options)
    text.print_(writer)
    del writer
    buffer.close()
    file.write(made.data())


def _fill(text: QTextDocument, document: ExportDocument, options: ExportOptions) -> None:
    wraps = QTextOption()
    wraps.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    wraps.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    text.setDefaultTextOption(wraps)
    plain, title, quiet, who = (QTextCharFormat() for _ in range(4))
    title.setFontPointSize(18)
    title.setFontWeight(QFont.Weight.DemiBold)
    quiet.setForeground(QColor("#606068"))
    who.setFontWeight(QFont.Weight.DemiBold)
    block = QTextBlockFormat()
    block.setBottomMargin(_DPI / 72 * 6)
    cursor = QTextCursor(text)
    cursor.setBlockFormat(block)
    cursor.insertText(one_line(document.title) or tr("Untitled"), title)
    cursor.insertBlock(block)
    cursor.insertText(" · ".join(map(one_line, about(document))), quiet)
    speaker = None
    for segment in document.transcript.segments:
        said = one_line(segment.text)
        if not said:
            continue
        cursor.insertBlock(block)
        if options.has_times is not False:
            cursor.insertText(f"{clock(segment.start_s)}  ", quiet)
        if segment.speaker and segment.speaker != speaker:
            cursor.insertText(f"{one_line(segment.speaker)}  ", who)
        speaker = segment.speaker
        cursor.insertText(said, plain)


def _need_application() -> None:
    global _application
    if QGuiApplication.instance() is None:
        if sys.platform.startswith("linux"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _application = QGuiApplication(["undertone"])
