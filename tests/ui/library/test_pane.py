"""Filters and orders, and what is done to many recordings at once, in the window."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.core.recording import RecordingKind, RecordingStatus
from app.library.search import ListQuery, Sort
from app.ui.desk import Desk
from app.ui.library.filters import FilterBar
from app.ui.library.mime import SELECTION, carry
from app.ui.library.model import PAGE
from app.ui.library.pane import FEW
from app.ui.library.sidebar import Place
from app.ui.main_window import MainWindow
from app.ui.widgets.chip import Chip
from tests.helpers.ui_fakes import World, recording, world_of
from tests.ui.conftest import OpenWindow

ALL = 400


def shown(window: MainWindow) -> list[str | None]:
    rows = window.parts.library.model
    return [rows.recording_id(row) for row in range(rows.rowCount())]


def filtered_world() -> World:
    world = world_of(6)
    world.library.put(recording(1, app_name="Mail", doubt=3, language="de"))
    world.organiser.tag(["r000002"], "trip")
    return world


def open_menu(filters: FilterBar) -> dict[str, QAction]:
    """Return what the filter menu offers, by its path."""
    filters.filter_menu.aboutToShow.emit()
    found: dict[str, QAction] = {}

    def gather(menu: QMenu, path: str) -> None:
        for action in menu.actions():
            part = action.menu()
            if isinstance(part, QMenu):
                gather(part, f"{path}{action.text()}/")
            elif action.text():
                found[path + action.text()] = action

    gather(filters.filter_menu, "")
    return found


FILTERS: dict[str, tuple[str, object]] = {
    "Kind/Dictation": ("kind", RecordingKind.DICTATION),
    "Status/Waiting": ("status", RecordingStatus.PENDING),
    "Status/Failed": ("status", RecordingStatus.FAILED),
    "Language/German": ("language", "de"),
    "Model/Demonstration": ("model_id", "nano"),
    "Dictated into/Mail": ("app_name", "Mail"),
    "Tag/trip": ("tag", "trip"),
    "Favourites": ("is_favourite", True),
    "With doubtful words": ("is_doubtful", True),
}


def test_every_filter_becomes_a_chip(open_window: OpenWindow) -> None:
    window = open_window(filtered_world())
    filters, rows = window.parts.library.filters, window.parts.library.model
    for path, (field, value) in FILTERS.items():
        open_menu(filters)[path].trigger()
        assert getattr(rows.query, field) == value
        assert open_menu(filters)[path].isChecked()
        [chip] = [each for each in filters.findChildren(Chip) if each.isVisible()]
        chip.click()
        assert rows.query == ListQuery()
        assert not filters.chips.isVisible()
    for label in ("Today", "Last 7 days", "Last 30 days", "This year"):
        open_menu(filters)[f"Date/{label}"].trigger()
        assert rows.query.since is not None
        open_menu(filters)["Remove All Filters"].trigger()
        assert rows.query == ListQuery()


def test_every_order_can_be_chosen_and_filters_stay(open_window: OpenWindow) -> None:
    window = open_window(world_of(3))
    filters, rows = window.parts.library.filters, window.parts.library.model
    filters.set_filter("kind", RecordingKind.FILE, "Files")
    menu = filters.sort_button.menu()
    orders = [action for action in menu.actions() if action.actionGroup() is not None]
    for action, sort in zip(orders, Sort, strict=True):
        action.trigger()
        assert rows.query == ListQuery(kind=RecordingKind.FILE, sort=sort)
    filters.rank_action.trigger()
    assert not rows.query.ranked
    window.parts.toolbar.search_field.search("recording")
    assert rows.query.ranked


def test_all_of_a_long_list_is_moved_and_brought_back(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = world_of(ALL)
    window = open_window(world)
    window.parts.library.list.selectAll()
    window.remove_selected()
    qtbot.waitUntil(lambda: shown(window) == [], timeout=10_000)
    assert all(item.deleted_at is not None for item in world.library.items)
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: len(shown(window)) == ALL, timeout=10_000)


def test_many_are_starred_tagged_and_put_into_a_folder(open_window: OpenWindow) -> None:
    world = world_of(ALL)
    window = open_window(world)
    folder = world.organiser.add_folder("Papers").result().folder_id
    QApplication.processEvents()
    window.parts.library.list.selectAll()
    window.organising.toggle_favourite()
    window.organising._put_tag("trip")
    window.overview.refresh()
    window.menus.folder_menu.aboutToShow.emit()
    next(each for each in window.menus.folder_menu.actions() if each.text() == "Papers").trigger()
    assert all(item.is_favourite and item.folder_id == folder for item in world.library.items)
    assert len(world.library.worn) == ALL


@pytest.mark.parametrize("count", [2, FEW + 50])
def test_a_selection_is_dropped_on_a_folder(
    open_window: OpenWindow, qtbot: QtBot, count: int
) -> None:
    world = world_of(ALL)
    folder = world.organiser.add_folder("Papers").result().folder_id
    window = open_window(world)
    pane, sidebar = window.parts.library, window.parts.sidebar
    pane._select_rows(list(range(count)))
    ids = list(pane.list.carried_ids())
    assert ids == (["r000000", "r000001"] if count == 2 else [SELECTION])
    [item] = sidebar.findItems("Papers", Qt.MatchFlag.MatchExactly)
    at = sidebar.visualItemRect(item).center()
    data = carry(QMimeData(), ids)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(at), Qt.DropAction.CopyAction, data, buttons, keys)
    sidebar.dragEnterEvent(enter)
    assert enter.isAccepted()
    sidebar.dropEvent(QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, keys))
    moved = [item.recording_id for item in world.library.items if item.folder_id == folder]
    assert moved == [f"r{each:06d}" for each in range(count)]
    assert sidebar.spot.place is Place.ALL


def test_what_is_read_stays_where_it_is_when_others_leave(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    world = world_of(ALL)
    window = open_window(world)
    view = window.parts.library.list
    window.parts.library.select_row(0)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    view.grab()
    first, above = view.place()
    name = window.parts.library.model.recording_id(first)
    world.organiser.move_to_bin([f"r{at:06d}" for at in range(first - 60, first - 10)])
    qtbot.waitUntil(lambda: len(shown(window)) == ALL - 50, timeout=10_000)
    row, now_above = view.place()
    assert window.parts.library.model.recording_id(row) == name
    assert abs(now_above - above) <= 1
    assert window.parts.library.selected_ids() == ["r000000"]


def test_going_to_the_end_and_back_keeps_memory_bounded(open_window: OpenWindow) -> None:
    world = world_of(100_000)
    window = open_window(world)
    rows, bar = window.parts.library.model, window.parts.library.list.verticalScrollBar()
    for part in (*range(151), *range(150, -1, -1)):
        bar.setValue(bar.maximum() * part // 150)
    assert rows.pages_in_memory <= 100
    assert world.library.rows_read <= 302 * 2 * (PAGE + 1)


def test_the_window_works_with_answers_that_take_their_time(
    open_window: OpenWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    world = world_of(ALL)
    desk = Desk(lambda _thread: None)
    world.desk = desk  # type: ignore[assignment]
    try:
        window = open_window(world)
        qtbot.waitUntil(lambda: len(shown(window)) == ALL, timeout=10_000)
        field = window.parts.toolbar.search_field
        for text in ("r", "re", "recording 7"):
            field.search(text)
        qtbot.waitUntil(lambda: window.parts.library.model.search_text == "recording 7")
        qtbot.waitUntil(lambda: window.parts.library.model.is_whole, timeout=10_000)
        assert "r000007" in shown(window)
        assert window.parts.library.results.text() == f"{len(shown(window))} results"
        window.parts.library.select_row(3)
        wanted = shown(window)[3]
        qtbot.waitUntil(lambda: window.browser.opened_id == wanted, timeout=10_000)
        field.search("")
        qtbot.waitUntil(lambda: len(shown(window)) == ALL, timeout=10_000)
        assert window.parts.library.selected_ids() == [wanted]
        window.parts.library.list.selectAll()
        window.remove_selected()
        qtbot.waitUntil(lambda: shown(window) == [], timeout=10_000)
        window.close()
    finally:
        desk.close()
