"""The check: what is wrong on this machine, one sentence and one button each.

The disk is looked at on the io pool, permissions and keys here; both begin anew at each look and
whenever the person comes back from System Settings. Nothing is changed but by a button.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.finding import Finding, Severity
from app.ui import theme
from app.ui.doctor.remedies import Remedy, button_text, remedy_of
from app.ui.widgets.announce import Announcer
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.labels import PlainLabel, QuietLabel

_ICON = 22
_ICONS = {Severity.ERROR: "warning", Severity.WARNING: "warning", Severity.NOTE: "info"}
_TINTS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "tint"}
_ORDER = [Severity.ERROR, Severity.WARNING, Severity.NOTE]

Submit = Callable[[Callable[[], Sequence[Finding]]], "Future[Sequence[Finding]]"]


@dataclass(frozen=True, slots=True)
class DoctorPorts:
    """All that the window is given.

    Attributes:
        look_at_disk: slow, on the pool.
        look_around: quick, in the main thread.
        listen: opens the microphone for a moment, on the pool; `None` where nothing can record.
        submit: runs something on the pool.
        do: does what a finding's button says.
    """

    look_at_disk: Callable[[], Sequence[Finding]]
    look_around: Callable[[], Iterable[Finding]]
    listen: Callable[[], Sequence[Finding]] | None
    submit: Submit
    do: Callable[[Remedy], None]


class FindingRow(QFrame):
    """One finding. Signals: `chosen(Remedy)`."""

    chosen = Signal(object)

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finding = finding
        self.remedy = remedy_of(finding.kind)
        self._icon = QLabel(self)
        self._icon.setFixedSize(_ICON, _ICON)
        self.message_label = PlainLabel(tr_phrase(finding.message), self, wraps=True)
        self.message_label.setFont(theme.font(is_bold=True))
        self.hint_label = QuietLabel(tr_phrase(finding.hint), self, wraps=True)
        self.hint_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.hint_label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button = QPushButton(button_text(self.remedy), self)
        self.button.setAutoDefault(True)
        self.button.setAccessibleName(f"{self.button.text()}: {self.message_label.text()}")
        self.button.setAccessibleDescription(self.hint_label.text())
        self.button.clicked.connect(lambda: self.chosen.emit(self.remedy))
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.message_label)
        texts.addWidget(self.hint_label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 10, 0, 10)
        row.setSpacing(12)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.refresh_colors()

    def refresh_colors(self) -> None:
        severity = self.finding.severity
        tint = theme.color(_TINTS[severity]).name()
        self._icon.setPixmap(theme.pixmap(_ICONS[severity], tint, _ICON))
        self.hint_label.refresh_colors()


class DoctorWindow(QWidget):
    """The window; one is enough."""

    _came = Signal(int, object)

    def __init__(self, ports: DoctorPorts, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._ports = ports
        self._look = 0  # which look the answers belong to
        self._waiting = 0
        self._on_disk: list[Finding] = []
        self._around: list[Finding] = []
        self._heard: list[Finding] = []
        self._was_listened = False
        self.rows: list[FindingRow] = []
        self.setWindowTitle(tr("Check Undertone"))
        self.announcer = Announcer(self)
        self.title_label = PlainLabel("", self, wraps=True)
        self.title_label.setFont(theme.font(1.4, is_bold=True))
        self.lead_label = QuietLabel("", self, wraps=True)
        self.listen_button = QPushButton(tr("Listen to the Microphone"), self)
        self.listen_button.setVisible(ports.listen is not None)
        self.again_button = QPushButton(tr("Look Again"), self)
        for button, call in (
            (self.listen_button, self.listen),
            (self.again_button, self.look),
        ):
            button.setAccessibleName(button.text())
            button.setAutoDefault(True)
            button.clicked.connect(lambda _checked=False, call=call: call())
        self._make_layout()
        self._add_keys()
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)
        self.resize(640, 480)
        self.refresh_colors()
        self.setMinimumSize(480, 320)

    @property
    def findings(self) -> list[Finding]:
        """What was found at the last look, the worst first."""
        found = [*self._on_disk, *self._around, *self._heard]
        return sorted(found, key=lambda finding: _ORDER.index(finding.severity))

    @property
    def is_looking(self) -> bool:
        return self._waiting > 0

    def look(self) -> None:
        """Look at everything anew."""
        self._look += 1
        self._heard = []
        self._was_listened = False
        self._around = list(self._ports.look_around())
        self._begin(self._ports.look_at_disk)
        self._render()

    def listen(self) -> None:
        """Open the microphone for a moment."""
        if self._ports.listen is not None:
            self._was_listened = True
            self._begin(self._ports.listen)
            self._render()

    def refresh_colors(self) -> None:
        self.lead_label.refresh_colors()
        self.well.refresh_colors()
        theme.refresh_scroll_bars(self)
        for row in self.rows:
            row.refresh_colors()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        is_back = event.type() is QEvent.Type.ActivationChange and self.isActiveWindow()
        if is_back and self.isVisible() and not self.is_looking:
            self._around = list(self._ports.look_around())  # a grant may have changed meanwhile
            self._render()

    def _begin(self, work: Callable[[], Sequence[Finding]]) -> None:
        look = self._look
        self._waiting += 1
        is_disk = work is self._ports.look_at_disk

        def done(future: "Future[Sequence[Finding]]") -> None:
            found = () if future.cancelled() or future.exception() else future.result()
            self._came.emit(look, (is_disk, tuple(found)))

        self._ports.submit(work).add_done_callback(done)

    def _on_came(self, look: int, answer: tuple[bool, tuple[Finding, ...]]) -> None:
        self._waiting -= 1
        if look == self._look:
            is_disk, found = answer
            if is_disk:
                self._on_disk = list(found)
            else:
                self._heard = list(found)
        self._render()
        if not self.is_looking:
            self.announcer.say(self.title_label.text())

    def _render(self) -> None:
        found = self.findings
        broken = [one for one in found if one.severity is not Severity.NOTE]
        self.again_button.setEnabled(not self.is_looking)
        self.listen_button.setEnabled(not self.is_looking)
        if self.is_looking:
            self.title_label.setText(tr("Looking …"))
        elif broken:
            self.title_label.setText(
                tr_plural("{count} thing needs you", "{count} things need you", len(broken))
            )
        else:
            self.title_label.setText(tr("Everything works"))
        if self._was_listened and not self._heard and not self.is_looking:
            self.lead_label.setText(tr("The microphone was heard. Nothing was recorded."))
        else:
            self.lead_label.setText(
                tr("Permissions, hotkeys, microphone, models, library and disk were looked at.")
            )
        if [row.finding for row in self.rows] != found:
            self._show_rows(found)
        self._body.setCurrentIndex(0 if found else 1)
        title = tr("Looking …") if self.is_looking else tr("Nothing is in the way of your work")
        self.well.show_state(
            title, icon="" if self.is_looking else "check", tint="success", is_busy=self.is_looking
        )

    def _show_rows(self, found: Sequence[Finding]) -> None:
        for row in self.rows:
            self._list_column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [FindingRow(finding, self._list) for finding in found]
        for row in self.rows:
            row.chosen.connect(self._on_chosen)
            self._list_column.insertWidget(self._list_column.count() - 1, row)
            row.show()

    def _on_chosen(self, remedy: Remedy) -> None:
        if remedy is not Remedy.LOOK_AGAIN:
            self._ports.do(remedy)
        self.look()

    def _make_layout(self) -> None:
        self._list = QWidget(self)
        self._list_column = QVBoxLayout(self._list)
        self._list_column.setContentsMargins(0, 0, 8, 0)
        self._list_column.setSpacing(0)
        self._list_column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._list)
        self.well = EmptyState(self)
        self._body = QStackedWidget(self)
        self._body.addWidget(area)
        self._body.addWidget(self.well)
        foot = QHBoxLayout()
        foot.addWidget(self.listen_button)
        foot.addStretch(1)
        foot.addWidget(self.again_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(theme.SPACE)
        column.addWidget(self.title_label)
        column.addWidget(self.lead_label)
        column.addSpacing(theme.SPACE)
        column.addWidget(self._body, 1)
        column.addLayout(foot)

    def _add_keys(self) -> None:
        close = QAction(self)
        close.setShortcuts(
            [*QKeySequence.keyBindings(QKeySequence.StandardKey.Close), QKeySequence("Esc")]
        )
        close.triggered.connect(self.close)
        self.addAction(close)
