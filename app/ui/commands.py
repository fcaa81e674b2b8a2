"""What a person asks for in a window, passed on to the parts that do it; nothing here waits."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from app.config.paths import resources
from app.config.settings import Settings, save_settings
from app.core.errors import AppError, ExportFailed, mark
from app.core.events import Event, Exported, Failed
from app.core.job import Job
from app.export import target_for, write_export
from app.pipeline.export import document_of
from app.pipeline.session import Session

_log = logging.getLogger(__name__)


class SessionCommands:
    """The commands of a window over a session (`app.ui.ports.Commands`). Thread: main."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        emit: Callable[[Event], None],
        on_settings: Callable[[Settings], None],
    ) -> None:
        self._session = session
        self._settings = settings
        self._emit = emit
        self._on_settings = on_settings

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def jobs(self) -> Sequence[Job]:
        return self._session.queue.jobs

    def change_settings(self, **changes: object) -> None:
        """Use and save changed settings at once."""
        self._settings = self._settings.changed(**changes)
        self._on_settings(self._settings)
        self._in_pool(save_settings, self._settings, self._session.paths.settings)

    def add_files(self, paths: Sequence[Path], model_id: str, language: str) -> None:
        self._session.queue.add_files(paths, model_id, language)

    def pause_job(self, job_id: str) -> None:
        self._session.queue.pause(job_id)

    def resume_job(self, job_id: str) -> None:
        self._session.queue.resume(job_id)

    def cancel_job(self, job_id: str) -> None:
        self._session.queue.cancel(job_id)

    def retry(self, recording_id: str) -> None:
        self._in_pool(self._session.queue.retry, recording_id)

    def transcribe_again(self, recording_id: str, model_id: str, language: str) -> None:
        self._in_pool(self._session.queue.transcribe_again, recording_id, model_id, language)

    def remove(self, recording_ids: Sequence[str]) -> None:
        self._session.queue.remove(recording_ids)

    def export(self, recording_ids: Sequence[str], format_id: str, target: Path) -> None:
        self._in_pool(self._export, tuple(recording_ids), format_id, target)

    def sample(self) -> Path:
        return resources() / "sample" / "A short talk.flac"

    def _export(self, recording_ids: tuple[str, ...], format_id: str, target: Path) -> None:
        written: list[Path] = []
        for recording_id in recording_ids:
            recording = self._session.reader.recording(recording_id)
            if recording is None:
                continue
            document = document_of(recording, self._session.reader.transcript(recording_id))
            is_single = len(recording_ids) == 1 and not target.is_dir()
            file = target if is_single else target_for(target, document.title, format_id)
            written.append(write_export(document, format_id, file, overwrite=is_single))
        self._emit(Exported(tuple(written)))

    def _in_pool(self, work: Callable[..., object], *arguments: object) -> None:
        """Run `work` on the io pool; an error of its comes up as an event."""

        def run() -> None:
            try:
                work(*arguments)
            except AppError as error:
                self._emit(Failed(error))
            except Exception as error:  # the net of io tasks: a bug must be seen, not lost
                _log.exception("io task failed")
                self._emit(Failed(_unexpected(error)))

        self._session.pool.submit(run)


def _unexpected(error: Exception) -> ExportFailed:
    return ExportFailed(
        mark("Something unexpected went wrong ({kind}). Nothing in the library was changed."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )
