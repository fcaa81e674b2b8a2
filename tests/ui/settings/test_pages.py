"""Every setting is shown as it is, changed at once, and reached by keyboard."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox
from pytestqt.qtbot import QtBot

from app.core.errors import AudioError, HotkeyRefused
from app.macos.hotkey import parse_chord, taken
from app.macos.login_item import LoginState
from app.ui.settings import chord as chord_module
from app.ui.settings.chord import chord_of
from app.ui.settings.dictation import DictationPage
from app.ui.settings.window import SettingsWindow
from tests.helpers.take_fakes import AIRPODS
from tests.helpers.ui_fakes import World
from tests.ui.conftest import OpenWindow


@pytest.fixture
def world() -> World:
    return World()


def open_page(qtbot: QtBot, world: World, page: int = 0, sheet: int = 0) -> SettingsWindow:
    window = SettingsWindow(world.ports, world.commands.change_settings)
    qtbot.addWidget(window)
    window.choose_page(page)
    if sheet:
        window.dictation.sheets.setCurrentIndex(sheet)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def test_every_box_changes_its_setting_and_shows_it(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world)
    keys, text = window.dictation.keys, window.dictation.text
    boxes: dict[str, QCheckBox] = {
        "sounds": window.general.sounds_box,
        "shows_dock_icon": window.general.dock_box,
        "shows_overlay": keys.overlay_box,
        "smart_spacing": text.spacing_box,
        "removes_fillers": text.fillers_box,
        "spoken_commands": text.commands_box,
        "numbers_as_digits": text.numbers_box,
        "builtin_while_bluetooth": window.microphone.builtin_box,
    }
    for name, box in boxes.items():
        before = getattr(world.commands.settings, name)
        assert box.isChecked() is before, name
        box.click()
        assert getattr(world.commands.settings, name) is not before, name
        world.commands.change_settings(**{name: before})
    window.refresh()
    for name, box in boxes.items():
        assert box.isChecked() is getattr(world.commands.settings, name), name


def test_every_choice_changes_its_setting(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world)
    keys, text = window.dictation.keys, window.dictation.text
    choices: dict[str, tuple[QComboBox, object]] = {
        "appearance": (window.general.appearance_box, "light"),
        "language": (window.general.language_box, "de"),
        "dictate_way": (keys.way_box, "toggle"),
        "auto_stop_s": (keys.auto_stop_box, 5),
        "insertion": (text.insertion_box, "copy"),
    }
    for name, (box, value) in choices.items():
        box.setCurrentIndex(box.findData(value))
        assert getattr(world.commands.settings, name) == value


def test_a_value_that_is_not_offered_is_kept(qtbot: QtBot, world: World) -> None:
    world.commands.change_settings(auto_stop_s=7)
    window = open_page(qtbot, world, 1)
    assert window.dictation.keys.auto_stop_box.currentData() == 7
    assert world.commands.settings.auto_stop_s == 7


def test_the_languages_to_listen_for(qtbot: QtBot, world: World) -> None:
    world.commands.change_settings(languages=("de",))
    languages = open_page(qtbot, world).general.languages
    assert languages.item(0).text() == "German"
    assert languages.chosen == ("de",)
    languages.setFocus()
    languages.setCurrentRow(1)
    QTest.keyClick(languages, Qt.Key.Key_Space)
    assert len(world.commands.settings.languages) == 2
    assert world.commands.settings.languages[0] == "de"


# Launch at login


def test_launch_at_login_is_read_back(qtbot: QtBot, world: World) -> None:
    general = open_page(qtbot, world).general
    assert general.login is not None
    general.login.click()
    assert world.login_item.now is LoginState.ON
    world.login_item.now = LoginState.OFF  # somebody changed it in the system's settings
    general.refresh()
    assert not general.login.isChecked()


def test_an_approval_that_is_missing_is_asked_for(qtbot: QtBot, world: World) -> None:
    world.login_item.answer = LoginState.NEEDS_APPROVAL
    general = open_page(qtbot, world).general
    assert general.login is not None
    general.login.click()
    assert general.login.isChecked()
    assert "System Settings" in general.login_note.text()
    general.login_button.click()
    assert world.login_item.opened == 1


def test_a_refused_login_item_is_told(qtbot: QtBot, world: World) -> None:
    world.login_item.answer = LoginState.UNAVAILABLE
    general = open_page(qtbot, world).general
    assert general.login is not None
    general.login.click()
    assert not general.login.isChecked()
    assert general.login_note.text().startswith("Launch at login could not be changed")


# Hotkeys


def test_a_hotkey_is_pressed_into_its_field(qtbot: QtBot, world: World) -> None:
    field = open_page(qtbot, world, 1).dictation.keys.dictate_field
    field.button.setFocus()
    QTest.keyClick(field.button, Qt.Key.Key_Space)
    assert (field.button.is_listening, world.hotkeys.is_resting) == (True, True)
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(field.button, Qt.Key.Key_J, held)
    assert (field.button.is_listening, world.hotkeys.is_resting) == (False, False)
    assert world.commands.settings.dictate_hotkey == "ctrl+shift+j"
    assert field.button.text() == parse_chord("ctrl+shift+j").shown()
    assert field.message.text() == ""


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_W, Qt.Key.Key_F5])
def test_keys_of_the_window_are_keys_like_others(qtbot: QtBot, world: World, key: Qt.Key) -> None:
    window = open_page(qtbot, world, 1)
    field = window.dictation.keys.quick_field
    field.button.setFocus()
    field.button.click()
    QTest.keyClick(window.windowHandle(), key, Qt.KeyboardModifier.ControlModifier)
    assert world.commands.settings.quick_hotkey.startswith("ctrl+")
    assert window.isVisible()


def test_escape_keeps_the_hotkey_and_backspace_takes_it_away(qtbot: QtBot, world: World) -> None:
    world.commands.change_settings(quick_hotkey="f9")
    world.hotkeys.bound["quick"] = parse_chord("f9")
    window = open_page(qtbot, world, 1)
    field = window.dictation.keys.quick_field
    field.button.setFocus()
    field.button.click()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Escape)
    assert (window.isVisible(), world.commands.settings.quick_hotkey) == (True, "f9")
    field.button.click()
    QTest.keyClick(field.button, Qt.Key.Key_Backspace)
    assert world.commands.settings.quick_hotkey == ""
    assert field.button.text() == "None"


def test_a_hotkey_of_another_program_is_refused_by_name(qtbot: QtBot, world: World) -> None:
    world.hotkeys.refused["ctrl+j"] = taken(parse_chord("ctrl+j"), "Notes")
    field = open_page(qtbot, world, 1).dictation.keys.quick_field
    field.button.click()
    QTest.keyClick(field.button, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert "already used by Notes" in field.message.text()
    assert world.commands.settings.quick_hotkey == ""


def test_a_key_for_typing_is_refused(qtbot: QtBot, world: World) -> None:
    field = open_page(qtbot, world, 1).dictation.keys.quick_field
    field.button.click()
    QTest.keyClick(field.button, Qt.Key.Key_J)
    assert "needed for typing" in field.message.text()
    field.button.click()
    QTest.keyClick(field.button, Qt.Key.Key_Print, Qt.KeyboardModifier.ControlModifier)
    assert "cannot be part of a hotkey" in field.message.text()


def test_secure_input_is_told(qtbot: QtBot, world: World) -> None:
    world.hotkeys.trouble = HotkeyRefused("“1Password” keeps the keyboard to itself.", "Leave it.")
    field = open_page(qtbot, world, 1).dictation.keys.dictate_field
    assert field.message.text() == "“1Password” keeps the keyboard to itself. Leave it."
    world.hotkeys.trouble = None
    field.refresh()
    assert not field.message.isVisible()


def test_single_keys_are_offered_and_the_default(qtbot: QtBot, world: World) -> None:
    field = open_page(qtbot, world, 1).dictation.keys.dictate_field
    menu = field.more_button.menu()
    assert menu is not None
    alone, *_more, last = [action for action in menu.actions() if not action.isSeparator()]
    alone.trigger()
    assert world.commands.settings.dictate_hotkey.startswith("right_")
    last.trigger()
    assert world.commands.settings.dictate_hotkey == ""


def test_a_modifier_alone_is_a_hotkey_when_it_is_let_go(qtbot: QtBot, world: World) -> None:
    field = open_page(qtbot, world, 1).dictation.keys.dictate_field
    field.button.click()
    codes = chord_module._LONE_MAC if chord_module.IS_MAC else chord_module._LONE_X11
    code = next(code for code, name in codes.items() if name == "right_ctrl")
    for kind in (QKeyEvent.Type.KeyPress, QKeyEvent.Type.KeyRelease):
        none = Qt.KeyboardModifier.NoModifier
        event = QKeyEvent(kind, Qt.Key.Key_Control, none, 0, code, 0)
        QApplication.sendEvent(field.button, event)
    assert world.commands.settings.dictate_hotkey == "right_ctrl"


def test_leaving_the_field_ends_the_listening(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world, 1)
    field = window.dictation.keys.dictate_field
    field.button.setFocus()
    field.button.click()
    window.dictation.keys.way_box.setFocus()
    assert not field.button.is_listening
    assert not world.hotkeys.is_resting


@pytest.mark.skipif(chord_module.IS_MAC, reason="Qt swaps two modifiers there")
@pytest.mark.parametrize(
    ("key", "held", "wanted"),
    [
        (Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier, "ctrl+d"),
        (Qt.Key.Key_F12, Qt.KeyboardModifier.NoModifier, "f12"),
        (Qt.Key.Key_Slash, Qt.KeyboardModifier.AltModifier, "alt+/"),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.MetaModifier, "cmd+page_up"),
        (Qt.Key.Key_VolumeUp, Qt.KeyboardModifier.NoModifier, "None"),
    ],
)
def test_key_presses_become_chords(key: Qt.Key, held: Qt.KeyboardModifier, wanted: str) -> None:
    assert str(chord_of(QKeyEvent(QKeyEvent.Type.KeyPress, key, held))) == wanted


@pytest.mark.skipif(chord_module.IS_MAC, reason="X11 tells the sign that Shift makes")
def test_a_sign_that_shift_makes_is_traced_to_its_key() -> None:
    held = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
    event = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_Exclam, held, 10, ord("1"), 0, "!")
    assert str(chord_of(event)) == "ctrl+shift+1"


# Words


def test_words_are_added_edited_and_removed_by_keys(qtbot: QtBot, world: World) -> None:
    table = open_page(qtbot, world, 1, 2).dictation.vocabulary
    table.add_button.setFocus()
    QTest.keyClick(table.add_button, Qt.Key.Key_Space)
    editor = QApplication.focusWidget()
    assert editor is not None
    QTest.keyClicks(editor, "Qdrant")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: world.commands.settings.vocabulary == ("Qdrant",))
    table.table.setCurrentCell(0, 0)
    QTest.keyClick(table.table, Qt.Key.Key_Delete)
    assert not world.commands.settings.vocabulary


def test_pairs_are_stored_with_a_tab(qtbot: QtBot, world: World) -> None:
    world.commands.change_settings(replacements=("e mail\temail",))
    table = open_page(qtbot, world, 1, 3).dictation.replacements
    second = table.table.item(0, 1)
    assert second is not None
    second.setText("e-mail")
    assert world.commands.settings.replacements == ("e mail\te-mail",)


def test_line_breaks_of_a_snippet_can_be_seen(qtbot: QtBot, world: World) -> None:
    world.commands.change_settings(snippets=("sign off\tKind regards,\nBen",))
    table = open_page(qtbot, world, 1, 4).dictation.snippets
    second = table.table.item(0, 1)
    assert second is not None
    assert second.text() == "Kind regards, ⏎ Ben"
    second.setText("Yours,⏎Ben")
    assert world.commands.settings.snippets == ("sign off\tYours,\nBen",)


def test_lists_are_pasted(qtbot: QtBot, world: World) -> None:
    world.commands.change_settings(vocabulary=("Ada",))
    table = open_page(qtbot, world, 1, 2).dictation.vocabulary
    QGuiApplication.clipboard().setText("Qdrant\n\n  Ada \nYverdon\n")
    table.table.setFocus()
    QTest.keyClick(table.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert world.commands.settings.vocabulary == ("Ada", "Qdrant", "Yverdon")
    QGuiApplication.clipboard().clear()


def test_escape_ends_an_edit_before_it_closes_the_window(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world, 1, 2)
    window.dictation.vocabulary.add()
    editor = QApplication.focusWidget()
    assert editor is not None
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Escape)
    assert window.isVisible()
    assert not world.commands.settings.vocabulary


# Microphone


def test_a_microphone_is_chosen_by_name(qtbot: QtBot, world: World) -> None:
    page = open_page(qtbot, world, 2).microphone
    texts = [page.device_box.itemText(at) for at in range(page.device_box.count())]
    assert texts == [
        *("The system’s choice (Built-in Microphone)", "Built-in Microphone", "AirPods Pro")
    ]
    page.device_box.setCurrentIndex(2)
    assert world.commands.settings.microphone == "airpods\tAirPods Pro"
    world.microphones.choices.remove(AIRPODS)
    world.microphones.changed.emit()
    assert page.device_box.currentText() == "AirPods Pro (not connected)"
    assert page.device_note.text() == "Until it is back, the system’s choice is used."
    world.microphones.choices.clear()
    world.microphones.changed.emit()
    assert page.device_note.text() == "No microphone is connected."
    page.look_button.click()
    assert world.microphones.looks == 1


def test_the_level_is_tested(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world, 2)
    page = window.microphone
    page.test_button.click()
    assert [world.microphones.is_testing] == [True]
    assert page.test_note.text() == "Say something: the bar should move."
    world.microphones.level = -20.0
    qtbot.waitUntil(lambda: page.test_note.text() == "Undertone hears you.", timeout=10_000)
    assert page.meter.trace.latest > 0.5
    window.choose_page(0)
    assert not world.microphones.is_testing
    assert not page.meter.timer.isActive()


def test_a_microphone_that_fails_the_test_is_told(qtbot: QtBot, world: World) -> None:
    page = open_page(qtbot, world, 2).microphone
    world.microphones.problem = AudioError("It gives no sound.", "Unmute it.")
    world.microphones.changed.emit()
    assert page.test_note.text() == "It gives no sound. Unmute it."


# All of it


def test_the_window_fits_a_small_screen(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world)
    for at in range(window.pages.count()):
        window.choose_page(at)
        for sheet in range(window.dictation.sheets.count()):
            window.dictation.sheets.setCurrentIndex(sheet)
            assert window.minimumSizeHint().width() <= 760
            assert window.minimumSizeHint().height() <= 460
    assert window.width() <= 760
    assert window.height() <= 460


def test_every_control_can_be_tabbed_to(qtbot: QtBot, world: World) -> None:
    window = open_page(qtbot, world, 1)
    wanted = {
        window.dictation.keys.dictate_field.button,
        window.dictation.keys.way_box,
        window.dictation.keys.quick_field.button,
        window.dictation.keys.auto_stop_box,
        window.dictation.keys.overlay_box,
    }
    seen = set()
    for _step in range(30):
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Tab)
        seen.add(QApplication.focusWidget())
    assert wanted <= seen


def test_what_is_changed_in_the_menu_bar_is_seen_everywhere(open_window: OpenWindow) -> None:
    world = World()
    window = open_window(world)
    window.show_settings()
    world.commands.change_settings(language="de", microphone="airpods\tAirPods Pro")
    window.follow_settings()
    assert window.parts.toolbar.language == "de"
    settings = window.findChild(SettingsWindow)
    assert settings is not None
    assert settings.general.language_box.currentData() == "de"
    settings.choose_page(2)
    assert settings.microphone.device_box.currentText() == "AirPods Pro"


def test_without_a_microphone_or_dictation_their_pages_are_absent(qtbot: QtBot) -> None:
    world = World(has_dictation=False)
    window = open_page(qtbot, world)
    assert [action.text() for action in window._group.actions()] == [
        *("General", "Microphone", "Library", "Backups", "Privacy")
    ]
    assert window.findChildren(DictationPage) == []
    window.refresh()
    window.refresh_colors()
