"""Old recordings: which rules put them away, and how long the bin keeps.

A rule that takes more than before says first how much that is now, and waits to be turned on; one
that takes less holds at once.
"""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.config.translate import tr, tr_phrase
from app.core.errors import AppError
from app.core.recording import RecordingKind
from app.core.retention import Rule, Takes, lines_of, rules_from, with_rule
from app.ui import theme
from app.ui.keeping.errand import Errand
from app.ui.keeping.ports import KeepingPorts, Rules
from app.ui.keeping.tidying import told_bin, told_due
from app.ui.ports import Commands
from app.ui.settings.form import Change, SettingsPage, push_button
from app.ui.widgets.announce import Announcer
from app.ui.widgets.labels import PlainLabel
from app.ui.wording import age_name

_AGES = (1, 7, 30, 90, 180, 365, 730)
_BIN_AGES = (0, 7, 30, 90, 365)
_FIRST_AGE = 90
_KEEP = ""


class RuleRow(QWidget):
    """What becomes of one kind of recordings, and when."""

    chosen = Signal()

    def __init__(self, kind: RecordingKind, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.takes_box = QComboBox(self)
        self.takes_box.setAccessibleName(tr("What becomes of old {kind}", kind=title))
        for value, text in (
            (_KEEP, tr("Keep them")),
            (str(Takes.SOUND), tr("Keep only the text")),
            (str(Takes.ALL), tr("Move to the bin")),
        ):
            self.takes_box.addItem(text, value)
        self.age_box = QComboBox(self)
        self.age_box.setAccessibleName(tr("After how long, for {kind}", kind=title))
        for days in _AGES:
            self.age_box.addItem(age_name(days), days)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        for box in (self.takes_box, self.age_box):
            box.setMinimumHeight(theme.TARGET)
            row.addWidget(box)
        row.addStretch(1)
        self.takes_box.currentIndexChanged.connect(self._on_changed)
        self.age_box.currentIndexChanged.connect(self._on_changed)

    @property
    def rule(self) -> Rule | None:
        takes = self.takes_box.currentData()
        if takes == _KEEP:
            return None
        return Rule(self.kind, Takes(takes), int(self.age_box.currentData()))

    def show_rule(self, rule: Rule | None) -> None:
        """Show what holds; a length that is not offered is added."""
        with QSignalBlocker(self.takes_box), QSignalBlocker(self.age_box):
            self.takes_box.setCurrentIndex(
                self.takes_box.findData(_KEEP if rule is None else str(rule.takes))
            )
            days = _FIRST_AGE if rule is None else rule.days
            if self.age_box.findData(days) < 0:
                self.age_box.addItem(age_name(days), days)
            self.age_box.setCurrentIndex(self.age_box.findData(days))
        self.age_box.setVisible(rule is not None)

    def _on_changed(self, _at: int) -> None:
        self.age_box.setVisible(self.takes_box.currentData() != _KEEP)
        self.chosen.emit()


class RetentionPage(SettingsPage):
    """The rules, the bin, and what turning one on would do.

    Args:
        commands: holds the settings.
        change: changes them.
        ports: counts, and runs on the io pool.
        run_now: runs the rules once they are turned on.
    """

    def __init__(
        self,
        commands: Commands,
        change: Change,
        ports: KeepingPorts,
        rules: Rules,
        run_now: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(lambda: commands.settings, change, parent)
        self._rules = rules
        self._run_now = run_now
        self._wanted: dict[str, object] = {}
        self._errand = Errand(ports.submit, self)
        self._errand.done.connect(self._on_counted)
        self._errand.failed.connect(self._on_failed)
        self.announcer = Announcer(self)
        self.rows = [
            RuleRow(RecordingKind.DICTATION, tr("dictations"), self),
            RuleRow(RecordingKind.QUICK, tr("quick recordings"), self),
            RuleRow(RecordingKind.FILE, tr("files"), self),
        ]
        for row, title in zip(
            self.rows, (tr("Dictations:"), tr("Quick recordings:"), tr("Files:")), strict=True
        ):
            row.chosen.connect(lambda row=row: self._on_rule(row))
            self.row(title, row)
        self.bin_box = QComboBox(self)
        self.bin_box.setAccessibleName(tr("When the bin is emptied by itself"))
        self.bin_box.setMinimumHeight(theme.TARGET)
        for days in _BIN_AGES:
            self.bin_box.addItem(_bin_name(days), days)
        self.bin_box.currentIndexChanged.connect(self._on_bin)
        line = QHBoxLayout()
        line.addWidget(self.bin_box)
        line.addStretch(1)
        self.row(tr("The bin:"), line)
        self._make_question()
        self.form.addRow(self.question)
        self.form.addRow(
            self.note(
                tr(
                    "Favourites, recordings in work and those you took back are never touched. "
                    "Files of yours outside the library stay where they are."
                )
            )
        )
        self.on_refresh(self._show)
        self._show()

    def _make_question(self) -> None:
        self.question = QFrame(self)
        self.question.setFrameShape(QFrame.Shape.StyledPanel)
        self.count_label = PlainLabel("", self, wraps=True)
        self.turn_on_button = push_button(tr("Turn On"), self.turn_on, self)
        self.not_now_button = push_button(tr("Not Now"), self.refresh, self)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.not_now_button)
        buttons.addWidget(self.turn_on_button)
        column = QVBoxLayout(self.question)
        column.setContentsMargins(12, 10, 12, 10)
        column.addWidget(self.count_label)
        column.addLayout(buttons)
        self.question.hide()

    def turn_on(self) -> None:
        """Let what was counted hold, and run it."""
        if self._wanted and self.turn_on_button.isEnabled():
            self.change(**self._wanted)
            self._show()
            self._run_now()

    def _show(self) -> None:
        """Show what holds now; what was not turned on is forgotten."""
        self._errand.stop()
        self._wanted = {}
        self.question.hide()
        held = {rule.kind: rule for rule in rules_from(self.settings().retention)}
        for row in self.rows:
            row.show_rule(held.get(row.kind))
        days = self.settings().bin_keeps_days
        with QSignalBlocker(self.bin_box):
            if self.bin_box.findData(days) < 0:
                self.bin_box.addItem(_bin_name(days), days)
            self.bin_box.setCurrentIndex(self.bin_box.findData(days))

    def _on_rule(self, row: RuleRow) -> None:
        rule, rules = row.rule, rules_from(self.settings().retention)
        old = next((each for each in rules if each.kind is row.kind), None)
        wanted: dict[str, object] = {"retention": lines_of(with_rule(rules, row.kind, rule))}
        if rule is None or (old is not None and _takes_less(rule, old)):
            self.change(**wanted)
            self._show()
            return
        self._show()
        row.show_rule(rule)
        self._ask(wanted, lambda: told_due(self._rules.preview([rule])))

    def _on_bin(self, _at: int) -> None:
        days, held = int(self.bin_box.currentData()), self.settings().bin_keeps_days
        if days == 0 or 0 < held <= days:
            self.change(bin_keeps_days=days)
            self._show()
            return
        self._show()
        with QSignalBlocker(self.bin_box):
            self.bin_box.setCurrentIndex(self.bin_box.findData(days))
        self._ask({"bin_keeps_days": days}, lambda: told_bin(self._rules.preview_bin(days)))

    def _ask(self, wanted: dict[str, object], count: Callable[[], str]) -> None:
        self._wanted = wanted
        self.count_label.setText(tr("Counting …"))
        self.turn_on_button.setEnabled(False)
        self.question.show()
        self._errand.begin(lambda _progress, _is_stopped: count())

    def _on_counted(self, text: str) -> None:
        if self._wanted:
            self.count_label.setText(text)
            self.turn_on_button.setEnabled(True)
            self.announcer.say(text)

    def _on_failed(self, error: AppError) -> None:
        self.count_label.setText(f"{tr_phrase(error.message)} {tr_phrase(error.hint)}".strip())


def _bin_name(days: int) -> str:
    return tr("Erase {age}", age=age_name(days)) if days else tr("Keep until I empty it")


def _takes_less(new: Rule, old: Rule) -> bool:
    """Whether every recording that `new` puts away, `old` did too, and no less of it."""
    is_milder = new.takes is old.takes or (new.takes, old.takes) == (Takes.SOUND, Takes.ALL)
    return is_milder and new.days >= old.days
