"""Rows of the library to the values of the core, and back, exactly.

Every text is scrubbed of lone surrogates on its way in, because SQLite stores only whole UTF-8; a
path that is no UTF-8 is kept as its bytes.
"""

import json
import os
import re
import struct
import zlib
from array import array
from dataclasses import dataclass
from pathlib import Path

from app.core.job import Job, JobKind, JobStage, JobStatus
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment, Word

RECORDING_COLUMNS = (
    "recording_id, kind, title, created_at, status, duration_s, audio_path, is_copy, language, "
    "model_id, error, hint, first_line, deleted_at, is_favourite, notes, folder_id, app_name, "
    "edited_at, doubt, rerun_of"
)
JOB_COLUMNS = (
    "job_id, recording_id, title, model_id, language, kind, status, stage, done_s, total_s, "
    "wants_words, error, hint, until_s"
)
_FIRST_LINE_LENGTH = 200
_TITLE_LENGTH = 60
_SENTENCE_END = re.compile(r"(?<=\w)[.!?](?=\s|$)|[。！？]")  # not of “…” or a number

Value = str | int | float | bytes | None


def clean(text: str) -> str:
    """Return `text` without what UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def recording_row(recording: Recording) -> dict[str, Value]:
    return {name: recording_value(name, getattr(recording, name)) for name in _RECORDING_NAMES}


def recording_value(name: str, value: object) -> Value:
    """Return a field of a recording as its column holds it."""
    if isinstance(value, Path):
        raw = os.fsencode(value)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return clean(str(value))
    if value is None or isinstance(value, int | float):
        return value
    raise TypeError(f"recordings.{name} cannot hold {type(value).__name__}")


_RECORDING_NAMES = tuple(name.strip() for name in RECORDING_COLUMNS.split(","))


def recording_from(row: tuple[object, ...]) -> Recording:
    """Return the recording of a row of `RECORDING_COLUMNS`."""
    held = dict(zip(_RECORDING_NAMES, row, strict=True))
    path = held["audio_path"]
    held["audio_path"] = Path(os.fsdecode(path)) if isinstance(path, str | bytes) else None
    held["kind"] = RecordingKind(str(held["kind"]))
    held["status"] = RecordingStatus(str(held["status"]))
    held["is_copy"] = bool(held["is_copy"])
    held["is_favourite"] = bool(held["is_favourite"])
    return Recording(**held)  # type: ignore[arg-type]  # the columns have these types


def job_row(job: Job) -> dict[str, Value]:
    """Return all of a job but `done_s`, which only moves together with its segments."""
    return {
        "job_id": job.job_id,
        "recording_id": job.recording_id,
        "title": clean(job.title),
        "model_id": job.model_id,
        "language": job.language,
        "kind": str(job.kind),
        "status": str(job.status),
        "stage": str(job.stage),
        "total_s": job.total_s,
        "wants_words": int(job.wants_words),
        "error": None if job.error is None else clean(job.error),
        "hint": None if job.hint is None else clean(job.hint),
        "until_s": job.until_s,
    }


def job_from(row: tuple[object, ...]) -> Job:
    """Return the job of a row of `JOB_COLUMNS`."""
    names = (name.strip() for name in JOB_COLUMNS.split(","))
    held = dict(zip(names, row, strict=True))
    held["kind"] = JobKind(str(held["kind"]))
    held["status"] = JobStatus(str(held["status"]))
    held["stage"] = JobStage(str(held["stage"]))
    held["wants_words"] = bool(held["wants_words"])
    return Job(**held)  # type: ignore[arg-type]  # the columns have these types


@dataclass(frozen=True, slots=True)
class PackedWords:
    """The words of one segment: texts as JSON; start, end and probability of each as doubles."""

    texts: str
    numbers: bytes


def pack_words(words: tuple[Word, ...]) -> PackedWords:
    texts = json.dumps(
        [clean(word.text) for word in words], ensure_ascii=False, separators=(",", ":")
    )
    numbers = array("d")
    for word in words:
        numbers.extend((word.start_s, word.end_s, word.probability))
    return PackedWords(texts, numbers.tobytes())


def unpack_words(packed: PackedWords) -> tuple[Word, ...]:
    """Return the words.

    Raises:
        ValueError: the columns do not hold words.
    """
    numbers = array("d")
    numbers.frombytes(packed.numbers)
    texts = json.loads(packed.texts)
    if len(numbers) != 3 * len(texts):
        raise ValueError("the words of a segment are damaged")
    triples = zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True)
    return tuple(Word(str(text), *triple) for text, triple in zip(texts, triples, strict=True))


def segment_crc(
    start_s: float, end_s: float, text: str, packed: PackedWords | None, raw: str | None = None
) -> int:
    """Return the check sum that tells whether a stored or salvaged segment is whole."""
    crc = zlib.crc32(struct.pack("<dd", start_s, end_s), zlib.crc32(text.encode()))
    if packed is not None:
        crc = zlib.crc32(packed.numbers, zlib.crc32(packed.texts.encode(), crc))
    return crc if raw is None else zlib.crc32(raw.encode(), crc)


def segment_from(row: tuple[object, ...]) -> Segment:
    """Return the segment of a row: its columns from `start_s` to `raw`, then those of its words."""
    start_s, end_s, text, confidence, speaker, raw, texts, numbers = row
    words: tuple[Word, ...] = ()
    if isinstance(texts, str) and isinstance(numbers, bytes):
        words = unpack_words(PackedWords(texts, numbers))
    return Segment(
        start_s=float(start_s),  # type: ignore[arg-type]
        end_s=float(end_s),  # type: ignore[arg-type]
        text=str(text),
        words=words,
        confidence=None if confidence is None else float(confidence),  # type: ignore[arg-type]
        speaker=None if speaker is None else str(speaker),
        raw=None if raw is None else str(raw),
    )


def first_line_of(segments: tuple[Segment, ...]) -> str:
    """Return the first words said, for the list."""
    for segment in segments:
        line = " ".join(clean(segment.text).split())
        if line:
            return line[:_FIRST_LINE_LENGTH]
    return ""


def title_from(line: str) -> str:
    """Return the first words of `line` as a title: to the first sentence's end, cut at a word."""
    text = " ".join(line.split())
    ended = _SENTENCE_END.search(text, 0, _TITLE_LENGTH + 1)
    if ended:
        text = text[: ended.start()]
    if len(text) > _TITLE_LENGTH:
        cut = text.rfind(" ", _TITLE_LENGTH // 2, _TITLE_LENGTH)
        text = text[: cut if cut > 0 else _TITLE_LENGTH - 1].rstrip(" ,;:–—-") + "…"
    return text.strip()
