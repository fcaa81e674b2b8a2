"""Backups and archives in the settings: where to, how many, how it stands, and back again.

Shows the last `BackupChanged` and nothing of its own; a disk that is missing is one calm line.
"""

from datetime import date
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.backup import Archived, BackupChanged, BackupStage, Merged
from app.core.errors import BackupMissing
from app.library.restore import libraries_before
from app.ui import theme
from app.ui.models.wording import size
from app.ui.ports import Backups, Ports
from app.ui.settings.form import Change, SettingsPage, column_of, push_button
from app.ui.settings.restore import RestoreDialog
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.progress import ThinProgress
from app.ui.wording import day_of, full_date, short_path, time_of_day

_KEPT = (("backup_days", 1, 365), ("backup_weeks", 0, 104), ("backup_months", 0, 120))


class BackupsSection(SettingsPage):
    """Rows about copies of the whole library.

    Args:
        is_whole_page: with the margins of a page; without, to stand at the end of another.
    """

    def __init__(
        self,
        ports: Ports,
        backups: Backups,
        change: Change,
        parent: QWidget | None = None,
        *,
        is_whole_page: bool = True,
    ) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        self._backups = backups
        self._library = ports.library_folder
        self._relaunch = ports.relaunch
        self._dialog: RestoreDialog | None = None
        self._events = ports.events
        if not is_whole_page:
            self.form.setContentsMargins(0, 0, 0, 0)
        self._make_place()
        self._make_keeping()
        self._make_state()
        self._make_archive()
        self.on_refresh(self._show)
        ports.events.backup_changed.connect(self._on_changed)
        self._show()

    def refresh_colors(self) -> None:
        super().refresh_colors()
        for label in (self.problem, self.result):
            label.refresh_colors()

    # What it is made of.

    def _make_place(self) -> None:
        self.place = QLineEdit(self)
        self.place.setReadOnly(True)
        self.place.setMinimumHeight(theme.TARGET)
        self.place.setPlaceholderText(tr("No folder chosen"))
        self.place.setAccessibleName(tr("Where backups go"))
        self.choose_button = push_button(
            tr("Choose…"), self.choose_folder, self, tr("Choose a folder for backups")
        )
        row = QHBoxLayout()
        row.addWidget(self.place, 1)
        row.addWidget(self.choose_button)
        self.place_note = self.note()
        self.daily = self.check("backs_up_daily", tr("Every day, by itself"))
        self.imported = self.check(
            "backs_up_imported", tr("With imported files that stay where they are")
        )
        self.row(tr("Back up to:"), column_of(row, self.place_note, self.daily, self.imported))

    def _make_keeping(self) -> None:
        self.counts: dict[str, QSpinBox] = {}
        row = QHBoxLayout()
        row.setSpacing(6)
        words = {
            "backup_days": tr("days,"),
            "backup_weeks": tr("weeks,"),
            "backup_months": tr("months"),
        }
        for name, least, most in _KEPT:
            box = self.counts[name] = QSpinBox(self)
            box.setRange(least, most)
            box.setMinimumHeight(theme.TARGET)
            box.setKeyboardTracking(False)  # 1 on the way to 12 would thin out
            box.setAccessibleName(tr("Keep the newest backup of so many {unit}", unit=words[name]))
            box.valueChanged.connect(lambda value, name=name: self.change(**{name: value}))
            row.addWidget(box)
            row.addWidget(PlainLabel(words[name], self))
        row.addStretch(1)
        self.on_refresh(self._show_counts)
        self._show_counts()
        self.row(
            tr("Keep:"),
            row,
            tr("Older ones go after the next backup. Each recording is stored once."),
        )

    def _make_state(self) -> None:
        self.state = PlainLabel("", self, wraps=True)
        self.state.setMinimumHeight(theme.TARGET - 4)
        self.progress = ThinProgress(tr("Progress of the backup"), self)
        self.problem = QuietLabel("", self, wraps=True, color="warning")
        self.aside = self.note()
        self.backup_button = push_button(tr("Back Up Now"), self._backups.back_up, self)
        self.stop_button = push_button(tr("Stop"), self._backups.stop, self, tr("Stop the backup"))
        self.restore_button = push_button(
            tr("Restore…"), self.open_restore, self, tr("Restore a backup")
        )
        row = QHBoxLayout()
        for button in (self.backup_button, self.stop_button, self.restore_button):
            row.addWidget(button)
        row.addStretch(1)
        self.row(
            tr("Last backup:"),
            column_of(self.state, self.progress, self.problem, row, self.aside, spacing=6),
        )

    def _make_archive(self) -> None:
        self.export_button = push_button(tr("Export Everything…"), self.export_everything, self)
        self.import_button = push_button(tr("Import Archive…"), self.take_in, self)
        self.result = QuietLabel("", self, wraps=True)
        row = QHBoxLayout()
        row.addWidget(self.export_button)
        row.addWidget(self.import_button)
        row.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(
            self.note(tr("One file with all text and sound, for another computer or for keeping."))
        )
        column.addWidget(self.result)
        self.row(tr("Archive:"), column)

    # What a person does.

    def choose_folder(self) -> None:
        """Ask for the folder of backups."""
        before = self.settings().backup_folder
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder for Backups"), before)
        if chosen:
            self.use_folder(Path(chosen))

    def use_folder(self, chosen: Path) -> None:
        """Back up into `chosen` from now on."""
        self.change(backup_folder=str(chosen))
        self._backups.folder_chosen()
        self.refresh()

    def open_restore(self) -> None:
        """Show which backups there are."""
        folder = self.settings().backup_folder
        self._dialog = RestoreDialog(
            self._backups, self._events, Path(folder) if folder else None, self._relaunch, self
        )
        self._dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialog.open()

    def export_everything(self) -> None:
        """Ask where to, and write everything into one file."""
        name = tr("Undertone library.zip")
        chosen, _kind = QFileDialog.getSaveFileName(
            self, tr("Export Everything"), str(Path.home() / name), tr("Archive (*.zip)")
        )
        if chosen:
            self._backups.write_archive(Path(chosen))

    def take_in(self) -> None:
        """Ask for an archive and take it in."""
        chosen, _kind = QFileDialog.getOpenFileName(
            self, tr("Import Archive"), "", tr("Archive (*.zip)")
        )
        if chosen:
            self._backups.take_in_archive(Path(chosen))

    # How it stands.

    @Slot(object)
    def _on_changed(self, _changed: BackupChanged) -> None:
        self._show()

    def _show_counts(self) -> None:
        for name, box in self.counts.items():
            with QSignalBlocker(box):
                box.setValue(int(getattr(self.settings(), name)))

    def _show(self) -> None:
        now, folder = self._backups.now, self.settings().backup_folder
        self.place.setText(short_path(Path(folder)) if folder else "")
        self.place_note.setText(_note_on(folder, self._library))
        self.place_note.setVisible(bool(self.place_note.text()))
        is_busy = now.stage not in (BackupStage.IDLE, BackupStage.RESTORED)
        self.state.setText(state_text(now))
        self.progress.setVisible(is_busy)
        self.progress.setRange(0, 100 if now.fraction is not None else 0)
        self.progress.setValue(round(100 * (now.fraction or 0.0)))
        self.stop_button.setVisible(is_busy)
        self.backup_button.setVisible(not is_busy)
        self.backup_button.setEnabled(bool(folder))
        for button in (self.restore_button, self.export_button, self.import_button):
            button.setEnabled(not is_busy)
        self.problem.setVisible(now.problem is not None)
        if now.problem is not None:
            # A disk that is not plugged in is no fault.
            self.problem.set_color(
                "secondary" if isinstance(now.problem, BackupMissing) else "warning"
            )
            said = f"{tr_phrase(now.problem.message)} {tr_phrase(now.problem.hint)}"
            self.problem.setText(said.strip())
        self.result.setText(result_text(now))
        self.result.setVisible(bool(self.result.text()))
        asides = libraries_before(self._library)
        self.aside.setVisible(bool(asides))
        if asides:
            self.aside.setText(
                tr(
                    "The library of before the restore is kept in “{folder}”. Delete that folder "
                    "when you no longer need it.",
                    folder=short_path(asides[-1]),
                )
            )


