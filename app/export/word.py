"""Word documents.

python-docx escapes what is said; only what XML itself cannot hold is left out here.
"""

from datetime import UTC, datetime
from typing import BinaryIO

from app.config.translate import tr
from app.core.timecode import clock
from app.export.document import ExportDocument, ExportOptions, one_line
from app.export.plain import about


def write_docx(document: ExportDocument, file: BinaryIO, options: ExportOptions) -> None:
    """Write title, what is known of the recording, and a paragraph a segment."""
    import docx
    from docx.shared import Pt, RGBColor

    made = docx.Document()
    made.core_properties.title = _text(document.title)[:255]
    made.core_properties.author = ""
    made.core_properties.comments = ""
    made.core_properties.created = datetime.fromtimestamp(document.created_at, UTC).replace(
        tzinfo=None
    )
    made.add_heading(_text(document.title) or tr("Untitled"), level=1)
    made.add_paragraph(" · ".join(map(_text, about(document))))
    speaker = None
    for segment in document.transcript.segments:
        text = _text(segment.text)
        if not text:
            continue
        paragraph = made.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(6)
        if options.has_times is not False:
            run = paragraph.add_run(f"{clock(segment.start_s)}  ")
            run.font.color.rgb = RGBColor(0x60, 0x60, 0x68)
        if segment.speaker and segment.speaker != speaker:
            paragraph.add_run(f"{_text(segment.speaker)}  ").bold = True
        speaker = segment.speaker
        paragraph.add_run(text)
    made.save(file)


def _text(text: str) -> str:
    return "".join(each for each in one_line(text) if each not in "\ufffe\uffff")
