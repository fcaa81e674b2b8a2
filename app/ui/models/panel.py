"""The models: what is here, what suits this machine, what else there is.

One widget for Settings and for the first start. It holds no truth: rows are read again when models
come or go, and a download's progress is whatever its last event said.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.download import DownloadState
from app.core.errors import AppError
from app.core.events import DownloadChanged
from app.core.language import AUTO
from app.pipeline.model_rows import ModelRow
from app.ui import theme
from app.ui.models.adding import CacheDialog, RepositoryDialog
from app.ui.models.card import ModelCard
from app.ui.models.options import ModelOptions
from app.ui.models.ports import ModelPorts
from app.ui.models.wording import disk_line
from app.ui.widgets.announce import Announcer
from app.ui.widgets.banner import Banner, BannerStack
from app.ui.widgets.column import ScrollColumn
from app.ui.widgets.labels import PlainLabel, QuietLabel

UNDO_MS = 10_000


class ModelsPanel(QWidget):
    """The list of models with everything that can be done to them.

    Args:
        ports: all it is given.
        is_first_start: show only what suits this machine, without options.
        undo_ms: how long a deletion can be taken back.
    """

    ready_changed = Signal(bool)  # whether a model other than the demonstration is here

    def __init__(
        self,
        ports: ModelPorts,
        parent: QWidget | None = None,
        *,
        is_first_start: bool = False,
        undo_ms: int = UNDO_MS,
    ) -> None:
        super().__init__(parent)
        self._ports = ports
        self._is_first_start = is_first_start
        self._shows_all = False
        self._rows: dict[str, ModelRow] = {}
        self._layout_key: tuple[object, ...] = ()
        self._is_ready: bool | None = None
        self.cards: dict[str, ModelCard] = {}
        self._headings: list[PlainLabel] = []
        self._removed: tuple[Path, str] | None = None
        self._announcer = Announcer(self)
        self._undo_timer = QTimer(self)
        self._undo_timer.setSingleShot(True)
        self._undo_timer.setInterval(undo_ms)
        self._undo_timer.timeout.connect(self.finish_removal)
        self._build()
        ports.events.download_changed.connect(self._on_download_changed)
        ports.events.models_changed.connect(self.reload)
        self.reload()
        self.refresh_colors()

    @property
    def is_ready(self) -> bool:
        """Whether a model other than the demonstration is here."""
        return any(row.is_installed and not row.is_demo for row in self._rows.values())

    def reload(self, _event: object = None) -> None:
        """Read the models again and show them."""
        rows = self._ports.commands.rows()
        self._rows = {row.model_id: row for row in rows}
        self._lay_out(list(rows))
        self._render_cards()
        commands = self._ports.commands
        self.disk_label.setText(
            disk_line(self._ports.memory_bytes, commands.used_bytes(), commands.free_bytes())
        )
        if self.is_ready is not self._is_ready:
            self._is_ready = self.is_ready
            self.ready_changed.emit(self.is_ready)

    def refresh_colors(self) -> None:
        palette = self._list.palette()
        palette.setColor(self._list.backgroundRole(), theme.color("base"))
        self._list.setPalette(palette)
        self.disk_label.refresh_colors()
        self.banners.refresh_colors()
        theme.refresh_scroll_bars(self)
        for card in self.cards.values():
            card.refresh_colors()
        if self.options is not None:
            self.options.refresh_colors()
        self.update()

    def finish_removal(self) -> None:
        """Delete for good what was deleted."""
        self._undo_timer.stop()
        removed, self._removed = self._removed, None
        if removed is not None:
            self._ports.commands.forget_removed(removed[0])
            self.banners.close_banner("removed")
            self.reload()

    def undo_removal(self) -> None:
        """Bring back what was deleted."""
        self._undo_timer.stop()
        removed, self._removed = self._removed, None
        if removed is not None:
            self._ports.commands.restore(removed[0])
            self.banners.close_banner("removed")
            self.reload()

    # Building

    def _build(self) -> None:
        self.disk_label = QuietLabel("", self, wraps=True)
        self.disk_label.setContentsMargins(16, 10, 16, 10)
        self.add_button = QPushButton(tr("Add"), self)
        self.add_button.setAccessibleName(tr("Add a model"))
        menu = QMenu(self.add_button)
        for text, call in (
            (tr("From a Folder…"), self._ask_for_folder),
            (tr("From the Hub…"), self._ask_for_repository),
            (tr("From Another App…"), self._ask_for_cached),
        ):
            menu.addAction(text).triggered.connect(lambda _checked=False, call=call: call())
        self.add_button.setMenu(menu)
        self.all_button = QPushButton("", self)
        self.all_button.clicked.connect(self._toggle_all)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 12, 0)
        top.addWidget(self.disk_label, 1)
        top.addWidget(self.add_button)
        self.banners = BannerStack(self)
        self._scroll = ScrollColumn(self)
        self._scroll.setAccessibleName(tr("Models"))
        self._list = self._scroll.body
        self._list.setAutoFillBackground(True)
        self._more = QWidget(self._list)
        row = QHBoxLayout(self._more)
        row.setContentsMargins(16, 12, 16, 0)
        row.addWidget(self.all_button)
        row.addStretch(1)
        self.options: ModelOptions | None = None
        if not self._is_first_start:
            self.options = ModelOptions(self._ports, self._complain, self._list)
        self.add_button.setVisible(not self._is_first_start)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(top)
        outer.addWidget(self.banners)
        outer.addWidget(self._scroll, 1)

    def _lay_out(self, rows: list[ModelRow]) -> None:
        """Put the cards in their places; cards that stay keep their focus."""
        here = [row for row in rows if row.is_installed]
        rest = [row for row in rows if not row.is_installed]
        suited = [row for row in rest if row.reasons or row.download is not None]
        others = [row for row in rest if row not in suited]
        if self._is_first_start:
            here, others = [row for row in here if not row.is_demo], []
        shown = others if self._shows_all else []
        key = tuple(tuple(row.model_id for row in part) for part in (here, suited, shown))
        if (*key, len(others)) == self._layout_key:
            return
        self._layout_key = (*key, len(others))
        for old in self._headings:
            old.hide()
            old.deleteLater()
        self._headings = []
        self._drop_cards({row.model_id for row in (*here, *suited, *shown)})
        parts = [
            *self._part(tr("On this computer"), here),
            *self._part(tr("Suited to this computer"), suited),
        ]
        self._more.setVisible(bool(others))
        if others:
            self.all_button.setText(self._all_text(len(others)))
            parts += [self._more, *self._part("", shown)]
        if self.options is not None:
            parts += [self._heading(tr("Options")), self.options]
        self._scroll.set_parts(parts)

    def _all_text(self, count: int) -> str:
        if self._shows_all:
            return tr("Show Fewer Models")
        return tr_plural("Show {count} More Model", "Show {count} More Models", count)

    def _part(self, title: str, rows: list[ModelRow]) -> list[QWidget]:
        parts: list[QWidget] = [self._heading(title)] if title and rows else []
        for row in rows:
            card = self.cards.get(row.model_id)
            if card is None:
                card = ModelCard(row, self._list)
                card.act_requested.connect(self._on_act)
                self.cards[row.model_id] = card
            parts.append(card)
        return parts

    def _heading(self, title: str) -> PlainLabel:
        label = PlainLabel(title, self._list)
        label.setFont(theme.font(0.92, is_bold=True))
        label.setContentsMargins(16, 16, 16, 4)
        self._headings.append(label)
        return label

    def _drop_cards(self, kept: set[str]) -> None:
        for model_id in [name for name in self.cards if name not in kept]:
            card = self.cards.pop(model_id)
            card.hide()
            card.deleteLater()

    # Rendering

    def _render_cards(self) -> None:
        for model_id, card in self.cards.items():
            self._render_card(card, self._rows[model_id])
        self._tell_offline()

    def _render_card(self, card: ModelCard, row: ModelRow) -> None:
        settings = self._ports.settings()
        card.show_row(
            row,
            is_current=row.is_installed and row.model_id == self._current(),
            is_offline=settings.offline,
        )
        card.refresh_enabled()

    def _current(self) -> str:
        """Return the model new transcriptions use."""
        chosen = self._ports.settings().model_id
        if chosen != AUTO:
            return chosen
        here = [row for row in self._rows.values() if row.is_installed]
        best = max(here, key=lambda row: (not row.is_demo, row.memory_bytes), default=None)
        return best.model_id if best else ""

    def _tell_offline(self) -> None:
        if not self._ports.settings().offline:
            self.banners.close_banner("offline")
        elif self.banners.banner("offline") is None:
            allow: tuple[str, Callable[[], object]] = (tr("Allow Downloads"), self._go_online)
            message = tr("Undertone stays offline. Models that are here go on working.")
            self.banners.show_banner("offline", Banner(message, actions=[allow], can_close=False))

    def follow_settings(self) -> None:
        """Show whether the person wants to stay offline, wherever that was said."""
        if self.options is not None:
            check = self.options.offline_check
            with QSignalBlocker(check):
                check.setChecked(self._ports.settings().offline)
        self._render_cards()

    def _go_online(self) -> None:
        self._ports.change(offline=False)
        if self.options is not None:
            self.options.offline_check.setChecked(False)
        self.reload()

    # Events

    def _on_download_changed(self, event: DownloadChanged) -> None:
        download = event.download
        card = self.cards.get(download.model_id)
        is_over = download.state in (DownloadState.DONE, DownloadState.CANCELLED)
        if card is None or is_over or card.row.download is None:
            self.reload()
        else:
            row = _with_download(card.row, event)
            self._rows[row.model_id] = row
            self._render_card(card, row)
        if download.state is DownloadState.DONE:
            self._announcer.say(tr("“{model}” is ready.", model=tr(download.title)))
        elif download.state is DownloadState.FAILED:
            self._announcer.say(f"{tr(download.error)} {tr(download.hint)}".strip())

    # What a person does

    def _on_act(self, what: str, model_id: str) -> None:
        commands = self._ports.commands
        calls: dict[str, Callable[[str], object]] = {
            "get": commands.get,
            "resume": commands.get,
            "retry": self._retry,
            "pause": commands.pause,
            "cancel": commands.cancel,
            "dismiss": self._dismiss,
            "use": self._use,
            "verify": commands.verify,
            "reveal": self._reveal,
            "convert": lambda name: commands.convert(name, 4),
            "remove": self._remove,
        }
        self._try(lambda: calls[what](model_id))
        self.reload()

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except AppError as error:
            self._complain(error)

    def _complain(self, error: AppError) -> None:
        message, hint = tr_phrase(error.message), tr_phrase(error.hint)
        banner = Banner(message, tone="error", lines=[hint] if hint else [])
        self.banners.show_banner("error", banner)
        self._announcer.say(f"{message} {hint}".strip())

    def _retry(self, model_id: str) -> None:
        self._ports.commands.get(model_id)

    def _dismiss(self, model_id: str) -> None:
        self._ports.commands.forget(model_id)

    def _use(self, model_id: str) -> None:
        self._ports.change(model_id=model_id)

    def _reveal(self, model_id: str) -> None:
        folder = self._rows[model_id].folder
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _remove(self, model_id: str) -> None:
        self.finish_removal()
        title = tr(self._rows[model_id].title)
        place = self._ports.commands.remove(model_id)
        if self._ports.settings().model_id == model_id:
            self._ports.change(model_id=AUTO)
        self._removed = (place, title)
        undo: tuple[str, Callable[[], object]] = (tr("Undo"), self.undo_removal)
        message = tr("“{model}” was deleted.", model=title)
        banner = Banner(message, actions=[undo])
        banner.closed.connect(self.finish_removal)
        self.banners.show_banner("removed", banner)
        self._announcer.say(message)
        self._undo_timer.start()

    def _toggle_all(self) -> None:
        self._shows_all = not self._shows_all
        self.reload()
        self.refresh_colors()

    def _ask_for_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Add a model’s folder"))
        if chosen:
            self.add_folder(Path(chosen))

    def add_folder(self, folder: Path) -> None:
        """Copy the model in `folder`."""
        self._try(lambda: self._ports.commands.add_folder(folder))
        self.reload()

    def _ask_for_repository(self) -> None:
        dialog = RepositoryDialog(self)
        dialog.accepted.connect(
            lambda: self._try(lambda: self._ports.commands.get_repository(dialog.repository))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _ask_for_cached(self) -> None:
        dialog = CacheDialog(self._ports.commands.cached(), self)
        dialog.accepted.connect(lambda: self._import(dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _import(self, dialog: CacheDialog) -> None:
        chosen = dialog.chosen
        if chosen is not None:
            self._try(lambda: self._ports.commands.import_cached(chosen))


def _with_download(row: ModelRow, event: DownloadChanged) -> ModelRow:
    return replace(row, download=event.download)
