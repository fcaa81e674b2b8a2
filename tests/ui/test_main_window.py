"""The window in every state it can be in, and everything a person does in it."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.core.errors import (
    DecodeFailed,
    ExportFailed,
    LibraryReadOnly,
    LibraryTooNew,
)
from app.core.events import Exported, Failed, FilesChecked
from app.core.job import JobStatus
from app.core.recording import RecordingKind, RecordingStatus
from app.core.transcript import Segment, Transcript
from app.ui.export_dialog import ExportDialog
from app.ui.library.sidebar import Place, Spot
from app.ui.main_window import MainWindow
from app.ui.ports import ModelChoice
from app.ui.widgets.chip import Chip
from tests.helpers.ui_fakes import DEMO, World, job, recording, running, world_of
from tests.ui.conftest import OpenWindow


def opened(window: MainWindow) -> str | None:
    shown = window.parts.transcript.recording
    return shown.recording_id if shown else None


def drop(window: MainWindow, *urls: QUrl) -> None:
    data = QMimeData()
    data.setUrls(list(urls))
    actions = Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(5, 5), actions, data, buttons, keys))
    assert window.parts.overlay.isVisible()
    window.dropEvent(QDropEvent(QPointF(5, 5), actions, data, buttons, keys))
    assert not window.parts.overlay.isVisible()


# States


def test_an_empty_library_teaches_the_ways_in(open_window: OpenWindow) -> None:
    world = World()
    window = open_window(world)
    welcome = window.parts.welcome
    assert welcome.isVisible()
    assert len(welcome.line_labels) == 3
    assert [button.text() for button in welcome.buttons] == ["Import…", "See It Work"]
    welcome.buttons[1].click()
    assert world.commands.calls == [("add_files", (world.commands.sample_path,), "nano", "auto")]


def test_the_newest_recording_is_open_at_the_start(open_window: OpenWindow) -> None:
    window = open_window(world_of(5))
    assert opened(window) == "r000000"
    assert window.parts.transcript.text.isVisible()
    assert window.parts.status_label.text() == "5 recordings"


def test_the_first_recording_replaces_the_welcome(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = World()
    window = open_window(world)
    new = recording(1, status=RecordingStatus.PENDING)
    world.library.put(new)
    world.commands.jobs = [job(1)]
    world.bus.files_checked.emit(FilesChecked((job(1),)))
    world.tell_library("r000001")
    qtbot.waitUntil(lambda: opened(window) == "r000001", timeout=10_000)
    assert window.parts.reading.isVisible()
    assert window.parts.transcript.state.title_label.text() == "Waiting"


def test_work_shows_in_row_transcript_queue_and_status(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = world_of(3)
    world.library.put(recording(0, "Talk", status=RecordingStatus.WORKING))
    world.library.transcripts["r000000"] = Transcript()
    window = open_window(world)
    at_work = running(0, "Talk", done_s=252.0)
    world.tell_job(at_work)
    world.tell_segments(at_work, Segment(0, 4, "The first words."))
    qtbot.waitUntil(lambda: bool(window.parts.transcript.text.segments), timeout=10_000)
    assert window.parts.transcript.text.toPlainText() == "The first words."
    assert window.parts.transcript.work_strip.isVisible()
    assert window.parts.status_label.text() == "“Talk” · Transcribing · 42 %"
    spoken = window.parts.library.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Transcribing · 42 %" in spoken
    world.library.put(recording(0, "Talk"))
    said: list[str] = []
    window.announcer.announced.connect(said.append)
    world.tell_job(job(0, "Talk", status=JobStatus.DONE))
    qtbot.waitUntil(lambda: bool(said), timeout=10_000)
    assert said == ["“Talk” is transcribed."]
    assert not window.parts.transcript.work_strip.isVisible()
    assert window.parts.status_label.text() == "3 recordings"


def test_a_failure_stands_on_its_item(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    window = open_window(world)
    said: list[str] = []
    window.announcer.announced.connect(said.append)
    world.library.transcripts["r000000"] = Transcript()
    world.library.put(
        recording(0, status=RecordingStatus.FAILED, error="It broke.", hint="Mend it.")
    )
    world.tell_job(job(0, status=JobStatus.FAILED, error="It broke.", hint="Mend it."))
    world.tell_library("r000000")
    qtbot.waitUntil(lambda: bool(said), timeout=10_000)
    qtbot.waitUntil(lambda: window.parts.transcript.state.isVisible(), timeout=10_000)
    assert said == ["“Recording 0”: It broke."]
    window.parts.transcript.state.buttons[0].click()
    assert ("retry", "r000000") in world.commands.calls
    qtbot.waitUntil(lambda: window.parts.sidebar.count_of(Place.FAILED) == 1, timeout=10_000)
    window.parts.sidebar.choose(Place.FAILED)
    assert window.parts.library.model.rowCount() == 1


def test_a_read_only_library_can_be_read(open_window: OpenWindow) -> None:
    world = world_of(3)
    world.problem = LibraryReadOnly("The library cannot be written.", "Make room.")
    window = open_window(world)
    banner = window.parts.banners.banner("library")
    assert banner is not None
    assert banner.message == "The library cannot be written."
    assert not banner.close_button.isVisible()
    assert opened(window) == "r000000"
    assert not window.parts.toolbar.import_button.isEnabled()
    assert not window.menus.remove.isEnabled()
    window.remove_selected()
    window.add_files([Path("a.wav")])
    assert world.commands.calls == []


def test_a_newer_library_is_not_touched(open_window: OpenWindow) -> None:
    world = world_of(3)
    world.problem = LibraryTooNew("A newer Undertone wrote this library.", "Update Undertone.")
    window = open_window(world)
    assert window.parts.trouble.isVisible()
    assert window.parts.trouble.title_label.text() == "A newer Undertone wrote this library."
    assert world.library.rows_read == 0
    assert not window.parts.toolbar.search_field.isEnabled()


def test_the_demonstration_model_says_what_it_is(open_window: OpenWindow) -> None:
    window = open_window(world_of(1))
    banner = window.parts.banners.banner("models")
    assert banner is not None
    assert "demonstration" in banner.message
    banner.close_button.click()
    assert window.parts.banners.banner("models") is None


def test_with_another_model_it_says_nothing(open_window: OpenWindow) -> None:
    world = world_of(1)
    world.models = (ModelChoice("turbo", "Turbo"), DEMO)
    window = open_window(world)
    assert window.parts.banners.banner("models") is None
    box = window.parts.toolbar.model_box
    assert [box.itemText(at) for at in range(box.count())] == [
        "Best model",
        "Turbo",
        "Demonstration",
    ]


def test_without_any_model_it_says_so(open_window: OpenWindow) -> None:
    world = world_of(1)
    world.models = ()
    window = open_window(world)
    banner = window.parts.banners.banner("models")
    assert banner is not None
    assert banner.tone == "error"


# What comes in


def test_dropped_files_and_folders_are_added(open_window: OpenWindow, tmp_path: Path) -> None:
    world = world_of(2)
    window = open_window(world)
    file = tmp_path / "a.wav"
    drop(window, QUrl.fromLocalFile(str(file)), QUrl.fromLocalFile(str(tmp_path)))
    assert world.commands.calls == [("add_files", (file, tmp_path), "nano", "auto")]


def test_a_dropped_link_says_why_not(open_window: OpenWindow, tmp_path: Path) -> None:
    world = World()
    window = open_window(world)
    drop(window, QUrl("https://example.org/a.mp3"), QUrl.fromLocalFile(str(tmp_path)))
    assert world.commands.calls == [("add_files", (tmp_path,), "nano", "auto")]
    banner = window.parts.banners.banner("error")
    assert banner is not None
    assert banner.message == "Only files on this computer can be transcribed."


def test_rejected_files_say_why(open_window: OpenWindow) -> None:
    world = World()
    window = open_window(world)
    rejected = tuple(
        (Path(f"{at}.pdf"), DecodeFailed("“{name}” holds no sound.", "Try another.", name=f"{at}"))
        for at in range(6)
    )
    world.bus.files_checked.emit(FilesChecked((), rejected))
    banner = window.parts.banners.banner("rejected")
    assert banner is not None
    texts = [label.text() for label in banner.labels]
    assert texts[0] == "6 files could not be added:"
    assert texts[1] == "“0” holds no sound. Try another."
    assert texts[-1] == "… and 2 more."


def test_model_and_language_are_kept(open_window: OpenWindow) -> None:
    world = World()
    window = open_window(world)
    box = window.parts.toolbar.language_box
    names = [box.itemText(at) for at in range(box.count())]
    assert names == ["Any language", "English", "French", "German", "Spanish"]
    box.setCurrentIndex(3)
    box.activated.emit(3)
    assert world.commands.settings.language == "de"
    window.try_sample()
    assert world.commands.calls[-1][-1] == "de"


# Search


def test_search_shows_hits_and_marks(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(20)
    world.library.transcripts["r000007"] = Transcript(
        (*(Segment(at * 5.0, at * 5 + 4, "Nothing.") for at in range(80)),
         Segment(400, 404, "The zeppelin.")), "en"
    )  # fmt: skip
    window = open_window(world)
    window.browser.focus_search()
    QTest.keyClicks(window.parts.toolbar.search_field, "zeppelin")
    qtbot.waitUntil(lambda: window.parts.library.model.rowCount() == 1, timeout=10_000)
    assert window.parts.library.results.text() == "1 result"
    QTest.keyClick(window.parts.toolbar.search_field, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: opened(window) == "r000007", timeout=10_000)
    marks = window.parts.transcript.text.extraSelections()
    assert [mark.cursor.selectedText() for mark in marks] == ["zeppelin"]
    assert window.parts.transcript.text.textCursor().block().blockNumber() == 80
    window.browser.focus_search()
    QTest.keyClick(window.parts.toolbar.search_field, Qt.Key.Key_Escape)
    assert window.parts.library.model.rowCount() == 20
    assert window.parts.transcript.text.extraSelections() == []


def test_a_search_goes_on_while_work_goes_on(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    window = open_window(world)
    window.parts.toolbar.search_field.search("zeppelin")
    assert window.parts.library.model.rowCount() == 0
    world.library.transcripts["r000001"] = Transcript((Segment(0, 1, "A zeppelin."),))
    world.tell_library("r000001", "j000001")
    qtbot.waitUntil(lambda: window.parts.library.model.rowCount() == 1, timeout=20_000)


def test_a_search_without_hits_says_so(open_window: OpenWindow) -> None:
    window = open_window(world_of(3))
    window.parts.toolbar.search_field.search("<b>zeppelin")
    empty = window.parts.library.empty
    assert empty.isVisible()
    assert "“<b>zeppelin”" in empty.line_labels[0].text()
    empty.buttons[0].click()
    assert window.parts.library.model.rowCount() == 3
    assert window.parts.toolbar.search_field.text() == ""


def test_choosing_a_place_leaves_the_search(open_window: OpenWindow) -> None:
    window = open_window(world_of(3))
    window.parts.toolbar.search_field.search("zeppelin")
    window.parts.sidebar.choose(Place.FILES)
    assert window.parts.toolbar.search_field.text() == ""
    assert window.parts.library.model.rowCount() == 3


def test_searching_in_the_queue_shows_the_library(open_window: OpenWindow) -> None:
    window = open_window(world_of(3))
    window.parts.sidebar.choose(Place.QUEUE)
    assert window.parts.queue.isVisible()
    window.parts.toolbar.search_field.search("recording")
    assert window.parts.reading.isVisible()
    assert window.parts.library.model.rowCount() == 3


# Removal


def test_what_is_removed_goes_to_the_bin_and_comes_back(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = world_of(4)
    window = open_window(world)
    window.parts.library.list.setFocus()
    QTest.keyClick(window.parts.library.list, Qt.Key.Key_Delete)
    rows = window.parts.library.model
    qtbot.waitUntil(lambda: rows.rowCount() == 3, timeout=10_000)
    qtbot.waitUntil(lambda: opened(window) == "r000001", timeout=10_000)
    banner = window.parts.notices.banner("deed")
    assert banner is not None
    assert banner.message == "“Recording 0” is in the bin now."
    assert window.parts.status_label.text() == "3 recordings"
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: rows.rowCount() == 4, timeout=10_000)
    assert window.parts.notices.banner("deed") is None
    window.menus.redo.trigger()
    qtbot.waitUntil(lambda: rows.rowCount() == 3, timeout=10_000)
    window.close()
    assert "remove" not in world.commands.names()


def test_only_the_bin_erases_and_it_asks(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(4)
    world.organiser.move_to_bin(["r000001", "r000002"])
    window = open_window(world)
    window.parts.sidebar.choose(Place.BIN)
    window.parts.library.list.selectAll()
    window.remove_selected()
    box = window.organising.question
    assert isinstance(box, QMessageBox)
    assert "2 recordings" in box.text()
    box.reject()
    assert "remove" not in world.commands.names()
    qtbot.waitUntil(window.menus.restore.isEnabled)
    window.menus.restore.trigger()
    qtbot.waitUntil(lambda: window.parts.library.model.rowCount() == 0, timeout=10_000)
    assert all(item.deleted_at is None for item in world.library.items)
    world.organiser.move_to_bin(["r000003"])
    window.menus.empty_bin.trigger()
    box = window.organising.question
    assert isinstance(box, QMessageBox)
    next(each for each in box.buttons() if each.text() == "Erase").click()
    assert ("remove", ("r000003",)) in world.commands.calls


def test_a_removal_that_failed_is_told(open_window: OpenWindow) -> None:
    world = world_of(4)
    window = open_window(world)
    world.organiser.error = LibraryReadOnly("The library cannot be written.")
    window.remove_selected()
    assert window.parts.library.model.rowCount() == 4
    assert window.parts.banners.banner("error") is not None
    assert not window.menus.undo.isEnabled()


def test_removing_the_last_one_shows_nothing(open_window: OpenWindow, qtbot: QtBot) -> None:
    window = open_window(world_of(1))
    window.remove_selected()
    qtbot.waitUntil(lambda: window.parts.welcome.isVisible(), timeout=10_000)
    assert opened(window) is None


def test_what_is_removed_leaves_the_queue(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(3)
    world.commands.jobs = [job(0, status=JobStatus.RUNNING)]
    window = open_window(world)
    assert len(window.parts.queue.jobs) == 1
    window.remove_selected()
    assert ("cancel_job", "j000000") in world.commands.calls
    qtbot.waitUntil(lambda: window.parts.queue.jobs == [], timeout=10_000)


# Order


def test_folders_tags_and_stars(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(4)
    window = open_window(world)
    window.menus.new_folder.trigger()
    box = window.organising.question
    assert isinstance(box, QInputDialog)
    box.setTextValue(" Work ")
    box.accept()
    sidebar = window.parts.sidebar
    qtbot.waitUntil(lambda: bool(sidebar.findItems("Work", Qt.MatchFlag.MatchExactly)))
    folder = Spot(Place.FOLDER, "f-Work", "Work")
    sidebar.dropped.emit(["r000001", "r000002"], folder)
    window.menus.favourite.trigger()
    header = window.parts.transcript.header
    header.tag_requested.emit("r000000", "trip")
    qtbot.waitUntil(lambda: bool(sidebar.findItems("trip", Qt.MatchFlag.MatchExactly)))
    assert header.chips.isVisible()
    sidebar.setCurrentItem(sidebar.findItems("Work", Qt.MatchFlag.MatchExactly)[0])
    rows = window.parts.library.model
    assert [rows.recording_id(row) for row in range(rows.rowCount())] == ["r000001", "r000002"]
    sidebar.choose(Place.FAVOURITES)
    assert rows.rowCount() == 1
    for _ in range(4):
        window.menus.undo.trigger()
    assert world.library.shelf == {}
    assert world.library.tags() == []
    assert world.library.items[1].folder_id is None
    assert not world.library.items[0].is_favourite


def test_a_title_and_notes_are_typed(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(2)
    window = open_window(world)
    qtbot.waitUntil(lambda: opened(window) == "r000000")
    header = window.parts.transcript.header
    window.menus.rename.trigger()
    header.title_edit.setText("The flood")
    QTest.keyClick(header.title_edit, Qt.Key.Key_Return)
    assert world.library.items[0].title == "The flood"
    header.notes_button.setChecked(True)
    header.notes.setPlainText("Ask Ben")
    header.flush()
    assert world.library.items[0].notes == "Ask Ben"
    window.menus.undo.trigger()
    window.menus.undo.trigger()
    assert (world.library.items[0].title, world.library.items[0].notes) == ("Recording 0", "")


def test_filters_narrow_the_list_down_as_chips(open_window: OpenWindow) -> None:
    world = world_of(4)
    world.organiser.set_favourite(["r000002"], True)
    world.library.items[1] = replace(world.library.items[1], doubt=2)
    window = open_window(world)
    filters, rows = window.parts.library.filters, window.parts.library.model
    filters.filter_menu.aboutToShow.emit()
    titles = [action.text() for action in filters.filter_menu.actions()]
    assert {"Kind", "Status", "Date", "Language", "Favourites"} <= set(titles)
    filters.set_filter("is_favourite", True, "Favourites")
    assert rows.rowCount() == 1
    assert filters.chips.isVisible()
    window.parts.sidebar.choose(Place.FILES)
    assert rows.rowCount() == 1
    chip = filters.findChild(Chip)
    assert chip is not None
    chip.click()
    assert rows.rowCount() == 4
    filters.filter_menu.aboutToShow.emit()
    doubtful = [a for a in filters.filter_menu.actions() if a.text() == "With doubtful words"]
    doubtful[0].trigger()
    assert rows.rowCount() == 1
    filters.clear()
    filters.set_filter("kind", RecordingKind.QUICK, "Quick")
    assert window.parts.library.empty.isVisible()


# Export


def test_export_asks_and_writes(open_window: OpenWindow, tmp_path: Path) -> None:
    world = world_of(3)
    world.commands.change_settings(export_folder=str(tmp_path))
    window = open_window(world)
    window.menus.export.trigger()
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    dialog.accept()
    call = ("export", ("r000000",), "txt", tmp_path / "Recording 0.txt")
    assert world.commands.calls[-1][:4] == call
    world.bus.exported.emit(Exported((tmp_path / "Recording 0.txt",)))
    banner = window.parts.notices.banner("exported")
    assert banner is not None
    assert banner.message == "Exported “Recording 0.txt”."


def test_several_are_exported_together(open_window: OpenWindow, tmp_path: Path) -> None:
    world = world_of(3)
    world.commands.change_settings(export_folder=str(tmp_path))
    window = open_window(world)
    window.parts.library.list.selectAll()
    QApplication.processEvents()
    assert window.parts.transcript.nothing.title_label.text() == "3 recordings selected"
    window.export_selected()
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    dialog.accept()
    assert world.commands.calls[-1][-1] == tmp_path


def test_a_failed_export_says_why(open_window: OpenWindow) -> None:
    world = world_of(1)
    window = open_window(world)
    world.bus.failed.emit(Failed(ExportFailed("“{name}” is full.", "Free some.", name="Disk")))
    banner = window.parts.banners.banner("error")
    assert banner is not None
    assert [label.text() for label in banner.labels] == ["“Disk” is full.", "Free some."]


# Staying where one is


def test_new_rows_do_not_move_the_selection(open_window: OpenWindow, qtbot: QtBot) -> None:
    world = world_of(30)
    window = open_window(world)
    window.parts.library.select_row(4)
    qtbot.waitUntil(lambda: opened(window) == "r000004", timeout=10_000)
    world.library.put(recording(90))
    world.tell_library("r000090")
    qtbot.waitUntil(lambda: window.parts.library.model.rowCount() == 31, timeout=10_000)
    QApplication.processEvents()
    assert window.parts.library.selected_ids() == ["r000004"]
    assert opened(window) == "r000004"


def test_the_window_remembers_its_place(open_window: OpenWindow) -> None:
    world = world_of(1)
    window = open_window(world)
    window.resize(760, 490)
    window.close()
    again = open_window(world)
    assert (again.width(), again.height()) == (760, 490)
    assert world.commands.settings.window_place


def test_it_is_usable_when_small(open_window: OpenWindow) -> None:
    window = open_window(world_of(3))
    window.resize(760, 480)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (760, 480)
    assert window.parts.transcript.text.viewport().width() > 250
    window.parts.toolbar.search_field.search("zeppelin")
    QApplication.processEvents()
    empty = window.parts.library.empty
    for label in (empty.title_label, *empty.line_labels):
        assert empty.rect().contains(label.geometry())
