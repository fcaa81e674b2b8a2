"""The widgets of the main window and how they share its space."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.config.translate import tr
from app.core.model import imported_from
from app.macos.motion import reduces_motion
from app.ui import theme
from app.ui.job_board import JobBoard
from app.ui.library.pane import LibraryPane
from app.ui.library.sidebar import Sidebar
from app.ui.live.pane import LivePane
from app.ui.ports import ModelChoice, Ports
from app.ui.queue.view import QueueView
from app.ui.toolbar import MainToolbar
from app.ui.transcript.pane import TranscriptPane
from app.ui.widgets.banner import BannerStack
from app.ui.widgets.drop_overlay import DropOverlay
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.splitter import LineSplitter


class WindowLayout:
    """Builds the widgets; connects nothing."""

    def __init__(self, window: QMainWindow, ports: Ports, board: JobBoard) -> None:
        self._titles = {model.model_id: model for model in ports.models}
        self.toolbar = MainToolbar(ports.models, ports.commands.settings, window)
        window.addToolBar(self.toolbar)
        self.banners = BannerStack(window)
        self.notices = BannerStack(window)
        self.sidebar = Sidebar(window)
        self.library = LibraryPane(
            ports.library,
            ports.desk,
            board,
            ports.find_matches,
            lambda key: _model_title(self._titles, key),
            window,
        )
        self.transcript = TranscriptPane(
            ports.find_matches,
            lambda key: _model_title(self._titles, key),
            window,
            organiser=ports.organiser,
            player=ports.player,
            load_waves=ports.load_waves,
            check_sound=ports.check_sound,
        )
        self.queue = QueueView(board, window)
        self.welcome = EmptyState(window, is_drop_target=True)
        self.trouble = EmptyState(window)
        self.reading = LineSplitter(self.library, self.transcript, [320, 576])
        self.pages = QStackedWidget(window)
        for page in (self.reading, self.queue, self.welcome, self.trouble):
            self.pages.addWidget(page)
        self.columns = LineSplitter(self.sidebar, self.pages, [184, 896])
        self.live = (
            LivePane(ports.dictation, window, is_calm=reduces_motion())
            if (ports.dictation)
            else None
        )
        self.toolbar.record_button.setVisible(self.live is not None)
        center = QWidget(window)
        column = QVBoxLayout(center)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banners)
        if self.live is not None:
            column.addWidget(self.live)
        column.addWidget(self.columns, 1)
        column.addWidget(self.notices)
        window.setCentralWidget(center)
        self.status_label = ElidedLabel("", window)
        self.status_label.setContentsMargins(10, 2, 10, 3)
        window.statusBar().addWidget(self.status_label, 1)
        window.statusBar().setSizeGripEnabled(False)
        self.overlay = DropOverlay(window)
        window.setMinimumSize(680, 420)
        self._set_tab_order()

    def set_model_titles(self, models: Sequence[ModelChoice]) -> None:
        """Know the names of models that came after the window was opened."""
        self._titles.update({model.model_id: model for model in models})

    def refresh_colors(self, window: QWidget) -> None:
        """Take on the colours of the scheme in use."""
        theme.apply_palette()
        theme.refresh_icons(window)
        theme.refresh_scroll_bars(window)
        for part in (self.toolbar, self.banners, self.notices, self.sidebar, self.library):
            part.refresh_colors()
        if self.live is not None:
            self.live.refresh_colors()
        for page in (self.transcript, self.queue, self.welcome, self.trouble, self.status_label):
            page.refresh_colors()

    def set_access(self, *, can_read: bool, can_write: bool) -> None:
        """Switch off what the library does not allow."""
        self.toolbar.set_writable(can_write)
        self.transcript.set_writable(can_write)
        self.sidebar.set_writable(can_write)
        self.sidebar.setEnabled(can_read)
        self.toolbar.search_field.setEnabled(can_read)

    def _set_tab_order(self) -> None:
        live = self.live
        order = (
            self.toolbar.record_button,
            self.toolbar.import_button,
            self.toolbar.model_box,
            self.toolbar.language_box,
            self.toolbar.export_button,
            self.toolbar.search_field,
            *((live.text, live.pause_button, live.stop_button, live.cancel_button) if live else ()),
            self.sidebar,
            self.library.filters.filter_button,
            self.library.filters.sort_button,
            self.library.list,
            self.transcript.export_button,
            self.transcript.more_button,
            self.transcript.text,
        )
        for first, second in pairwise(order):
            QWidget.setTabOrder(first, second)


def _model_title(models: dict[str, ModelChoice], model_id: str | None) -> str:
    """Return a model's name, of a text made elsewhere the file's; else the id."""
    if not model_id:
        return ""
    file = imported_from(model_id)
    if file is not None:
        return tr("from “{file}”", file=file)
    model = models.get(model_id)
    return model.title if model else model_id
