"""The real app over a ruined library repairs it, and erases all of it when it is asked to."""

import os

import pytest
from pytestqt.qtbot import QtBot

from app.config.paths import default_paths
from app.config.settings import Settings, load_settings, save_settings
from app.core.errors import AppError
from app.core.recording import RecordingStatus
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.pipeline.erase import finish_erasing
from app.ui.main import App
from tests.library.builders import make_recording, make_segment

PATIENCE_MS = 60_000


@pytest.mark.serial
def test_a_ruined_library_is_repaired_and_then_erased(qtbot: QtBot) -> None:
    paths = default_paths()
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        row = make_recording("r1", "Kept", status=RecordingStatus.DONE)
        writer.add_finished(row, [make_segment("said before")]).result(30)
    save_settings(Settings(has_met=True), paths.settings)
    ruined = bytearray(paths.library.read_bytes())
    ruined[:4096] = os.urandom(4096)
    paths.library.write_bytes(ruined)
    app = App(paths)
    try:
        app.open()
        trouble = app.window.parts.trouble
        assert app.window.parts.pages.currentWidget() is trouble
        assert trouble.buttons[0].text() == "Repair Library"
        trouble.buttons[0].click()
        qtbot.waitUntil(
            lambda: trouble.title_label.text() == "1 recording is in the library again.",
            timeout=PATIENCE_MS,
        )
    finally:
        app.close()
    app = App(paths)
    try:
        app.open()
        assert app.window.parts.pages.currentWidget() is app.window.parts.reading
        with LibraryReader(paths.library) as reader:
            assert reader.transcript("r1").segments[0].text == "said before"
        with Owner.take(paths), pytest.raises(AppError):
            app.erase(False)
        assert finish_erasing(paths) is None
        app.erase(False)
        assert app.wants_relaunch
    finally:
        app.close()
    erased = finish_erasing(paths)
    assert erased is not None
    assert erased.left == ()
    assert not paths.home.exists()
    assert load_settings(paths.settings) == Settings()
