"""Shows what keeps the library well: rules, check, repair, privacy, erasing.

uv run --locked python -m tests.ui.gallery_keeping FOLDER [STATE …]
"""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.core.errors import Phrase
from app.core.finding import Finding, Severity
from app.core.retention import Due
from app.pipeline.library_check import CheckReport
from app.pipeline.retention import Ran
from app.ui.keeping.erase_dialog import EraseDialog
from app.ui.main_window import MainWindow
from app.ui.settings.window import SettingsWindow
from tests.helpers import ui_fakes as fakes
from tests.helpers.keeping_fakes import DAMAGED
from tests.ui.gallery import States, settings, show, take_all, world


def rules() -> QWidget:
    found = world()
    found.keeping.due = Due(tuple(map(str, range(14))))
    found.commands.change_settings(retention=("quick\tsound\t30",))
    window = SettingsWindow(found.ports, found.commands.change_settings, None, lambda: None)
    window.choose_page(3)
    window.library.sheets.setCurrentIndex(1)
    window.show()
    QTest.qWait(50)
    assert window.library.retention is not None
    window.library.retention.rows[0].takes_box.setCurrentIndex(2)
    QTest.qWait(300)
    return window


def privacy() -> QWidget:
    found = world()
    window = SettingsWindow(found.ports, found.commands.change_settings)
    window.choose_page(window.pages.indexOf(window.privacy))
    window.show()
    return window


def check() -> QWidget:
    found = world()
    found.keeping.report = CheckReport(
        mended=(
            _found("Search did not find everything. Its index is new."),
            _found("Recordings that were only in their folders are in the list again: 2."),
        ),
        open=(
            Finding(
                "audio_missing",
                Severity.WARNING,
                Phrase("Sound that is not where it was: 1 (“Interview with Ada”)."),
                Phrase("Put the files back. Their transcripts are safe."),
            ),
        ),
    )
    window = SettingsWindow(found.ports, found.commands.change_settings, None, lambda: None)
    window.show_check()
    window.show()
    assert window.library.check is not None
    window.library.check.check()
    QTest.qWait(300)
    return window


def _found(message: str) -> Finding:
    return Finding("found", Severity.NOTE, Phrase(message), Phrase(""))


def erase() -> QWidget:
    dialog = EraseDialog(1804, "3.1 GB", lambda _has_models: None)
    dialog.show()
    dialog.word_edit.setText("erase")
    return dialog


def damaged(found: fakes.World | None = None) -> QWidget:
    found = found or world()
    found.problem = DAMAGED
    return show(found)


def repairing() -> QWidget:
    found = world()
    window = damaged(found)
    found.keeping.waits = True
    assert isinstance(window, MainWindow)
    assert window.keeping.rescue is not None
    window.keeping.rescue.begin()
    return window


def repaired() -> QWidget:
    window = damaged()
    assert isinstance(window, MainWindow)
    assert window.keeping.rescue is not None
    window.keeping.rescue.begin()
    QTest.qWait(50)
    return window


def tidied() -> QWidget:
    found = world()
    found.keeping.ran = Ran(Due(tuple(map(str, range(14))), ("a", "b")))
    window = show(found)
    window.keeping.run_rules()
    QTest.qWait(50)
    return window


STATES: States = {
    "settings-library": lambda: settings(3),
    "settings-rules": rules,
    "settings-check": check,
    "settings-privacy": privacy,
    "erase": erase,
    "damaged": damaged,
    "repairing": repairing,
    "repaired": repaired,
    "tidied": tidied,
}


if __name__ == "__main__":
    take_all(STATES)
