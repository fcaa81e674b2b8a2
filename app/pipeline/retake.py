"""A recording, or a part of it, transcribed once more beside its text, which is not touched.

The new text grows in a recording of its own that no list shows (`rerun_of`); a job like any other
writes it, so it is paused, cancelled, and taken up after a crash like any other. It ends as a
version of the recording it is of: chosen, in part or whole, or not.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.audio.decode import MediaStream
from app.audio.speech import SoundPart, SpeechWindows
from app.core.compare import fitted, part_of, spoken_by
from app.core.errors import ImportFailed, mark
from app.core.ids import new_id
from app.core.job import Job
from app.core.packing import Region, Window
from app.core.recording import Recording
from app.core.transcript import Segment
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter

_AROUND_S = 0.3  # of a part, so that its first and last word are whole


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a recording."""

    from_s: float
    until_s: float


class PartFeed:
    """A stretch of a media file as windows (a `WindowFeed`); times are those of the whole file."""

    def __init__(
        self, file: Path, max_speech_s: float, part: Part, target_s: float | None = None
    ) -> None:
        self._part = part
        self._stream = MediaStream(file)
        sound = SoundPart(self._stream, part.from_s, part.until_s)
        self._speech = SpeechWindows(sound, max_speech_s, target_s=target_s)

    @property
    def duration_s(self) -> float | None:
        return self._part.until_s - self._part.from_s

    @property
    def heard_s(self) -> float:
        return self._part.from_s + self._speech.heard_s

    def __iter__(self) -> Iterator[Window]:
        self._stream.open()
        by_s = self._part.from_s
        for window in self._speech:
            speech = tuple(Region(each.start_s + by_s, each.end_s + by_s) for each in window.speech)
            yield replace(window, start_s=window.start_s + by_s, speech=speech)

    def close(self) -> None:
        self._stream.close()


def part_around(segments: tuple[Segment, ...], first: int, count: int) -> Part | None:
    """Return the stretch some segments are said in, as far as the others leave room."""
    chosen = segments[first : first + count]
    if not chosen:
        return None
    after = first + len(chosen)
    low = segments[first - 1].end_s if first else 0.0
    high = segments[after].start_s if after < len(segments) else chosen[-1].end_s + _AROUND_S
    from_s = min(max(low, chosen[0].start_s - _AROUND_S), chosen[0].start_s)
    until_s = max(min(high, chosen[-1].end_s + _AROUND_S), chosen[-1].end_s)
    return Part(from_s, until_s) if until_s > from_s else None


def retake_of(
    recording: Recording, model_id: str, language: str, part: Part | None = None
) -> tuple[Recording, Job]:
    """Return what a recording is transcribed into once more, and the job that does it.

    Raises:
        ImportFailed: its sound is gone.
    """
    sound = recording.audio_path
    if sound is None or not sound.is_file():
        raise ImportFailed(
            mark("The sound of “{title}” is no longer where it was."),
            mark("Put the file back, then transcribe it again. The text you have is kept."),
            title=recording.title,
        )
    total_s = recording.duration_s if part is None else part.until_s - part.from_s
    again = Recording(
        recording_id=new_id(),
        kind=recording.kind,
        title=recording.title,
        created_at=time.time(),
        duration_s=total_s,
        audio_path=sound,
        rerun_of=recording.recording_id,
    )
    job = Job(
        job_id=new_id(),
        recording_id=again.recording_id,
        title=recording.title,
        model_id=model_id,
        language=language,
        done_s=0.0 if part is None else part.from_s,
        total_s=total_s,
        until_s=None if part is None else part.until_s,
    )
    return again, job


def part_of_job(job: Job) -> Part | None:
    """Return which stretch a job is for; `None` when for the whole recording."""
    return None if job.until_s is None else Part(job.from_s, job.until_s)


def whole_text(
    segments: tuple[Segment, ...], new: tuple[Segment, ...], part: Part | None
) -> tuple[Segment, ...]:
    """Return a text with all of `new` in place of what was said in that part."""
    if part is None:
        return tuple(spoken_by(new, segments))
    first, last = part_of(segments, part.from_s, part.until_s)
    return tuple(fitted(segments, first, last, spoken_by(new, segments[first:last])))


def end_retake(
    writer: LibraryWriter, reader: LibraryReader, job: Job, *, is_used: bool
) -> tuple[Segment, ...]:
    """Keep what a finished job wrote as a version and return it; empty when nothing was said.

    With `is_used` it takes the place of the text as that is now, which is kept instead.

    Raises:
        ImportFailed: the recording was removed meanwhile.
        LibraryError, DiskFull: the library could not be written.
    """
    again = reader.recording(job.recording_id)
    if again is None or again.rerun_of is None:
        raise recording_is_gone()
    new, part = reader.transcript(job.recording_id).segments, part_of_job(job)
    if not new:
        writer.settle_rerun(job.recording_id).result()
        return ()
    whole = whole_text(reader.transcript(again.rerun_of).segments, new, part)
    if not is_used:
        is_kept = writer.settle_rerun(job.recording_id, whole).result() is not None
    else:
        is_kept = writer.use_rerun(job.recording_id, whole, is_whole=part is None).result()
    if not is_kept:
        raise recording_is_gone()
    return new


def recording_is_gone() -> ImportFailed:
    """Return what to say when what was to be transcribed once more was removed."""
    return ImportFailed(
        mark("This recording is not in the library any more."),
        mark("Choose another one."),
    )
