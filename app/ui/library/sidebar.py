"""The source list: what of the library is shown, its folders and tags, and the queue.

Only places that exist and can be reached are listed; counts, folders and tags come from outside.
Recordings dropped on a folder, a tag, the favourites or the bin go there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from app.config.translate import tr, tr_plural
from app.core.recording import Folder, RecordingKind, RecordingStatus, Tag
from app.library.search import ListQuery
from app.ui import theme
from app.ui.library.mime import carried
from app.ui.library.place_delegate import CountRole, PlaceDelegate, PlaceRole, TargetRole


class Place(StrEnum):
    """What can be chosen in the sidebar; of folders and tags there are many."""

    ALL = "all"
    DICTATIONS = "dictations"
    QUICK = "quick"
    FILES = "files"
    FAVOURITES = "favourites"
    FAILED = "failed"
    BIN = "bin"
    FOLDER = "folder"
    TAG = "tag"
    QUEUE = "queue"


QUERIES = {
    Place.ALL: ListQuery(),
    Place.DICTATIONS: ListQuery(kind=RecordingKind.DICTATION),
    Place.QUICK: ListQuery(kind=RecordingKind.QUICK),
    Place.FILES: ListQuery(kind=RecordingKind.FILE),
    Place.FAVOURITES: ListQuery(is_favourite=True),
    Place.FAILED: ListQuery(status=RecordingStatus.FAILED),
    Place.BIN: ListQuery(is_binned=True),
}
_TARGETS = (Place.FAVOURITES, Place.BIN, Place.FOLDER, Place.TAG)
_KeyRole = int(Qt.ItemDataRole.UserRole) + 10


@dataclass(frozen=True, slots=True)
class Spot:
    """One line of the sidebar: a place and, of a folder or tag, which one."""

    place: Place
    key: str = ""
    title: str = ""

    @property
    def query(self) -> ListQuery:
        """What its list shows."""
        if self.place is Place.FOLDER:
            return ListQuery(folder_id=self.key)
        if self.place is Place.TAG:
            return ListQuery(tag=self.key)
        return QUERIES.get(self.place, ListQuery())


class Sidebar(QListWidget):
    """Lists the places; tells which one was chosen."""

    place_chosen = Signal(object)  # Place
    menu_requested = Signal(object, QPoint)  # Spot of a folder, a tag or the bin; where
    new_folder_requested = Signal()
    rename_requested = Signal(object)  # Spot
    remove_requested = Signal(object)  # Spot
    dropped = Signal(object, object)  # list of ids, Spot

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Library and queue"))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setItemDelegate(PlaceDelegate(self))
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(172)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAcceptDrops(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._items: dict[Place, QListWidgetItem] = {}
        self._is_writable = True
        self._add_heading(tr("Library"))
        for place, title, icon in (
            (Place.ALL, tr("All"), "all"),
            (Place.DICTATIONS, tr("Dictations"), "dictation"),
            (Place.QUICK, tr("Quick records"), "microphone"),
            (Place.FILES, tr("Files"), "file"),
            (Place.FAVOURITES, tr("Favourites"), "star"),
            (Place.FAILED, tr("Needs attention"), "warning"),
            (Place.BIN, tr("Bin"), "remove"),
        ):
            self._items[place] = self._add(Spot(place, "", title), icon)
        self._folders = self._add_heading(tr("Folders"), tr("New folder"))
        self._tags = self._add_heading(tr("Tags"))
        self._tags.setHidden(True)
        self._add_heading(tr("Work"))
        self._items[Place.QUEUE] = self._add(Spot(Place.QUEUE, "", tr("Queue")), "queue")
        self.set_count(Place.FAILED, 0)
        self.choose(Place.ALL)
        self.currentItemChanged.connect(self._on_current_changed)
        self.customContextMenuRequested.connect(self._on_menu)
        self.refresh_colors()

    # What is chosen

    @property
    def place(self) -> Place:
        """The chosen place."""
        return self.spot.place

    @property
    def spot(self) -> Spot:
        """The chosen line."""
        return self._spot_of(self.currentItem()) or Spot(Place.ALL)

    def choose(self, place: Place) -> None:
        """Choose a place as if the person had."""
        self.setCurrentItem(self._items[place])

    def choose_quietly(self, place: Place) -> None:
        """Choose a place without telling."""
        self.blockSignals(True)
        self.choose(place)
        self.blockSignals(False)

    # What is listed

    def show_folders(self, folders: Sequence[Folder], tags: Sequence[Tag]) -> None:
        """List the folders and tags there are, with how much they hold."""
        wanted = [
            *((Spot(Place.FOLDER, each.folder_id, each.name), each.count) for each in folders),
            *((Spot(Place.TAG, each.name, each.name), each.count) for each in tags),
        ]
        shown = [
            (spot, int(item.data(CountRole) or 0))
            for row in range(self.count())
            if (spot := self._spot_of(item := self.item(row))) is not None and spot.key
        ]
        self._tags.setHidden(not tags)
        if shown == wanted:
            return
        chosen = self.spot
        self.blockSignals(True)
        for row in reversed(range(self.count())):
            spot = self._spot_of(self.item(row))
            if spot is not None and spot.key:
                self.takeItem(row)
        for spot, count in wanted:
            head = self._tags if spot.place is Place.FOLDER else self._after_tags()
            item = self._add(spot, spot.place.value, self.row(head))
            self._set_count(item, count)
            if (spot.place, spot.key) == (chosen.place, chosen.key):
                self.setCurrentItem(item)
        if self._spot_of(self.currentItem()) is None or self.spot.place is not chosen.place:
            self.choose(chosen.place if chosen.place in self._items else Place.ALL)
        is_gone = bool(chosen.key) and self.spot.key != chosen.key
        self.blockSignals(False)
        if is_gone:
            self.place_chosen.emit(self.place)

    def set_count(self, place: Place, count: int) -> None:
        """Show how many things a place holds; one that needs attention hides when empty."""
        item = self._items[place]
        self._set_count(item, count)
        if place is Place.FAILED:
            if not count and self.place is Place.FAILED:
                self.choose(Place.ALL)
            item.setHidden(not count)

    def count_of(self, place: Place) -> int:
        """Return the count a place shows."""
        return int(self._items[place].data(CountRole) or 0)

    def set_writable(self, is_writable: bool) -> None:
        """Whether folders can be made and recordings be dropped."""
        self._is_writable = is_writable

    def refresh_colors(self) -> None:
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("window"))
        palette.setColor(self.viewport().backgroundRole(), theme.color("window"))
        self.setPalette(palette)
        self.viewport().update()

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        spot = self.spot
        if spot.key and self._is_writable and event.key() == Qt.Key.Key_F2:
            self.rename_requested.emit(spot)
        elif (
            spot.key
            and self._is_writable
            and event.key()
            in (
                Qt.Key.Key_Delete,
                Qt.Key.Key_Backspace,
            )
        ):
            self.remove_requested.emit(spot)
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.MouseButtonRelease:
            item = self.itemAt(event.position().toPoint())  # type: ignore[attr-defined]
            if item is self._folders and self._is_writable:
                self.new_folder_requested.emit()
                return True
        return super().viewportEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._consider(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._consider(event)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._show_target(None)

    def dropEvent(self, event: QDropEvent) -> None:
        self._show_target(None)
        spot = self._spot_of(self.itemAt(event.position().toPoint()))
        ids = carried(event.mimeData())
        if spot is not None and spot.place in _TARGETS and ids:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.dropped.emit(ids, spot)

    # Inside

    def _consider(self, event: QDragMoveEvent) -> None:
        """Show where what is dragged would go. What is not ours goes on to the window."""
        if not carried(event.mimeData()) or not self._is_writable:
            event.ignore()
            return
        item = self.itemAt(event.position().toPoint())
        spot = self._spot_of(item)
        is_target = spot is not None and spot.place in _TARGETS
        self._show_target(item if is_target else None)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.setAccepted(is_target)

    def _show_target(self, target: QListWidgetItem | None) -> None:
        for row in range(self.count()):
            item = self.item(row)
            if bool(item.data(TargetRole)) is not (item is target):
                item.setData(TargetRole, item is target)

    def _add_heading(self, title: str, button: str = "") -> QListWidgetItem:
        item = QListWidgetItem(title)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setData(Qt.ItemDataRole.ToolTipRole, button or None)
        item.setData(Qt.ItemDataRole.DecorationRole, "add" if button else None)
        self.addItem(item)
        return item

    def _add(self, spot: Spot, icon: str, row: int | None = None) -> QListWidgetItem:
        item = QListWidgetItem(spot.title)
        item.setData(PlaceRole, spot.place.value)
        item.setData(_KeyRole, spot.key)
        item.setData(Qt.ItemDataRole.DecorationRole, icon)
        self.insertItem(self.count() if row is None else row, item)
        return item

    def _after_tags(self) -> QListWidgetItem:
        """Return the heading that follows the tags."""
        row = self.row(self._tags) + 1
        while self._spot_of(self.item(row)) is not None:
            row += 1
        return self.item(row)

    def _set_count(self, item: QListWidgetItem, count: int) -> None:
        item.setData(CountRole, count)
        title = item.text()
        spoken = tr_plural("{title}, {count} item", "{title}, {count} items", count, title=title)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken if count else title)

    def _spot_of(self, item: QListWidgetItem | None) -> Spot | None:
        place = item.data(PlaceRole) if item is not None else None
        if item is None or not place:
            return None
        return Spot(Place(place), str(item.data(_KeyRole) or ""), item.text())

    def _on_current_changed(self, item: QListWidgetItem | None) -> None:
        spot = self._spot_of(item)
        if spot is not None:
            self.place_chosen.emit(spot.place)

    def _on_menu(self, point: QPoint) -> None:
        spot = self._spot_of(self.itemAt(point)) or Spot(Place.ALL)
        self.menu_requested.emit(spot, self.viewport().mapToGlobal(point))
