"""The settings of dictation: keys, what becomes of the text, and the person's own words."""

from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.config.translate import tr
from app.ui.ports import Ports
from app.ui.settings.form import Change, SettingsPage, column_of
from app.ui.settings.hotkey_field import HotkeyField
from app.ui.settings.lines import LinesTable


class KeysPage(SettingsPage):
    """Hotkeys, what they do, and what is seen while they do it."""

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        self.dictate_field = HotkeyField(
            "dictate",
            tr("Hotkey of dictation"),
            ports.hotkeys,
            lambda chord: change(dictate_hotkey=chord),
            self,
            can_clear=False,
        )
        self.quick_field = HotkeyField(
            "quick",
            tr("Hotkey of quick record"),
            ports.hotkeys,
            lambda chord: change(quick_hotkey=chord),
            self,
        )
        self.way_box = self.choice(
            "dictate_way",
            tr("What the hotkey does"),
            [
                ("both", tr("Hold to talk, or tap to begin and again to end")),
                ("hold", tr("Hold to talk")),
                ("toggle", tr("Tap to begin, tap again to end")),
            ],
        )
        self.auto_stop_box = self.choice(
            "auto_stop_s",
            tr("End by itself"),
            [
                (0, tr("Never")),
                (2, tr("After 2 seconds of silence")),
                (5, tr("After 5 seconds of silence")),
                (10, tr("After 10 seconds of silence")),
                (30, tr("After 30 seconds of silence")),
            ],
        )
        self.overlay_box = self.check(
            "shows_overlay", tr("Show level, time and words at the bottom of the screen")
        )
        self.row(tr("Dictate:"), self.dictate_field)
        self.row(tr("The hotkey:"), self.way_box)
        self.row(
            tr("Quick record:"),
            self.quick_field,
            tr("Records into the library, without inserting anything."),
        )
        self.row(tr("End by itself:"), self.auto_stop_box)
        self.row(tr("While recording:"), self.overlay_box)
        self.on_refresh(self.dictate_field.refresh)
        self.on_refresh(self.quick_field.refresh)

    def refresh_colors(self) -> None:
        super().refresh_colors()
        self.dictate_field.refresh_colors()
        self.quick_field.refresh_colors()


class TextPage(SettingsPage):
    """What is done to the text, and where it goes."""

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        self.insertion_box = self.choice(
            "insertion",
            tr("Where the text goes"),
            [
                ("insert", tr("Into the program in front")),
                ("copy", tr("Onto the clipboard only")),
            ],
        )
        self.row(
            tr("The text goes:"),
            self.insertion_box,
            tr("Where a program does not take it, it is on the clipboard and you are told."),
        )
        self.spacing_box = self.check(
            "smart_spacing", tr("Fit spaces and capitals to the text around it")
        )
        self.fillers_box = self.check("removes_fillers", tr("Leave out “um”, “uh” and the like"))
        commands = tr("“New line”, “new paragraph”, “full stop” and others are carried out.")
        self.commands_box = self.check("spoken_commands", tr("Carry out spoken commands"), commands)
        self.numbers_box = self.check("numbers_as_digits", tr("Write numbers as digits"))
        self.row(
            tr("Its form:"),
            column_of(
                self.spacing_box,
                self.fillers_box,
                self.numbers_box,
                self.commands_box,
                self.note(commands, indent=22),
            ),
        )
        kept = tr("What the model heard, word for word, is kept in the library beside it.")
        self.form.addRow("", self.note(kept))


class DictationPage(QWidget):
    """Keys, text, and the person's words, each on a sheet of its own."""

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        settings = ports.commands
        self.keys = KeysPage(ports, change, self)
        self.text = TextPage(ports, change, self)
        self.vocabulary = LinesTable(
            tr("Vocabulary"),
            [tr("Word")],
            tr("Names and terms in their right spelling. What sounds like one becomes it."),
            lambda: settings.settings.vocabulary,
            lambda lines: change(vocabulary=lines),
            self,
        )
        self.replacements = LinesTable(
            tr("Replacements"),
            [tr("Heard"), tr("Written")],
            tr("Whole words are replaced, whatever their capitals."),
            lambda: settings.settings.replacements,
            lambda lines: change(replacements=lines),
            self,
        )
        self.snippets = LinesTable(
            tr("Snippets"),
            [tr("Spoken"), tr("Text")],
            tr(
                "Say the first, get the second. {date} and {time} are filled in; {sign} is a "
                "line break.",
                date="{{date}}",
                time="{{time}}",
                sign="⏎",
            ),
            lambda: settings.settings.snippets,
            lambda lines: change(snippets=lines),
            self,
        )
        self.sheets = QTabWidget(self)
        self.sheets.setDocumentMode(True)
        self.sheets.tabBar().setAccessibleName(tr("Parts of the dictation settings"))
        for page, title in (
            (self.keys, tr("Hotkeys")),
            (self.text, tr("Text")),
            (self.vocabulary, tr("Vocabulary")),
            (self.replacements, tr("Replacements")),
            (self.snippets, tr("Snippets")),
        ):
            self.sheets.addTab(page, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.sheets)

    def refresh(self) -> None:
        """Show what holds now."""
        for page in (self.keys, self.text, self.vocabulary, self.replacements, self.snippets):
            page.refresh()

    def refresh_colors(self) -> None:
        for page in (self.keys, self.text, self.vocabulary, self.replacements, self.snippets):
            page.refresh_colors()
