"""Speech the model left without text, even at the second try: said when the work is over."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject

from app.core.dictation import Outcome, Stage, StageChanged
from app.core.events import SegmentsFinal
from app.core.job import Job, JobStatus
from app.core.packing import Region
from app.ui.browser import Browser
from app.ui.job_board import JobBoard
from app.ui.ports import Events, LibraryReader
from app.ui.wording import title_of

Tell = Callable[[str, Sequence[Region], Callable[[], object]], None]


class SpeechWithoutText(QObject):
    """Gathers such stretches of each job and take.

    Args:
        tell: is given the title, the stretches, and what shows the recording.
    """

    def __init__(
        self,
        events: Events,
        board: JobBoard,
        library: LibraryReader,
        browser: Browser,
        tell: Tell,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._browser = browser
        self._tell = tell
        self._found: dict[str, list[Region]] = {}  # by job or take
        events.segments_final.connect(self._on_segments)
        events.stage_changed.connect(self._on_stage)
        board.ended.connect(self._on_job)

    def _on_segments(self, event: SegmentsFinal) -> None:
        if event.missing:
            self._found.setdefault(event.job_id, []).extend(event.missing)

    def _on_job(self, job: Job) -> None:
        self._on_end(job.job_id, job.recording_id, is_whole=job.status is JobStatus.DONE)

    def _on_stage(self, now: StageChanged) -> None:
        if now.stage is Stage.IDLE and now.outcome is not None:
            is_whole = now.outcome not in (Outcome.CANCELLED, Outcome.UNTRANSCRIBED)
            self._on_end(now.take_id, now.recording_id, is_whole=is_whole)

    def _on_end(self, name: str, recording_id: str, *, is_whole: bool) -> None:
        found = self._found.pop(name, [])
        recording = self._library.recording(recording_id) if found and is_whole else None
        if recording is not None:
            self._tell(
                title_of(recording), found, partial(self._browser.show_recording, recording_id)
            )
