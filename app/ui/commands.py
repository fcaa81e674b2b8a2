"""What a person asks for in a window, passed on to the parts that do it; nothing here waits."""

import io
import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QTimer

from app.config.paths import Paths, make_private_folder, sample_recording
from app.config.settings import Settings, save_settings
from app.core.errors import AppError, ExportFailed, mark
from app.core.events import Event, Exported, Failed
from app.core.ids import new_id
from app.core.job import Job
from app.core.transcript import Transcript
from app.export import FORMATS, ExportOptions, name_from, target_for, write_export
from app.library.reader import LibraryReader
from app.pipeline.export import document_of
from app.pipeline.queue import TranscriptionQueue
from app.pipeline.retake import Part

_DRAG_LASTS_MS = 10 * 60_000
_PREVIEWED = 30  # segments and lines of a preview
_log = logging.getLogger(__name__)


class WindowCommands:
    """The commands of a window (`app.ui.ports.Commands`). Thread: main.

    Args:
        queue: does the work; `None` when the library can only be read, for the reason in `problem`.
        reader: where exports read from.
        pool: where slow work runs.
        paths: where things lie.
        settings: as loaded.
        emit: told what came of slow work.
        on_settings: told of every change.
        problem: why there is no queue.

    Attributes:
        drag_lasts_ms: how long files that were dragged out are kept for whoever took them.
    """

    def __init__(
        self,
        *,
        queue: TranscriptionQueue | None,
        reader: LibraryReader,
        pool: ThreadPoolExecutor,
        paths: Paths,
        settings: Settings,
        emit: Callable[[Event], None],
        on_settings: Callable[[Settings], None],
        problem: AppError | None = None,
    ) -> None:
        self._queue = queue
        self._reader = reader
        self._pool = pool
        self._paths = paths
        self._settings = settings
        self._emit = emit
        self._on_settings = on_settings
        self._problem = problem
        self.drag_lasts_ms = _DRAG_LASTS_MS
        self._drags: dict[Path, QTimer] = {}  # what was written, until it goes

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def jobs(self) -> Sequence[Job]:
        return self._queue.jobs if self._queue else ()

    def change_settings(self, **changes: object) -> None:
        """Use and save changed settings at once."""
        self._settings = self._settings.changed(**changes)
        self._on_settings(self._settings)
        self._in_pool(save_settings, self._settings, self._paths.settings)

    def add_files(self, paths: Sequence[Path], model_id: str, language: str) -> None:
        if queue := self._writing():
            queue.add_files(paths, model_id, language)

    def pause_job(self, job_id: str) -> None:
        if queue := self._writing():
            queue.pause(job_id)

    def resume_job(self, job_id: str) -> None:
        if queue := self._writing():
            queue.resume(job_id)

    def cancel_job(self, job_id: str) -> None:
        if queue := self._writing():
            queue.cancel(job_id)

    def retry(self, recording_id: str) -> None:
        if queue := self._writing():
            self._in_pool(queue.retry, recording_id)

    def retake(
        self, recording_id: str, model_id: str, language: str, part: Part | None = None
    ) -> None:
        if queue := self._writing():
            self._in_pool(queue.retake, recording_id, model_id, language, part)

    def remove(self, recording_ids: Sequence[str]) -> None:
        if queue := self._writing():
            queue.remove(recording_ids)

    def export(
        self,
        recording_ids: Sequence[str],
        format_id: str,
        target: Path,
        options: ExportOptions = ExportOptions(),  # noqa: B008  # frozen
        template: str = "",
    ) -> None:
        self._in_pool(self._export, tuple(recording_ids), format_id, target, options, template)

    def write_for_drag(self, recording_ids: Sequence[str]) -> "Future[Sequence[Path]]":
        folder = self._paths.drags / new_id()
        # The drop may be told of before the files are asked for, and they are read after that.
        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._forget_drag(folder))
        timer.start(self.drag_lasts_ms)
        self._drags[folder] = timer
        return self._pool.submit(self._write_for_drag, tuple(recording_ids), folder)

    def forget_drags(self) -> None:
        """Remove what was ever written for a drag; at start and at the end."""
        for timer in self._drags.values():
            timer.stop()
        self._drags.clear()
        _remove_folder(self._paths.drags)

    def preview(self, recording_id: str, format_id: str, options: ExportOptions) -> str:
        """Return how an export would begin; of a format that is no text, its words."""
        recording = self._reader.recording(recording_id)
        if recording is None:
            return ""
        segments = self._reader.segments(recording_id, 0, _PREVIEWED)
        document = document_of(recording, Transcript(segments, recording.language))
        shown = FORMATS[format_id] if not FORMATS[format_id].is_binary else FORMATS["txt"]
        out = io.StringIO()
        shown.write(document, out, options)
        return "\n".join(out.getvalue().split("\n")[:_PREVIEWED])

    def sample(self) -> Path:
        return sample_recording()

    def _export(
        self,
        recording_ids: tuple[str, ...],
        format_id: str,
        target: Path,
        options: ExportOptions,
        template: str,
    ) -> None:
        written = self._written(recording_ids, format_id, target, options, template)
        self._emit(Exported(tuple(written)))

    def _written(
        self,
        recording_ids: Sequence[str],
        format_id: str,
        target: Path,
        options: ExportOptions,
        template: str,
    ) -> list[Path]:
        written: list[Path] = []
        for number, recording_id in enumerate(recording_ids, 1):
            recording = self._reader.recording(recording_id)
            if recording is None:
                continue
            document = document_of(recording, self._reader.transcript(recording_id))
            is_single = len(recording_ids) == 1 and not target.is_dir()
            name = name_from(template, document, number) if template else document.title
            file = target if is_single else target_for(target, name, format_id)
            written.append(
                write_export(document, format_id, file, overwrite=is_single, options=options)
            )
        return written

    def _forget_drag(self, folder: Path) -> None:
        self._drags.pop(folder).deleteLater()
        self._in_pool(_remove_folder, folder)

    def _write_for_drag(self, recording_ids: Sequence[str], folder: Path) -> Sequence[Path]:
        settings = self._settings
        known = settings.export_format in FORMATS
        format_id = settings.export_format if known else "txt"
        make_private_folder(self._paths.drags)
        make_private_folder(folder)
        try:
            return self._written(
                recording_ids, format_id, folder, ExportOptions(), settings.export_names
            )
        except AppError as error:
            self._emit(Failed(error))
            raise

    def _writing(self) -> TranscriptionQueue | None:
        """Return the queue; without one, say again why not."""
        if self._queue is None and self._problem is not None:
            self._emit(Failed(self._problem))
        return self._queue

    def _in_pool(self, work: Callable[..., object], *arguments: object) -> None:
        """Run `work` on the io pool; an error of its comes up as an event."""

        def run() -> None:
            try:
                work(*arguments)
            except AppError as error:
                self._emit(Failed(error))
            except Exception as error:  # noqa: BLE001  # the net of io tasks: a bug is shown, not lost
                _log.exception("io task failed")
                self._emit(Failed(_unexpected(error)))

        self._pool.submit(run)


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _unexpected(error: Exception) -> ExportFailed:
    return ExportFailed(
        mark("Something unexpected went wrong ({kind}). Nothing in the library was changed."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )
