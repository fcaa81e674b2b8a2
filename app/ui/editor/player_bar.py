"""The bar below a transcript: play, where it is, the waveform, how fast.

Renders the player; keeps only the person's speed and whether pauses are passed over.
"""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from app.config.translate import tr
from app.core.timecode import clock
from app.ui import theme
from app.ui.editor.player import FASTEST, SLOWEST, Pauses
from app.ui.editor.waveform import Waveform
from app.ui.ports import Player, Waves
from app.ui.widgets.labels import QuietLabel

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


class PlayerBar(QWidget):
    """Plays the open recording."""

    moved = Signal(float)
    failed = Signal(object)  # AppError

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.player = player
        self.pauses = Pauses()
        self._duration_s = 0.0
        self._speed = 1.0
        self._until_s: float | None = None  # plays up to here
        self.play_button = self._button("play", tr("Play"))
        self.play_button.clicked.connect(lambda: self.toggle())
        self.time_label = QuietLabel("0:00", self)
        self.wave = Waveform(self)
        self.wave.seek_requested.connect(self.seek)
        self.length_label = QuietLabel("", self)
        self.speed_button = QToolButton(self)
        self.speed_button.setAutoRaise(True)
        self.speed_button.setMinimumSize(52, theme.TARGET)
        self.speed_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._color_speed()
        self.speed_button.setMenu(self._make_menu())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(theme.SPACE)
        for part in (self.play_button, self.time_label):
            row.addWidget(part)
        row.addWidget(self.wave, 1)
        row.addWidget(self.length_label)
        row.addWidget(self.speed_button)
        player.moved.connect(self._on_moved)
        player.playing_changed.connect(self._on_playing)
        player.failed.connect(self.failed)
        self.set_speed(1.0)

    def show_sound(self, file: Path | None, duration_s: float) -> None:
        """Play another file from now on; the bar hides when there is none."""
        self._until_s = None
        self._duration_s = duration_s
        self.player.open(file)
        self.wave.show_sound(None, duration_s)
        self.length_label.setText(clock(duration_s))
        self.setVisible(file is not None)

    def show_waves(self, waves: Waves | None) -> None:
        """Draw the sound that is open."""
        self.wave.show_sound(waves, self._duration_s)

    # What a person does

    def toggle(self) -> None:
        """Play, or pause."""
        self._until_s = None
        if self.player.is_playing:
            self.player.pause()
        else:
            if self._duration_s and self.player.position_s >= self._duration_s - 0.05:
                self.player.seek(0.0)
            self.player.play()

    def seek(self, time_s: float) -> None:
        self._until_s = None
        self.player.seek(min(max(0.0, time_s), self._duration_s or time_s))

    def step(self, by_s: float) -> None:
        """Go back or forth."""
        self.seek(self.player.position_s + by_s)

    def play_around(self, start_s: float, end_s: float, around_s: float = 1.0) -> None:
        """Play a stretch with a little before and after it, and stop."""
        self.player.seek(max(0.0, start_s - around_s))
        self._until_s = end_s + around_s
        self.player.play()

    def set_speed(self, speed: float) -> None:
        self._speed = min(max(speed, SLOWEST), FASTEST)
        self.player.set_speed(self._speed)
        text = f"{self._speed:.2f}".rstrip("0")
        text += "0" if text.endswith(".") else ""
        self.speed_button.setText(f"{text}×")
        name = tr("Speed: {speed}", speed=f"{text}×")
        self.speed_button.setAccessibleName(name)
        self.speed_button.setToolTip(name)
        for value, action in self._speeds.items():
            action.setChecked(abs(value - self._speed) < 0.01)

    def change_speed(self, by: int) -> None:
        """Go to the next slower (-1) or faster (1) speed."""
        nearest = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - self._speed))
        self.set_speed(SPEEDS[min(max(nearest + by, 0), len(SPEEDS) - 1)])

    def refresh_colors(self) -> None:
        self.time_label.refresh_colors()
        self.length_label.refresh_colors()
        self.wave.refresh_colors()
        self._color_speed()

    # Inside

    def _color_speed(self) -> None:
        """Hide the arrow; with a style sheet of its own a button no longer follows the palette."""
        ink = theme.color("text").name()
        self.speed_button.setStyleSheet(
            f"QToolButton {{ color: {ink} }} QToolButton::menu-indicator {{ image: none; }}"
        )

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(self)
        self._speeds: dict[float, QAction] = {}
        for speed in SPEEDS:
            action = menu.addAction(f"{speed:g}×")
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _on, speed=speed: self.set_speed(speed))
            self._speeds[speed] = action
        menu.addSeparator()
        self.skip_action = menu.addAction(tr("Skip Silence"))
        self.skip_action.setCheckable(True)
        return menu

    def _button(self, icon: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET + 4, theme.TARGET + 4)
        button.setAccessibleName(name)
        button.setToolTip(name)
        theme.set_icon(button, icon)
        return button

    def _on_moved(self, time_s: float) -> None:
        if self.player.is_playing:
            if self._until_s is not None and time_s >= self._until_s:
                self._until_s = None
                self.player.pause()
            elif self.skip_action.isChecked() and self._until_s is None:
                goes_on_s = self.pauses.after(time_s)
                if goes_on_s is not None:
                    self.player.seek(goes_on_s)
                    return
        self.time_label.setText(clock(time_s))
        self.wave.set_position(time_s)
        self.moved.emit(time_s)

    def _on_playing(self, is_playing: bool) -> None:
        name = tr("Pause") if is_playing else tr("Play")
        theme.set_icon(self.play_button, "hold" if is_playing else "play")
        self.play_button.setAccessibleName(name)
        self.play_button.setToolTip(name)
