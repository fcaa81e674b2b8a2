"""The menu-bar icon tells what is recorded and offers what can be done about it."""

import runpy
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.config.paths import resources
from app.core.dictation import Outcome, Stage
from app.core.recording import RecordingKind
from app.macos.hotkey import parse_chord
from app.macos.status_item import FakeStatusItem, MenuEntry
from app.ui.tray import QtStatusItem, Tray, TrayDeeds
from tests.helpers.take_fakes import AIRPODS
from tests.helpers.ui_fakes import DEMO, World

ROOT = Path(__file__).resolve().parents[2]


class Scene:
    """A tray over a fake item."""

    def __init__(self) -> None:
        self.world = World()
        self.asked: list[object] = []
        self.tray = Tray(
            FakeStatusItem,
            self.world.ports,
            TrayDeeds(
                open_window=lambda: self.asked.append("open"),
                show_settings=lambda: self.asked.append("settings"),
                quit=lambda: self.asked.append("quit"),
                add_files=lambda paths: self.asked.append(paths),
            ),
        )
        assert isinstance(self.tray.item, FakeStatusItem)
        self.item = self.tray.item

    @property
    def ids(self) -> list[str]:
        return [entry.id for entry in self.item.entries if entry.id]

    def submenu(self, title: str) -> Sequence[MenuEntry]:
        return next(entry.entries for entry in self.item.entries if entry.title == title)

    def checked(self, title: str) -> list[str]:
        return [entry.title for entry in self.submenu(title) if entry.is_checked]


@pytest.fixture
def scene(qtbot: QtBot) -> Scene:
    return Scene()


def test_the_icon_follows_the_take(scene: Scene) -> None:
    icons = []
    for stage, changes in (
        (Stage.IDLE, {}),
        (Stage.RECORDING, {}),
        (Stage.RECORDING, {"is_paused": True}),
        (Stage.FINISHING, {"is_paused": False}),
        (Stage.IDLE, {}),
    ):
        scene.world.dictation.tell(stage, **changes)
        assert scene.item.icon is not None
        assert scene.item.icon.is_file()
        icons.append((scene.item.icon.stem, scene.item.description))
    assert icons == [
        ("idle", "Undertone"),
        ("recording", "Undertone, Ready"),
        ("paused", "Undertone, Paused"),
        ("finishing", "Undertone, Finishing"),
        ("idle", "Undertone"),
    ]


def test_it_starts_and_stops_takes(scene: Scene) -> None:
    take = scene.world.dictation
    scene.item.choose("quick")
    scene.item.choose("dictate")
    assert take.calls == [("start", RecordingKind.QUICK), ("start", RecordingKind.DICTATION)]
    take.calls.clear()
    take.tell(Stage.RECORDING)
    assert scene.ids[:3] == ["stop", "pause", "cancel"]
    for entry in ("pause", "resume", "cancel", "stop"):
        scene.item.choose(entry)
    assert take.names() == ["pause", "resume", "cancel", "stop"]


def test_undo_and_retry_are_there_when_they_can_be_had(scene: Scene) -> None:
    take = scene.world.dictation
    take.tell(Stage.IDLE, outcome=Outcome.CANCELLED, can_undo=True)
    assert "undo" in scene.ids
    take.tell(Stage.IDLE, outcome=Outcome.UNTRANSCRIBED, can_retry=True)
    assert "undo" not in scene.ids
    scene.item.choose("retry")
    take.tell(Stage.IDLE, outcome=Outcome.INSERTED, text="Good morning.")
    for entry in ("copy", "paste", "unpaste"):
        assert next(e for e in scene.item.entries if e.id == entry).is_enabled
        scene.item.choose(entry)
    assert take.names() == ["retry", "copy_last", "paste_last", "undo_insertion"]


def test_the_rest_of_the_menu(scene: Scene) -> None:
    for entry in ("open", "settings", "quit", "unknown"):
        scene.item.choose(entry)
    assert scene.asked == ["open", "settings", "quit"]


def test_dropped_files_are_handed_on(scene: Scene) -> None:
    scene.item.drop([Path("/a/talk.mp3")])
    assert scene.asked == [[Path("/a/talk.mp3")]]


