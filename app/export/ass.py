"""Advanced SubStation Alpha subtitles.

Braces and backslashes would be commands, so they become their look-alikes; a name has no comma.

Source: the format as ffmpeg 5 and libass read it.
"""

from typing import TextIO

from app.export.cues import cues
from app.export.document import ExportDocument, ExportOptions, one_line

_HEAD = """[Script Info]
Title: {title}
ScriptType: v4.00+
WrapStyle: 0
ScaledBorderAndShadow: yes
PlayResX: 1920
PlayResY: 1080

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,64,&H00FFFFFF,&H000000FF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,3,1,2,\
96,96,54,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_LOOK_ALIKES = str.maketrans({"{": "｛", "}": "｝", "\\": "＼"})


def write_ass(document: ExportDocument, file: TextIO, options: ExportOptions) -> None:
    """Write the cues, each with its speaker as the actor."""
    file.write(_HEAD.format(title=_plain(document.title)))
    for cue in cues(document.transcript, options):
        text = "\\N".join(_plain(line) for line in cue.lines)
        name = _plain(cue.speaker or "").replace(",", ";")
        start, end = _time(cue.start_s), _time(max(cue.end_s, cue.start_s + 0.01))
        file.write(f"Dialogue: 0,{start},{end},Default,{name},0,0,0,,{text}\n")


def _plain(text: str) -> str:
    return one_line(text).translate(_LOOK_ALIKES)


def _time(time_s: float) -> str:
    """Return `H:MM:SS.cc`."""
    total = max(0, round(time_s * 100))
    seconds, cs = divmod(total, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{cs:02d}"
