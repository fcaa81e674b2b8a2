"""Which microphone is listened to, and whether it hears anything."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from app.config.translate import tr, tr_phrase
from app.ui import theme
from app.ui.ports import Microphones, Ports
from app.ui.settings.form import Change, SettingsPage, column_of, push_button
from app.ui.widgets.labels import QuietLabel
from app.ui.widgets.level import LevelMeter, loudness

_HEARD = 0.15  # of the meter: what a voice surely reaches


class MicrophonePage(SettingsPage):
    """Device, built-in while output is Bluetooth, level test."""

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        assert ports.microphones is not None
        self._microphones: Microphones = ports.microphones
        self._has_heard = False
        self.device_box = QComboBox(self)
        self.device_box.setAccessibleName(tr("Microphone"))
        self.device_box.setMinimumHeight(theme.TARGET)
        self.device_box.currentIndexChanged.connect(lambda _at: self._choose())
        self.look_button = push_button(
            tr("Look Again"), self._microphones.look_again, self, tr("Look for microphones again")
        )
        row = QHBoxLayout()
        row.addWidget(self.device_box, 1)
        row.addWidget(self.look_button)
        self.device_note = QuietLabel("", self, wraps=True, color="warning")
        self.row(tr("Microphone:"), column_of(row, self.device_note))
        note = tr(
            "A Bluetooth headset plays everything at the quality of a phone call while its "
            "microphone is open."
        )
        self.builtin_box = self.check(
            "builtin_while_bluetooth",
            tr("Use the built-in microphone while sound plays over Bluetooth"),
            note,
        )
        self.row("", column_of(self.builtin_box, self.note(note, indent=22)))
        self.meter = LevelMeter(tr("Level"), self._level_db, self, bars=1)
        self.test_button = push_button(tr("Test"), self._toggle_test, self)
        self.test_button.setMinimumWidth(88)
        test = QHBoxLayout()
        test.addWidget(self.meter, 1)
        test.addWidget(self.test_button)
        self.test_note = self.note()
        self.row(tr("Level:"), column_of(test, self.test_note))
        self.on_refresh(self._render)
        self._microphones.changed.connect(self._render)
        self._render()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._microphones.stop_test()

    def refresh_colors(self) -> None:
        super().refresh_colors()
        self.device_note.refresh_colors()

    def _choose(self) -> None:
        chosen = str(self.device_box.currentData())  # ending the test shows the old one again
        self._microphones.stop_test()
        self.change(microphone=chosen)
        self._render()

    def _toggle_test(self) -> None:
        self._has_heard = False
        if self._microphones.is_testing:
            self._microphones.stop_test()
        else:
            self._microphones.start_test()

    def _level_db(self) -> float:
        level_db = self._microphones.test_level_db()
        if not self._has_heard and loudness(level_db) > _HEARD:
            self._has_heard = True
            self._render_test()
        return level_db

    def _render(self) -> None:
        self._render_devices()
        self._render_test()

    def _render_devices(self) -> None:
        chosen = self.settings().microphone
        choices = self._microphones.choices
        default = next((choice.name for choice in choices if choice.is_default), "")
        first = tr("The system’s choice")
        if default:
            first = tr("The system’s choice ({name})", name=default)
        entries = [(first, "")]
        entries += [(choice.name, f"{choice.uid}\t{choice.name}") for choice in choices]
        is_missing = bool(chosen) and chosen not in [value for _name, value in entries]
        if is_missing:
            name = chosen.partition("\t")[2] or chosen
            entries.append((tr("{name} (not connected)", name=name), chosen))
        shown = [
            (self.device_box.itemText(at), self.device_box.itemData(at))
            for at in range(self.device_box.count())
        ]
        with QSignalBlocker(self.device_box):
            if shown != entries:
                self.device_box.clear()
                for text, value in entries:
                    self.device_box.addItem(text, value)
            self.device_box.setCurrentIndex(max(0, self.device_box.findData(chosen)))
        text = ""
        if not choices:
            text = tr("No microphone is connected.")
        elif is_missing:
            text = tr("Until it is back, the system’s choice is used.")
        self.device_note.setText(text)
        self.device_note.setVisible(bool(text))

    def _render_test(self) -> None:
        is_testing = self._microphones.is_testing
        problem = self._microphones.problem
        self.meter.set_on(is_testing)
        text = tr("Stop") if is_testing else tr("Test")
        self.test_button.setText(text)
        self.test_button.setAccessibleName(
            tr("Stop the level test") if is_testing else tr("Test the level")
        )
        if problem is not None:
            note = f"{tr_phrase(problem.message)} {tr_phrase(problem.hint)}".strip()
        elif is_testing and self._has_heard:
            note = tr("Undertone hears you.")
        elif is_testing:
            note = tr("Say something: the bar should move.")
        else:
            note = tr("Nothing of a test is kept.")
        self.test_note.set_color("error" if problem is not None else "secondary")
        self.test_note.setText(note)
