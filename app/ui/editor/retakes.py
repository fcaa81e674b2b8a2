"""The open recording transcribed once more: asked for, watched, chosen from.

Keeps nothing but which result was told of: what there is stands in the library and the job board.
The text is changed only by a choice, and that is one step of the editor's one undo stack.
"""

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.config.translate import tr
from app.core import edit
from app.core.compare import fitted, part_of
from app.core.errors import AppError
from app.core.job import Job, JobStatus
from app.core.language import AUTO
from app.core.recording import Recording, RecordingStatus
from app.core.transcript import Segment
from app.library.revise import Revision, RevisionKind
from app.pipeline.retake import Part, part_around, part_of_job, whole_text
from app.ui.editor.choice import ChoiceDialog
from app.ui.editor.retake_sheet import Chosen, RetakeSheet
from app.ui.job_board import JobBoard
from app.ui.ports import ModelChoice, Ports
from app.ui.transcript.pane import TranscriptPane
from app.ui.widgets.announce import Announcer
from app.ui.wording import job_progress, language_label, title_of


@dataclass(frozen=True, slots=True)
class _Takeover:
    """A whole text that was taken over: the change, and what each text is from."""

    splice: edit.Splice
    before: Recording
    after: Recording


class Retakes(QObject):
    """Joins the sheet, the strip above the text and the choice. Thread: main."""

    _settled = Signal(object)  # a finished future

    def __init__(
        self, pane: TranscriptPane, ports: Ports, board: JobBoard, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._window = parent
        self._pane = pane
        self._strip = pane.retake_strip
        self._ports = ports
        self._library = ports.library
        self._board = board
        self._announcer = Announcer(parent)
        self._told = ""  # the result that was announced
        self._decided = ""  # the result that was decided on, until the library knows it
        self._takeovers: list[_Takeover] = []  # what undo and redo of the open text meet
        self.sheet: RetakeSheet | None = None
        self.choice: ChoiceDialog | None = None
        pane.editor.retake_requested.connect(lambda: self.ask(takes_part=True))
        pane.editor.session.spliced.connect(self._on_spliced)
        board.changed.connect(lambda _ids: self.refresh())
        self._settled.connect(self._on_settled)

    # Asking

    def ask(self, *, takes_part: bool | None = None) -> None:
        """Open the sheet; `takes_part` proposes the selection, `None` where there is one."""
        recording = self._pane.recording
        if recording is None or self._ports.organiser is None:
            return
        settings = self._ports.commands.settings
        models = self._models()
        text = self._pane.editor.text
        if takes_part is None:
            takes_part = text.textCursor().hasSelection()
        sheet = RetakeSheet(
            title_of(recording),
            models,
            model_id=_other_model(recording.model_id, settings.model_id, models),
            language=settings.language,
            chosen=self._chosen(),
            takes_part=takes_part,
            problem=self._problem(recording, models),
            parent=self._window,
        )
        sheet.accepted.connect(lambda: self._start(recording.recording_id, sheet))
        sheet.finished.connect(sheet.deleteLater)
        self.sheet = sheet
        sheet.open()

    def _chosen(self) -> Chosen | None:
        editor = self._pane.editor
        segments = tuple(editor.session.segments)
        first, count = editor.chosen_segments()
        part = part_around(segments, first, count)
        return Chosen(part, count) if part is not None else None

    def _problem(self, recording: Recording, models: tuple[ModelChoice, ...]) -> str:
        if not models:
            return tr("No model is installed. Get one in Settings, Models.")
        if recording.audio_path is None or not recording.audio_path.is_file():
            return tr(
                "The sound is no longer where it was. Put the file back to transcribe it again."
            )
        return ""

    def _models(self) -> tuple[ModelChoice, ...]:
        listed = self._ports.list_models
        return listed() if listed is not None else self._ports.models

    def _start(self, recording_id: str, sheet: RetakeSheet) -> None:
        self._ports.commands.retake(recording_id, sheet.model_id, sheet.language, sheet.part)

    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        for sheet in self._window.findChildren(RetakeSheet):
            sheet.refresh_colors()
        for choice in self._window.findChildren(ChoiceDialog):
            choice.refresh_colors()

    # Watching

    def refresh(self) -> None:
        """Show where the new transcription of the open recording stands."""
        again = self._latest()
        if again is None:
            self._strip.hide()
            return
        job = self._job_of(again)
        name = self._pane.model_title(again.model_id or (job.model_id if job else None))
        if job is not None and not job.status.is_over:
            self._show_working(job, name)
        elif again.status in (RecordingStatus.FAILED, RecordingStatus.CANCELLED):
            self._show_failed(again)
        elif again.status is RecordingStatus.EMPTY:
            self._strip.show_state(
                tr("{model} heard nobody speak there.", model=name),
                [(tr("Dismiss"), self.keep_mine)],
            )
        elif again.status is RecordingStatus.DONE:
            self._show_ready(again, name)
        else:
            self._strip.show_state(tr("Transcribing again"), [], is_working=True)

    def _show_working(self, job: Job, name: str) -> None:
        known = name if job.model_id != AUTO else ""
        what = tr("New text by {model}", model=known) if known else tr("New text")
        self._strip.show_state(
            f"{what}: {job_progress(job, self._board.left_s(job))}".replace(" %", "\u00a0%"),
            [(tr("Cancel"), self.cancel)],
            fraction=job.fraction if job.status is JobStatus.RUNNING else 0.0,
            is_working=True,
        )

    def _show_failed(self, again: Recording) -> None:
        is_failed = again.status is RecordingStatus.FAILED
        said = tr(again.error or "The transcription failed.") if is_failed else tr("Cancelled")
        self._strip.show_state(
            tr("Not transcribed again: {reason}", reason=said),
            [(tr("Retry"), self.retry), (tr("Dismiss"), self.keep_mine)],
            hint=tr(again.hint) if again.hint and is_failed else "",
            tone="error" if is_failed else "info",
        )
        self._tell(again, said)

    def _show_ready(self, again: Recording, name: str) -> None:
        text = tr("The new text by {model} is ready.", model=name)
        can_choose = self._pane.editor.keys.is_allowed
        actions = [(tr("Choose…"), self.choose), (tr("Keep Mine"), self.keep_mine)]
        self._strip.show_state(text, actions if can_choose else [])
        self._tell(again, text)

    def _tell(self, again: Recording, text: str) -> None:
        if self._told != again.recording_id:
            self._told = again.recording_id
            self._announcer.say(text)

    def _latest(self) -> Recording | None:
        recording = self._pane.recording
        if recording is None:
            return None
        found = self._library.reruns_of(recording.recording_id)
        return next((each for each in reversed(found) if each.recording_id != self._decided), None)

    def _job_of(self, again: Recording) -> Job | None:
        return self._board.job_of(again.recording_id) or self._library.job_of(again.recording_id)

    # Acting

    def cancel(self) -> None:
        """Stop it; nothing of it stays."""
        again = self._latest()
        job = self._job_of(again) if again is not None else None
        if job is not None:
            self._ports.commands.cancel_job(job.job_id)

    def retry(self) -> None:
        """Let what failed go on."""
        again = self._latest()
        if again is not None:
            self._told = ""
            self._ports.commands.retry(again.recording_id)

    def keep_mine(self) -> None:
        """Leave the text as it is; the new one stays as a version."""
        again = self._latest()
        if again is not None:
            self._settle(again)

    def choose(self) -> None:
        """Open both texts side by side."""
        recording, again = self._pane.recording, self._latest()
        if recording is None or again is None:
            return
        part = self._part_of(again)
        mine = tuple(self._pane.editor.session.segments)
        first, last = self._place(mine, part)
        facts = (self._pane.model_title(again.model_id), language_label(again.language))
        dialog = ChoiceDialog(
            mine[first:last],
            self._library.transcript(again.recording_id).segments,
            " · ".join(fact for fact in facts if fact),
            self._window,
        )
        dialog.heard.connect(self._pane.editor.bar.play_around)
        dialog.kept.connect(self.keep_mine)
        dialog.chosen.connect(lambda segments: self._use(again, segments, dialog.is_all))
        dialog.finished.connect(dialog.deleteLater)
        self.choice = dialog
        dialog.open()

    def _use(self, again: Recording, new: tuple[Segment, ...], is_all: bool) -> None:
        """Put what was chosen in place, as one step; the text that goes is kept as a version."""
        recording, organiser = self._pane.recording, self._ports.organiser
        if recording is None or organiser is None or recording.recording_id != again.rerun_of:
            return
        session = self._pane.editor.session
        mine = tuple(session.segments)
        part = self._part_of(again)
        first, last = self._place(mine, part)
        if recording.edited_at is not None or session.has_edits:
            organiser.add_revision(recording.recording_id, RevisionKind.EDITED, mine)
        change = edit.between(mine, fitted(mine, first, last, new), "retake")
        if (is_all and part is None) or not mine:
            done = replace(again, status=RecordingStatus.DONE, error=None, hint=None)
            if change is None:
                self._tell_origin(recording.recording_id, done)
            else:
                takeover = _Takeover(change.splice, recording, done)
                self._takeovers = [*self._takeovers_of(recording.recording_id), takeover]
        self._pane.editor.do(change)
        self._settle(again, mine)

    def _takeovers_of(self, recording_id: str) -> "list[_Takeover]":
        return [each for each in self._takeovers if each.before.recording_id == recording_id]

    def _on_spliced(self, splice: edit.Splice) -> None:
        """Let the header say where the text is from when a whole one comes, or goes by undo."""
        recording_id = self._pane.editor.session.recording_id
        for each in self._takeovers_of(recording_id):
            if splice == each.splice:
                self._tell_origin(recording_id, each.after)
            elif splice == each.splice.inverse:
                self._tell_origin(recording_id, each.before)

    def _tell_origin(self, recording_id: str, origin: Recording) -> None:
        if self._ports.organiser is not None:
            self._ports.organiser.update_recording(
                recording_id,
                status=origin.status,
                model_id=origin.model_id,
                language=origin.language,
                error=origin.error,
                hint=origin.hint,
            )

    def _settle(self, again: Recording, mine: tuple[Segment, ...] | None = None) -> None:
        """Keep the new text, whole, among the versions, and ask no more."""
        if self._ports.organiser is None:
            return
        new = self._library.transcript(again.recording_id).segments
        before = tuple(self._pane.editor.session.segments) if mine is None else mine
        is_whole = again.status is RecordingStatus.DONE and bool(new)
        kept = whole_text(before, new, self._part_of(again)) if is_whole else ()
        self._decided = again.recording_id
        done = self._ports.organiser.settle_rerun(again.recording_id, kept)
        done.add_done_callback(self._tell_settled)
        self.refresh()

    def _tell_settled(self, done: "Future[Revision | None]") -> None:
        """Bring the answer to the main thread. Thread: writer."""
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._settled.emit(done)

    def _on_settled(self, done: "Future[Revision | None]") -> None:
        error = done.exception()
        if error is not None:
            self._decided = ""
            self.refresh()
        if isinstance(error, AppError):
            self._pane.editor.failed.emit(error)
        elif error is not None:
            raise error

    def _part_of(self, again: Recording) -> Part | None:
        job = self._library.job_of(again.recording_id)
        return part_of_job(job) if job is not None else None

    def _place(self, mine: tuple[Segment, ...], part: Part | None) -> tuple[int, int]:
        return part_of(mine, part.from_s, part.until_s) if part is not None else (0, len(mine))


def _other_model(used: str | None, preferred: str, models: Sequence[ModelChoice]) -> str:
    """Return the model to propose: the preferred one, but not the one that wrote the text."""
    others = [each.model_id for each in models if each.model_id != used]
    if preferred in others or not others:
        return preferred
    return others[0]
