"""Transcripts others made, or we exported, as segments: SubRip, WebVTT and our JSON.

Tolerant in form, strict in result: whatever the file holds, the segments are in order and every
time is a time. Markup is taken off; voice tags and “Name: ” of a turn become speakers only where
the format says so.
"""

import html
import json
import math
import re
from pathlib import Path

from app.core.errors import ImportFailed, mark
from app.core.timecode import parse_time
from app.core.transcript import Segment, Transcript, Word
from app.export.document import one_line

SUFFIXES = (".srt", ".vtt", ".json")
_MOST_BYTES = 64 * 1024 * 1024
_LATEST_S = 1e9  # thirty years: what is later is not a time
_ARROW = re.compile(r"^\s*([\d:.,]+)\s*-->\s*([\d:.,]+)")
# A name ends at the next bracket and after 200 characters, so no file can make this slow.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]([^<>]{0,200})>")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|\{\\[^{}]*\}")


def read_transcript(file: Path) -> Transcript:
    """Return the transcript in `file`.

    Raises:
        ImportFailed: it cannot be read, or holds no transcript.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise _refused(file)
        raw = file.read_bytes()
    except OSError as error:
        raise ImportFailed(
            mark("“{name}” could not be read: {reason}."),
            mark("Check that the file is still there and that you may open it."),
            name=file.name,
            reason=error.strerror or str(error),
        ) from error
    text = _decoded(raw)
    try:
        if file.suffix.lower() == ".json":
            found = _from_json(text)
        else:
            found = Transcript(_in_order(_cues(text, is_web=file.suffix.lower() == ".vtt")))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise _refused(file) from error
    if not found.segments:
        raise _refused(file)
    return found


def _decoded(raw: bytes) -> str:
    for coding in (
        ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",)
    ):
        try:
            return raw.decode(coding)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp1252", "replace")


def _cues(text: str, *, is_web: bool) -> list[Segment]:
    found: list[Segment] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        times = _ARROW.match(lines[at])
        at += 1
        if times is None:
            continue
        said = []
        while at < len(lines) and lines[at].strip() and not _ARROW.match(lines[at]):
            said.append(lines[at])
            at += 1
        if at < len(lines) and _ARROW.match(lines[at]) and said and said[-1].strip().isdigit():
            said.pop()  # the number of the next cue, where the empty line is missing
        segment = _cue(times[1], times[2], "\n".join(said), is_web)
        if segment is not None:
            found.append(segment)
    return found


def _cue(start: str, end: str, said: str, is_web: bool) -> Segment | None:
    try:
        start_s, end_s = _time(parse_time(start)), _time(parse_time(end))
    except ValueError:
        return None
    speaker = None
    if is_web:
        voice = _VOICE.search(said)
        speaker = one_line(html.unescape(voice[1])) or None if voice else None
    plain = _TAG.sub("", _VOICE.sub("", said) if is_web else said)
    text = one_line(html.unescape(plain) if is_web else plain)
    return Segment(start_s, max(start_s, end_s), text, speaker=speaker) if text else None


def _from_json(text: str) -> Transcript:
    held = json.loads(text)
    if isinstance(held, dict) and held.get("format") == "undertone-transcript":
        segments = [_segment(each) for each in held["segments"]]
        named = _name(held.get("language")), _name(held.get("model_id"))
        return Transcript(_in_order(segments), *named)
    listed = held["segments"] if isinstance(held, dict) else held  # as other tools write it
    segments = [
        Segment(*_times(each["start"], each["end"]), one_line(str(each["text"]))) for each in listed
    ]
    language = _name(held.get("language")) if isinstance(held, dict) else None
    return Transcript(_in_order(segments), language)


def _segment(held: dict[str, object]) -> Segment:
    words = tuple(
        Word(
            _storable(str(each["text"])),
            *_times(each["start_s"], each["end_s"]),
            min(max(_time(each["probability"]), 0.0), 1.0),
        )
        for each in held.get("words") or ()  # type: ignore[attr-defined]
    )
    sure, speaker = held.get("confidence"), held.get("speaker")
    return Segment(
        *_times(held["start_s"], held["end_s"]),
        _storable(str(held["text"])),
        words,
        None if sure is None else _time(sure),
        None if speaker is None else _storable(str(speaker)),
    )


def _name(value: object) -> str | None:
    return _storable(value) if isinstance(value, str) else None


def _storable(text: str) -> str:
    """Return a text UTF-8 can hold: JSON can write halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _times(start: object, end: object) -> tuple[float, float]:
    """Return a start and an end that is not before it."""
    start_s = _time(start)
    return start_s, max(start_s, _time(end))


def _time(value: object) -> float:
    time_s = float(value)  # type: ignore[arg-type]
    if not math.isfinite(time_s) or time_s > _LATEST_S:
        raise ValueError("not a time")
    return max(0.0, time_s)


def _in_order(segments: list[Segment]) -> tuple[Segment, ...]:
    return tuple(sorted(segments, key=lambda each: each.start_s))


def _refused(file: Path) -> ImportFailed:
    return ImportFailed(
        mark("“{name}” holds no transcript Undertone can read."),
        mark("Choose a SubRip (.srt), WebVTT (.vtt) or Undertone JSON file."),
        name=file.name,
    )
