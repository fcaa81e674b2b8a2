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
    QApplication,
    QFileDialog,
    QMainWindow,
)

from app.config.translate import tr, tr_phrase
from app.core.errors import AppError, LibraryReadOnly
from app.core.events import Failed, FilesChecked
from app.library.listing import Overview
from app.ui import theme
from app.ui.about import AboutBox
from app.ui.actions import WindowActions, connect
from app.ui.browser import Browser
from app.ui.edit_menu import EditMenu
from app.ui.editor.retakes import Retakes
from app.ui.editor.versions import Versions
from app.ui.export_dialog import ExportDialog
from app.ui.feed import Feed
from app.ui.job_board import JobBoard
from app.ui.job_menu import JobMenu
from app.ui.keeping.housekeeping import Housekeeping
from app.ui.layout import WindowLayout
from app.ui.library.organising import Organising
from app.ui.library.overview import LibraryOverview
from app.ui.library.sidebar import Place
from app.ui.live.recorder import RecordActions, Recorder
from app.ui.news import News, show_folder
from app.ui.ports import ModelChoice, Ports
from app.ui.settings.window import SettingsWindow
from app.ui.speech_without_text import SpeechWithoutText
from app.ui.typing_keys import TypingKeys
from app.ui.widgets.announce import Announcer
from app.ui.wording import age_name, key_name, status_line, title_of


