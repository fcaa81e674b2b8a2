"""The right side of the window: one recording, its transcript and where its work stands.

Renders the last snapshot of recording, job and transcript; keeps only which recording is open.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.core.errors import AudioError, mark
from app.core.job import Job, JobStatus
from app.core.model import imported_from
from app.core.recording import Recording, RecordingStatus
from app.core.transcript import Segment, Transcript
from app.ui import theme
from app.ui.editor.editor import TranscriptEditor
from app.ui.editor.player import SoundPlayer
from app.ui.editor.retake_strip import RetakeStrip
from app.ui.ports import CheckSound, FindMatches, LoadWaves, Organiser, Player
from app.ui.transcript.header import TranscriptHeader
from app.ui.transcript.text import TranscriptText
from app.ui.widgets.banner import Banner, BannerStack
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.labels import QuietLabel
from app.ui.widgets.progress import ThinProgress
from app.ui.wording import full_date, job_progress, job_state, language_label, length


class TranscriptPane(QStackedWidget):
    """Shows no recording, several, or one in whatever state it is."""

    export_requested = Signal()
    retry_requested = Signal(str)  # recording id
    again_requested = Signal()
    remove_requested = Signal()
    reveal_requested = Signal(str)  # recording id
    pause_requested = Signal(str)  # job id
    resume_requested = Signal(str)  # job id
    cancel_requested = Signal(str)  # job id

    def __init__(
        self,
        find_matches: FindMatches,
        model_title: Callable[[str | None], str],
        parent: QWidget | None = None,
        *,
        organiser: Organiser | None = None,
        player: Player | None = None,
        load_waves: LoadWaves | None = None,
        check_sound: CheckSound | None = None,
    ) -> None:
        super().__init__(parent)
        self.model_title = model_title
        self._recording: Recording | None = None
        self._job: Job | None = None
        self._language: str | None = None
        self._is_writable = True
        self._sources_read: set[str] = set()  # recordings whose note on their source was closed
        self.nothing = EmptyState(self)
        self.addWidget(self.nothing)
        self.page = QWidget(self)
        self.page.setAutoFillBackground(True)
        self.addWidget(self.page)
        self.text = TranscriptText(find_matches, self)
        self.editor = TranscriptEditor(
            self.text,
            organiser,
            player or SoundPlayer(check_sound or _refuse, self),
            load_waves,
            self.page,
        )
        self.state = EmptyState(self)
        self.banners = BannerStack(self)
        self.retake_strip = RetakeStrip(self)
        self._body = QStackedWidget(self)
        self._body.addWidget(self.text)
        self._body.addWidget(self.state)
        column = QVBoxLayout(self.page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_header())
        column.addWidget(self._make_work_strip())
        column.addWidget(self.editor.strip)
        column.addWidget(self.editor.find_bar)
        column.addWidget(self.banners)
        column.addWidget(self.retake_strip)
        column.addWidget(self._body, 1)
        column.addWidget(self.editor.bar)
        self.setMinimumWidth(340)
        self.show_nothing()
        self.refresh_colors()

    # What is shown

    @property
    def recording(self) -> Recording | None:
        """The open recording."""
        return self._recording

    def show_nothing(self) -> None:
        """No recording is open."""
        self._recording = self._job = None
        self.nothing.show_state(
            tr("No recording selected"), [tr("Choose one from the list to read it.")], icon="file"
        )
        self.editor.close()
        self.setCurrentWidget(self.nothing)

    def show_many(self, count: int, *, can_write: bool) -> None:
        """Several recordings are selected."""
        self._recording = self._job = None
        self.editor.close()
        actions = [(tr("Export…"), self.export_requested.emit)]
        if can_write:
            actions.append((tr("Move to Bin"), self.remove_requested.emit))
        title = tr_plural("{count} recording selected", "{count} recordings selected", count)
        self.nothing.show_state(title, icon="file", actions=actions)
        self.setCurrentWidget(self.nothing)

    def show_recording(
        self, recording: Recording, transcript: Transcript | None, job: Job | None
    ) -> None:
        """Open a recording, or show the open one as it now stands.

        Without a `transcript` the text stays as it is.
        """
        is_new = self._recording is None or (self._recording.recording_id != recording.recording_id)
        self._recording, self._job = recording, job
        if is_new:
            self._language = None
            self.editor.open(recording, transcript.segments if transcript else ())
        elif transcript is not None and not self.editor.is_source_of(recording.recording_id):
            self.editor.open(recording, transcript.segments)
        if transcript is not None:
            self._language = transcript.language
        self._render()
        self.setCurrentWidget(self.page)

    def show_job(self, job: Job | None) -> None:
        """The open recording's job changed."""
        self._job = job
        self._render()

    def append(self, segments: Sequence[Segment], language: str | None) -> bool:
        """Show segments that became final; `False` when they are not from the text shown."""
        shown = self.text.segments
        last_s = shown[-1].start_s if shown else -1.0
        new = [part for part in segments if part.start_s > last_s]
        is_same_text = all(part in shown for part in segments if part.start_s <= last_s)
        self.editor.append(new)
        self._language = language or self._language
        self._render()
        return is_same_text

    def set_query(self, query: str) -> None:
        """Mark what matches a search."""
        self.text.set_query(query)

    def go_to(self, time_s: float) -> None:
        self.text.go_to(time_s)

    def set_writable(self, is_writable: bool) -> None:
        """Whether the library can be changed."""
        self._is_writable = is_writable
        self.again_action.setEnabled(is_writable)
        self.remove_action.setEnabled(is_writable)
        self.header.set_writable(is_writable)

    def refresh_colors(self) -> None:
        self.header.refresh_colors()
        self._progress_text.refresh_colors()
        self.editor.refresh_colors()
        self.retake_strip.refresh_colors()
        for part in (self.nothing, self.state, self.banners, self.text):
            part.refresh_colors()
        palette = self.page.palette()
        palette.setColor(self.page.backgroundRole(), theme.color("base"))
        self.page.setPalette(palette)

    # Building

    def _make_header(self) -> TranscriptHeader:
        export = tr("Export this transcript")
        self.export_button = self._tool("export", export, self.export_requested.emit)
        self.more_button = QToolButton(self)
        self.more_button.setAccessibleName(tr("More actions"))
        self.more_button.setToolTip(tr("More actions"))
        self.more_button.setAutoRaise(True)
        self.more_button.setFixedSize(theme.TARGET, theme.TARGET)
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        theme.set_icon(self.more_button, "more")
        self.more_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.more_button.setMenu(self._make_menu())
        self.header = TranscriptHeader((self.export_button, self.more_button), self)
        self.title_label, self.facts_label = self.header.title_label, self.header.facts_label
        return self.header

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        self.again_action = menu.addAction(tr("Transcribe Again…"))
        self.again_action.triggered.connect(lambda: self.again_requested.emit())
        self.reveal_action = menu.addAction(tr("Show Original File"))
        self.reveal_action.triggered.connect(lambda: self._tell_id(self.reveal_requested.emit))
        menu.addSeparator()
        self.remove_action = menu.addAction(tr("Move to Bin"))
        self.remove_action.triggered.connect(lambda: self.remove_requested.emit())
        return menu

    def _make_work_strip(self) -> QWidget:
        self.work_strip = QWidget(self)
        self._progress_text = QuietLabel("", self)
        self.progress = ThinProgress(tr("Progress of the transcription"), self)
        self.pause_button = self._tool("pause", tr("Pause"), self._on_pause)
        self.cancel_button = self._tool("cancel", tr("Cancel"), self._on_cancel)
        row = QHBoxLayout(self.work_strip)
        row.setContentsMargins(16, 0, 12, 6)
        row.setSpacing(theme.SPACE)
        row.addWidget(self.progress, 1)
        row.addWidget(self._progress_text)
        row.addWidget(self.pause_button)
        row.addWidget(self.cancel_button)
        return self.work_strip

    def _tool(self, icon: str, name: str, call: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET, theme.TARGET)
        button.setAccessibleName(name)
        button.setToolTip(name)
        theme.set_icon(button, icon)
        button.clicked.connect(lambda: call())
        return button

    # Rendering

    def _render(self) -> None:
        recording, job = self._recording, self._job
        if recording is None:
            return
        is_open = job is not None and not job.status.is_over
        facts = (
            full_date(recording.created_at),
            length(recording.duration_s),
            language_label(recording.language or self._language),
            self.model_title(recording.model_id),
            recording.app_name or "",
        )
        self.header.show_recording(recording, facts)
        has_text = bool(self.text.segments)
        in_bin = recording.deleted_at is not None
        self.editor.set_allowed(self._is_writable and not is_open and not in_bin)
        self.editor.strip.setVisible(has_text)
        self.export_button.setEnabled(has_text)
        self.again_action.setEnabled(self._is_writable and not is_open)
        self.reveal_action.setEnabled(recording.audio_path is not None)
        self._render_work(job if is_open else None)
        self._render_notice(recording, job if is_open else None, has_text)
        self._render_source(recording, has_text)
        self._body.setCurrentWidget(self.text if has_text else self.state)
        if not has_text:
            self._render_state(recording, job if is_open else None)

    def _render_work(self, job: Job | None) -> None:
        self.work_strip.setVisible(job is not None)
        if job is None:
            return
        fraction = job.fraction
        is_known = fraction is not None or job.status is not JobStatus.RUNNING
        self.progress.setRange(0, 1000 if is_known else 0)
        self.progress.setValue(round((fraction or 0.0) * 1000))
        self._progress_text.setText(job_progress(job))
        is_paused = job.status is JobStatus.PAUSED
        name = tr("Resume") if is_paused else tr("Pause")
        if self.pause_button.accessibleName() != name or not self.pause_button.toolTip():
            theme.set_icon(self.pause_button, "resume" if is_paused else "pause")
            self.pause_button.setAccessibleName(name)
            self.pause_button.setToolTip(name)

    def _render_notice(self, recording: Recording, job: Job | None, has_text: bool) -> None:
        status = recording.status
        is_broken = status in (RecordingStatus.FAILED, RecordingStatus.CANCELLED)
        if job is not None or not has_text or not is_broken:
            self.banners.close_banner("notice")
            return
        is_failed = status is RecordingStatus.FAILED
        message = (
            tr(recording.error or "The transcription failed.")
            if is_failed
            else tr("The transcription was cancelled. What was finished is kept.")
        )
        old = self.banners.banner("notice")
        if old is not None and old.message == message:
            return
        actions = [(tr("Retry") if is_failed else tr("Continue"), self._retry)]
        banner = Banner(
            message,
            tone="error" if is_failed else "info",
            lines=[tr(recording.hint)] if is_failed and recording.hint else [],
            actions=actions if self._is_writable else [],
            can_close=False,
        )
        self.banners.show_banner("notice", banner)

    def _render_source(self, recording: Recording, has_text: bool) -> None:
        """Say of a text that was made elsewhere where it came from."""
        file = imported_from(recording.model_id)
        if file is None or not has_text or recording.recording_id in self._sources_read:
            self.banners.close_banner("source")
            return
        message = tr("This text was taken from “{file}”; Undertone did not write it.", file=file)
        old = self.banners.banner("source")
        if old is not None and old.message == message:
            return
        again = [(tr("Transcribe Again…"), self.again_requested.emit)]
        banner = Banner(message, actions=again if self._is_writable else [])
        banner.closed.connect(lambda: self._sources_read.add(recording.recording_id))
        self.banners.show_banner("source", banner)

    def _render_state(self, recording: Recording, job: Job | None) -> None:
        retry = [(tr("Retry"), self._retry)] if self._is_writable else []
        status = recording.status
        if job is not None:
            is_running = job.status is JobStatus.RUNNING
            line = tr("The text appears here as it is recognized.")
            if job.status is JobStatus.QUEUED:
                line = tr("It begins when the recordings before it are done.")
            elif job.status is JobStatus.PAUSED:
                line = tr("Resume it here or in the queue.")
            self.state.show_state(job_state(job), [line], is_busy=is_running)
        elif status is RecordingStatus.FAILED:
            lines = [tr(recording.hint)] if recording.hint else []
            title = tr(recording.error or "The transcription failed.")
            self.state.show_state(title, lines, icon="warning", tint="error", actions=retry)
        elif status is RecordingStatus.EMPTY:
            self.state.show_state(
                tr("No speech found"),
                [tr("Undertone listened to the whole recording and found nobody speaking.")],
                icon="info",
            )
        elif status is RecordingStatus.CANCELLED:
            line = tr("Nothing had been transcribed yet.")
            self.state.show_state(tr("Cancelled"), [line], icon="info", actions=retry)
        elif status is RecordingStatus.DONE:
            self.state.show_state(tr("This transcript is empty"), icon="info")
        else:
            line = tr("It begins by itself.")
            self.state.show_state(tr("Waiting"), [line], is_busy=True)

    # What the person does

    def _retry(self) -> None:
        self._tell_id(self.retry_requested.emit)

    def _tell_id(self, call: Callable[[str], object]) -> None:
        if self._recording is not None:
            call(self._recording.recording_id)

    def _on_pause(self) -> None:
        if self._job is not None:
            is_paused = self._job.status is JobStatus.PAUSED
            signal = self.resume_requested if is_paused else self.pause_requested
            signal.emit(self._job.job_id)

    def _on_cancel(self) -> None:
        if self._job is not None:
            self.cancel_requested.emit(self._job.job_id)


def _refuse(_file: Path) -> "Future[object]":
    """Let nothing be played where nobody can look at it first."""
    refused: Future[object] = Future()
    refused.set_exception(
        AudioError(mark("Nothing can be played here."), mark("Start Undertone again."))
    )
    return refused
