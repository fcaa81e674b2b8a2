"""Asks with which model, in which language and how much of a recording to transcribe once more."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_plural
from app.core.language import AUTO, CODES, language_name
from app.core.timecode import clock
from app.pipeline.retake import Part
from app.ui.ports import ModelChoice
from app.ui.widgets.labels import PlainLabel, QuietLabel


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some segments that may be transcribed alone."""

    part: Part
    count: int


class RetakeSheet(QDialog):
    """Model, language, and all or a part; says that the text stays."""

    def __init__(
        self,
        title: str,
        models: Sequence[ModelChoice],
        *,
        model_id: str,
        language: str,
        chosen: Chosen | None = None,
        takes_part: bool = False,
        problem: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowModality(Qt.WindowModality.WindowModal)  # a sheet on macOS
        self.setWindowTitle(tr("Transcribe Again"))
        self._models = {model.model_id: model for model in models}
        self._chosen = chosen
        heading = PlainLabel(tr("Transcribe “{title}” again", title=title[:80]), self, wraps=True)
        self.model_box = QComboBox(self)
        self.model_box.setAccessibleName(tr("Model"))
        for model in models:
            self.model_box.addItem(model.title, model.model_id)
        self.model_box.setCurrentIndex(max(0, self.model_box.findData(model_id)))
        self.model_box.currentIndexChanged.connect(lambda _at: self._fill_languages())
        self.note = QuietLabel("", self, wraps=True)
        self.language_box = QComboBox(self)
        self.language_box.setAccessibleName(tr("Spoken language"))
        self.language_box.setMaxVisibleItems(20)
        self.all_button = QRadioButton(tr("The whole recording"), self)
        self.part_button = QRadioButton(self._part_text(), self)
        self.part_button.setEnabled(chosen is not None)
        is_part = takes_part and chosen is not None
        (self.part_button if is_part else self.all_button).setChecked(True)
        self.promise = QuietLabel(
            tr("Your text stays as it is. When the new one is ready, you choose between them."),
            self,
            wraps=True,
        )
        self.warning = QuietLabel(problem, self, wraps=True, color="warning")
        self.warning.setVisible(bool(problem))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.start_button = self.buttons.addButton(
            tr("Transcribe"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.start_button.setDefault(True)
        self.start_button.setEnabled(not problem and bool(models))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out(heading)
        self._fill_languages(language)

    @property
    def model_id(self) -> str:
        return str(self.model_box.currentData() or AUTO)

    @property
    def language(self) -> str:
        return str(self.language_box.currentData() or AUTO)

    @property
    def part(self) -> Part | None:
        """What is to be transcribed; `None` for everything."""
        return self._chosen.part if self._chosen and self.part_button.isChecked() else None

    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        for label in (self.note, self.promise, self.warning):
            label.refresh_colors()

    def _lay_out(self, heading: QWidget) -> None:
        form = QFormLayout()
        form.addRow(tr("Model:"), self.model_box)
        form.addRow(tr("Language:"), self.language_box)
        form.addRow(tr("How much:"), self.all_button)
        form.addRow("", self.part_button)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addLayout(form)
        column.addWidget(self.note)  # not in the form, where wrapped lines are cut off
        column.addWidget(self.promise)
        column.addWidget(self.warning)
        column.addWidget(self.buttons)
        self.setMinimumWidth(440)
        self.resize(440, 0)

    def _part_text(self) -> str:
        if self._chosen is None:
            return tr("Only what is selected in the text")
        part = self._chosen.part
        return tr_plural(
            "The selected segment ({begin} – {end})",
            "{count} selected segments ({begin} – {end})",
            self._chosen.count,
            begin=clock(part.from_s),
            end=clock(part.until_s),
        )

    def _fill_languages(self, chosen: str | None = None) -> None:
        """Offer what the model knows; keep the choice where it knows that."""
        wanted = chosen or self.language
        model = self._models.get(self.model_id)
        self.note.setText(model.note if model is not None else "")
        self.note.setVisible(bool(self.note.text()))
        self.language_box.clear()
        self.language_box.addItem(tr("Any language"), AUTO)
        known = model.languages if model is not None and model.languages else CODES
        for name, code in sorted((tr(language_name(code)), code) for code in known):
            self.language_box.addItem(name, code)
        self.language_box.setCurrentIndex(max(0, self.language_box.findData(wanted)))
        layout = self.layout()
        if layout is not None:  # wrapped lines need more than a dialog gives them by itself
            width = max(self.width(), self.minimumWidth())
            self.setMinimumHeight(layout.totalHeightForWidth(width))