class MainWindow(QMainWindow):
    """Sidebar, list, transcript, queue, and everything around them."""

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self._ports = ports
        self._problem: AppError | None = None
        self._settings_window: SettingsWindow | None = None
        self.setWindowTitle("Undertone")
        self.setUnifiedTitleAndToolBarOnMac(True)
        self.setAcceptDrops(True)
        theme.use_appearance(ports.commands.settings.appearance)
        self.announcer = Announcer(self)
        self.board = JobBoard(ports.commands.jobs, self)
        self.feed = Feed(ports.events, self.board, self)
        self.overview = LibraryOverview(ports.library, ports.desk, self)
        self.menus = WindowActions(self)
        self.parts = WindowLayout(self, ports, self.board)
        self.news = News(self.parts.banners, self.parts.notices, self.announcer, self)
        self.browser = Browser(self.parts, ports, self.board, self)
        self.organising = Organising(self, self.parts, ports, self.menus, self._cancel_jobs)
        self.deeds = self.organising.deeds
        self.recorder = self._make_recorder()
        self.keeping = Housekeeping(
            ports, self.parts, self.news, self.deeds, self.announcer, self.show_backups, self
        )
        self._connect_parts()
        self.edit_menu = EditMenu(self.menus, self.parts.transcript, self.deeds, self.browser)
        self.typing_keys = TypingKeys(self)
        self.job_menu = JobMenu(self.menus, self.parts, self.board, self.browser, ports.commands)
        self._connect_actions()
        self._connect_events()
        SpeechWithoutText(
            ports.events,
            self.board,
            ports.library,
            self.browser,
            self.news.tell_speech_without_text,
            self,
        )
        self.resize(1080, 720)
        self._restore_place(ports.commands.settings.window_place)
        self.news.tell_models(ports.models, self._get_model)
        self.set_problem(ports.problem)
        self._on_appearance_changed()
        self.browser.on_jobs_changed(frozenset())

    # Connecting

    def _make_recorder(self) -> Recorder | None:
        ports, menus, parts = self._ports, self.menus, self.parts
        actions = RecordActions(menus.record, menus.pause_take, menus.cancel_take)
        if ports.dictation is None or parts.live is None:
            for action in (menus.record, menus.pause_take, menus.cancel_take):
                action.setVisible(False)
            return None
        recorder = Recorder(
            ports,
            pane=parts.live,
            actions=actions,
            above=parts.banners,
            below=parts.notices,
            set_recording=parts.toolbar.set_recording,
            parent=self,
        )
        parts.toolbar.record_requested.connect(recorder.toggle)
        recorder.recording_ended.connect(self.browser.show_recording)
        return recorder

    def _connect_parts(self) -> None:
        commands, toolbar = self._ports.commands, self.parts.toolbar
        rows, pane, queue = self.parts.library.list, self.parts.transcript, self.parts.queue
        toolbar.import_requested.connect(self.choose_files)
        toolbar.export_requested.connect(self.export_selected)
        toolbar.model_chosen.connect(lambda model: self._change(model_id=model))
        toolbar.language_chosen.connect(lambda code: self._change(language=code))
        rows.remove_requested.connect(self.remove_selected)
        rows.customContextMenuRequested.connect(
            lambda point: self.organising.show_list_menu(rows.viewport(), point)
        )
        pane.export_requested.connect(self.export_selected)
        pane.remove_requested.connect(self.remove_selected)
        pane.retry_requested.connect(commands.retry)
        self.retakes = Retakes(pane, self._ports, self.board, self)
        pane.again_requested.connect(self.retakes.ask)
        pane.reveal_requested.connect(self._reveal)
        queue.retry_requested.connect(commands.retry)
        queue.import_requested.connect(self.choose_files)
        queue.selection_changed.connect(self._render_actions)
        for part in (pane, queue):
            part.pause_requested.connect(commands.pause_job)
            part.resume_requested.connect(commands.resume_job)
            part.cancel_requested.connect(commands.cancel_job)
        self.browser.changed.connect(self._render)
        self.overview.changed.connect(self._on_overview)
        self._ports.desk.failed.connect(self.news.tell_error)
        self.parts.library.filters.changed.connect(self._render)
        self.deeds.changed.connect(self._on_deeds_changed)
        self.deeds.done.connect(lambda deed: self.news.tell_deed(deed, self.deeds.undo))
        self.deeds.failed.connect(self.news.tell_error)
        self.versions = Versions(pane, self._ports, self)
        pane.editor.changed.connect(self._render_actions)
        pane.editor.failed.connect(self.news.tell_error)

    def _connect_actions(self) -> None:
        menus = self.menus
        for action, call in (
            (menus.import_files, self.choose_files),
            (menus.export, self.export_selected),
            (menus.remove, self.remove_selected),
            (menus.close, self.close),
            (menus.settings, self.show_settings),
            (menus.quit, self._quit),
            (menus.compare, self.versions.open),
            (menus.show_library, partial(self.browser.go, Place.ALL)),
            (menus.show_queue, partial(self.browser.go, Place.QUEUE)),
            (menus.again, self.retakes.ask),
            (menus.reveal, self._reveal_opened),
            (menus.about, self._show_about),
        ):
            connect(action, call)
        for appearance, action in menus.appearances.items():
            connect(action, partial(self._change, appearance=appearance))

    def _connect_events(self) -> None:
        events, browser = self._ports.events, self.browser
        events.files_checked.connect(self._on_files_checked)
        events.exported.connect(self.news.on_exported)
        events.failed.connect(self._on_failed)
        events.models_changed.connect(self._on_models_changed)
        self.feed.library_changed.connect(self.overview.refresh)
        self.feed.library_changed.connect(browser.on_library_changed)
        self.feed.segments_final.connect(browser.on_segments_final)
        self.board.changed.connect(browser.on_jobs_changed)
        self.board.ended.connect(browser.on_job_ended)
        self.board.ended.connect(self.news.on_job_ended)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_appearance_changed)

    # What a person does

    def choose_files(self) -> None:
        """Ask for files and queue them."""
        names, _filter = QFileDialog.getOpenFileNames(self, tr("Import audio or video files"))
        self.add_files([Path(name) for name in names])

    def add_files(self, paths: Sequence[Path]) -> None:
        """Queue files and folders with the chosen model and language."""
        if paths and self.is_writable:
            bar = self.parts.toolbar
            self._ports.commands.add_files(paths, bar.model_id, bar.language)

    def try_sample(self) -> None:
        """Transcribe the sample recording."""
        self.add_files([self._ports.commands.sample()])

    def export_selected(self) -> None:
        """Ask as what to export the selected recordings, and do it."""
        self.parts.library.with_selected(self._ask_for_export)

    def _ask_for_export(self, ids: Sequence[str]) -> None:
        first = self._ports.library.recording(ids[0]) if ids else None
        if first is None:
            return
        titles = [title_of(first)] * len(ids)  # only of a single one the title is asked
        commands = self._ports.commands
        dialog = ExportDialog(
            titles,
            commands.settings.export_folder,
            commands.settings.export_format,
            names=commands.settings.export_names,
            parent=self,
            preview=partial(commands.preview, ids[0]),
        )
        dialog.accepted.connect(lambda: self._export(ids, dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def remove_selected(self) -> None:
        """Move the selected recordings to the bin; from the bin they are erased."""
        if self.is_writable:
            self.organising.remove_selected()

    def show_settings(self) -> None:
        """Open the settings."""
        if self._settings_window is None:
            self._settings_window = SettingsWindow(
                self._ports, self._change, self, self.keeping.run_rules
            )
        self._settings_window.show()
        self._settings_window.raise_()
        self._settings_window.activateWindow()

    def follow_settings(self) -> None:
        """Show the settings as they are now, wherever they were changed."""
        settings = self._ports.commands.settings
        self.parts.toolbar.show_settings(settings)
        self.menus.appearances[settings.appearance].setChecked(True)
        if self._settings_window is not None and self._settings_window.isVisible():
            self._settings_window.refresh()

    def show_models(self) -> None:
        """Open the settings at the models."""
        self.show_settings()
        if self._settings_window is not None:
            self._settings_window.show_models()

    def show_check(self) -> None:
        """Open the settings where the library is checked."""
        self.show_settings()
        if self._settings_window is not None:
            self._settings_window.show_check()

    def show_backups(self) -> None:
        """Open the settings at the backups."""
        self.show_settings()
        if self._settings_window is not None:
            self._settings_window.show_backups()

    @property
    def _get_model(self) -> Callable[[], None] | None:
        return self.show_models if self._ports.model_ports is not None else None

    def set_problem(self, problem: AppError | None) -> None:
        """Say why the library cannot be used, or only be read; `None` when all is well."""
        self._problem = problem
        self.browser.can_write = problem is None
        self.browser.can_read = problem is None or isinstance(problem, LibraryReadOnly)
        self.parts.set_access(can_read=self.browser.can_read, can_write=problem is None)
        if problem is None:
            self.parts.banners.close_banner("library")
        elif self.browser.can_read:
            self.news.tell_error(problem, "library", can_close=False)
        elif not self.keeping.offer_repair(problem):
            lines = [tr_phrase(problem.hint)] if problem.hint.source else []
            message = tr_phrase(problem.message)
            self.parts.trouble.show_state(message, lines, icon="warning", tint="error")
        if self.browser.can_read:
            self.browser.show_all()
            self.overview.refresh()
        self._render()

    @property
    def is_writable(self) -> bool:
        return self._problem is None

    # Events

    def _on_files_checked(self, event: FilesChecked) -> None:
        self.news.on_files_checked(event)
        self.browser.on_files_checked(event)

    def _on_failed(self, event: Failed) -> None:
        self.news.on_failed(event)

    def _on_models_changed(self, _event: object) -> None:
        if self._ports.list_models is not None:
            self._ports.desk.ask("models", self._ports.list_models, self._take_models)

    def _take_models(self, models: tuple[ModelChoice, ...]) -> None:
        self.parts.toolbar.set_models(models, self._ports.commands.settings.model_id)
        self.parts.set_model_titles(models)
        self.news.tell_models(models, self._get_model)

    def _on_overview(self, overview: Overview) -> None:
        self.organising.show_overview(overview)
        self.browser.show_overview(overview)
        self._render()

    def _on_deeds_changed(self) -> None:
        latest = self.deeds.latest
        if latest is None or not latest.is_told:
            self.news.forget_deed()
        self._render_actions()

    def _cancel_jobs(self, ids: Sequence[str]) -> None:
        """Stop the work on recordings that go to the bin."""
        leaving = set(ids)
        for job in self.board.open_jobs:
            if job.recording_id in leaving:
                self._ports.commands.cancel_job(job.job_id)
        self.board.forget_recordings(tuple(ids))

    def _on_appearance_changed(self) -> None:
        self.parts.refresh_colors(self)
        if self._settings_window is not None:
            self._settings_window.refresh_colors()
        self.versions.refresh_colors()
        self.retakes.refresh_colors()
        self.menus.appearances[self._ports.commands.settings.appearance].setChecked(True)

    # Rendering

    def _render(self) -> None:
        """Choose the page, and bring counts, status and actions up to date."""
        parts, overview = self.parts, self.overview.latest
        if not self.browser.can_read:
            parts.pages.setCurrentWidget(parts.trouble)
            self._render_actions()
            return
        total = overview.total if overview is not None else 0
        if overview is not None:
            parts.sidebar.set_count(Place.FAILED, overview.failed)
        is_known = overview is not None and not self.board.open_jobs
        is_empty = is_known and not total and parts.sidebar.place is Place.ALL
        if parts.sidebar.place is Place.QUEUE:
            parts.pages.setCurrentWidget(parts.queue)
        elif is_empty and not parts.toolbar.search_field.query:
            self._render_welcome()
            parts.pages.setCurrentWidget(parts.welcome)
        else:
            parts.pages.setCurrentWidget(parts.reading)
        running = self.board.running
        left_s = self.board.left_s(running) if running is not None else None
        keeps = self._ports.commands.settings.bin_keeps_days if self.organising.is_in_bin else 0
        parts.status_label.setText(
            tr("What lies in the bin is erased {age}.", age=age_name(keeps))
            if keeps
            else status_line(self.board.open_jobs, left_s, total)
        )
        self.retakes.refresh()
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
            tint="tint",
            actions=actions if self.is_writable else [],
        )

    def _render_actions(self) -> None:
        menus, parts = self.menus, self.parts
        is_reading = parts.pages.currentWidget() is parts.reading
        opened = parts.transcript.recording if is_reading else None
        has_selection = is_reading and parts.library.selected_count() > 0
        menus.import_files.setEnabled(self.is_writable)
        menus.export.setEnabled(has_selection)
        parts.toolbar.export_button.setEnabled(has_selection)
        menus.remove.setEnabled(has_selection and self.is_writable)
        has_text = opened is not None and bool(parts.transcript.text.segments)
        self.edit_menu.render(has_text=has_text)
        menus.compare.setEnabled(has_text)
        is_in_bin = self.organising.is_in_bin
        for action in (
            menus.favourite,
            menus.folder_menu.menuAction(),
            menus.tag_menu.menuAction(),
        ):
            action.setEnabled(has_selection and self.is_writable and not is_in_bin)
        menus.rename.setEnabled(opened is not None and self.is_writable and not is_in_bin)
        menus.restore.setEnabled(has_selection and self.is_writable and is_in_bin)
        menus.new_folder.setEnabled(self.is_writable)
        menus.empty_bin.setEnabled(self.is_writable)
        menus.remove.setText(tr("&Erase…") if is_in_bin else tr("&Move to Bin"))
        menus.reveal.setEnabled(opened is not None and opened.audio_path is not None)
        self.job_menu.render(opened, is_writable=self.is_writable)

    # Small deeds

    def _reveal_opened(self) -> None:
        if self.browser.opened_id is not None:
            self._reveal(self.browser.opened_id)

    def _reveal(self, recording_id: str) -> None:
        recording = self._ports.library.recording(recording_id)
        if recording is not None and recording.audio_path is not None:
            show_folder(recording.audio_path.parent)

    def _export(self, ids: Sequence[str], dialog: ExportDialog) -> None:
        names = dialog.template or self._ports.commands.settings.export_names
        self._change(
            export_folder=str(dialog.folder), export_format=dialog.format_id, export_names=names
        )
        self._ports.commands.export(
            ids, dialog.format_id, dialog.target, dialog.options, dialog.template
        )

    def _change(self, **changes: object) -> None:
        self._ports.commands.change_settings(**changes)
        if "appearance" in changes:
            theme.use_appearance(self._ports.commands.settings.appearance)
            self._on_appearance_changed()

    def _show_about(self) -> None:
        AboutBox(self._ports.version, self).open()

    def _quit(self) -> None:
        self.close()
        QApplication.quit()

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        is_ours = event.source() is not None  # a recording of the list itself
        if self.is_writable and event.mimeData().hasUrls() and not is_ours:
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
            self.news.tell_no_links()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.browser.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.parts.transcript.header.flush()
        self.parts.transcript.editor.finish()
        place = bytes(self.saveGeometry().toBase64().data()).decode()
        if place != self._ports.commands.settings.window_place:
            self._ports.commands.change_settings(window_place=place)
        super().closeEvent(event)

    def _restore_place(self, place: str) -> None:
        if place:
            self.restoreGeometry(QByteArray.fromBase64(place.encode()))
