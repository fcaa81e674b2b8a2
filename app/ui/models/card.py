"""One model in the panel: what it is, how far it is, and what can be done with it.

It holds no truth: every `show_row` replaces all it shows.
"""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.core.download import DownloadState
from app.pipeline.model_rows import ModelRow
from app.ui import theme
from app.ui.models.wording import badges, facts, size, state
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.progress import ThinProgress

_STEPS = 1000


class Badge(QLabel):
    """A word in a rounded frame."""

    def __init__(self, text: str, parent: QWidget, color: str = "tint") -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(0.85, is_bold=True))
        self.setContentsMargins(7, 1, 7, 2)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._color = color

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = theme.color(self._color)
        wash = QColor(ink)
        wash.setAlphaF(0.14)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(wash)
        box = QRectF(self.rect())
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setPen(ink)
        painter.setFont(self.font())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class ModelCard(QWidget):
    """A row of the panel."""

    act_requested = Signal(str, str)  # what (`get`, `pause`, `cancel` …), model id

    def __init__(self, row: ModelRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self._is_current = self._is_offline = False
        self.title_label = PlainLabel("", self)
        self.title_label.setFont(theme.font(1.05, is_bold=True))
        self._heading = QHBoxLayout()
        self._heading.setSpacing(6)
        self._heading.addWidget(self.title_label)
        self.badges: list[Badge] = []
        self.note_label = QuietLabel("", self, wraps=True)
        self.facts_label = QuietLabel("", self, wraps=True)
        self.facts_label.setFont(theme.font(0.92))
        self.progress = ThinProgress(tr("Progress"), self)
        self.progress.setRange(0, _STEPS)
        self.state_label = QuietLabel("", self, wraps=True)
        self.state_label.setFont(theme.font(0.92))
        texts = QVBoxLayout()
        texts.setSpacing(3)
        texts.addLayout(self._heading)
        for widget in (self.note_label, self.facts_label, self.progress, self.state_label):
            texts.addWidget(widget)
        self.buttons: dict[str, QPushButton] = {}
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(6)
        self.more_button = self._make_more()
        row_layout = QHBoxLayout(self)
        row_layout.setContentsMargins(16, 11, 12, 12)
        row_layout.setSpacing(16)
        row_layout.addLayout(texts, 1)
        row_layout.addLayout(self._buttons)
        row_layout.setAlignment(self._buttons, Qt.AlignmentFlag.AlignTop)
        self.show_row(row, is_current=False, is_offline=False)

    def show_row(self, row: ModelRow, *, is_current: bool, is_offline: bool) -> None:
        """Show `row`; `is_current` when new transcriptions use it."""
        before = self._acts()
        self.row, self._is_current, self._is_offline = row, is_current, is_offline
        self.title_label.setText(tr(row.title))
        self.setAccessibleName(tr(row.title))
        self._show_badges()
        self.note_label.setText(tr(row.note) if row.note else "")
        self.note_label.setVisible(bool(row.note))
        self.facts_label.setText(self._facts())
        self.facts_label.set_color("secondary" if row.fits else "warning")
        self._show_progress()
        if self._acts() != before or not self.buttons:
            self._show_buttons()
        self.more_button.setVisible(bool(self.menu_acts()))
        self.setAccessibleDescription(
            " ".join(t for t in (self.state_label.text(), self.facts_label.text()) if t)
        )

    def refresh_colors(self) -> None:
        for label in (self.note_label, self.facts_label, self.state_label):
            label.refresh_colors()
        theme.refresh_icons(self)
        self.update()

    def menu_acts(self) -> list[tuple[str, str]]:
        """Return what the menu offers: (what, its name)."""
        row = self.row
        if not row.is_installed:
            return []
        acts = []
        if row.is_verifiable:
            acts.append(("verify", tr("Verify")))
        if not row.is_demo:
            acts.append(("reveal", tr("Show in Folder")))
            acts.append(("convert", tr("Make a Smaller Copy (4-bit)")))
            acts.append(("remove", tr("Delete")))
        return acts

    def make_menu(self) -> QMenu:
        """Return the card's menu, which deletes itself."""
        menu = QMenu(self)
        for name, text in self.menu_acts():
            if name == "remove":
                menu.addSeparator()
            menu.addAction(text).triggered.connect(
                lambda _checked=False, name=name: self._request(name)
            )
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(theme.color("line"))
        painter.drawLine(16, self.height() - 1, self.width() - 12, self.height() - 1)

    # Parts

    def _make_more(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET, theme.TARGET)
        button.setAccessibleName(tr("More"))
        button.setToolTip(tr("More"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.set_icon(button, "more")
        button.clicked.connect(
            lambda: self.make_menu().popup(button.mapToGlobal(button.rect().bottomLeft()))
        )
        self._buttons.addWidget(button)
        return button

    def _show_badges(self) -> None:
        wanted = [(text, "tint") for text in badges(self.row)]
        if self._is_current:
            wanted.insert(0, (tr("In use"), "success"))
        if [badge.text() for badge in self.badges] == [text for text, _color in wanted]:
            return
        for old in self.badges:
            old.hide()
            old.deleteLater()
        while self._heading.count() > 1:
            self._heading.takeAt(1)
        self.badges = [Badge(text, self, color) for text, color in wanted]
        for badge in self.badges:
            self._heading.addWidget(badge)
            badge.show()
        self._heading.addStretch(1)

    def _facts(self) -> str:
        text = facts(self.row)
        if not self.row.fits:
            need = size(self.row.memory_bytes)
            text = tr("Too large for this computer: it needs {need} of memory.", need=need)
        return text

    def _show_progress(self) -> None:
        download = self.row.download
        is_shown = download is not None and download.state is not DownloadState.FAILED
        self.progress.setVisible(is_shown)
        self.state_label.setVisible(download is not None)
        if download is None:
            self.state_label.setText("")
            return
        if download.state is DownloadState.FAILED:
            self.state_label.set_color("error")
            self.state_label.setText(f"{tr(download.error)} {tr(download.hint)}".strip())
            return
        self.state_label.set_color("secondary")
        self.state_label.setText(state(download))
        self.progress.setValue(round((download.fraction or 0.0) * _STEPS))
        self.progress.setAccessibleDescription(state(download))

    def _acts(self) -> Sequence[tuple[str, str]]:
        """Return the buttons of the row, the likeliest last: (what, its name)."""
        row, download = self.row, self.row.download
        if download is not None:
            return _acts_of(download.state, is_installed=row.is_installed)
        if row.is_installed:
            return [] if self._is_current else [("use", tr("Use"))]
        return [("get", tr("Get"))]

    def _show_buttons(self) -> None:
        focused = next((name for name, b in self.buttons.items() if b.hasFocus()), None)
        for old in self.buttons.values():
            self._buttons.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = {}
        for at, (name, text) in enumerate(self._acts()):
            button = QPushButton(text, self)
            button.setAccessibleName(f"{text}: {tr(self.row.title)}")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, name=name: self._request(name))
            self._buttons.insertWidget(at, button)
            button.show()
            self.buttons[name] = button
        if focused is not None and self.buttons:
            list(self.buttons.values())[-1].setFocus()
        self.refresh_enabled()

    def refresh_enabled(self) -> None:
        """Switch off what cannot be done: fetching while offline, and what would never load."""
        for name, button in self.buttons.items():
            is_net = name in ("get", "resume", "retry")
            is_held = is_net and self._is_offline
            button.setEnabled(not is_held and (name != "get" or self.row.fits))
            button.setToolTip(tr("Undertone is set to stay offline.") if is_held else "")

    def _request(self, name: str) -> None:
        self.act_requested.emit(name, self.row.model_id)


def _acts_of(state: DownloadState, *, is_installed: bool) -> Sequence[tuple[str, str]]:
    cancel = ("cancel", tr("Cancel"))
    if state is DownloadState.PAUSED:
        return [cancel, ("resume", tr("Resume"))]
    if state is DownloadState.FAILED:
        dismiss = ("dismiss", tr("Dismiss"))
        return [dismiss] if is_installed else [dismiss, ("retry", tr("Try Again"))]
    if is_installed or state is DownloadState.CONVERTING:
        return [cancel]
    return [cancel, ("pause", tr("Pause"))]