def test_microphones_can_be_chosen(scene: Scene) -> None:
    assert scene.checked("Microphone") == ["The system’s choice"]
    scene.item.choose("microphone:airpods\tAirPods Pro")
    assert scene.world.commands.settings.microphone == "airpods\tAirPods Pro"
    assert scene.checked("Microphone") == ["AirPods Pro"]
    scene.world.microphones.choices.remove(AIRPODS)
    scene.world.microphones.changed.emit()
    assert scene.checked("Microphone") == ["AirPods Pro (not connected)"]
    scene.item.choose("microphone:")
    assert scene.checked("Microphone") == ["The system’s choice"]


def test_model_and_language_can_be_chosen(scene: Scene) -> None:
    assert scene.checked("Model") == [DEMO.title]
    assert scene.checked("Language") == ["Any language"]
    assert [entry.title for entry in scene.submenu("Language")][1:] == [
        *("English", "French", "German", "Spanish")
    ]
    scene.item.choose("language:de")
    assert scene.world.commands.settings.language == "de"
    assert scene.checked("Language") == ["German"]


def test_only_the_languages_of_the_person_are_offered(scene: Scene) -> None:
    scene.world.commands.change_settings(languages=("de", "fr", "nowhere"))
    scene.tray.refresh()
    assert [entry.id for entry in scene.submenu("Language")] == [
        *("language:auto", "language:fr", "language:de")
    ]


def test_the_hotkey_stands_beside_what_it_does(scene: Scene) -> None:
    scene.world.hotkeys.bound["dictate"] = parse_chord("ctrl+alt+space")
    scene.tray.refresh()
    title = next(entry.title for entry in scene.item.entries if entry.id == "dictate")
    assert title == f"Dictate   {parse_chord('ctrl+alt+space').shown()}"


def test_an_unchanged_menu_is_not_set_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[object] = []
    monkeypatch.setattr(scene.item, "set_menu", times.append)
    scene.tray.refresh()
    scene.world.dictation.tell(Stage.IDLE)
    assert times == []


def test_without_dictation_it_opens_and_quits(qtbot: QtBot) -> None:
    world = World(has_dictation=False)
    deeds = TrayDeeds(lambda: None, lambda: None, lambda: None, lambda paths: None)
    item = Tray(FakeStatusItem, world.ports, deeds).item
    assert isinstance(item, FakeStatusItem)
    assert [entry.id for entry in item.entries if entry.id] == ["open", "settings", "quit"]


@pytest.mark.qt_log_ignore("systemTrayWindowChanged")  # Qt's own, where there is no panel
def test_qts_item_has_the_same_menu(qtbot: QtBot) -> None:
    chosen: list[str] = []
    item = QtStatusItem(chosen.append, lambda paths: None)
    item.set_icon(resources() / "menubar" / "recording.png", "Undertone, Ready")
    more = (MenuEntry("a:1", "Salt & Pepper", is_checked=True), MenuEntry("a:2", "Two"))
    item.set_menu([MenuEntry("open", "Open"), MenuEntry(), MenuEntry("", "More", entries=more)])
    first, line, more_action = item.menu.actions()
    assert line.isSeparator()
    first.trigger()
    submenu = more_action.menu()
    assert submenu is not None
    one, two = submenu.actions()  # type: ignore[attr-defined]
    assert (one.text(), one.isChecked(), two.isChecked()) == ("Salt && Pepper", True, False)
    two.trigger()
    assert chosen == ["open", "a:2"]
    assert not item.is_shown()  # offscreen there is no panel
    item.close()


def test_the_pictures_are_made_of_the_drawings(tmp_path: Path, qtbot: QtBot) -> None:
    script = runpy.run_path(str(ROOT / "packaging" / "menubar.py"))
    folder = resources() / "menubar"
    names = sorted(file.stem for file in folder.glob("*.svg"))
    assert names == ["finishing", "idle", "paused", "recording"]
    for name in names:
        drawn = script["draw"](folder / f"{name}.svg")
        stored = QImage(str(folder / f"{name}.png")).convertToFormat(drawn.format())
        assert drawn == stored
