"""The formats there are; each writer is imported when it is first used."""

import importlib
from dataclasses import dataclass
from typing import TextIO

from app.core.errors import mark
from app.export.document import ExportDocument


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        format_id: its name on the command line.
        title: its name for people, a source text.
        suffix: of its files, with the dot.
        writer: `module:function`; the function takes a document and an open text file.
    """

    format_id: str
    title: str
    suffix: str
    writer: str

    def write(self, document: ExportDocument, file: TextIO) -> None:
        """Write `document` to `file`."""
        module, _, function = self.writer.partition(":")
        getattr(importlib.import_module(module), function)(document, file)


FORMATS: dict[str, Format] = {
    each.format_id: each
    for each in (
        Format("txt", mark("Plain text"), ".txt", "app.export.plain:write_txt"),
        Format("md", mark("Markdown"), ".md", "app.export.plain:write_md"),
        Format("srt", mark("SubRip subtitles"), ".srt", "app.export.subtitles:write_srt"),
        Format("vtt", mark("WebVTT subtitles"), ".vtt", "app.export.subtitles:write_vtt"),
        Format("json", mark("JSON with words"), ".json", "app.export.structured:write_json"),
    )
}
