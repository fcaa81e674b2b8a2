"""The formats there are; each writer is imported when it is first used."""

import importlib
from dataclasses import dataclass, replace
from typing import IO, Any

from app.core.errors import mark
from app.export.document import ExportDocument, ExportOptions


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        format_id: its name on the command line.
        title: its name for people, a source text.
        suffix: of its files, with the dot.
        writer: `module:function`; it takes a document, an open file and options.
        is_binary: whether that file takes bytes.
    """

    format_id: str
    title: str
    suffix: str
    writer: str
    is_binary: bool = False

    def write(
        self,
        document: ExportDocument,
        file: IO[Any],
        options: ExportOptions = ExportOptions(),  # noqa: B008  # frozen
    ) -> None:
        """Write `document` to `file`, which takes text, or bytes where `is_binary`."""
        module, _, function = self.writer.partition(":")
        if not options.has_speakers:
            transcript = document.transcript
            silent = tuple(replace(each, speaker=None) for each in transcript.segments)
            document = replace(document, transcript=replace(transcript, segments=silent))
        getattr(importlib.import_module(module), function)(document, file, options)


FORMATS: dict[str, Format] = {
    each.format_id: each
    for each in (
        Format("txt", mark("Plain text"), ".txt", "app.export.plain:write_txt"),
        Format("md", mark("Markdown"), ".md", "app.export.plain:write_md"),
        Format("srt", mark("SubRip subtitles"), ".srt", "app.export.subtitles:write_srt"),
        Format("vtt", mark("WebVTT subtitles"), ".vtt", "app.export.subtitles:write_vtt"),
        Format("docx", mark("Word document"), ".docx", "app.export.word:write_docx", True),
        Format("pdf", mark("PDF"), ".pdf", "app.export.pdf:write_pdf", True),
        Format("html", mark("Web page"), ".html", "app.export.web:write_html"),
        Format("csv", mark("Table (CSV)"), ".csv", "app.export.table:write_csv"),
        Format("lrc", mark("Lyrics with times"), ".lrc", "app.export.subtitles:write_lrc"),
        Format("ttml", mark("TTML subtitles"), ".ttml", "app.export.subtitles:write_ttml"),
        Format("ass", mark("Advanced SubStation subtitles"), ".ass", "app.export.ass:write_ass"),
        Format("json", mark("JSON with words"), ".json", "app.export.structured:write_json"),
    )
}
