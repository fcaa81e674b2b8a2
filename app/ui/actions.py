"""The main window's menus and their shortcuts.

Standard places, standard keys, menu roles for macOS; an action that cannot do anything is off.
"""

import sys
from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar, QWidget

from app.config.translate import tr

_Key = QKeySequence.StandardKey | QKeySequence | str | None


class WindowActions:
    """Builds the menu bar; what the actions do is connected by the window."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        # On macOS one menu bar without a parent serves every window.
        self.menu_bar = QMenuBar(None if sys.platform == "darwin" else window)
        if sys.platform != "darwin":
            window.setMenuBar(self.menu_bar)
        self._make_file()
        self._make_edit()
        self._make_view()
        self._make_recording()
        self._make_window()
        self._make_help()

    def show_recording_menu(self, over: QWidget, point: QPoint, *, is_in_bin: bool = False) -> None:
        """Open the context menu of the selected recordings."""
        menu = QMenu(over)
        groups: tuple[tuple[QAction, ...], ...] = (
            (self.export, self.retry, self.again),
            (self.pause, self.resume, self.cancel),
            (
                self.favourite,
                self.rename,
                self.folder_menu.menuAction(),
                self.tag_menu.menuAction(),
            ),
            (self.reveal,),
            (self.remove,),
        )
        if is_in_bin:
            groups = ((self.restore,), (self.remove, self.empty_bin))
        for group in groups:
            menu.addActions([action for action in group if action.isEnabled()])
            menu.addSeparator()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(over.mapToGlobal(point))

    def _make_file(self) -> None:
        menu = self.menu_bar.addMenu(tr("&File"))
        self.record = self._add(menu, tr("&New Recording"))
        # R too: where text is being typed, that field takes the key for itself.
        self.record.setShortcuts([QKeySequence("Ctrl+N"), QKeySequence("R")])
        self.pause_take = self._add(menu, tr("Pause R&ecording"), "Ctrl+Shift+P")
        self.cancel_take = self._add(menu, tr("Cance&l Recording"))
        menu.addSeparator()
        self.import_files = self._add(menu, tr("&Import…"), QKeySequence.StandardKey.Open)
        self.export = self._add(menu, tr("&Export…"), "Ctrl+E")
        menu.addSeparator()
        self.new_folder = self._add(menu, tr("New &Folder…"), "Ctrl+Shift+N")
        menu.addSeparator()
        self.remove = self._add(menu, tr("&Move to Bin"), "Ctrl+Backspace")
        self.restore = self._add(menu, tr("&Put Back"))
        self.empty_bin = self._add(menu, tr("Empty &Bin…"))
        menu.addSeparator()
        self.close = self._add(menu, tr("&Close Window"), QKeySequence.StandardKey.Close)
        self.settings = self._add(
            menu, tr("&Settings…"), QKeySequence("Ctrl+,"), QAction.MenuRole.PreferencesRole
        )
        self.quit = self._add(
            menu, tr("&Quit Undertone"), QKeySequence("Ctrl+Q"), QAction.MenuRole.QuitRole
        )
        self.quit.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)  # from every window

    def _make_edit(self) -> None:
        menu = self.menu_bar.addMenu(tr("&Edit"))
        self.undo = self._add(menu, tr("&Undo"), QKeySequence.StandardKey.Undo)
        self.redo = self._add(menu, tr("&Redo"), QKeySequence.StandardKey.Redo)
        menu.addSeparator()
        self.copy = self._add(menu, tr("&Copy"), QKeySequence.StandardKey.Copy)
        self.select_all = self._add(menu, tr("Select &All"), QKeySequence.StandardKey.SelectAll)
        menu.addSeparator()
        self.find = self._add(menu, tr("&Find"), QKeySequence.StandardKey.Find)
        self.replace = self._add(menu, tr("Find and &Replace"), "Ctrl+Alt+F")
        self.search = self._add(menu, tr("Search the &Library"), "Ctrl+Shift+F")
        menu.addSeparator()
        self.doubt = self._add(menu, tr("Next &Doubtful Word"), "F8")
        self.doubt_back = self._add(menu, tr("&Previous Doubtful Word"), "Shift+F8")
        self.confirm = self._add(menu, tr("Doubtful &Word Is Right"), "Ctrl+F8")
        self.compare = self._add(menu, tr("Compare &Versions…"))

    def _make_view(self) -> None:
        menu = self.menu_bar.addMenu(tr("&View"))
        self.show_library = self._add(menu, tr("&Library"), "Ctrl+1")
        self.show_queue = self._add(menu, tr("&Queue"), "Ctrl+2")
        menu.addSeparator()
        appearance = menu.addMenu(tr("&Appearance"))
        self._appearance_group = QActionGroup(self._window)
        self.appearances: dict[str, QAction] = {}
        for key, name in (
            ("system", tr("Like the &System")),
            ("light", tr("&Light")),
            ("dark", tr("&Dark")),
        ):
            action = self._add(appearance, name)
            action.setCheckable(True)
            self._appearance_group.addAction(action)
            self.appearances[key] = action

    def _make_recording(self) -> None:
        menu = self.menu_bar.addMenu(tr("&Recording"))
        self.retry = self._add(menu, tr("&Retry"), "Ctrl+R")
        self.again = self._add(menu, tr("&Transcribe Again…"), "Ctrl+Shift+T")
        menu.addSeparator()
        self.pause = self._add(menu, tr("&Pause"))
        self.resume = self._add(menu, tr("Res&ume"))
        self.cancel = self._add(menu, tr("&Cancel Transcription"))
        menu.addSeparator()
        self.favourite = self._add(menu, tr("&Favourite"), "Ctrl+D")
        self.rename = self._add(menu, tr("Re&name"), "F2")
        self.folder_menu = menu.addMenu(tr("Move to &Folder"))
        self.tag_menu = menu.addMenu(tr("&Tags"))
        menu.addSeparator()
        self.reveal = self._add(menu, tr("&Show Original File"))

    def _make_window(self) -> None:
        menu = self.menu_bar.addMenu(tr("&Window"))
        minimize = self._add(menu, tr("&Minimize"), "Ctrl+M")
        minimize.triggered.connect(self._window.showMinimized)
        zoom = self._add(menu, tr("&Zoom"))
        zoom.triggered.connect(
            lambda: (
                self._window.showNormal()
                if self._window.isMaximized()
                else self._window.showMaximized()
            )
        )

    def _make_help(self) -> None:
        menu = self.menu_bar.addMenu(tr("&Help"))
        self.check = self._add(menu, tr("&Check Undertone…"))
        self.set_up = self._add(menu, tr("Set &Up Again…"))
        menu.addSeparator()
        self.about = self._add(menu, tr("&About Undertone"), None, QAction.MenuRole.AboutRole)
        self.check_updates = self._add(
            menu,
            tr("Check for &Updates…"),
            None,
            QAction.MenuRole.ApplicationSpecificRole,  # in the app's own menu on a Mac
        )

    def _add(
        self,
        menu: QMenu,
        text: str,
        key: _Key = None,
        role: QAction.MenuRole = QAction.MenuRole.NoRole,
    ) -> QAction:
        action = QAction(text, self._window)
        action.setMenuRole(role)
        if isinstance(key, QKeySequence.StandardKey):
            action.setShortcuts(key)
        elif key is not None:
            action.setShortcut(QKeySequence(key))
        menu.addAction(action)
        return action


def connect(action: QAction, call: Callable[[], object]) -> None:
    """Let `action` do `call`."""
    action.triggered.connect(lambda _checked=False: call())
