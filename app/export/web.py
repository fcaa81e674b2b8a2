"""A web page that stands alone: no script, no request, nothing that was said becomes markup."""

from html import escape
from typing import TextIO

from app.config.translate import tr
from app.core.timecode import clock
from app.export.document import ExportDocument, ExportOptions, one_line
from app.export.plain import about

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:17px/1.55 system-ui,sans-serif;max-width:44em;margin:3em auto;padding:0 1.2em}"
    "h1{font-size:1.5em;margin:0 0 .2em}.about{opacity:.7;margin:0 0 2em}"
    "p{margin:0 0 .9em}.time{opacity:.6;font-variant-numeric:tabular-nums;margin-inline-end:.7em}"
    ".who{font-weight:600;margin-inline-end:.7em}"
)


def write_html(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write title, what is known of the recording, and a paragraph a segment."""
    title = _text(document.title) or _text(tr("Untitled"))
    language = _text(document.transcript.language or "")
    file.write(
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1 dir="auto">{title}</h1>\n'
        f'<p class="about">{" · ".join(map(_text, about(document)))}</p>\n'
    )
    speaker = None
    for segment in document.transcript.segments:
        text = _text(segment.text)
        if not text:
            continue
        lead = ""
        if options.has_times is not False:
            lead += f'<span class="time">{clock(segment.start_s)}</span>'
        if segment.speaker and segment.speaker != speaker:
            lead += f'<bdi class="who">{_text(segment.speaker)}</bdi>'
        speaker = segment.speaker
        file.write(f'<p dir="auto">{lead}{text}</p>\n')
    file.write("</body>\n</html>\n")


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
