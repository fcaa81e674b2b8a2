"""Subtitles: SubRip, WebVTT, TTML, and lyrics.

A cue's text can neither end its cue nor begin another: arrows and empty lines are folded, and what
WebVTT would take for markup is escaped. SubRip knows no escape.

Source: https://www.w3.org/TR/webvtt1/ ; SubRip as ffmpeg 5 reads it.
"""

from typing import TextIO

from app.core.timecode import subtitle_time
from app.export.cues import cues
from app.export.document import ExportDocument, ExportOptions, one_line


def write_srt(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write SubRip; a speaker's name stands before the first cue of a turn."""
    speaker = None
    for number, cue in enumerate(cues(document.transcript, options), 1):
        lines = [line.replace("-->", "→") for line in cue.lines]
        if cue.speaker and cue.speaker != speaker:
            lines[0] = f"{cue.speaker.replace('-->', '→')}: {lines[0]}"
        speaker = cue.speaker
        start, end = subtitle_time(cue.start_s, ","), subtitle_time(cue.end_s, ",")
        file.write(f"{number}\n{start} --> {end}\n" + "\n".join(lines) + "\n\n")


def write_vtt(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write WebVTT; speakers are voice tags."""
    file.write("WEBVTT\n\n")
    for cue in cues(document.transcript, options):
        text = "\n".join(_escaped(line) for line in cue.lines)
        if cue.speaker:
            text = f"<v {_escaped(cue.speaker)}>{text}"
        file.write(f"{subtitle_time(cue.start_s)} --> {subtitle_time(cue.end_s)}\n{text}\n\n")


def write_lrc(document: ExportDocument, file: TextIO, _options: ExportOptions) -> None:
    """Write lyrics, one segment a line; what looks like a time in a text is taken apart."""
    title = one_line(document.title).replace("[", "(").replace("]", ")")
    file.write(f"[ti:{title}]\n[re:Undertone]\n")
    for segment in document.transcript.segments:
        text = one_line(segment.text)
        if text:
            minutes, cs = divmod(round(max(0.0, segment.start_s) * 100), 6000)
            who = f"{one_line(segment.speaker)}: " if segment.speaker else ""
            safe = f"{who}{text}".replace("[", "(").replace("]", ")")
            file.write(f"[{minutes:02d}:{cs // 100:02d}.{cs % 100:02d}]{safe}\n")


def write_ttml(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write TTML 1; speakers are agents of their cues.

    Source: https://www.w3.org/TR/ttml1/
    """
    names = {each.speaker: None for each in document.transcript.segments if each.speaker}
    agents = {name: f"s{number}" for number, name in enumerate(names, 1)}
    language = _attribute(document.transcript.language or "")
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
        f'xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="{language}">\n'
        f"<head><metadata><ttm:title>{_xml(document.title)}</ttm:title>\n"
    )
    for name, agent in agents.items():
        told = f'<ttm:name type="full">{_xml(name)}</ttm:name>'
        file.write(f'<ttm:agent xml:id="{agent}" type="person">{told}</ttm:agent>\n')
    file.write("</metadata></head>\n<body><div>\n")
    by_line = {one_line(name): agent for name, agent in agents.items()}
    for cue in cues(document.transcript, options):
        begin, end = subtitle_time(cue.start_s), subtitle_time(cue.end_s)
        who = f' ttm:agent="{by_line[cue.speaker]}"' if cue.speaker in by_line else ""
        text = "<br/>".join(_xml(line) for line in cue.lines)
        file.write(f'<p begin="{begin}" end="{end}"{who}>{text}</p>\n')
    file.write("</div></body>\n</tt>\n")


def _xml(text: str) -> str:
    """Return a text as XML 1.0 may hold it."""
    kept = "".join(each for each in one_line(text) if each not in "\ufffe\uffff")
    return _escaped(kept)


def _attribute(text: str) -> str:
    return _xml(text).replace('"', "&quot;")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
