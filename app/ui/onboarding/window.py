"""The window of the first start: four steps, forward and back, each can be skipped.

What is shown is asked of the system each second while the window is open, and nowhere else; no
step waits for an answer, so the end is reached by the keyboard in every state of every permission.
"""

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.config.identity import NAME
from app.config.translate import tr
from app.ui import theme
from app.ui.onboarding.model_step import ModelStep
from app.ui.onboarding.ports import MeetingPorts
from app.ui.onboarding.steps import HotkeyStep, MicrophoneStep, PrivacyStep, Step
from app.ui.widgets.announce import Announcer

POLL_MS = 1000
_SIZE = (660, 540)


class StepDots(QWidget):
    """Which step this is, drawn; a screen reader hears it in words."""

    def __init__(self, count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count = count
        self._at = 0
        self.setFixedSize(count * 18, 12)

    def show_step(self, at: int) -> None:
        self._at = at
        self.setAccessibleName(tr("Step {at} of {count}", at=at + 1, count=self._count))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for at in range(self._count):
            painter.setBrush(theme.color("tint" if at == self._at else "track"))
            painter.drawEllipse(at * 18 + 4, 2, 8, 8)


class MeetingWindow(QDialog):
    """Signals: `met` once, when the steps were finished, skipped or the window was closed."""

    met = Signal()

    def __init__(
        self, ports: MeetingPorts, parent: QWidget | None = None, *, poll_ms: int = POLL_MS
    ) -> None:
        super().__init__(parent)
        self._ports = ports
        self._has_told = False
        self._at = 0
        self.setWindowTitle(tr("Welcome to {app}", app=NAME))
        self.announcer = Announcer(self)
        self.steps: list[Step] = [
            PrivacyStep(ports, self),
            MicrophoneStep(ports, self),
            HotkeyStep(ports, self),
            ModelStep(ports, self),
        ]
        self.pages = QStackedWidget(self)
        for step in self.steps:
            self.pages.addWidget(step)
        self.dots = StepDots(len(self.steps), self)
        self.skip_button = self._button(tr("Skip Set-up"), self._finish)
        self.back_button = self._button(tr("Back"), lambda: self.go(self._at - 1))
        self.next_button = self._button("", self.go_on)
        self.next_button.setDefault(True)
        self._make_layout()
        self._timer = QTimer(self)
        self._timer.setInterval(poll_ms)
        self._timer.timeout.connect(self._poll)
        self.resize(*_SIZE)
        self.setMinimumSize(600, 500)
        self.go(0)
        self.refresh_colors()

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self.steps[self._at]

    def go(self, at: int) -> None:
        """Show a step."""
        if not 0 <= at < len(self.steps):
            return
        if at != self._at:
            self.step.leave()
        self._at = at
        self.pages.setCurrentIndex(at)
        self.dots.show_step(at)
        self.step.enter()
        self._render()
        (self.step.first_control or self.next_button).setFocus(Qt.FocusReason.TabFocusReason)
        self.announcer.say(f"{self.dots.accessibleName()}: {self.step.title}")

    def go_on(self) -> None:
        """Show the next step, or finish."""
        if self._at + 1 < len(self.steps):
            self.go(self._at + 1)
        else:
            self._finish()

    def refresh_colors(self) -> None:
        for step in self.steps:
            step.refresh_colors()
        self.dots.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.step.enter()
        self._timer.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._end()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        is_back = event.type() is QEvent.Type.ActivationChange and self.isActiveWindow()
        if is_back and hasattr(self, "_timer"):
            self._poll()  # the person comes back from System Settings

    def reject(self) -> None:
        """Esc: skip the rest."""
        self._finish()

    def _finish(self) -> None:
        self._end()
        super().accept()

    def _end(self) -> None:
        self._timer.stop()
        self.step.leave()
        if not self._has_told:
            self._has_told = True
            self._ports.change_settings(has_met=True)
            self.met.emit()

    def _poll(self) -> None:
        self.step.refresh()
        self._render()

    def _render(self) -> None:
        is_last = self._at + 1 == len(self.steps)
        self.back_button.setVisible(self._at > 0)
        self.skip_button.setVisible(not is_last)
        if is_last:
            text = tr("Start Using {app}", app=NAME)
        elif self.step.is_done:
            text = tr("Continue")
        else:
            text = tr("Not Now")
        self.next_button.setText(text)
        self.next_button.setAccessibleName(text)

    def _button(self, text: str, call: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setAccessibleName(text)
        button.setAutoDefault(True)
        button.clicked.connect(lambda _checked=False: call())  # type: ignore[operator]
        return button

    def _make_layout(self) -> None:
        left, right = QHBoxLayout(), QHBoxLayout()
        for side in (left, right):
            side.setSpacing(theme.SPACE)
        left.addWidget(self.skip_button)
        left.addStretch(1)
        right.addStretch(1)
        right.addWidget(self.back_button)
        right.addWidget(self.next_button)
        foot = QGridLayout()  # so that the dots stay in the middle
        foot.setContentsMargins(32, 12, 32, 20)
        foot.addLayout(left, 0, 0)
        foot.addWidget(self.dots, 0, 1)
        foot.addLayout(right, 0, 2)
        for side_column in (0, 2):
            foot.setColumnStretch(side_column, 1)
            foot.setColumnMinimumWidth(side_column, 240)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        body = QVBoxLayout()
        body.setContentsMargins(48, 36, 48, 8)
        body.addWidget(self.pages)
        column.addLayout(body, 1)
        column.addLayout(foot)
