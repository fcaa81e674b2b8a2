"""Asks as what and where to export one or several transcripts.

Only proposes names that stay inside the folder; the writing happens elsewhere.
"""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.wording import safe_file_name


def formats() -> tuple[tuple[str, str, str], ...]:
    """Return id, name and one sentence for every format."""
    return (
        ("txt", tr("Plain text (.txt)"), tr("Only the words, one paragraph a segment.")),
        ("md", tr("Markdown (.md)"), tr("With title, times and speakers.")),
        ("docx", tr("Word (.docx)"), tr("With title, times and speakers.")),
        ("pdf", tr("PDF (.pdf)"), tr("To print or to pass on.")),
        ("html", tr("Web page (.html)"), tr("One file that opens in any browser.")),
        ("srt", tr("Subtitles (.srt)"), tr("For video players and editors.")),
        ("vtt", tr("Web subtitles (.vtt)"), tr("For videos on the web.")),
        ("ass", tr("Styled subtitles (.ass)"), tr("For players that know styles.")),
        ("ttml", tr("Broadcast subtitles (.ttml)"), tr("For television and streaming.")),
        ("lrc", tr("Lyrics (.lrc)"), tr("Lines with times, for music players.")),
        ("csv", tr("Table (.csv)"), tr("One row a segment, for spreadsheets.")),
        ("json", tr("Data (.json)"), tr("Everything, with words and how sure they are.")),
    )


class ExportDialog(QDialog):
    """Format and target for the recordings with `titles`."""

    def __init__(
        self,
        titles: Sequence[str],
        folder: str,
        format_id: str = "txt",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowModality(Qt.WindowModality.WindowModal)  # a sheet on macOS
        self.setWindowTitle(tr("Export"))
        self._titles = list(titles)
        self._folder = Path(folder) if folder and Path(folder).is_dir() else _documents()
        heading = PlainLabel(self._heading(), self, wraps=True)
        self.format_box = QComboBox(self)
        self.format_box.setAccessibleName(tr("Format"))
        for key, name, _note in formats():
            self.format_box.addItem(name, key)
        self.format_box.setCurrentIndex(max(0, self.format_box.findData(format_id)))
        self.format_box.currentIndexChanged.connect(self._on_format_changed)
        self._note = QuietLabel("", self, wraps=True)
        self.name_edit = QLineEdit(safe_file_name(self._titles[0]) if self._is_single else "", self)
        self.name_edit.setAccessibleName(tr("File name"))
        self.name_edit.textChanged.connect(self._check)
        self.folder_edit = QLineEdit(str(self._folder), self)
        self.folder_edit.setAccessibleName(tr("Folder"))
        self.folder_edit.setReadOnly(True)
        self.choose_button = QPushButton(tr("Choose…"), self)
        self.choose_button.setAccessibleName(tr("Choose a folder"))
        self.choose_button.clicked.connect(self._choose_folder)
        form = QFormLayout()
        form.addRow(tr("Format:"), self.format_box)
        form.addRow("", self._note)
        if self._is_single:
            form.addRow(tr("Name:"), self.name_edit)
        else:
            self.name_edit.hide()
        where = QHBoxLayout()
        where.addWidget(self.folder_edit, 1)
        where.addWidget(self.choose_button)
        form.addRow(tr("Folder:"), where)
        self.warning = QuietLabel("", self, wraps=True, color="warning")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.export_button = self.buttons.addButton(
            tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.export_button.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(heading)
        column.addLayout(form)
        column.addWidget(self.warning)
        column.addWidget(self.buttons)
        self.setMinimumWidth(460)
        self._on_format_changed()

    @property
    def format_id(self) -> str:
        return str(self.format_box.currentData())

    @property
    def target(self) -> Path:
        """Return the file to write, or the folder when there are several recordings."""
        if not self._is_single:
            return self._folder
        return self._folder / f"{safe_file_name(self.name_edit.text())}.{self.format_id}"

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def _is_single(self) -> bool:
        return len(self._titles) == 1

    def _heading(self) -> str:
        if self._is_single:
            return tr("Export “{title}”", title=" ".join(self._titles[0].split())[:80])
        count = len(self._titles)
        return tr_plural("Export {count} transcript", "Export {count} transcripts", count)

    def _on_format_changed(self) -> None:
        self._note.setText({key: note for key, _name, note in formats()}[self.format_id])
        self._check()

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Export to"), str(self._folder))
        if chosen:
            self.set_folder(Path(chosen))

    def set_folder(self, folder: Path) -> None:
        """Export into `folder`."""
        self._folder = folder
        self.folder_edit.setText(str(folder))
        self._check()

    def _check(self) -> None:
        has_name = not self._is_single or bool(self.name_edit.text().strip())
        self.export_button.setEnabled(has_name)
        exists = self._is_single and has_name and self.target.exists()
        self.warning.setText(
            tr("There is already a file of that name; it will be replaced.") if exists else ""
        )
        self.warning.setVisible(exists)


def _documents() -> Path:
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(place) if place and Path(place).is_dir() else Path.home()
