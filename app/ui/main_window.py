"""The main window: puts the parts together and turns what a person does into commands.

Holds no truth: lists read the library, states come from the last event. Events may come by the
thousand; everything they cause is done at most a dozen times a second.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QLineEdit,
    QMainWindow,
    QTextEdit,
    QWidget,
)

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import AppError, LibraryReadOnly, mark
from app.core.events import Failed, FilesChecked
from app.core.job import Job, JobStatus
from app.core.recording import RecordingStatus
from app.core.transcript import Segment
from app.library.search import ListQuery
from app.ui import theme
from app.ui.about import AboutBox
from app.ui.actions import WindowActions, connect
from app.ui.export_dialog import ExportDialog
from app.ui.feed import Feed
from app.ui.job_board import JobBoard
from app.ui.layout import WindowLayout
from app.ui.library.sidebar import QUERIES, Place
from app.ui.news import News, show_folder
from app.ui.ports import Ports
from app.ui.queue.delegate import Act, acts_of
from app.ui.removal import UNDO_MS, Removals
from app.ui.settings.window import SettingsWindow
from app.ui.widgets.announce import Announcer
from app.ui.wording import job_progress, key_name, title_of


class MainWindow(QMainWindow):
    """Sidebar, list, transcript, queue, and everything around them."""

    def __init__(self, ports: Ports, *, undo_ms: int = UNDO_MS) -> None:
        super().__init__()
        self._ports = ports
        self._wanted: str | None = None  # the recording to open as soon as its row is there
        self._settings_window: SettingsWindow | None = None
        self.setWindowTitle("Undertone")
        self.setUnifiedTitleAndToolBarOnMac(True)
        self.setAcceptDrops(True)
        theme.use_appearance(ports.commands.settings.appearance)
        self.announcer = Announcer(self)
        self.board = JobBoard(ports.commands.jobs, self)
        self.feed = Feed(ports.events, self.board, self)
        self.removals = Removals(ports.commands.remove, self, undo_ms)
        self.menus = WindowActions(self)
        self.parts = WindowLayout(self, ports, self.board)
        self.news = News(self.parts.banners, self.parts.notices, self.announcer, self)
        self._connect_parts()
        self._connect_actions()
        self._connect_events()
        self.resize(1080, 720)
        self._restore_place(ports.commands.settings.window_place)
        self.news.tell_models(ports.models)
        self.set_problem(ports.problem)
        self._on_appearance_changed()
        self._on_jobs_changed(frozenset())

    # Connecting

    def _connect_parts(self) -> None:
        commands = self._ports.commands
        self.parts.sidebar.place_chosen.connect(self._on_place_chosen)
        self.parts.library.selection_changed.connect(self._on_selection_changed)
        self.parts.library.clear_search_requested.connect(
            lambda: self.parts.toolbar.search_field.search("")
        )
        self.parts.library.list.open_requested.connect(self.parts.transcript.text.setFocus)
        self.parts.library.list.remove_requested.connect(self.remove_selected)
        self.parts.library.list.customContextMenuRequested.connect(
            lambda point: self.menus.show_recording_menu(self.parts.library.list.viewport(), point)
        )
        self.parts.toolbar.import_requested.connect(self.choose_files)
        self.parts.toolbar.export_requested.connect(self.export_selected)
        self.parts.toolbar.search_field.search_changed.connect(self._on_search_changed)
        self.parts.toolbar.search_field.leave_requested.connect(self._enter_list)
        self.parts.toolbar.model_chosen.connect(lambda model: self._change(model_id=model))
        self.parts.toolbar.language_chosen.connect(lambda code: self._change(language=code))
        pane, queue = self.parts.transcript, self.parts.queue
        pane.export_requested.connect(self.export_selected)
        pane.remove_requested.connect(self.remove_selected)
        pane.retry_requested.connect(commands.retry)
        pane.again_requested.connect(self._transcribe_again)
        pane.reveal_requested.connect(self._reveal)
        queue.retry_requested.connect(commands.retry)
        queue.import_requested.connect(self.choose_files)
        for part in (pane, queue):
            part.pause_requested.connect(commands.pause_job)
            part.resume_requested.connect(commands.resume_job)
            part.cancel_requested.connect(commands.cancel_job)
        self.removals.hidden.connect(self._on_removed)
        self.removals.restored.connect(self._on_restored)
        self.removals.changed.connect(self._on_removals_changed)

    def _connect_actions(self) -> None:
        actions = self.menus
        for action, call in (
            (actions.import_files, self.choose_files),
            (actions.export, self.export_selected),
            (actions.remove, self.remove_selected),
            (actions.close, self.close),
            (actions.settings, self.show_settings),
            (actions.quit, self._quit),
            (actions.undo, self.removals.undo),
            (actions.copy, self._copy),
            (actions.select_all, self._select_all),
            (actions.find, self.focus_search),
            (actions.show_library, lambda: self._go(Place.ALL, self.parts.library.list)),
            (actions.show_queue, lambda: self._go(Place.QUEUE, self.parts.queue.list)),
            (actions.retry, lambda: self._act(Act.RETRY)),
            (actions.pause, lambda: self._act(Act.PAUSE)),
            (actions.resume, lambda: self._act(Act.RESUME)),
            (actions.cancel, lambda: self._act(Act.CANCEL)),
            (actions.again, lambda: self._with_open(self._transcribe_again)),
            (actions.reveal, lambda: self._with_open(self._reveal)),
            (actions.about, lambda: AboutBox(self._ports.version, self).open()),
        ):
            connect(action, call)
        for appearance, action in actions.appearances.items():
            connect(action, partial(self._change, appearance=appearance))

    def _connect_events(self) -> None:
        events = self._ports.events
        events.files_checked.connect(self._on_files_checked)
        events.exported.connect(self.news.on_exported)
        events.failed.connect(self._on_failed)
        self.feed.library_changed.connect(self._on_library_changed)
        self.feed.segments_final.connect(self._on_segments_final)
        self.board.changed.connect(self._on_jobs_changed)
        self.board.ended.connect(self._on_job_ended)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_appearance_changed)

    # What a person does

    def choose_files(self) -> None:
        """Ask for files and queue them."""
        names, _filter = QFileDialog.getOpenFileNames(self, tr("Import audio or video files"))
        self.add_files([Path(name) for name in names])

    def add_files(self, paths: Sequence[Path]) -> None:
        """Queue files and folders with the chosen model and language."""
        if paths and self.is_writable:
            self._ports.commands.add_files(
                paths, self.parts.toolbar.model_id, self.parts.toolbar.language
            )

    def try_sample(self) -> None:
        """Transcribe the sample recording."""
        self.add_files([self._ports.commands.sample()])

    def export_selected(self) -> None:
        """Ask as what to export the selected recordings, and do it."""
        ids = self.parts.library.selected_ids()
        titles = [title_of(found) for key in ids if (found := self._ports.library.recording(key))]
        if not ids or len(titles) != len(ids):
            return
        dialog = ExportDialog(titles, self._ports.commands.settings.export_folder, parent=self)
        dialog.accepted.connect(lambda: self._export(ids, dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def remove_selected(self) -> None:
        """Remove the selected recordings; can be undone for a while."""
        ids = self.parts.library.selected_ids()
        if not ids or not self.is_writable:
            return
        row = min(index.row() for index in self.parts.library.list.selectionModel().selectedRows())
        recording = self._ports.library.recording(ids[0])
        if len(ids) == 1 and recording is not None:
            title = tr("“{title}” was removed.", title=title_of(recording)[:80])
        else:
            title = tr_plural("{count} recording removed.", "{count} recordings removed.", len(ids))
        self.removals.add(ids, title)
        self.parts.library.select_row(row)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self.parts.toolbar.search_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.parts.toolbar.search_field.selectAll()

    def show_settings(self) -> None:
        """Open the settings."""
        if self._settings_window is None:
            self._settings_window = SettingsWindow(self._ports, self._change, self)
        self._settings_window.show()
        self._settings_window.raise_()
        self._settings_window.activateWindow()

    def set_problem(self, problem: AppError | None) -> None:
        """Say why the library cannot be used, or only be read; `None` when all is well."""
        self._problem = problem
        is_readable = problem is None or isinstance(problem, LibraryReadOnly)
        self.parts.toolbar.set_writable(problem is None)
        self.parts.transcript.set_writable(problem is None)
        self.parts.sidebar.setEnabled(is_readable)
        self.parts.toolbar.search_field.setEnabled(is_readable)
        if problem is None:
            self.parts.banners.close_banner("library")
        elif is_readable:
            self.news.tell_error(problem, "library", can_close=False)
        else:
            lines = [tr_phrase(problem.hint)] if problem.hint.source else []
            message = tr_phrase(problem.message)
            self.parts.trouble.show_state(message, lines, icon="warning", tint="error")
        if is_readable:
            self.parts.library.show_query(QUERIES[Place.ALL])
        self._render()

    @property
    def is_writable(self) -> bool:
        return self._problem is None

    # Events

    def _on_files_checked(self, event: FilesChecked) -> None:
        self.news.on_files_checked(event)
        for job in event.added:
            if self.board.job(job.job_id) is None:
                self.board.add(job)
        if event.added and self.parts.transcript.recording is None:
            self._wanted = event.added[0].recording_id
            self._open_wanted()

    def _on_failed(self, event: Failed) -> None:
        self.news.on_failed(event)
        ids = self.removals.finished
        lost = [key for key in ids if self._ports.library.recording(key) is not None]
        self.removals.finished = set()
        if lost:
            self.parts.library.model.unhide(lost)

    def _on_library_changed(self, ids: frozenset[str]) -> None:
        if self._problem is not None and not isinstance(self._problem, LibraryReadOnly):
            return
        self.parts.library.keeping_selection(lambda: self.parts.library.model.refresh(ids))
        self._render()
        self._open_wanted()
        opened = self.parts.transcript.recording
        if opened is not None and (not ids or opened.recording_id in ids):
            self._open(opened.recording_id, is_again=True)

    def _on_segments_final(
        self, recording_id: str, segments: list[Segment], language: str | None
    ) -> None:
        opened = self.parts.transcript.recording
        if opened is not None and opened.recording_id == recording_id:
            self.parts.transcript.append(segments, language)

    def _on_jobs_changed(self, recordings: frozenset[str]) -> None:
        opened = self.parts.transcript.recording
        if opened is not None and opened.recording_id in recordings:
            self.parts.transcript.show_job(self.board.job_of(opened.recording_id))
        self.parts.sidebar.set_count(Place.QUEUE, len(self.board.open_jobs))
        self._render_status()
        self._render_actions()

    def _on_job_ended(self, job: Job) -> None:
        title = " ".join(job.title.split())
        if job.status is JobStatus.DONE:
            self.announcer.say(tr("“{title}” is transcribed.", title=title))
        elif job.status is JobStatus.FAILED:
            reason = tr(job.error) if job.error else tr("The transcription failed.")
            self.announcer.say(tr("“{title}”: {reason}", title=title, reason=reason))
        opened = self.parts.transcript.recording
        if opened is not None and opened.recording_id == job.recording_id:
            self._open(opened.recording_id)

    def _on_appearance_changed(self) -> None:
        self.parts.refresh_colors(self)
        if self._settings_window is not None:
            self._settings_window.refresh_colors()
        self.menus.appearances[self._ports.commands.settings.appearance].setChecked(True)

    # The list and what of it is open

    def _on_place_chosen(self, place: Place) -> None:
        field = self.parts.toolbar.search_field
        if field.text():
            field.blockSignals(True)  # choosing a place leaves the search
            field.clear()
            field.blockSignals(False)
            self.parts.transcript.set_query("")
        if place in QUERIES:
            self.parts.library.show_query(QUERIES[place])
        self._render()

    def _on_search_changed(self, text: str) -> None:
        if self.parts.sidebar.place is Place.QUEUE and text:
            self.parts.sidebar.blockSignals(True)
            self.parts.sidebar.choose(Place.ALL)
            self.parts.sidebar.blockSignals(False)
        library = self.parts.library
        if text:
            library.show_search(text)
        else:
            place = self.parts.sidebar.place
            library.show_query(QUERIES.get(place, ListQuery()))
            opened = self.parts.transcript.recording
            if opened is not None:
                library.select({opened.recording_id})
        self.parts.transcript.set_query(text)
        self._render()

    def _enter_list(self) -> None:
        library = self.parts.library
        if library.model.rowCount():
            library.list.setFocus(Qt.FocusReason.OtherFocusReason)
            if not library.list.selectionModel().hasSelection():
                library.select_row(0)

    def _on_selection_changed(self) -> None:
        selection = self.parts.library.list.selectionModel().selection()
        count = sum(selection.at(at).height() for at in range(selection.size()))
        opened = self.parts.transcript.recording
        if count > 1:
            self.parts.transcript.show_many(count, can_write=self.is_writable)
        elif count == 1:
            recording_id = self.parts.library.selected_ids()[0]
            is_new = opened is None or opened.recording_id != recording_id
            if is_new:
                self._open(recording_id)
            start_s = self.parts.library.selected_start_s()
            if start_s is not None:
                self.parts.transcript.go_to(start_s)
        elif opened is None or self.parts.library.model.is_hidden(opened.recording_id):
            self.parts.transcript.show_nothing()
        self._render_actions()

    def _open(self, recording_id: str, *, is_again: bool = False) -> None:
        """Show a recording; `is_again` while its job runs leaves the text to the segments."""
        recording = self._ports.library.recording(recording_id)
        if recording is None:
            self.parts.transcript.show_nothing()
            return
        job = self.board.job_of(recording_id)
        is_followed = is_again and job is not None and job.status is JobStatus.RUNNING
        text = None if is_followed else self._ports.library.transcript(recording_id)
        self.parts.transcript.show_recording(recording, text, job)
        query = self.parts.toolbar.search_field.query
        if query and not is_again:
            self.parts.transcript.set_query(query)
        self._render_actions()

    def _open_wanted(self) -> None:
        if self._wanted is not None and self.parts.library.select({self._wanted}):
            self._wanted = None

    def _on_removed(self, ids: Sequence[str]) -> None:
        self.parts.library.model.hide(ids)
        self._on_selection_changed()

    def _on_restored(self, ids: Sequence[str]) -> None:
        self.parts.library.model.unhide(ids)
        self.parts.library.select(set(ids))
        self._render()

    def _on_removals_changed(self) -> None:
        self.news.tell_removal(self.removals)
        self._render_status()
        self._render_actions()

    # Rendering

    def _render(self) -> None:
        """Choose the page, and bring counts and actions up to date."""
        parts, library = self.parts, self._ports.library
        is_readable = self._problem is None or isinstance(self._problem, LibraryReadOnly)
        if not is_readable:
            parts.pages.setCurrentWidget(parts.trouble)
            return
        failed = library.count(QUERIES[Place.FAILED])
        parts.sidebar.set_count(Place.FAILED, failed)
        is_empty = not library.count(ListQuery()) and not self.board.open_jobs
        if parts.sidebar.place is Place.QUEUE:
            parts.pages.setCurrentWidget(parts.queue)
        elif is_empty and not parts.toolbar.search_field.query:
            self._render_welcome()
            parts.pages.setCurrentWidget(parts.welcome)
        else:
            parts.pages.setCurrentWidget(parts.reading)
        self._render_status()
        self._render_actions()

    def _render_welcome(self) -> None:
        key = key_name(QKeySequence.StandardKey.Open)
        actions = [(tr("Import…"), self.choose_files), (tr("See It Work"), self.try_sample)]
        self.parts.welcome.show_state(
            tr("Turn speech into text"),
            [
                tr("Drop audio or video files, or whole folders, anywhere in this window."),
                tr("Or choose them with Import… ({key}).", key=key),
                tr("Or see it work first, with a short sample recording."),
            ],
            icon="sample",
            tint="accent",
            actions=actions if self.is_writable else [],
        )

    def _render_status(self) -> None:
        running = self.board.running
        waiting = sum(job.status is JobStatus.QUEUED for job in self.board.open_jobs)
        paused = sum(job.status is JobStatus.PAUSED for job in self.board.open_jobs)
        parts = []
        if running is not None:
            title = " ".join(running.title.split())
            parts += [f"“{title}”", job_progress(running, self.board.left_s(running))]
        if waiting:
            parts.append(tr_plural("{count} waiting", "{count} waiting", waiting))
        if paused:
            parts.append(tr_plural("{count} paused", "{count} paused", paused))
        if not parts and self._problem is None:
            hidden = self.removals.pending_count
            count = self._ports.library.count(ListQuery()) - hidden
            if count > 0:
                parts.append(tr_plural("{count} recording", "{count} recordings", count))
        self.parts.status_label.setText(" · ".join(parts))

    def _render_actions(self) -> None:
        menus, opened = self.menus, self.parts.transcript.recording
        is_reading = self.parts.pages.currentWidget() is self.parts.reading
        has_selection = self.parts.library.list.selectionModel().hasSelection() and is_reading
        menus.import_files.setEnabled(self.is_writable)
        menus.export.setEnabled(has_selection)
        self.parts.toolbar.export_button.setEnabled(has_selection)
        menus.remove.setEnabled(has_selection and self.is_writable)
        menus.undo.setEnabled(self.removals.latest is not None)
        jobs = self._chosen_jobs()
        for action, act in (
            (menus.pause, Act.PAUSE),
            (menus.resume, Act.RESUME),
            (menus.cancel, Act.CANCEL),
        ):
            action.setEnabled(self.is_writable and any(act in acts_of(job) for job in jobs))
        can_retry = opened is not None and opened.status in _RETRIED
        can_retry |= any(Act.RETRY in acts_of(job) for job in jobs)
        menus.retry.setEnabled(self.is_writable and can_retry)
        is_open = opened is not None and is_reading
        is_busy = any(not job.status.is_over for job in jobs)
        menus.again.setEnabled(is_open and self.is_writable and not is_busy)
        has_file = opened is not None and opened.audio_path is not None
        menus.reveal.setEnabled(is_open and has_file)

    # Small deeds

    def _chosen_jobs(self) -> list[Job]:
        """Return the jobs that the menu acts on: of the queue's selection, or the open one's."""
        if self.parts.pages.currentWidget() is self.parts.queue:
            return self.parts.queue.list.selected_jobs()
        opened = self.parts.transcript.recording
        job = self.board.job_of(opened.recording_id) if opened is not None else None
        return [job] if job is not None else []

    def _act(self, act: Act) -> None:
        commands = self._ports.commands
        if self.parts.pages.currentWidget() is self.parts.queue:
            self.parts.queue.list.request(act)
            return
        if act is Act.RETRY:
            self._with_open(commands.retry)
            return
        call = {
            Act.PAUSE: commands.pause_job,
            Act.RESUME: commands.resume_job,
            Act.CANCEL: commands.cancel_job,
        }[act]
        for job in self._chosen_jobs():
            call(job.job_id)

    def _with_open(self, call: Callable[[str], object]) -> None:
        opened = self.parts.transcript.recording
        if opened is not None:
            call(opened.recording_id)

    def _transcribe_again(self, recording_id: str) -> None:
        bar = self.parts.toolbar
        self._ports.commands.transcribe_again(recording_id, bar.model_id, bar.language)

    def _reveal(self, recording_id: str) -> None:
        recording = self._ports.library.recording(recording_id)
        if recording is not None and recording.audio_path is not None:
            show_folder(recording.audio_path.parent)

    def _export(self, ids: Sequence[str], dialog: ExportDialog) -> None:
        self._change(export_folder=str(dialog.folder))
        self._ports.commands.export(ids, dialog.format_id, dialog.target)

    def _change(self, **changes: object) -> None:
        self._ports.commands.change_settings(**changes)
        if "appearance" in changes:
            theme.use_appearance(self._ports.commands.settings.appearance)
            self._on_appearance_changed()

    def _copy(self) -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QTextEdit)):
            focus.copy()

    def _select_all(self) -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QTextEdit, QAbstractItemView)):
            focus.selectAll()

    def _go(self, place: Place, focus: QWidget) -> None:
        self.parts.sidebar.choose(place)
        focus.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _quit(self) -> None:
        self.close()
        QApplication.quit()

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.is_writable and event.mimeData().hasUrls():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.parts.overlay.appear()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.parts.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.parts.overlay.hide()
        urls = event.mimeData().urls()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.add_files([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        if any(not url.isLocalFile() for url in urls):
            self.news.tell_error(
                AppError(
                    mark("Only files on this computer can be transcribed."),
                    mark("Download the file first, then drop it here."),
                )
            )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.parts.library.list.selectionModel().hasSelection():
            self.parts.library.select_row(0)
            self.parts.library.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.removals.finish_all()
        place = bytes(self.saveGeometry().toBase64().data()).decode()
        if place != self._ports.commands.settings.window_place:
            self._ports.commands.change_settings(window_place=place)
        super().closeEvent(event)

    def _restore_place(self, place: str) -> None:
        if place:
            self.restoreGeometry(QByteArray.fromBase64(place.encode()))


_RETRIED = (RecordingStatus.FAILED, RecordingStatus.CANCELLED)
