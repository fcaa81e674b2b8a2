"""The About box: what this is, its version, and everybody's licences."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.config.identity import HOMEPAGE, NAME
from app.config.notices import Notice, all_notices
from app.config.paths import resources
from app.config.translate import tr
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.splitter import LineSplitter

_ICON = 88


def app_pixmap(side: int, ratio: float = 2.0) -> QPixmap:
    """Return the app's icon, drawn at `side` px."""
    pixels = round(side * ratio)
    picture = QPixmap(pixels, pixels)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    drawing = str(resources() / "app_icon" / "icon.svg")
    QSvgRenderer(drawing).render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


class AboutBox(QDialog):
    """Says what this is and under which licences."""

    def __init__(self, version: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About {app}", app=NAME))
        icon = QLabel(self)
        icon.setPixmap(app_pixmap(_ICON))
        name = PlainLabel(NAME, self)
        name.setFont(theme.font(1.7, is_bold=True))
        head = QVBoxLayout()
        head.setSpacing(2)
        head.addStretch(1)
        head.addWidget(name)
        head.addWidget(QuietLabel(tr("Version {version}", version=version or "–"), self))
        head.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(icon)
        top.addLayout(head, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 20, 28, 16)
        column.setSpacing(theme.SPACE)
        column.addLayout(top)
        for text in (
            tr("Private speech to text. Everything happens on this computer."),
            tr(
                "The source code is free under the MIT licence. The packaged app as a whole is "
                "under the GPL, version 3, because it contains FFmpeg (through PyAV)."
            ),
        ):
            column.addWidget(PlainLabel(text, self, wraps=True))
        column.addSpacing(theme.SPACE)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.licences_button = QPushButton(tr("Licences…"), self)
        self.page_button = QPushButton(tr("Project Page"), self)
        for button, call in (
            (self.licences_button, self._show_licences),
            (self.page_button, lambda: QDesktopServices.openUrl(QUrl(HOMEPAGE))),
        ):
            button.setAccessibleName(button.text())
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
            button.clicked.connect(lambda _checked=False, call=call: call())
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setFixedWidth(440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def _show_licences(self) -> None:
        LicencesBox(all_notices(), self).open()


class LicencesBox(QDialog):
    """Every part that others made, and its licence text."""

    def __init__(self, notices: Sequence[Notice], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices = list(notices)
        self.setWindowTitle(tr("Licences"))
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Parts of {app}", app=NAME))
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setMinimumWidth(180)
        self.list.setSpacing(2)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for notice in self._notices:
            self.list.addItem(f"{notice.name} {notice.version}".strip())
        self.licence_label = QuietLabel("", self, wraps=True)
        self.text = QPlainTextEdit(self)
        self.text.setAccessibleName(tr("Licence text"))
        self.text.setReadOnly(True)
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(theme.font(0.9).pointSizeF())
        self.text.setFont(fixed)
        self.text.document().setDocumentMargin(12)
        right = QWidget(self)
        page = QVBoxLayout(right)
        page.setContentsMargins(12, 12, 0, 0)
        page.addWidget(self.licence_label)
        page.addWidget(self.text, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 8, 16, 12)
        foot.addWidget(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(LineSplitter(self.list, right, [230, 670]), 1)
        column.addLayout(foot)
        self.list.currentRowChanged.connect(self._show)
        self.list.setCurrentRow(0)
        theme.refresh_scroll_bars(self)
        self.resize(900, 560)
        self.setMinimumSize(520, 320)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def _show(self, at: int) -> None:
        if 0 <= at < len(self._notices):
            notice = self._notices[at]
            self.licence_label.setText(notice.license)
            self.text.setPlainText(notice.text())
