"""Joins sidebar, list and header to the deeds: who asks, and what is asked of the library.

Knows the selection and the place, keeps nothing of its own.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QDialog, QInputDialog, QMenu, QMessageBox, QWidget

from app.config.translate import tr, tr_plural
from app.library.listing import Overview
from app.library.search import ListQuery
from app.ui.actions import WindowActions, connect
from app.ui.layout import WindowLayout
from app.ui.library.deeds import Deeds
from app.ui.library.mime import SELECTION
from app.ui.library.pane import FEW
from app.ui.library.sidebar import Place, Spot
from app.ui.ports import Commands, Ports
from app.ui.wording import title_of


class Organising(QObject):
    """What a person does to the order of the library, from wherever they do it."""

    def __init__(
        self,
        window: QWidget,
        parts: WindowLayout,
        ports: Ports,
        menus: WindowActions,
        cancel_jobs: Callable[[Sequence[str]], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._library = ports.library
        self._desk = ports.desk
        self._commands: Commands = ports.commands
        self._overview = Overview()
        self._menus = menus
        self._cancel_jobs = cancel_jobs
        self.deeds = Deeds(ports.organiser, self)
        self.question: QDialog | None = None
        self._connect()

    def _connect(self) -> None:
        sidebar, header, deeds = self._parts.sidebar, self._parts.transcript.header, self.deeds
        sidebar.new_folder_requested.connect(self.new_folder)
        sidebar.rename_requested.connect(self.rename_spot)
        sidebar.remove_requested.connect(self.remove_spot)
        sidebar.dropped.connect(self._on_dropped)
        sidebar.menu_requested.connect(self._show_spot_menu)
        header.favourite_requested.connect(lambda key, on: deeds.set_favourite([key], on))
        header.renamed.connect(deeds.rename)
        header.notes_edited.connect(deeds.set_notes)
        header.tag_requested.connect(lambda key, tag: deeds.tag([key], tag))
        header.untag_requested.connect(lambda key, tag: deeds.untag([key], tag))
        rows = self._parts.library.list
        rows.carried_ids = self._carried_ids
        rows.write_files = self._commands.write_for_drag
        menus = self._menus
        connect(menus.favourite, self.toggle_favourite)
        connect(menus.rename, header.rename)
        connect(menus.new_folder, self.new_folder)
        connect(menus.restore, self.restore_selected)
        connect(menus.empty_bin, self.empty_bin)
        menus.folder_menu.aboutToShow.connect(self._fill_folder_menu)
        menus.tag_menu.aboutToShow.connect(self._fill_tag_menu)

    # What is asked

    @property
    def is_in_bin(self) -> bool:
        return self._parts.sidebar.place is Place.BIN

    def remove_selected(self) -> None:
        """Move the selection to the bin; in the bin, erase it for good."""
        row = self._parts.library.first_selected_row()
        self._parts.library.with_selected(lambda ids: self._remove(ids, row))

    def restore_selected(self) -> None:
        self._with_selected(self.deeds.restore)

    def toggle_favourite(self) -> None:
        """Make the selection favourites; all of them being so, no longer."""
        self._with_selected(self._toggle_favourite)

    def new_folder(self) -> None:
        """Ask for a name and make a folder, with the selection where the menu was on it."""
        self._ask(tr("New Folder"), tr("Name:"), "", self.deeds.add_folder)

    def rename_spot(self, spot: Spot) -> None:
        """Ask for a new name of a folder or tag."""
        is_folder = spot.place is Place.FOLDER

        def rename(name: str) -> None:
            if is_folder:
                self.deeds.rename_folder(spot.key, spot.title, name)
            else:
                self.deeds.rename_tag(spot.key, name)

        title = tr("Rename Folder") if is_folder else tr("Rename Tag")
        self._ask(title, tr("Name:"), spot.title, rename)

    def remove_spot(self, spot: Spot) -> None:
        """Remove a folder or tag; the recordings stay."""
        if spot.place is Place.FOLDER:
            self.deeds.remove_folder(spot.key, spot.title)
        elif spot.place is Place.TAG:
            self.deeds.remove_tag(spot.key)

    def empty_bin(self) -> None:
        """Erase what is in the bin, after asking."""
        library = self._library
        self._desk.ask(
            "bin",
            lambda: list(library.ids(ListQuery(is_binned=True))),
            lambda ids: self._erase(ids) if ids else None,
        )

    def show_list_menu(self, over: QWidget, point: QPoint) -> None:
        """Open the context menu of the selected recordings."""
        self._menus.show_recording_menu(over, point, is_in_bin=self.is_in_bin)

    def show_overview(self, overview: Overview) -> None:
        """Offer the folders and tags there are."""
        self._overview = overview

    # Inside

    def _with_selected(self, use: Callable[[list[str]], object]) -> None:
        self._parts.library.with_selected(lambda ids: use(ids) if ids else None)

    def _remove(self, ids: Sequence[str], row: int) -> None:
        if not ids:
            return
        if self.is_in_bin:
            self._erase(ids)
            return
        self._move_to_bin(ids)
        self._parts.library.select_row_later(row)

    def _move_to_bin(self, ids: Sequence[str]) -> None:
        recording = self._library.recording(ids[0])
        self._cancel_jobs(ids)
        self.deeds.move_to_bin(ids, title_of(recording) if recording else "")

    def _toggle_favourite(self, ids: Sequence[str]) -> None:
        first = self._library.recording(ids[0])
        if first is not None:
            self.deeds.set_favourite(ids, not first.is_favourite)

    def _erase(self, ids: Sequence[str]) -> None:
        """Erase recordings for good: the one thing that cannot be undone, so it is asked."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowModality(Qt.WindowModality.WindowModal)
        box.setText(
            tr_plural(
                "Erase {count} recording for good?", "Erase {count} recordings for good?", len(ids)
            )
        )
        box.setInformativeText(
            tr("The text and Undertone's copy of the sound are gone then. This can't be undone.")
        )
        erase = box.addButton(tr("Erase"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        erase.clicked.connect(lambda: self._commands.remove(ids))
        box.finished.connect(box.deleteLater)
        self.question = box
        box.open()

    def _on_dropped(self, ids: list[str], spot: Spot) -> None:
        if ids == [SELECTION]:
            self._with_selected(lambda all_ids: self._drop(all_ids, spot))
        else:
            self._drop(ids, spot)

    def _drop(self, ids: list[str], spot: Spot) -> None:
        if spot.place is Place.FOLDER:
            self.deeds.move_to_folder(ids, spot.key, spot.title)
        elif spot.place is Place.TAG:
            self.deeds.tag(ids, spot.key)
        elif spot.place is Place.FAVOURITES:
            self.deeds.set_favourite(ids, True)
        elif spot.place is Place.BIN and not self.is_in_bin:
            self._move_to_bin(ids)

    def _carried_ids(self) -> Sequence[str]:
        """Return what a drag takes along; of a long selection that it is the selection."""
        library = self._parts.library
        return [SELECTION] if library.selected_count() > FEW else library.selected_ids()

    def _show_spot_menu(self, spot: Spot, where: QPoint) -> None:
        menu = QMenu(self._window)
        if spot.key:
            connect(menu.addAction(tr("Rename…")), lambda: self.rename_spot(spot))
            title = tr("Remove Folder") if spot.place is Place.FOLDER else tr("Remove Tag")
            connect(menu.addAction(title), lambda: self.remove_spot(spot))
            menu.addSeparator()
        if spot.place is Place.BIN:
            menu.addAction(self._menus.empty_bin)
        menu.addAction(self._menus.new_folder)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _fill_folder_menu(self) -> None:
        menu = self._menus.folder_menu
        menu.clear()

        def move(folder_id: str | None, name: str = "") -> None:
            self._with_selected(lambda ids: self.deeds.move_to_folder(ids, folder_id, name))

        for folder in self._overview.folders:
            action = menu.addAction(folder.name.replace("&", "&&"))
            action.triggered.connect(lambda _on, folder=folder: move(folder.folder_id, folder.name))
        menu.addSeparator()
        connect(menu.addAction(tr("No Folder")), lambda: move(None))
        connect(menu.addAction(tr("New Folder…")), self._ask_for_folder)

    def _ask_for_folder(self) -> None:
        def make(name: str) -> None:
            self._with_selected(lambda ids: self.deeds.add_folder(name, ids))

        self._ask(tr("New Folder"), tr("Name:"), "", make)

    def _fill_tag_menu(self) -> None:
        menu = self._menus.tag_menu
        menu.clear()
        ids = self._parts.library.selected_ids()
        worn = set(self._library.tags_of(ids[0])) if ids else set()
        for tag in self._overview.tags:
            action = menu.addAction(tag.name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(tag.name in worn)
            action.triggered.connect(lambda on, name=tag.name: self._put_tag(name, is_on=on))
        menu.addSeparator()
        connect(
            menu.addAction(tr("New Tag…")),
            lambda: self._ask(tr("New Tag"), tr("Name:"), "", self._put_tag),
        )

    def _put_tag(self, name: str, *, is_on: bool = True) -> None:
        change = self.deeds.tag if is_on else self.deeds.untag
        self._with_selected(lambda ids: change(ids, name))

    def _ask(self, title: str, label: str, text: str, use: Callable[[str], object]) -> None:
        """Ask for a name; an empty one is none."""
        dialog = QInputDialog(self._window)
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.setWindowTitle(title)
        dialog.setLabelText(label)
        dialog.setTextValue(text)
        dialog.textValueSelected.connect(
            lambda name: use(" ".join(name.split())) if name.strip() else None
        )
        dialog.finished.connect(dialog.deleteLater)
        self.question = dialog
        dialog.open()
