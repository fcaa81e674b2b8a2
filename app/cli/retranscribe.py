"""`undertone library retranscribe`: a new text by another model, kept as a version or used."""

import argparse
import queue
import sys
from typing import TYPE_CHECKING

from app.cli.output import ProgressLine, complain
from app.config.paths import default_paths
from app.config.settings import load_settings
from app.config.translate import tr
from app.core.errors import AppError, ImportFailed, LibraryError, mark
from app.core.events import Event, JobChanged
from app.core.job import Job, JobStatus
from app.core.language import AUTO, CODES
from app.core.recording import Recording
from app.core.timecode import parse_time

if TYPE_CHECKING:
    from app.pipeline.retake import Part
    from app.pipeline.session import Session


def add_verb(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `retranscribe` to the verbs of `library`."""
    verb = kinds.add_parser(
        "retranscribe",
        help=tr("transcribe again, with another model or language"),
        description=tr(
            "Transcribe a recording of the library again and print the new text. It is kept as a "
            "version; with --use it takes the place of the text, which is kept as one instead."
        ),
    )
    verb.add_argument("id", metavar="ID", help=tr("an id from the list, or its beginning or end"))
    verb.add_argument("--model", default=AUTO, metavar="ID", help=tr("model id (default: best)"))
    verb.add_argument(
        "--language", default=AUTO, choices=(AUTO, *CODES), metavar="xx", help=tr("code, or auto")
    )
    verb.add_argument("--from", dest="begin", metavar="M:SS", type=_time, help=tr("only from here"))
    verb.add_argument("--until", dest="end", metavar="M:SS", type=_time, help=tr("only up to here"))
    verb.add_argument("--use", action="store_true", help=tr("put the new text in place"))
    verb.set_defaults(run=_run)


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _run(options: argparse.Namespace) -> int:
    from app.cli.library import find_recording, open_reader
    from app.pipeline.session import open_session

    reader = open_reader()
    try:
        recording = find_recording(reader, options.id)
    finally:
        reader.close()
    part = _part(recording, options.begin, options.end)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    settings = load_settings(default_paths().settings)
    session = open_session(default_paths(), events.put, lambda: settings)
    try:
        job = session.queue.retake(recording.recording_id, options.model, options.language, part)
        ended = _follow(session, job, events)
        if ended.status is JobStatus.DONE:
            return _finish(session, recording, ended, is_used=options.use)
        session.writer.settle_rerun(job.recording_id).result()
        complain(ImportFailed(ended.error or mark("It was cancelled."), ended.hint or ""))
        return 1
    except AppError as error:
        complain(error, recording.title)
        return 1
    finally:
        session.close()


def _part(recording: Recording, begin_s: float | None, end_s: float | None) -> "Part | None":
    from app.pipeline.retake import Part

    if begin_s is None and end_s is None:
        return None
    until_s = end_s if end_s is not None else recording.duration_s
    if until_s is None or until_s <= (begin_s or 0.0):
        raise LibraryError(
            mark("The end of the part lies before its beginning."),
            mark("Say it as in: --from 1:05 --until 1:40."),
        )
    return Part(begin_s or 0.0, until_s)


def _follow(session: "Session", job: Job, events: "queue.SimpleQueue[Event]") -> Job:
    """Wait until the job is over and return it; Ctrl-C cancels it and leaves nothing behind."""
    progress = ProgressLine()
    try:
        while not job.status.is_over:
            event = events.get()
            if isinstance(event, JobChanged) and event.job.job_id == job.job_id:
                job = event.job
                progress.show(job)
    except KeyboardInterrupt:
        session.queue.cancel(job.job_id)
        raise
    finally:
        progress.end()
    return job


def _finish(session: "Session", recording: Recording, job: Job, *, is_used: bool) -> int:
    """Print the new text and keep it; with `is_used` in place of the old one."""
    from app.pipeline.retake import end_retake

    new = end_retake(session.writer, session.reader, job, is_used=is_used)
    if not new:
        print(tr("{title}: nothing was said", title=recording.title), file=sys.stderr)
        return 0
    for segment in new:
        print(segment.text)
    kept = tr("The new text is in place; the old one is kept as a version.")
    print(kept if is_used else tr("Kept as a version; --use puts it in place."), file=sys.stderr)
    return 0
