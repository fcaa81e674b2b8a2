"""The steps of the first start: what stays here, the microphone, the hotkey.

A step shows what is true now and lets the person go on in any state.
"""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr
from app.macos.permissions import Grant, Permission
from app.ui import theme
from app.ui.about import app_pixmap
from app.ui.onboarding.grant_row import GrantRow
from app.ui.onboarding.ports import MeetingPorts
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.level import LevelMeter
from app.ui.wording import short_path

_ICON = 22
_APP_ICON = 64


class Step(QWidget):
    """One page: a title, one sentence, and what there is to do."""

    def __init__(self, title: str, lead: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._icons: list[tuple[QLabel, str]] = []
        self._notes: list[QuietLabel] = []
        self.title_label = PlainLabel(title, self, wraps=True)
        self.title_label.setFont(theme.font(1.7, is_bold=True))
        self.lead_label = QuietLabel(lead, self, wraps=True)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(theme.SPACE * 2)
        self.column.addWidget(self.title_label)
        self.column.addWidget(self.lead_label)
        self.column.addSpacing(theme.SPACE)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do here; only names the button that goes on."""
        return True

    @property
    def first_control(self) -> QWidget | None:
        """The control a keyboard begins at."""
        return None

    def enter(self) -> None:
        """The step is shown."""

    def refresh(self) -> None:
        """Ask anew how things stand; called each second while the step is shown."""

    def leave(self) -> None:
        """The step is not shown any more."""

    def refresh_colors(self) -> None:
        self.lead_label.refresh_colors()
        for label, name in self._icons:
            label.setPixmap(theme.pixmap(name, theme.color("tint").name(), _ICON))
        for note in self._notes:
            note.refresh_colors()

    def add_line(self, icon: str, title: str, note: str) -> None:
        """Add something to know: an icon, a few words, a sentence."""
        picture = QLabel(self)
        picture.setFixedSize(_ICON, _ICON)
        self._icons.append((picture, icon))
        heading = PlainLabel(title, self, wraps=True)
        heading.setFont(theme.font(is_bold=True))
        quiet = QuietLabel(note, self, wraps=True)
        self._notes.append(quiet)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(heading)
        texts.addWidget(quiet)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self.column.addLayout(row)


class PrivacyStep(Step):
    """What stays on this computer, and the one thing that would not."""

    def __init__(self, ports: MeetingPorts, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Everything stays on this Mac"),
            tr("Undertone turns speech into text here, without an account and without a cloud."),
            parent,
        )
        self._ports = ports
        folder = short_path(ports.library_folder)
        picture = QLabel(self)
        picture.setPixmap(app_pixmap(_APP_ICON))
        self.column.insertWidget(0, picture)
        for icon, title, note in (
            (
                "microphone",
                tr("Sound and text never leave"),
                tr("No recording, no text and no statistics are sent anywhere."),
            ),
            (
                "library",
                tr("One library, readable by you alone"),
                tr("It lies in {folder}. You can move or erase it at any time.", folder=folder),
            ),
            (
                "download",
                tr("The network is used for downloads only"),
                tr("Models are fetched when you ask for one; afterwards everything works offline."),
            ),
        ):
            self.add_line(icon, title, note)
        self.column.addStretch(1)
        self.updates_box = QCheckBox(
            tr("Ask once a week whether there is a newer version (sends nothing about you)"), self
        )
        self.updates_box.setChecked(ports.settings().checks_updates)
        self.updates_box.toggled.connect(lambda is_on: ports.change_settings(checks_updates=is_on))
        self.column.addWidget(self.updates_box)
        self.refresh_colors()

    @property
    def first_control(self) -> QWidget | None:
        return self.updates_box


class MicrophoneStep(Step):
    """The permission to listen, and a meter that shows it works."""

    def __init__(self, ports: MeetingPorts, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Let Undertone hear you"),
            tr("The microphone is open only while you dictate or record, and you see when it is."),
            parent,
        )
        self._microphones = ports.microphones
        self.row = GrantRow(
            ports.permissions,
            Permission.MICROPHONE,
            tr("Microphone"),
            tr("Needed to record. Files can be transcribed without it."),
            self,
        )
        self.row.changed.connect(self._on_changed)
        self.column.addWidget(self.row)
        self.meter: LevelMeter | None = None
        self.meter_label = QuietLabel(tr("Say something: the bar should move."), self)
        meter_row = QHBoxLayout()
        meter_row.setContentsMargins(_ICON + 12, 0, 0, 0)
        if self._microphones is not None:
            self.meter = LevelMeter(tr("Level"), self._microphones.test_level_db, self, bars=1)
            self.meter.setFixedWidth(140)
            meter_row.addWidget(self.meter)
        meter_row.addWidget(self.meter_label, 1)
        self.column.addLayout(meter_row)
        self.column.addSpacing(theme.SPACE)
        for icon, title, note in (
            (
                "record",
                tr("You see when it listens"),
                tr("A small pill appears at the bottom of the screen, and the menu bar shows it."),
            ),
            (
                "library",
                tr("What was said is safe at once"),
                tr("Sound is written to the disk as it comes. Even a crash loses nothing."),
            ),
        ):
            self.add_line(icon, title, note)
        self.column.addStretch(1)
        self._is_shown = False
        self._on_changed(self.row.grant)
        self.refresh_colors()

    @property
    def is_done(self) -> bool:
        return self.row.grant is Grant.GRANTED

    @property
    def first_control(self) -> QWidget | None:
        return None if self.is_done else self.row.button

    def enter(self) -> None:
        self._is_shown = True
        self.refresh()
        self._on_changed(self.row.grant)

    def refresh(self) -> None:
        self.row.refresh()
        problem = self._microphones.problem if self._microphones is not None else None
        if self.meter is not None and problem is not None:
            self.meter_label.setText(str(problem))

    def leave(self) -> None:
        self._is_shown = False
        if self._microphones is not None and self.meter is not None:
            self.meter.set_on(False)
            self._microphones.stop_test()

    def refresh_colors(self) -> None:
        super().refresh_colors()
        self.row.refresh_colors()
        self.meter_label.refresh_colors()

    def _on_changed(self, _grant: object) -> None:
        can_try = self.is_done and self.meter is not None
        self.meter_label.setVisible(can_try)
        if self.meter is None or self._microphones is None:
            return
        self.meter.setVisible(can_try)
        self.meter.set_on(can_try and self._is_shown)
        if can_try and self._is_shown:
            self._microphones.start_test()


class HotkeyStep(Step):
    """The hotkey, what it needs, and a field to try it in."""

    def __init__(self, ports: MeetingPorts, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Dictate into any app"),
            tr("Hold the hotkey, speak, let go: your words appear where the cursor is."),
            parent,
        )
        self._ports = ports
        self.key_label = PlainLabel("", self)
        self.key_label.setFont(theme.font(1.5, is_bold=True))
        key_row = QHBoxLayout()
        key_row.setSpacing(12)
        self._key_icon = QLabel(self)
        self._key_icon.setFixedSize(_ICON, _ICON)
        self._key_note = QuietLabel(tr("You can change it in Settings."), self)
        key_row.addWidget(self._key_icon)
        key_row.addWidget(self.key_label)
        key_row.addWidget(self._key_note, 1)
        self.column.addLayout(key_row)
        self.rows = [
            GrantRow(
                ports.permissions,
                Permission.ACCESSIBILITY,
                tr("Accessibility"),
                tr("Lets the words appear in other apps. Without it they go to the clipboard."),
                self,
            )
        ]
        self._monitoring = GrantRow(
            ports.permissions,
            Permission.INPUT_MONITORING,
            tr("Input Monitoring"),
            tr("Lets a single key like this one be noticed. Letters you type are not looked at."),
            self,
        )
        self.rows.append(self._monitoring)
        for row in self.rows:
            self.column.addWidget(row)
        self.field = QPlainTextEdit(self)
        self.field.setAccessibleName(tr("Try it here"))
        self.field.setTabChangesFocus(True)
        self.field.setMinimumHeight(72)
        self.field.document().setDocumentMargin(8)
        self.try_button = QPushButton(tr("Dictate Here"), self)
        self.try_button.setAutoDefault(True)
        self.try_button.clicked.connect(self._try)
        self.try_button.setVisible(ports.try_dictation is not None)
        field_row = QHBoxLayout()
        field_row.addWidget(self.field, 1)
        field_row.addWidget(self.try_button, 0, Qt.AlignmentFlag.AlignBottom)
        self.column.addLayout(field_row, 1)
        self.refresh()
        self.refresh_colors()

    @property
    def is_done(self) -> bool:
        return all(row.grant is Grant.GRANTED for row in self._needed)

    @property
    def first_control(self) -> QWidget | None:
        open_rows = [row for row in self._needed if row.grant is not Grant.GRANTED]
        return open_rows[0].button if open_rows else self.field

    @property
    def _needed(self) -> list[GrantRow]:
        return self.rows if self._ports.uses_lone_modifier() else self.rows[:1]

    def enter(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        key = self._ports.hotkey()
        self.key_label.setText(key or tr("No hotkey is set"))
        self.field.setPlaceholderText(
            tr("Try it here: hold {key}, say a sentence, let go.", key=key)
            if key
            else tr("Choose a hotkey in Settings, then try it here.")
        )
        self._monitoring.setVisible(self._ports.uses_lone_modifier())
        for row in self._needed:
            row.refresh()

    def refresh_colors(self) -> None:
        super().refresh_colors()
        self._key_icon.setPixmap(theme.pixmap("keyboard", theme.color("tint").name(), _ICON))
        self._key_note.refresh_colors()
        for row in self.rows:
            row.refresh_colors()

    def _try(self) -> None:
        self.field.setFocus()
        if self._ports.try_dictation is not None:
            self._ports.try_dictation()
