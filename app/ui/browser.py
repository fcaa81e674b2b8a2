"""Which place is shown, what is searched for, and which recording is open.

Follows the sidebar, the search field, the list's selection and the library's events; everything it
shows is read anew, so a missed event costs nothing.
"""

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.core.events import FilesChecked
from app.core.job import Job, JobStatus
from app.core.recording import Recording
from app.core.transcript import Segment, Transcript
from app.library.listing import Overview
from app.library.search import ListQuery
from app.ui.job_board import JobBoard
from app.ui.layout import WindowLayout
from app.ui.library.sidebar import Place
from app.ui.ports import Ports

_SEARCH_AGAIN_MS = 1000  # while the library changes, a search is repeated this often


_Opened = tuple[Recording | None, Transcript | None, tuple[str, ...]]


class Browser(QObject):
    """Moves through the library on behalf of the window."""

    changed = Signal()  # the page, a count or what can be done may have changed

    def __init__(self, parts: WindowLayout, ports: Ports, board: JobBoard, parent: QObject) -> None:
        super().__init__(parent)
        self._parts = parts
        self._library = ports.library
        self._desk = ports.desk
        self._commands = ports.commands
        self._board = board
        self._wanted: str | None = None  # the recording to open as soon as its row is there
        self._followed: str | None = None  # the job whose segments are appended to the open text
        self._opening: str | None = None  # the recording whose text is being read
        self._tags: tuple[str, ...] = ()  # all there are
        self.can_read = True
        self.can_write = True
        self._search_later = QTimer(self)
        self._search_later.setSingleShot(True)
        self._search_later.setInterval(_SEARCH_AGAIN_MS)
        self._search_later.timeout.connect(self._search_again)
        parts.sidebar.place_chosen.connect(self._on_place_chosen)
        parts.library.selection_changed.connect(self._on_selection_changed)
        ports.desk.failed.connect(self._on_failed)
        parts.library.model.modelReset.connect(self._open_wanted)
        parts.library.clear_search_requested.connect(self.leave_search)
        parts.library.list.open_requested.connect(parts.transcript.text.setFocus)
        parts.toolbar.search_field.search_changed.connect(self._on_search_changed)
        parts.toolbar.search_field.leave_requested.connect(self._enter_list)

    @property
    def opened_id(self) -> str | None:
        """The open recording."""
        opened = self._parts.transcript.recording
        return opened.recording_id if opened else None

    # What a person does

    def show_all(self) -> None:
        """Show everything there is."""
        self._parts.library.show_query(ListQuery())

    def go(self, place: Place) -> None:
        """Choose a place and put the keyboard there."""
        self._parts.sidebar.choose(place)
        target = self._parts.queue.list if place is Place.QUEUE else self._parts.library.list
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        field = self._parts.toolbar.search_field
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    def show_recording(self, recording_id: str) -> None:
        """Open a recording as soon as its row is there."""
        again = self._library.recording(recording_id)
        self._wanted = again.rerun_of if again is not None and again.rerun_of else recording_id
        self._open_wanted()

    def leave_search(self) -> None:
        """Show again what was shown before the search."""
        self._parts.toolbar.search_field.search("")

    def start(self) -> None:
        """Open the newest recording and put the keyboard into the list."""
        library = self._parts.library
        if self.can_read and not library.list.selectionModel().hasSelection():
            library.select_row(0)
            library.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_place_chosen(self, place: Place) -> None:
        if self._parts.toolbar.search_field.text():
            self._parts.toolbar.search_field.forget()  # choosing a place leaves the search
            self._parts.transcript.set_query("")
        if place is not Place.QUEUE:
            self._parts.library.show_query(self._parts.sidebar.spot.query)
        self.changed.emit()

    def _on_search_changed(self, text: str) -> None:
        library, sidebar = self._parts.library, self._parts.sidebar
        if text:
            if sidebar.place is Place.QUEUE:
                sidebar.choose_quietly(Place.ALL)
            in_bin = sidebar.place is Place.BIN  # else a search is over everything
            library.show_query(ListQuery(text, is_binned=in_bin))
        else:
            library.show_query(sidebar.spot.query, select=self.opened_id)
        self._parts.transcript.set_query(text)
        self.changed.emit()

    def _enter_list(self) -> None:
        library = self._parts.library
        if library.model.rowCount():
            library.list.setFocus(Qt.FocusReason.OtherFocusReason)
            if not library.list.selectionModel().hasSelection():
                library.select_row(0)

    def _on_selection_changed(self) -> None:
        library, transcript = self._parts.library, self._parts.transcript
        count = library.selected_count()
        opened = self.opened_id
        if count > 1:
            transcript.show_many(count, can_write=self.can_write)
        elif count == 1:
            recording_id = library.selected_ids()[0]
            start_s = library.selected_start_s()
            if recording_id != (self._opening or opened):
                self.open(recording_id, start_s)
            elif start_s is not None and self._opening is None:
                transcript.go_to(start_s)
        elif opened is None or not self._is_listed(opened):
            transcript.show_nothing()
        self.changed.emit()

    def _is_listed(self, recording_id: str) -> bool:
        """Whether a recording is there, and in the bin only if the bin is shown."""
        recording = self._library.recording(recording_id)
        in_bin = self._parts.sidebar.place is Place.BIN
        return recording is not None and (recording.deleted_at is not None) is in_bin

    # What is open

    def open(self, recording_id: str, at_s: float | None = None) -> None:
        """Show a recording with its text as the library has it, from `at_s` on."""
        library = self._library
        is_here = self._parts.transcript.editor.is_source_of(recording_id)

        def read() -> _Opened:
            recording = library.recording(recording_id)
            text = None if is_here or recording is None else library.transcript(recording_id)
            return recording, text, tuple(library.tags_of(recording_id))

        self._opening = recording_id
        self._desk.ask("open", read, lambda found: self._show_opened(recording_id, found, at_s))

    def _show_opened(self, recording_id: str, found: "_Opened", at_s: float | None) -> None:
        self._opening = None
        recording, text, tags = found
        transcript = self._parts.transcript
        if recording is None:
            transcript.show_nothing()
            self.changed.emit()
            return
        job = self._board.job_of(recording_id)
        is_running = job is not None and job.status is JobStatus.RUNNING
        self._followed = job.job_id if job is not None and is_running else None
        if transcript.editor.is_source_of(recording_id) and not is_running:
            text = None  # what was typed meanwhile is newer
        transcript.show_recording(recording, text, job)
        transcript.header.show_tags(tags, self._tags)
        query = self._parts.toolbar.search_field.query
        if query:
            transcript.set_query(query)
        if at_s is not None:
            transcript.go_to(at_s)
        self.changed.emit()

    def _on_failed(self, _error: object) -> None:
        self._opening = None  # it can be chosen again

    def _refresh_open(self, recording_id: str) -> None:
        """Show the open recording as it now is; its text too, unless segments bring it."""
        job = self._board.job_of(recording_id)
        recording = self._library.recording(recording_id)
        is_followed = job is not None and job.job_id == self._followed
        if recording is None or not is_followed or job is None or job.status.is_over:
            self.open(recording_id)
            return
        self._parts.transcript.show_recording(recording, None, job)
        self._show_tags(recording_id)

    def _show_tags(self, recording_id: str) -> None:
        self._parts.transcript.header.show_tags(self._library.tags_of(recording_id), self._tags)

    def show_overview(self, overview: Overview) -> None:
        """Offer the folders, tags and filters there are."""
        self._tags = tuple(tag.name for tag in overview.tags)
        self._parts.sidebar.show_folders(overview.folders, overview.tags)
        self._parts.library.filters.show_choices(overview)
        if self.opened_id is not None:
            self._show_tags(self.opened_id)

    # Events

    def on_files_checked(self, event: FilesChecked) -> None:
        """Open the first new recording if nothing is being read."""
        added = {job.job_id for job in event.added}
        for job in self._commands.jobs:
            if job.job_id in added and not job.status.is_over:
                self._board.add(job)
        if event.added and self.opened_id is None:
            self._wanted = event.added[0].recording_id
            self._open_wanted()

    def on_library_changed(self, ids: frozenset[str]) -> None:
        if not self.can_read:
            return
        library = self._parts.library
        if library.model.search_text:
            if not self._search_later.isActive():
                self._search_later.start()
        else:
            library.model.refresh(ids)
        self._open_wanted()
        opened = self.opened_id
        if opened is not None and (not ids or opened in ids):
            if self._is_listed(opened):
                self._refresh_open(opened)
            else:
                self._parts.transcript.show_nothing()
        self.changed.emit()

    def on_segments_final(
        self, recording_id: str, segments: list[Segment], language: str | None
    ) -> None:
        if recording_id != self.opened_id:
            return
        is_same_text = self._parts.transcript.append(segments, language)
        if not is_same_text or self._opening == recording_id:  # what is being read may lack them
            self.open(recording_id)

    def on_jobs_changed(self, recordings: frozenset[str]) -> None:
        opened = self.opened_id
        if opened is not None and opened in recordings:
            job = self._board.job_of(opened)
            is_new = job is not None and job.job_id != self._followed
            if job is not None and is_new and job.status is JobStatus.RUNNING:
                self.open(opened)  # from here on its segments are appended
            else:
                self._parts.transcript.show_job(job)
        self._parts.sidebar.set_count(Place.QUEUE, len(self._board.open_jobs))
        self.changed.emit()

    def on_job_ended(self, job: Job) -> None:
        if job.recording_id == self.opened_id:
            self.open(job.recording_id)
            self.changed.emit()

    def _search_again(self) -> None:
        library = self._parts.library
        if library.model.search_text:
            library.model.reload()

    def _open_wanted(self) -> None:
        if self._wanted is None:
            return
        self._parts.library.model.ensure(0, 0)  # new recordings stand at the top
        if self._parts.library.select({self._wanted}):
            self._wanted = None
