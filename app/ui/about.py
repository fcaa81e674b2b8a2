"""The About box: version, licences, nothing else."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from app.config.translate import tr
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel


class AboutBox(QDialog):
    """Says what this is and under which licences."""

    def __init__(self, version: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About Undertone"))
        name = PlainLabel("Undertone", self)
        name.setFont(theme.font(1.7, is_bold=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 16)
        column.setSpacing(theme.SPACE)
        column.addWidget(name)
        column.addWidget(QuietLabel(tr("Version {version}", version=version or "–"), self))
        for text in (
            tr("Private speech to text. Everything happens on this computer."),
            tr(
                "The source code is free under the MIT licence. The packaged app as a whole is "
                "under the GPL, version 3, because it contains FFmpeg (through PyAV)."
            ),
        ):
            column.addWidget(PlainLabel(text, self, wraps=True))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setFixedWidth(400)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
