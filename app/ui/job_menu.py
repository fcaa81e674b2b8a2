"""The menu's words for jobs: of the queue's selection, or of the open recording."""

from functools import partial

from app.core.job import Job
from app.core.recording import Recording, RecordingStatus
from app.ui.actions import WindowActions, connect
from app.ui.browser import Browser
from app.ui.job_board import JobBoard
from app.ui.layout import WindowLayout
from app.ui.ports import Commands
from app.ui.queue.delegate import Act, acts_of

_RETRIED = (RecordingStatus.FAILED, RecordingStatus.CANCELLED)


class JobMenu:
    """Retry, pause, resume and cancel from the menu."""

    def __init__(
        self,
        menus: WindowActions,
        parts: WindowLayout,
        board: JobBoard,
        browser: Browser,
        commands: Commands,
    ) -> None:
        self._menus = menus
        self._parts = parts
        self._board = board
        self._browser = browser
        self._commands = commands
        self._actions = (
            (menus.retry, Act.RETRY),
            (menus.pause, Act.PAUSE),
            (menus.resume, Act.RESUME),
            (menus.cancel, Act.CANCEL),
        )
        for action, act in self._actions:
            connect(action, partial(self._act, act))

    def render(self, opened: Recording | None, *, is_writable: bool) -> None:
        """Turn on what can be done; `opened`: the recording that is being read."""
        jobs = self._chosen()
        can = {act: any(act in acts_of(job) for job in jobs) for act in Act}
        can[Act.RETRY] |= opened is not None and opened.status in _RETRIED
        for action, act in self._actions:
            action.setEnabled(is_writable and can[act])
        is_busy = any(not job.status.is_over for job in jobs)
        self._menus.again.setEnabled(opened is not None and is_writable and not is_busy)

    def _chosen(self) -> list[Job]:
        if self._is_in_queue:
            return self._parts.queue.list.selected_jobs()
        job = self._board.job_of(self._browser.opened_id or "")
        return [job] if job is not None else []

    @property
    def _is_in_queue(self) -> bool:
        return self._parts.pages.currentWidget() is self._parts.queue

    def _act(self, act: Act) -> None:
        if self._is_in_queue:
            self._parts.queue.list.request(act)
        elif act is Act.RETRY:
            if self._browser.opened_id is not None:
                self._commands.retry(self._browser.opened_id)
        else:
            call = {
                Act.PAUSE: self._commands.pause_job,
                Act.RESUME: self._commands.resume_job,
                Act.CANCEL: self._commands.cancel_job,
            }[act]
            for job in self._chosen():
                call(job.job_id)
