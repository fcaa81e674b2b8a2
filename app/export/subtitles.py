"""Subtitles: SubRip and WebVTT.

A cue's text can neither end its cue nor begin another: arrows and empty lines are folded, and what
WebVTT would take for markup is escaped. SubRip knows no escape.

Source: https://www.w3.org/TR/webvtt1/ ; SubRip as ffmpeg 5 reads it.
"""

from typing import TextIO

from app.core.timecode import subtitle_time
from app.export.cues import cues
from app.export.document import ExportDocument


def write_srt(document: ExportDocument, file: TextIO) -> None:
    """Write SubRip; a speaker's name stands before the first cue of a turn."""
    speaker = None
    for number, cue in enumerate(cues(document.transcript), 1):
        lines = [line.replace("-->", "→") for line in cue.lines]
        if cue.speaker and cue.speaker != speaker:
            lines[0] = f"{cue.speaker.replace('-->', '→')}: {lines[0]}"
        speaker = cue.speaker
        start, end = subtitle_time(cue.start_s, ","), subtitle_time(cue.end_s, ",")
        file.write(f"{number}\n{start} --> {end}\n" + "\n".join(lines) + "\n\n")


def write_vtt(document: ExportDocument, file: TextIO) -> None:
    """Write WebVTT; speakers are voice tags."""
    file.write("WEBVTT\n\n")
    for cue in cues(document.transcript):
        text = "\n".join(_escaped(line) for line in cue.lines)
        if cue.speaker:
            text = f"<v {_escaped(cue.speaker)}>{text}"
        file.write(f"{subtitle_time(cue.start_s)} --> {subtitle_time(cue.end_s)}\n{text}\n\n")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
