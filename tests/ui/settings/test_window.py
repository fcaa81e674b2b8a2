"""Settings are applied the moment they are changed."""

from pytestqt.qtbot import QtBot

from app.ui.settings.window import SettingsWindow
from tests.helpers.ui_fakes import World


def settings_of(qtbot: QtBot, world: World) -> SettingsWindow:
    window = SettingsWindow(world.ports, world.commands.change_settings)
    qtbot.addWidget(window)
    return window


def test_appearance_is_applied_at_once(qtbot: QtBot) -> None:
    world = World()
    window = settings_of(qtbot, world)
    window.general.appearance_box.setCurrentIndex(window.general.appearance_box.findData("dark"))
    assert world.commands.settings.appearance == "dark"


def test_imported_files_are_referenced_or_copied(qtbot: QtBot) -> None:
    world = World()
    place = settings_of(qtbot, world).library.place
    assert place.reference_button.isChecked()
    place.copy_button.click()
    assert world.commands.settings.imported_files == "copy"
    place.reference_button.click()
    assert world.commands.settings.imported_files == "reference"
    assert len(world.commands.calls) == 2


def test_it_shows_what_was_chosen_before(qtbot: QtBot) -> None:
    world = World()
    world.commands.change_settings(appearance="light", imported_files="copy")
    window = settings_of(qtbot, world)
    assert window.general.appearance_box.currentData() == "light"
    assert window.library.place.copy_button.isChecked()


def test_the_tabs_change_the_page(qtbot: QtBot) -> None:
    window = settings_of(qtbot, World())
    for at in range(window.pages.count()):
        window.choose_page(at)
        assert window.pages.currentIndex() == at
