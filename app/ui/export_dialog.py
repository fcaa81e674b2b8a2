"""Asks as what and where to export one or several transcripts.

Only proposes names that stay inside the folder; the writing happens elsewhere.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.export import ExportOptions, safe_name
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel

# Returns how an export begins: (format, options) -> its first lines.
Preview = Callable[[str, ExportOptions], str]
_CUES = ("srt", "vtt", "ass", "ttml")
_WITH_TIMES = ("txt", "md", "docx", "pdf", "html")


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
        *,
        names: str = "{title}",
        preview: Preview | None = None,
    ) -> None:
        super().__init__(parent)
        self._names = names
        self._preview = preview
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
        form = QFormLayout()
        form.addRow(tr("Format:"), self.format_box)
        form.addRow("", self._note)
        self._make_target(form)
        self._make_options(form)
        self.preview_text = QPlainTextEdit(self)
        self.preview_text.setReadOnly(True)
        self.preview_text.setAccessibleName(tr("Preview"))
        self.preview_text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.preview_text.setMinimumHeight(150)
        self.preview_text.setFont(theme.font(0.92))
        self.preview_text.setVisible(preview is not None)
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
        column.addWidget(self.preview_text, 1)
        column.addWidget(self.warning)
        column.addWidget(self.buttons)
        self.setMinimumWidth(460)
        self._on_format_changed()

    def _make_target(self, form: QFormLayout) -> None:
        name = safe_name(self._titles[0]) if self._is_single else self._names
        self.name_edit = QLineEdit(name, self)
        self.name_edit.setAccessibleName(tr("File name"))
        self.name_edit.textChanged.connect(self._check)
        form.addRow(tr("Name:") if self._is_single else tr("Names:"), self.name_edit)
        if not self._is_single:
            tip = tr("{title}, {date}, {time}, {language} and {number} are filled in")
            self.name_edit.setToolTip(tip)
        self.folder_edit = QLineEdit(str(self._folder), self)
        self.folder_edit.setAccessibleName(tr("Folder"))
        self.folder_edit.setReadOnly(True)
        self.choose_button = QPushButton(tr("Choose…"), self)
        self.choose_button.setAccessibleName(tr("Choose a folder"))
        self.choose_button.clicked.connect(self._choose_folder)
        where = QHBoxLayout()
        where.addWidget(self.folder_edit, 1)
        where.addWidget(self.choose_button)
        form.addRow(tr("Folder:"), where)

    @property
    def format_id(self) -> str:
        return str(self.format_box.currentData())

    @property
    def target(self) -> Path:
        """Return the file to write, or the folder when there are several recordings."""
        if not self._is_single:
            return self._folder
        suffix = f".{self.format_id}"
        typed = self.name_edit.text().strip()
        if typed.lower().endswith(suffix):
            typed = typed[: -len(suffix)] or typed
        return self._folder / f"{safe_name(typed)}{suffix}"

    @property
    def template(self) -> str:
        """Return how files are named when there are several; empty for one."""
        return "" if self._is_single else self.name_edit.text()

    @property
    def options(self) -> ExportOptions:
        """Return what was chosen for the format."""
        speed = self.speed_box.value()
        return ExportOptions(
            has_speakers=self.speakers_check.isChecked(),
            has_times=self.times_check.isChecked(),
            line_length=self.length_box.value(),
            cue_lines=self.lines_box.value(),
            reading_speed=float(speed) if speed else None,
        )

    def _make_options(self, form: QFormLayout) -> None:
        self.speakers_check = QCheckBox(tr("Speakers"), self)
        self.times_check = QCheckBox(tr("Times"), self)
        self.speakers_check.setChecked(True)
        row = QHBoxLayout()
        row.addWidget(self.speakers_check)
        row.addWidget(self.times_check)
        row.addStretch(1)
        form.addRow(tr("With:"), row)
        self.length_box = self._number(10, 200, 42, tr("Longest line, in characters"))
        self.lines_box = self._number(1, 6, 2, tr("Lines at once"))
        self.speed_box = self._number(0, 40, 0, tr("Characters a second"))
        self.speed_box.setSpecialValueText(tr("as spoken"))
        self.cue_options = QWidget(self)
        cues = QHBoxLayout(self.cue_options)
        cues.setContentsMargins(0, 0, 0, 0)
        for name, box in (
            (tr("Line length"), self.length_box),
            (tr("Lines"), self.lines_box),
            (tr("Reading speed"), self.speed_box),
        ):
            cues.addWidget(QuietLabel(name, self))
            cues.addWidget(box)
        cues.addStretch(1)
        form.addRow("", self.cue_options)
        for check in (self.speakers_check, self.times_check):
            check.toggled.connect(self._show_preview)

    def _number(self, low: int, high: int, value: int, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(low, high)
        box.setValue(value)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.valueChanged.connect(self._show_preview)
        return box

    def _show_preview(self) -> None:
        if self._preview is not None:
            self.preview_text.setPlainText(self._preview(self.format_id, self.options))

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
        self.cue_options.setVisible(self.format_id in _CUES)
        self.speakers_check.setEnabled(self.format_id != "json")
        self.times_check.setEnabled(self.format_id in _WITH_TIMES)
        self.times_check.setChecked(self.format_id not in ("txt",))
        self._check()
        self._show_preview()

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
        has_name = bool(self.name_edit.text().strip())
        self.export_button.setEnabled(has_name)
        exists = self._is_single and has_name and _is_there(self.target)
        self.warning.setText(
            tr("There is already a file of that name; it will be replaced.") if exists else ""
        )
        self.warning.setVisible(exists)


def _is_there(file: Path) -> bool:
    """Whether there is such a file; what cannot be asked for is not there."""
    try:
        return file.exists()
    except OSError:
        return False


def _documents() -> Path:
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(place) if place and Path(place).is_dir() else Path.home()
