"""The line above a transcript that says whether it is read or edited, and what can be done."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.config.translate import tr, tr_plural
from app.ui import theme
from app.ui.widgets.labels import QuietLabel


class ToolStrip(QWidget):
    """Mode, doubtful words, find, and the texts there were before."""

    edit_requested = Signal()
    find_requested = Signal()
    doubt_requested = Signal()
    compare_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_writable = True
        self.edit_button = self._tool("edit", tr("Edit"))
        self.edit_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.edit_button.setCheckable(True)
        self.edit_button.clicked.connect(lambda: self.edit_requested.emit())
        self.state_label = QuietLabel("", self)
        self.doubt_button = self._tool("doubt", tr("Go to the next doubtful word"))
        self.doubt_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.doubt_button.clicked.connect(lambda: self.doubt_requested.emit())
        self.find_button = self._tool("search", tr("Find and replace"))
        self.find_button.clicked.connect(lambda: self.find_requested.emit())
        self.compare_button = self._tool("compare", tr("Compare with other versions"))
        self.compare_button.clicked.connect(lambda: self.compare_requested.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 4)
        row.setSpacing(4)
        row.addWidget(self.edit_button)
        row.addWidget(self.state_label, 1)
        for button in (self.doubt_button, self.find_button, self.compare_button):
            row.addWidget(button)
        self.show_state(is_editing=False, is_saved=True, doubt=0)

    def show_state(self, *, is_editing: bool, is_saved: bool, doubt: int) -> None:
        """Say which mode it is, whether all is saved, and how many words are doubtful."""
        self.edit_button.setChecked(is_editing)
        self.edit_button.setText(tr("Done") if is_editing else tr("Edit"))
        tip = tr("Go back to reading (Esc)") if is_editing else tr("Edit the text (Return)")
        self.edit_button.setToolTip(tip)
        self.edit_button.setAccessibleName(tip)
        mode = tr("Editing") if is_editing else tr("Reading")
        self.state_label.setText(mode if is_saved else f"{mode} · {tr('Saving…')}")
        self.doubt_button.setVisible(doubt > 0)
        if doubt:
            text = tr_plural("{count} doubtful word", "{count} doubtful words", doubt)
            self.doubt_button.setText(str(doubt))
            self.doubt_button.setAccessibleName(text)
            self.doubt_button.setToolTip(tr("{what}: go to the next (F8)", what=text))

    def set_writable(self, is_writable: bool) -> None:
        """Whether the text can be changed now."""
        self.edit_button.setEnabled(is_writable)

    def refresh_colors(self) -> None:
        self.state_label.refresh_colors()

    def _tool(self, icon: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setMinimumSize(theme.TARGET, theme.TARGET)
        button.setAccessibleName(name)
        button.setToolTip(name)
        theme.set_icon(button, icon)
        return button
