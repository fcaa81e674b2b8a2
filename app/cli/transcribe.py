"""`undertone transcribe`: files in, text out."""

import argparse
import errno
import os
import queue
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.output import ProgressLine, complain
from app.config.paths import Paths, default_paths
from app.config.settings import load_settings
from app.config.translate import tr
from app.core.errors import AlreadyInLibrary, AppError, ExportFailed, ImportFailed, mark
from app.core.events import Event, Failed, FilesChecked, JobChanged, SegmentsFinal
from app.core.job import Job, JobStatus
from app.core.language import AUTO, CODES
from app.core.packing import Region
from app.core.recording import Recording, RecordingStatus
from app.core.timecode import clock
from app.core.transcript import Transcript

if TYPE_CHECKING:
    from app.export import ExportOptions
    from app.pipeline.session import Session

TO_STDOUT = "-"


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `transcribe`."""
    from app.export import FORMATS

    verb = verbs.add_parser(
        "transcribe",
        help=tr("turn audio and video files into text"),
        description=tr(
            "Transcribe audio and video files (or folders of them) into the library and print or "
            "write the text. An interrupted run goes on where it stopped."
        ),
    )
    verb.add_argument("files", nargs="+", type=Path, metavar=tr("FILE"))
    verb.add_argument("--model", default=AUTO, metavar="ID", help=tr("model id (default: best)"))
    verb.add_argument(
        "--language", default=AUTO, choices=(AUTO, *CODES), metavar="xx", help=tr("code, or auto")
    )
    verb.add_argument("--format", default="txt", choices=tuple(FORMATS), help=tr("default: txt"))
    verb.add_argument(
        "--output",
        default=TO_STDOUT,
        metavar=tr("PATH"),
        help=tr("a file, a folder, or - for standard output (default)"),
    )
    verb.add_argument("--words", action="store_true", help=tr("times for each word"))
    verb.add_argument("--no-library", action="store_true", help=tr("keep nothing in the library"))
    verb.add_argument("--again", action="store_true", help=tr("even if the library has it already"))
    verb.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from app.pipeline.once import once_paths, sweep_once

    home = default_paths()
    outlet = Outlet(options.output, options.format, is_single=_is_single(options.files))
    outlet.prepare()
    if not options.no_library:
        sweep_once(home.home)
        return _transcribe(options, outlet, home, home.models)
    with once_paths(home.home) as once:
        return _transcribe(options, outlet, once, home.models)


def _is_single(files: Sequence[Path]) -> bool:
    from app.pipeline.importing import is_folder

    return len(files) == 1 and not is_folder(files[0])


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where finished transcripts go."""

    output: str
    format_id: str
    is_single: bool
    options: "ExportOptions | None" = None
    template: str = ""

    def prepare(self) -> None:
        """Make the folder, or say that nothing can be written there before any work begins.

        Raises:
            ExportFailed: several transcripts have no folder to go to, or one has none to lie in.
        """
        if self.output == TO_STDOUT:
            return
        target = Path(self.output)
        try:
            if not self.is_single:
                target.mkdir(parents=True, exist_ok=True)
            folder = target if target.is_dir() else target.parent
            folder.stat()
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except FileExistsError as error:
            raise ExportFailed(
                mark("“{path}” is a file, but several transcripts need a folder."),
                mark("Choose another folder with --output."),
                path=self.output,
            ) from error
        except OSError as error:
            raise ExportFailed(
                mark("Nothing can be written to “{path}”: {reason}."),
                mark("Choose another folder with --output."),
                path=self.output,
                reason=error.strerror or str(error),
            ) from error

    def write(self, recording: Recording, transcript: Transcript) -> None:
        """Write one finished transcript.

        Raises:
            ExportFailed: it could not be written.
        """
        from app.export import FORMATS, ExportOptions, name_from, target_for, write_export
        from app.pipeline.export import document_of

        document = document_of(recording, transcript)
        options = self.options or ExportOptions()
        if self.output == TO_STDOUT:
            if not self.is_single and self.format_id in ("txt", "md"):
                print(f"== {document.title} ==")
            is_binary = FORMATS[self.format_id].is_binary
            out = sys.stdout.buffer if is_binary else sys.stdout
            FORMATS[self.format_id].write(document, out, options)
            out.flush()
            return
        target = Path(self.output)
        if target.is_dir() or not self.is_single:
            name = name_from(self.template, document) if self.template else document.title
            target = target_for(target, name, self.format_id)
        written = write_export(
            document, self.format_id, target, overwrite=self.is_single, options=options
        )
        print(tr("Written: {path}", path=written), file=sys.stderr)


