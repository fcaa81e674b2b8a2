"""The one question before everything is erased: how much it is, and a word to type."""

from collections.abc import Callable

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import AppError
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel


class EraseDialog(QDialog):
    """Asks once.

    Args:
        count: how many recordings there are, the bin included.
        models: how large the models are, written out; empty when there are none.
        erase: erases, with the models or without; may refuse with an `AppError`.
    """

    def __init__(
        self,
        count: int,
        models: str,
        erase: Callable[[bool], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._erase = erase
        self._word = tr("erase")
        self.setWindowTitle(tr("Erase Everything"))
        self.setModal(True)
        self.title_label = PlainLabel(_question(count), self, wraps=True)
        self.title_label.setFont(theme.font(1.15, is_bold=True))
        self._quiet = [
            QuietLabel(text, self, wraps=True)
            for text in (
                tr(
                    "Texts, sound, notes, versions, the bin, settings and logs are gone then. "
                    "This can't be undone. Undertone starts again as on the first day."
                ),
                tr("Files you imported from elsewhere, exports and backups stay where they are."),
            )
        ]
        self.models_box = QCheckBox(tr("Delete the models too ({size})", size=models), self)
        self.models_box.setVisible(bool(models))
        self.prompt_label = QLabel(tr("Type “{word}” to confirm:", word=self._word), self)
        self.word_edit = QLineEdit(self)
        self.word_edit.setMinimumHeight(theme.TARGET)
        self.word_edit.setAccessibleName(self.prompt_label.text())
        self.prompt_label.setBuddy(self.word_edit)
        self.problem_label = QuietLabel("", self, wraps=True, color="error")
        self.problem_label.hide()
        self.buttons = QDialogButtonBox(self)
        self.erase_button = QPushButton(tr("Erase Everything"), self)
        self.cancel_button = QPushButton(tr("Cancel"), self)
        self.buttons.addButton(self.erase_button, QDialogButtonBox.ButtonRole.DestructiveRole)
        self.buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        for button in (self.erase_button, self.cancel_button):
            button.setAccessibleName(button.text())
            button.setAutoDefault(False)
            button.setMinimumHeight(theme.TARGET)
        self.erase_button.setEnabled(False)
        self.erase_button.clicked.connect(self._on_erase)
        self.cancel_button.clicked.connect(self.reject)
        self.word_edit.textChanged.connect(self._on_typed)
        self.word_edit.returnPressed.connect(self._on_erase)
        self._make_layout()
        self.word_edit.setFocus()

    def refresh_colors(self) -> None:
        for label in (*self._quiet, self.problem_label):
            label.refresh_colors()

    def _on_typed(self, text: str) -> None:
        is_meant = text.strip().casefold() == self._word.casefold()
        self.erase_button.setEnabled(is_meant)

    def _on_erase(self) -> None:
        if not self.erase_button.isEnabled():
            return
        try:
            self._erase(self.models_box.isChecked())
        except AppError as error:
            said = f"{tr_phrase(error.message)} {tr_phrase(error.hint)}".strip()
            self.problem_label.setText(said)
            self.problem_label.show()
            return
        self.accept()

    def _make_layout(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(theme.SPACE)
        for widget in (
            self.title_label,
            *self._quiet,
            self.models_box,
            self.prompt_label,
            self.word_edit,
            self.problem_label,
            self.buttons,
        ):
            column.addWidget(widget)
        self.setMinimumWidth(440)


def _question(count: int) -> str:
    if not count:
        return tr("Erase everything Undertone keeps on this computer?")
    return tr_plural(
        "Erase {count} recording and everything else Undertone keeps?",
        "Erase {count} recordings and everything else Undertone keeps?",
        count,
    )
