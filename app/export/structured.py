"""JSON with everything that is known, to be read by programs and taken in again without loss.

The schema, version 1 (`null` where unknown; times in seconds from the start of the recording):

    format       "undertone-transcript"
    version      1; a change that breaks readers makes it 2
    title        text
    created_at   ISO 8601, UTC
    source       name of the imported file
    duration_s   number
    language     code
    model_id     text
    text         all segments, one a line
    segments     list of
      start_s, end_s   number
      text             text
      confidence       0…1
      speaker          text
      words            list of {text, start_s, end_s, probability}; empty when not asked for
"""

import json
import math
from datetime import UTC, datetime
from typing import TextIO

from app.core.transcript import Segment, Word
from app.export.document import ExportDocument, ExportOptions

FORMAT = "undertone-transcript"
VERSION = 1


def write_json(document: ExportDocument, file: TextIO, _options: ExportOptions) -> None:
    """Write the document by the schema above."""
    transcript = document.transcript
    created_at = datetime.fromtimestamp(document.created_at, UTC)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "title": _text(document.title),
        "created_at": created_at.isoformat().replace("+00:00", "Z"),
        "source": None if document.source is None else _text(document.source),
        "duration_s": _number(document.duration_s),
        "language": transcript.language,
        "model_id": transcript.model_id,
        "text": _text(transcript.text),
        "segments": [_segment(segment) for segment in transcript.segments],
    }
    json.dump(content, file, ensure_ascii=False, indent=2, allow_nan=False)
    file.write("\n")


def _segment(segment: Segment) -> dict[str, object]:
    return {
        "start_s": _number(segment.start_s),
        "end_s": _number(segment.end_s),
        "text": _text(segment.text),
        "confidence": _number(segment.confidence),
        "speaker": None if segment.speaker is None else _text(segment.speaker),
        "words": [_word(word) for word in segment.words],
    }


def _word(word: Word) -> dict[str, object]:
    return {
        "text": _text(word.text),
        "start_s": _number(word.start_s),
        "end_s": _number(word.end_s),
        "probability": _number(word.probability),
    }


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
