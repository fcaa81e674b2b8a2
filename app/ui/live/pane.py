"""The running take at the top of the main window: words, level, time, and what can be done.

Renders the last snapshot; is there only while a take runs.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.config.translate import tr
from app.core.dictation import Dictation, Stage, StageChanged
from app.core.recording import RecordingKind
from app.core.timecode import clock
from app.ui import theme
from app.ui.live.text import LiveText
from app.ui.live.wording import face_of
from app.ui.live.words import LiveWords
from app.ui.widgets.banner import Banner, BannerStack
from app.ui.widgets.labels import ElidedLabel, PlainLabel
from app.ui.widgets.level import LevelMeter

_TEXT_TALL = 74  # px, about three lines
_CLOCK_MS = 250


class LivePane(QWidget):
    """Shows the running take."""

    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()
    cancel_requested = Signal()

    def __init__(
        self, dictation: Dictation, parent: QWidget | None = None, *, is_calm: bool = False
    ) -> None:
        super().__init__(parent)
        self._dictation = dictation
        self._now = StageChanged()
        self._can_switch: tuple[tuple[str, Callable[[], None]], ...] = ()
        self.setAccessibleName(tr("Running recording"))
        self.meter = LevelMeter(tr("Level"), dictation.level_db, self, is_calm=is_calm)
        self.meter.setFixedSize(self.meter.sizeHint())
        self.time_label = PlainLabel("0:00", self)
        self.time_label.setFont(theme.font(1.15))
        self.state_label = PlainLabel("", self)
        self.state_label.setFont(theme.font(1.15, is_bold=True))
        self.device_label = ElidedLabel("", self, color="secondary")
        self.pause_button = self._button(tr("Pause"), "pause", self._on_pause)
        self.stop_button = self._button(tr("Stop"), "stop", self.stop_requested.emit)
        self.cancel_button = self._button(tr("Cancel"), "cancel", self.cancel_requested.emit)
        self.cancel_button.setToolTip(tr("End without keeping the text; the sound goes to the bin"))
        self.text = LiveText(self)
        self.text.setFixedHeight(_TEXT_TALL)
        self.banners = BannerStack(self)
        self._lay_out()
        self._clock = QTimer(self)
        self._clock.setInterval(_CLOCK_MS)
        self._clock.timeout.connect(self._show_time)
        self.hide()
        self.refresh_colors()

    def show_stage(self, now: StageChanged) -> None:
        """Show the take as it now stands; hide when none runs."""
        self._now = now
        is_running = now.stage is not Stage.IDLE
        is_live = now.stage is Stage.RECORDING and not now.is_paused
        self.meter.set_on(is_live)
        if is_live:
            self._clock.start()
        else:
            self._clock.stop()
        if not is_running:
            self.hide()
            return
        kind = tr("Dictation") if now.kind is RecordingKind.DICTATION else ""
        self.device_label.setText(" · ".join(part for part in (kind, now.device) if part))
        self._show_time()
        self._render_buttons(now)
        self._render_problem(now)
        self.show()

    def show_words(self, words: LiveWords) -> None:
        """Show what was said."""
        self.text.show_words(words.committed, words.tail)

    def offer(self, *actions: tuple[str, Callable[[], None]]) -> None:
        """Offer these buttons beside the next problem that is shown."""
        self._can_switch = actions

    def refresh_colors(self) -> None:
        self.device_label.refresh_colors()
        self.text.refresh_colors()
        self.banners.refresh_colors()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("base"))
        painter.setPen(theme.color("line"))
        painter.drawLine(self.rect().bottomLeft(), self.rect().bottomRight())

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(16, 10, 12, 0)
        row.setSpacing(theme.SPACE)
        row.addWidget(self.meter)
        row.addWidget(self.time_label)
        row.addWidget(self.state_label)
        row.addWidget(self.device_label, 1)
        for button in (self.pause_button, self.stop_button, self.cancel_button):
            row.addWidget(button)
        words = QHBoxLayout()
        words.setContentsMargins(16, 8, 12, 10)
        words.addWidget(self.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 1)
        column.setSpacing(0)
        column.addLayout(row)
        column.addLayout(words)
        column.addWidget(self.banners)

    def _button(self, name: str, icon: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(name, self)
        button.setAccessibleName(name)
        button.setMinimumHeight(theme.TARGET)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.set_icon(button, icon)
        button.clicked.connect(lambda _checked=False: call())
        return button

    def _render_buttons(self, now: StageChanged) -> None:
        name = tr("Resume") if now.is_paused else tr("Pause")
        if self.pause_button.text() != name:
            self.pause_button.setText(name)
            self.pause_button.setAccessibleName(name)
            theme.set_icon(self.pause_button, "resume" if now.is_paused else "pause")
        self.pause_button.setEnabled(now.stage is Stage.RECORDING)
        self.stop_button.setEnabled(now.stage is not Stage.FINISHING)

    def _render_problem(self, now: StageChanged) -> None:
        face = face_of(now)
        message = face.message if face else ""
        shown = self.banners.banner("problem")
        if not message:
            self.banners.close_banner("problem")
        elif shown is None or shown.message != message:
            banner = Banner(message, tone="warning", actions=self._can_switch, can_close=False)
            self.banners.show_banner("problem", banner)

    def _show_time(self) -> None:
        seconds = self._dictation.elapsed_s()
        face = face_of(self._now, seconds)
        for label, text in (
            (self.time_label, clock(seconds)),
            (self.state_label, face.state if face else ""),
        ):
            if label.text() != text:
                label.setText(text)

    def _on_pause(self) -> None:
        signal = self.resume_requested if self._now.is_paused else self.pause_requested
        signal.emit()