def _transcribe(options: argparse.Namespace, outlet: Outlet, paths: Paths, models: Path) -> int:
    from app.pipeline.session import open_session

    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    settings = load_settings(default_paths().settings)
    session = open_session(paths, events.put, lambda: settings, models=models)
    try:
        return _Run(session, outlet, options).follow(events)
    except KeyboardInterrupt:
        print(
            tr("Stopped. What is done is kept; the same command goes on from there."),
            file=sys.stderr,
        )
        raise
    finally:
        session.close()


class _Run:
    """One call of `transcribe`: follows its jobs and writes each transcript as its job ends."""

    def __init__(self, session: "Session", outlet: Outlet, options: argparse.Namespace) -> None:
        self._session = session
        self._outlet = outlet
        self._options = options
        self._progress = ProgressLine()
        self._open: set[str] = set()  # recordings still being worked on
        self._missing: dict[str, list[Region]] = {}  # by job: speech that gave no text
        self._checked = False
        self._status = 0

    def follow(self, events: "queue.SimpleQueue[Event]") -> int:
        """Transcribe the files and return the exit status."""
        self._session.queue.add_files(
            self._options.files,
            self._options.model,
            self._options.language,
            wants_words=self._options.words,
            again=self._options.again,
        ).add_done_callback(lambda done: _end_waiting(done, events))
        while not self._checked or self._open:
            event = events.get()
            if isinstance(event, JobChanged):
                self._on_job(event.job)
            elif isinstance(event, SegmentsFinal):
                self._missing.setdefault(event.job_id, []).extend(event.missing)
            elif isinstance(event, FilesChecked):
                self._on_checked(event)
            elif isinstance(event, Failed):
                self._complain(event.error)
        self._progress.end()
        return self._status

    def _on_job(self, job: Job) -> None:
        self._progress.show(job)
        if not job.status.is_over:
            self._open.add(job.recording_id)
            return
        if job.recording_id not in self._open:
            return
        self._open.discard(job.recording_id)
        self._progress.end()
        if job.status is JobStatus.DONE:
            self._tell_missing(job)
            self._write(job.recording_id)
        elif job.error:
            self._complain(ImportFailed(job.error, job.hint or ""), job.title)

    def _tell_missing(self, job: Job) -> None:
        for gap in self._missing.pop(job.job_id, ()):
            print(
                tr(
                    "{title}: somebody speaks from {start} to {end}, but the model wrote nothing",
                    title=job.title,
                    start=clock(gap.start_s),
                    end=clock(gap.end_s),
                ),
                file=sys.stderr,
            )

    def _on_checked(self, event: FilesChecked) -> None:
        self._checked = True
        for file, error in event.rejected:
            known = None
            if isinstance(error, AlreadyInLibrary):
                known = self._session.reader.recording(str(error.message.args["recording_id"]))
            if known is None:
                self._complain(error, str(file))
            else:
                self._use_known(known)

    def _use_known(self, known: Recording) -> None:
        """Print what the library has, or go on where an earlier run stopped."""
        if known.status in (RecordingStatus.DONE, RecordingStatus.EMPTY):
            print(
                tr("{title}: from the library (--again transcribes anew)", title=known.title),
                file=sys.stderr,
            )
            self._write(known.recording_id)
        elif self._session.queue.retry(known.recording_id):
            self._open.add(known.recording_id)
        else:
            print(
                tr("{title}: another Undertone is at work on it", title=known.title),
                file=sys.stderr,
            )
            self._status = 1  # there is no text

    def _write(self, recording_id: str) -> None:
        recording = self._session.reader.recording(recording_id)
        if recording is None:
            return
        transcript = self._session.reader.transcript(recording_id)
        if not transcript.segments:
            print(tr("{title}: nothing was said", title=recording.title), file=sys.stderr)
        try:
            self._outlet.write(recording, transcript)
        except AppError as error:
            self._complain(error, recording.title)

    def _complain(self, error: AppError, about: str = "") -> None:
        complain(error, about)
        self._status = 1


def _end_waiting(checked: "Future[FilesChecked]", events: "queue.SimpleQueue[Event]") -> None:
    """Let nobody wait for files that will not come; the queue has said why. Thread: io."""
    if checked.cancelled() or checked.exception() is not None:
        events.put(FilesChecked(()))
