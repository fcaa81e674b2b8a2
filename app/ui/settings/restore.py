"""Choosing a backup to bring back, and what to do when it is damaged.

Nothing of the present library is touched from here: what was checked is put in place at the next
start, and the library of before stays beside it.
"""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.backup import BackupChanged, BackupLine, BackupStage
from app.core.errors import AppError, BackupDamaged
from app.ui import theme
from app.ui.models.wording import size
from app.ui.ports import Backups, Events
from app.ui.settings.form import push_button
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.progress import ThinProgress
from app.ui.wording import full_date, short_path, time_of_day

_WIDE, _TALL = 520, 400  # px


class RestoreDialog(QDialog):
    """The backups in a folder, newest first.

    Args:
        folder: where to look first; `None` asks the person.
        relaunch: ends the app and starts it again, where that is possible.
    """

    _listed = Signal(object)

    def __init__(
        self,
        backups: Backups,
        events: Events,
        folder: Path | None,
        relaunch: Callable[[], None] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._backups = backups
        self._relaunch = relaunch
        self.folder = folder
        self._asked = ""  # the backup that is being restored
        self._is_closed = False
        self.setWindowModality(Qt.WindowModality.WindowModal)  # a sheet on macOS
        self.setWindowTitle(tr("Restore a Backup"))
        self.place = QuietLabel("", self, wraps=True)
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Backups, newest first"))
        self.list.setUniformItemSizes(True)
        self.list.itemSelectionChanged.connect(self._show)
        self.said = PlainLabel("", self, wraps=True)
        self.problem = QuietLabel("", self, wraps=True, color="warning")
        self.progress = ThinProgress(tr("Progress of the check"), self)
        self._make_buttons()
        self._lay_out()
        self._listed.connect(self._on_listed)
        events.backup_changed.connect(self._on_changed)
        self.resize(_WIDE, _TALL)
        self.look_into(folder)

    def _make_buttons(self) -> None:
        self.other_button = push_button(tr("Other Folder…"), self.choose_folder, self)
        self.cancel_button = push_button(tr("Cancel"), self.reject, self)
        self.restore_button = push_button(tr("Restore"), self.restore, self)
        self.restore_button.setDefault(True)
        self.older_button = push_button("", self.restore_older, self)
        self.without_button = push_button(
            tr("Restore Without Damaged Sound"), self.restore_without_damaged, self
        )
        self.restart_button = push_button(tr("Restart Now"), self._restart, self)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.place, 1)
        top.addWidget(self.other_button)
        choices = QHBoxLayout()
        choices.addStretch(1)
        for button in (self.older_button, self.without_button):
            choices.addWidget(button)
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self.cancel_button, self.restore_button, self.restart_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        for part in (self.said, self.problem, self.progress):
            column.addWidget(part)
        column.addLayout(choices)
        column.addLayout(row)

    # What a person does.

    def choose_folder(self) -> None:
        """Ask for another folder of backups."""
        before = str(self.folder) if self.folder else ""
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder of Backups"), before)
        if chosen:
            self.look_into(Path(chosen))

    def look_into(self, folder: Path | None) -> None:
        """Show the backups in `folder`."""
        self.folder = folder
        self.list.clear()
        self.problem.clear()
        self.place.setText(short_path(folder) if folder else tr("No folder chosen"))
        if folder is not None:
            self._backups.list(folder).add_done_callback(self._tell_listed)
        self._show()

    def restore(self) -> None:
        """Check the chosen backup."""
        line = self.chosen
        if line is not None:
            self._restore(line.name)

    def restore_older(self) -> None:
        """Take the newest older one that is whole."""
        older = self._backups.now.older
        if older is not None:
            self._restore(older.name)

    def restore_without_damaged(self) -> None:
        """Take the damaged one, without the sound that is not whole."""
        self._restore(self._asked, without_damaged=True)

    @property
    def chosen(self) -> BackupLine | None:
        """The backup that is selected and can be read."""
        items = self.list.selectedItems()
        line = items[0].data(Qt.ItemDataRole.UserRole) if items else None
        return line if isinstance(line, BackupLine) and line.is_readable else None

    def done(self, result: int) -> None:
        if self._backups.now.stage is BackupStage.CHECKING and self._asked:
            self._backups.stop()
        self._is_closed = True
        super().done(result)

    def _restore(self, name: str, *, without_damaged: bool = False) -> None:
        if self.folder is not None and name:
            self._asked = name
            self._backups.restore(self.folder, name, without_damaged=without_damaged)
            self._show()

    def _restart(self) -> None:
        self.accept()
        if self._relaunch is not None:
            self._relaunch()

    # How it stands.

    def _tell_listed(self, done: "Future[tuple[BackupLine, ...]]") -> None:
        """Thread: io."""
        if not self._is_closed and not done.cancelled():
            self._listed.emit(done)

    @Slot(object)
    def _on_listed(self, done: "Future[tuple[BackupLine, ...]]") -> None:
        error = done.exception()
        if isinstance(error, AppError):
            self._complain(error)
        elif error is None:
            for line in done.result():
                self._add(line)
            self.list.setCurrentRow(0)
        self._show()

    def _add(self, line: BackupLine) -> None:
        item = QListWidgetItem(line_text(line))
        item.setData(Qt.ItemDataRole.UserRole, line)
        item.setSizeHint(QSize(0, theme.TARGET))
        if not line.is_readable:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
        self.list.addItem(item)

    @Slot(object)
    def _on_changed(self, _changed: BackupChanged) -> None:
        self._show()

    def _complain(self, error: AppError) -> None:
        self.problem.setText(f"{tr_phrase(error.message)} {tr_phrase(error.hint)}".strip())

    def _show(self) -> None:
        now = self._backups.now
        is_mine = bool(self._asked)
        is_busy = is_mine and now.stage in (BackupStage.CHECKING, BackupStage.WAITING)
        is_ready = is_mine and now.stage is BackupStage.RESTORED
        is_damaged = is_mine and now.problem is not None and not is_busy
        if is_damaged and now.problem is not None:
            self._complain(now.problem)
        elif is_mine:
            self.problem.clear()
        self.progress.setVisible(is_busy)
        self.progress.setRange(0, 100 if now.fraction is not None else 0)
        self.progress.setValue(round(100 * (now.fraction or 0.0)))
        self.said.setText(_said(is_busy=is_busy, is_ready=is_ready))
        self.problem.setVisible(bool(self.problem.text()))
        self.list.setEnabled(not is_busy and not is_ready)
        self.other_button.setEnabled(not is_busy and not is_ready)
        self.restore_button.setVisible(not is_ready)
        self.restore_button.setEnabled(self.chosen is not None and not is_busy)
        self.restart_button.setVisible(is_ready and self._relaunch is not None)
        self.restart_button.setDefault(is_ready)
        self.cancel_button.setText(
            tr("Later") if is_ready else tr("Stop") if is_busy else tr("Cancel")
        )
        older = now.older if is_damaged else None
        self.older_button.setVisible(older is not None)
        if older is not None:
            self.older_button.setText(tr("Restore {when}", when=_when(older)))
        self.without_button.setVisible(is_damaged and isinstance(now.problem, BackupDamaged))


def line_text(line: BackupLine) -> str:
    """Return one backup as a line of the list."""
    if line.is_newer:
        return tr("{name} – made by a newer Undertone", name=line.name)
    if not line.is_readable:
        return tr("{name} – damaged", name=line.name)
    count = tr_plural("{count} recording", "{count} recordings", line.recordings)
    return f"{_when(line)}  –  {count}, {size(line.size_bytes)}"


def _when(line: BackupLine) -> str:
    return f"{full_date(line.made_at)}, {time_of_day(line.made_at)}"


def _said(*, is_busy: bool, is_ready: bool) -> str:
    if is_ready:
        return tr("All of it is whole. Undertone puts it in place when it starts again.")
    if is_busy:
        return tr("Every file is checked before anything is put in place.")
    return tr("Your present library is kept beside the restored one; nothing of it is deleted.")
