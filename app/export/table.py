"""A table for spreadsheets: one row a segment.

No cell can become a formula: what begins like one is led by an apostrophe, as spreadsheets do it.
Where commas are decimal signs they split at semicolons and heed no quotes: those begin cells too.
"""

import csv
import re
from typing import TextIO

from app.core.timecode import subtitle_time
from app.export.document import ExportDocument, ExportOptions, one_line

_FORMULA = "=+-@＝＋－＠|%"
_BEGINS_FORMULA = tuple(f"{_FORMULA}\t\r")
_SPLITS_TO_FORMULA = re.compile(rf';(?=[\s"]*[{re.escape(_FORMULA)}])')


def write_csv(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write start, end, speaker, text and confidence; with a mark that tells it is UTF-8."""
    file.write("\ufeff")  # without it spreadsheets read another encoding
    rows = csv.writer(file, lineterminator="\r\n")
    has_speakers = options.has_speakers
    rows.writerow(["start", "end", *(["speaker"] if has_speakers else []), "text", "confidence"])
    for segment in document.transcript.segments:
        who = [safe_cell(one_line(segment.speaker or ""))] if has_speakers else []
        sure = "" if segment.confidence is None else f"{segment.confidence:.3f}"
        rows.writerow(
            [
                subtitle_time(segment.start_s),
                subtitle_time(segment.end_s),
                *who,
                safe_cell(one_line(segment.text)),
                sure,
            ]
        )


def safe_cell(text: str) -> str:
    """Return a text no spreadsheet runs."""
    text = _SPLITS_TO_FORMULA.sub(";'", text)
    is_risky = text.startswith(_BEGINS_FORMULA) or text.lstrip().startswith(_BEGINS_FORMULA)
    return f"'{text}" if is_risky else text
