"""The menu-bar item of the Mac, which unlike Qt's takes files that are dropped on it.

Icon, title and menu are set whole; nothing is kept but what was set last.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_AUTOSAVE_NAME = "org.undertone.menu"
_TARGET_CLASS = "UndertoneStatusTarget"


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One line of the menu; without a title it is a separator.

    Attributes:
        id: what `on_chosen` gets.
        entries: a submenu, in place of an action.
    """

    id: str = ""
    title: str = ""
    is_enabled: bool = True
    is_checked: bool = False
    entries: tuple["MenuEntry", ...] = ()


OnChosen = Callable[[str], None]
OnFiles = Callable[[list[Path]], None]


class StatusItem(Protocol):
    """The item in the menu bar. Thread: main."""

    def set_icon(self, icon: Path, description: str) -> None:
        """Show `icon` (a template image: only its shape counts), described for VoiceOver."""

    def set_title(self, title: str) -> None:
        """Show `title` beside the icon; "" for none."""

    def set_menu(self, entries: Sequence[MenuEntry]) -> None:
        """Show `entries` on a click."""

    def is_shown(self) -> bool:
        """Return whether the person can see it: a full menu bar hides items."""

    def close(self) -> None:
        """Take it out of the menu bar."""


def target_class() -> Any:
    """Return the Objective-C class that hears clicks and drops; made once a process."""
    import AppKit
    import objc

    try:
        return objc.lookUpClass(_TARGET_CLASS)
    except objc.nosuchclass_error:
        pass

    class UndertoneStatusTarget(AppKit.NSObject):  # type: ignore[misc]  # pyobjc is untyped
        """Target of the menu and drop delegate of the item's window."""

        def chosen_(self, item: Any) -> None:
            self.on_chosen(str(item.representedObject()))

        def draggingEntered_(self, _info: Any) -> int:  # noqa: N802
            return int(AppKit.NSDragOperationCopy)

        def performDragOperation_(self, info: Any) -> bool:  # noqa: N802
            options = {AppKit.NSPasteboardURLReadingFileURLsOnlyKey: True}
            found = info.draggingPasteboard().readObjectsForClasses_options_(
                [AppKit.NSURL], options
            )
            paths = [Path(str(url.path())) for url in found or ()]
            if paths:
                self.on_files(paths)
            return bool(paths)

    return UndertoneStatusTarget


class MacStatusItem:
    """The item by `NSStatusItem`; drops arrive through its window's delegate."""

    def __init__(self, on_chosen: OnChosen, on_files: OnFiles) -> None:
        import AppKit

        self._target = target_class().alloc().init()
        self._target.on_chosen = on_chosen
        self._target.on_files = on_files
        bar = AppKit.NSStatusBar.systemStatusBar()
        self._item = bar.statusItemWithLength_(AppKit.NSVariableStatusItemLength)
        self._item.setAutosaveName_(_AUTOSAVE_NAME)
        window = self._item.button().window()
        if window is not None:
            window.registerForDraggedTypes_([AppKit.NSPasteboardTypeFileURL])
            window.setDelegate_(self._target)

    def set_icon(self, icon: Path, description: str) -> None:
        import AppKit

        image = AppKit.NSImage.alloc().initWithContentsOfFile_(str(icon))
        if image is None:
            return
        image.setSize_((18.0, 18.0))
        image.setTemplate_(True)
        image.setAccessibilityDescription_(description)
        self._item.button().setImage_(image)

    def set_title(self, title: str) -> None:
        import AppKit

        button = self._item.button()
        button.setTitle_(title)
        button.setImagePosition_(AppKit.NSImageLeft if title else AppKit.NSImageOnly)

    def set_menu(self, entries: Sequence[MenuEntry]) -> None:
        self._item.setMenu_(self._menu(entries))

    def is_shown(self) -> bool:
        import AppKit

        window = self._item.button().window()
        if window is None or not self._item.isVisible():
            return False
        return bool(window.occlusionState() & AppKit.NSWindowOcclusionStateVisible)

    def close(self) -> None:
        import AppKit

        AppKit.NSStatusBar.systemStatusBar().removeStatusItem_(self._item)

    def _menu(self, entries: Sequence[MenuEntry]) -> Any:
        import AppKit

        menu = AppKit.NSMenu.alloc().initWithTitle_("")
        menu.setAutoenablesItems_(False)
        for entry in entries:
            if not entry.title:
                menu.addItem_(AppKit.NSMenuItem.separatorItem())
                continue
            action = None if entry.entries else b"chosen:"
            item = AppKit.NSMenuItem.alloc().initWithTitle_action_keyEquivalent_(
                entry.title, action, ""
            )
            item.setEnabled_(entry.is_enabled)
            item.setRepresentedObject_(entry.id)
            is_on = entry.is_checked
            item.setState_(AppKit.NSControlStateValueOn if is_on else AppKit.NSControlStateValueOff)
            if entry.entries:
                item.setSubmenu_(self._menu(entry.entries))
            else:
                item.setTarget_(self._target)
            menu.addItem_(item)
        return menu


class FakeStatusItem:
    """An item for tests: `choose` and `drop` play the person."""

    def __init__(self, on_chosen: OnChosen, on_files: OnFiles) -> None:
        self.choose = on_chosen
        self.drop = on_files
        self.icon: Path | None = None
        self.description = ""
        self.title = ""
        self.entries: tuple[MenuEntry, ...] = ()
        self.is_open = True

    def set_icon(self, icon: Path, description: str) -> None:
        self.icon, self.description = icon, description

    def set_title(self, title: str) -> None:
        self.title = title

    def set_menu(self, entries: Sequence[MenuEntry]) -> None:
        self.entries = tuple(entries)

    def is_shown(self) -> bool:
        return self.is_open

    def close(self) -> None:
        self.is_open = False


def for_this_system(on_chosen: OnChosen, on_files: OnFiles) -> StatusItem | None:
    """Return the system's own item, `None` where Qt's tray icon serves."""
    return MacStatusItem(on_chosen, on_files) if sys.platform == "darwin" else None
