"""Text to read: plain, and Markdown.

One paragraph a segment. Nothing that was said becomes markup.
"""

import re
from datetime import datetime
from typing import TextIO

from app.config.translate import tr
from app.core.timecode import clock
from app.export.document import ExportDocument, ExportOptions, one_line

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # a backslash before < is not always obeyed
_MARKUP = re.compile(r"([\\`*_\[\]#|~])|([&<>])")


def write_txt(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write the segments, one a line; a speaker's name where the speaker changes."""
    speaker = None
    for segment in document.transcript.segments:
        text = one_line(segment.text)
        if not text:
            continue
        if segment.speaker and segment.speaker != speaker:
            text = f"{one_line(segment.speaker)}: {text}"
        speaker = segment.speaker
        at = f"[{clock(segment.start_s)}] " if options.has_times else ""
        file.write(f"{at}{text}\n")


def write_md(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write title, a line about the recording, and the segments with their times."""
    file.write(f"# {_escaped(document.title) or tr('Untitled')}\n\n{_escaped_about(document)}\n")
    for segment in document.transcript.segments:
        text = _escaped(segment.text)
        if not text:
            continue
        at = "" if options.has_times is False else clock(segment.start_s)
        lead = " · ".join(part for part in (at, _escaped(segment.speaker or "")) if part)
        file.write(f"\n**{lead}** {text}\n" if lead else f"\n{text}\n")


def _escaped_about(document: ExportDocument) -> str:
    return " · ".join(_escaped(part) for part in about(document))


def about(document: ExportDocument) -> list[str]:
    """Return what is known of the recording: when, how long, in what language, from what file."""
    parts = [f"{datetime.fromtimestamp(document.created_at):%Y-%m-%d %H:%M}"]
    if document.duration_s is not None:
        parts.append(clock(document.duration_s))
    for part in (document.transcript.language, document.source):
        if part:
            parts.append(part)
    return parts


def _escaped(text: str) -> str:
    return _MARKUP.sub(
        lambda found: f"\\{found[1]}" if found[1] else _ENTITIES[found[2]], one_line(text)
    )
