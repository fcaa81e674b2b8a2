"""Asking for a model that is not in the list: a name on the hub, or one of another app's cache."""

from collections.abc import Sequence

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.models.custom import Cached
from app.ui import theme
from app.ui.models.wording import size
from app.ui.widgets.labels import PlainLabel, QuietLabel


class RepositoryDialog(QDialog):
    """Asks for `owner/model`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Add from the Hub"))
        self.name_edit = QLineEdit(self)
        self.name_edit.setPlaceholderText("owner/model")
        self.name_edit.setAccessibleName(tr("Name on the hub"))
        self.name_edit.setMinimumHeight(theme.TARGET)
        note = QuietLabel(
            tr(
                "Whisper and Voxtral models in safetensors or npz files can be used. Only add "
                "models of people you trust: Undertone cannot know what their files should be."
            ),
            self,
            wraps=True,
        )
        self.buttons = _buttons(self, tr("Download"))
        column = _column(self)
        column.addWidget(PlainLabel(tr("Name on the hub:"), self))
        column.addWidget(self.name_edit)
        column.addWidget(note)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.name_edit.textChanged.connect(self._on_text)
        self._on_text("")
        self.resize(440, 190)

    @property
    def repository(self) -> str:
        return self.name_edit.text().strip()

    def _on_text(self, _text: str) -> None:
        parts = self.repository.removeprefix("https://").split("/")
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(len([part for part in parts if part]) >= 2)


class CacheDialog(QDialog):
    """Offers the models of hub caches on this machine."""

    def __init__(self, found: Sequence[Cached], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Add from Another App"))
        self._found = list(found)
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Models of other apps"))
        for one in self._found:
            QListWidgetItem(f"{one.repository}   {size(one.found.weight_bytes)}", self.list)
        self.buttons = _buttons(self, tr("Add"))
        column = _column(self)
        if self._found:
            text = tr("Other apps have downloaded these. A copy is made; theirs stays as it is.")
            self.list.setCurrentRow(0)
        else:
            text = tr("No other app on this computer has downloaded a model that can be used.")
            self.list.hide()
            self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(False)
        column.addWidget(QuietLabel(text, self, wraps=True))
        column.addWidget(self.list, 1)
        if not self._found:
            column.addStretch(1)
        column.addWidget(self.buttons)
        self.list.itemDoubleClicked.connect(self.accept)
        self.resize(460, 300 if self._found else 140)

    @property
    def chosen(self) -> Cached | None:
        at = self.list.currentRow()
        return self._found[at] if 0 <= at < len(self._found) else None


def _buttons(dialog: QDialog, name: str) -> QDialogButtonBox:
    standard = QDialogButtonBox.StandardButton
    box = QDialogButtonBox(standard.Ok | standard.Cancel, dialog)
    box.button(standard.Ok).setText(name)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


def _column(dialog: QDialog) -> QVBoxLayout:
    column = QVBoxLayout(dialog)
    column.setContentsMargins(20, 18, 20, 16)
    column.setSpacing(theme.SPACE)
    return column
