"""Check Library: one button, how far it is, and what was found in plain sentences."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import AppError, Phrase
from app.pipeline.library_check import CheckReport
from app.ui import theme
from app.ui.keeping.errand import Errand
from app.ui.keeping.ports import KeepingPorts
from app.ui.settings.form import push_button
from app.ui.widgets.announce import Announcer
from app.ui.widgets.column import ScrollColumn
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.progress import ThinProgress

_STEPS = 1000
_ICON = 18


class FoundRow(QFrame):
    """One thing that was found: mended, or left for the person."""

    def __init__(self, message: Phrase, hint: Phrase, *, is_mended: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._is_mended = is_mended
        self._icon = QLabel(self)
        self.message_label = PlainLabel(tr_phrase(message), self, wraps=True)
        said = tr("Mended") if is_mended else tr_phrase(hint)
        self.hint_label = QuietLabel(said, self, wraps=True)
        self.setAccessibleName(f"{self.message_label.text()} {said}")
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self.message_label)
        texts.addWidget(self.hint_label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 8, 6)
        row.setSpacing(10)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self.refresh_colors()

    def refresh_colors(self) -> None:
        name, tint = ("check", "success") if self._is_mended else ("warning", "warning")
        self._icon.setPixmap(theme.pixmap(name, theme.color(tint).name(), _ICON))
        self.hint_label.refresh_colors()


class CheckPage(QWidget):
    """Checks the library when it is asked to, mends what can be mended, and says so."""

    def __init__(self, ports: KeepingPorts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ports = ports
        self._errand = Errand(ports.submit, self)
        self._errand.progressed.connect(self._on_progress)
        self._errand.done.connect(self._on_done)
        self._errand.failed.connect(self._on_failed)
        self.announcer = Announcer(self)
        self.title_label = PlainLabel(tr("Is everything in order?"), self, wraps=True)
        self.title_label.setFont(theme.font(1.15, is_bold=True))
        self.lead_label = QuietLabel(
            tr(
                "Looks at every recording, text and file, and mends what can be mended: text that "
                "was damaged, sound that went astray, recordings that are missing in the list, "
                "search. No text and no sound is deleted."
            ),
            self,
            wraps=True,
        )
        self.check_button = push_button(tr("Check Library"), self.check, self)
        self.stop_button = push_button(tr("Stop"), self.stop, self, tr("Stop the check"))
        self.repair_button = push_button(tr("Repair Library…"), self._repair, self)
        self.bar = ThinProgress(tr("How far the check is"), self)
        self.bar.setRange(0, _STEPS)
        self.rows: list[FoundRow] = []
        self.found = ScrollColumn(self)
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._make_layout()
        self._show_running(is_running=False)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.stop)  # or the app would wait for it
        self.repair_button.hide()

    def check(self) -> None:
        """Begin."""
        work = self._ports.check
        if work is None or self._errand.is_running:
            return
        self._show_rows([])
        self.repair_button.hide()
        self.bar.setValue(0)
        self.title_label.setText(tr("Checking …"))
        self._show_running(is_running=True)
        self._errand.begin(work)

    def stop(self) -> None:
        """Stop; what was mended stays mended."""
        self._errand.stop()

    def refresh(self) -> None:
        """Nothing here is a setting."""

    def refresh_colors(self) -> None:
        self.lead_label.refresh_colors()
        theme.refresh_scroll_bars(self)
        for row in self.rows:
            row.refresh_colors()

    def _on_progress(self, fraction: float) -> None:
        self.bar.setValue(round(fraction * _STEPS))

    def _on_done(self, report: CheckReport) -> None:
        self._show_running(is_running=False)
        self.title_label.setText(_title(report))
        rows = [
            FoundRow(one.message, one.hint, is_mended=False, parent=self.found.body)
            for one in report.open
        ]
        rows += [
            FoundRow(one.message, one.hint, is_mended=True, parent=self.found.body)
            for one in report.mended
        ]
        self._show_rows(rows)
        can_repair = report.needs_salvage and self._ports.begin_repair is not None
        self.repair_button.setVisible(can_repair)
        said = [self.title_label.text(), *(row.message_label.text() for row in rows)]
        self.announcer.say(" ".join(said))

    def _on_failed(self, error: AppError) -> None:
        self._show_running(is_running=False)
        self.title_label.setText(tr("The check could not be finished."))
        row = FoundRow(error.message, error.hint, is_mended=False, parent=self.found.body)
        self._show_rows([row])
        self.announcer.say(f"{self.title_label.text()} {row.message_label.text()}")

    def _repair(self) -> None:
        if self._ports.begin_repair is not None:
            self._ports.begin_repair()

    def _show_running(self, *, is_running: bool) -> None:
        had_focus = self.stop_button.hasFocus() or self.check_button.hasFocus()
        self.bar.setVisible(is_running)
        self.stop_button.setVisible(is_running)
        self.check_button.setVisible(not is_running)
        if had_focus:
            (self.stop_button if is_running else self.check_button).setFocus()

    def _show_rows(self, rows: Sequence[FoundRow]) -> None:
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = list(rows)
        self.found.set_parts(self.rows)

    def _make_layout(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.check_button, self.stop_button, self.repair_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 20, 28, 16)
        column.setSpacing(theme.SPACE)
        column.addWidget(self.title_label)
        column.addWidget(self.lead_label)
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.found, 1)


def _title(report: CheckReport) -> str:
    if report.was_stopped:
        return tr("Stopped. What was mended stays mended.")
    if report.needs_salvage:
        return tr("The library file is damaged.")
    if report.open:
        return tr_plural("{count} thing needs you", "{count} things need you", len(report.open))
    if report.mended:
        return tr_plural(
            "{count} thing was mended. All is well now.",
            "{count} things were mended. All is well now.",
            len(report.mended),
        )
    return tr("All is well.")
