"""Privacy: what is kept, where and how much; staying offline; erasing everything.

The sizes are looked up when the page is shown; nothing here reads a text.
"""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import AppError
from app.pipeline.stored import Shelf, Stored
from app.ui import theme
from app.ui.keeping.erase_dialog import EraseDialog
from app.ui.keeping.errand import Errand, IsStopped, Progress
from app.ui.keeping.ports import KeepingPorts
from app.ui.models.wording import size
from app.ui.news import show_folder
from app.ui.ports import Ports
from app.ui.settings.form import Change, SettingsPage, push_button
from app.ui.widgets.column import ScrollColumn
from app.ui.widgets.labels import ElidedLabel, PlainLabel, QuietLabel
from app.ui.wording import short_path

_ALWAYS = (Shelf.LIBRARY, Shelf.SOUND, Shelf.SETTINGS, Shelf.MODELS, Shelf.LOGS)


class PrivacyPage(SettingsPage):
    """What stays here, what it takes, and how to be rid of it."""

    shown = Signal()  # what is kept was looked at

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        self._model_ports = ports.model_ports
        self._keeping = ports.keeping
        self.question: QDialog | None = None
        self.kept: tuple[Stored, ...] = ()
        self._area = ScrollColumn(self)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._sheet = QWidget(self._area.body)
        self._column = QVBoxLayout(self._sheet)
        self._column.setContentsMargins(28, 14, 28, 14)
        self._column.setSpacing(4)
        self._say(
            tr("Nothing leaves this computer"),
            tr(
                "No recording, no text and no statistics. The network is only for models and "
                "news of a newer version, when you ask for them."
            ),
        )
        self.offline_box = self.check("offline", tr("Stay offline: open no connection at all"))
        self.offline_box.toggled.connect(self._on_offline)
        self._column.addWidget(self.offline_box)
        self._column.addSpacing(theme.SPACE)
        self._heading(tr("What is kept, and where"))
        self.table = QGridLayout()
        self.table.setHorizontalSpacing(16)
        self.table.setVerticalSpacing(2)
        self.table.setColumnStretch(1, 1)
        self._column.addLayout(self.table)
        self._column.addWidget(
            self.note(
                tr(
                    "Only your user account can open these. Logs hold numbers and kinds of errors, "
                    "never your texts, titles or file names."
                )
            )
        )
        self._column.addSpacing(theme.SPACE)
        self._make_footer()
        self._column.addStretch(1)
        self._area.set_parts([self._sheet])
        theme.refresh_scroll_bars(self)
        self._fill_page()
        self._sizes: Errand | None = None
        self._count: Errand | None = None
        if self._keeping is not None:
            self._look_with(self._keeping)

    def refresh_colors(self) -> None:
        super().refresh_colors()
        theme.refresh_scroll_bars(self)
        if isinstance(self.question, EraseDialog):
            self.question.refresh_colors()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()

    def look(self) -> None:
        """Look anew at what is kept."""
        if self._sizes is not None and self._keeping is not None:
            keeping = self._keeping

            def work(_progress: Progress, _is_stopped: IsStopped) -> Sequence[Stored]:
                return keeping.look_at_store()

            self._sizes.begin(work)

    def ask_to_erase(self) -> None:
        """Count what there is to lose, then ask."""
        if self._count is None or self._keeping is None or self._count.is_running:
            return
        keeping = self._keeping
        self.erase_button.setEnabled(False)
        self._count.begin(lambda _progress, _is_stopped: keeping.count_all())

    # Inside

    def _look_with(self, keeping: KeepingPorts) -> None:
        self._sizes = Errand(keeping.submit, self)
        self._sizes.done.connect(self._show_kept)
        self._count = Errand(keeping.submit, self)
        self._count.done.connect(self._ask)
        self._count.failed.connect(self._on_failed)

    def _show_kept(self, kept: Sequence[Stored]) -> None:
        self.kept = tuple(kept)
        while (item := self.table.takeAt(0)) is not None:
            widget = item.widget()
            if isinstance(widget, QuietLabel) and widget in self._quiet:
                self._quiet.remove(widget)
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        shown = [one for one in self.kept if one.files or one.shelf in _ALWAYS]
        for at, one in enumerate(shown):
            self._add_row(at, one)
        self._area.body.place()
        self.shown.emit()

    def _add_row(self, at: int, one: Stored) -> None:
        name, about = _name(one.shelf)
        title = PlainLabel(name, self)
        note = ElidedLabel(about, self, color="secondary")
        self._quiet.append(note)
        amount = PlainLabel(_amount(one), self)
        amount.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        folder = one.place if one.place.is_dir() else one.place.parent
        show = push_button(
            tr("Show"), lambda: self._reveal(folder), self, tr("Show where: {what}", what=name)
        )
        show.setToolTip(short_path(one.place))
        show.setEnabled(folder.is_dir())
        for place, widget in enumerate((title, note, amount, show)):
            self.table.addWidget(widget, at, place)
            widget.show()

    def _ask(self, count: int) -> None:
        self.erase_button.setEnabled(True)
        if self._keeping is None:
            return
        models = next((one for one in self.kept if one.shelf is Shelf.MODELS), None)
        written = size(models.size_bytes) if models is not None and models.files else ""
        dialog = EraseDialog(count, written, self._keeping.erase, self.window())
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._forget_question)
        self.question = dialog
        dialog.open()

    def _forget_question(self) -> None:
        self.question = None

    def _on_failed(self, error: AppError) -> None:
        self.erase_button.setEnabled(True)
        self.erase_note.setText(tr_phrase(error.message))

    def _on_offline(self, is_on: bool) -> None:
        if is_on and self._model_ports is not None:
            self._model_ports.commands.stay_offline()

    def _reveal(self, folder: Path) -> None:
        show_folder(folder)

    def _make_footer(self) -> None:
        self.erase_button = push_button(tr("Erase Everything…"), self.ask_to_erase, self)
        self.erase_button.setEnabled(self._keeping is not None)
        self.erase_note = self.note(tr("Recordings, texts, settings and logs. You are asked once."))
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.erase_note, 1)
        row.addWidget(self.erase_button)
        self._column.addLayout(row)

    def _fill_page(self) -> None:
        """Let the scrolled sheet take the page's place of rows."""
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setSpacing(0)
        self.form.addRow(self._area)
        self._area.setMinimumHeight(120)
        policy = self._area.sizePolicy()
        policy.setVerticalPolicy(policy.Policy.Expanding)
        policy.setVerticalStretch(1)
        self._area.setSizePolicy(policy)

    def _heading(self, title: str) -> None:
        label = PlainLabel(title, self, wraps=True)
        label.setFont(theme.font(is_bold=True))
        self._column.addWidget(label)

    def _say(self, title: str, text: str) -> None:
        self._heading(title)
        self._column.addWidget(self.note(text))


def _name(shelf: Shelf) -> tuple[str, str]:
    return {
        Shelf.LIBRARY: (tr("Library"), tr("titles, texts, notes, versions")),
        Shelf.SOUND: (tr("Sound"), tr("recordings, copies of files")),
        Shelf.SOUND_BIN: (tr("Sound in the bin"), tr("put away by a rule, erased in time")),
        Shelf.SETTINGS: (tr("Settings"), tr("with your vocabulary")),
        Shelf.MODELS: (tr("Models"), tr("they know nothing of you")),
        Shelf.LOGS: (tr("Logs"), tr("what went wrong, without your words")),
        Shelf.ASIDE: (tr("Kept aside"), tr("older or damaged libraries")),
    }[shelf]


def _amount(one: Stored) -> str:
    if not one.files:
        return tr("nothing")
    count = tr_plural("{count} file", "{count} files", one.files)
    return f"{size(one.size_bytes)} · {count}"