def state_text(now: BackupChanged) -> str:
    """Return how backups stand, in a line."""
    doing = {
        BackupStage.WAITING: tr("Waiting until nobody records"),
        BackupStage.BACKING_UP: tr("Backing up…"),
        BackupStage.CHECKING: tr("Checking a backup…"),
        BackupStage.ARCHIVING: tr("Exporting everything…"),
        BackupStage.UNARCHIVING: tr("Importing an archive…"),
        BackupStage.RESTORED: tr("A backup is checked; restart Undertone to put it in place."),
    }.get(now.stage)
    if doing is not None:
        return doing
    if now.last_at is None:
        return tr("None yet")
    parts = [
        moment(now.last_at),
        tr_plural("{count} recording", "{count} recordings", now.recordings),
        size(now.size_bytes),
    ]
    if now.left_out:
        parts.append(
            tr_plural(
                "{count} file could not be read", "{count} files could not be read", now.left_out
            )
        )
    return " · ".join(parts)


def result_text(now: BackupChanged) -> str:
    """Return what an archive came to."""
    if isinstance(now.done, Archived):
        text = tr_plural(
            "“{name}” holds {count} recording.",
            "“{name}” holds {count} recordings.",
            now.done.recordings,
            name=now.done.name,
        )
        if now.done.left_out:
            text += " " + tr_plural(
                "{count} sound file could not be read and is not in it.",
                "{count} sound files could not be read and are not in it.",
                now.done.left_out,
            )
        return text
    if isinstance(now.done, Merged):
        text = tr(
            "Imported: {added} new, {completed} completed, {unchanged} already here.",
            added=now.done.added,
            completed=now.done.completed,
            unchanged=now.done.unchanged,
        )
        if now.done.conflicts:
            text += " " + tr_plural(
                "Of {count} the text differs; the archive’s is among its versions.",
                "Of {count} the text differs; the archive’s is among their versions.",
                now.done.conflicts,
            )
        return text
    return ""


def moment(time_s: float) -> str:
    """Return `21 November 2026, 14:02`, or `Today, 14:02`."""
    day = tr("Today") if day_of(time_s) == date.today() else full_date(time_s)
    return f"{day}, {time_of_day(time_s)}"


def _note_on(folder: str, library: Path) -> str:
    if not folder:
        return tr("Choose a folder, best on another disk. Text and sound are backed up there.")
    try:
        is_same = Path(folder).stat().st_dev == library.stat().st_dev
    except OSError:
        return ""
    if is_same:
        return tr("On the same disk as the library: helps against mistakes, not a broken disk.")
    return ""
