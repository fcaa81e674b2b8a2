"""The models panel over models in memory: every state, every act."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.core.download import DownloadState
from app.core.errors import ImportFailed
from app.core.events import ModelsChanged
from app.core.model import Family
from app.models.custom import Cached
from app.models.recognise import Found
from app.models.recommend import Machine
from app.ui.models.adding import CacheDialog, RepositoryDialog
from app.ui.models.panel import ModelsPanel
from app.ui.models.wording import facts, size, state
from tests.helpers.model_fakes import FakeModels, catalog_rows

TURBO = "whisper-large-v3-turbo"


def panel_of(qtbot: QtBot, fake: FakeModels, **how: object) -> ModelsPanel:
    panel = ModelsPanel(fake.ports, **how)  # type: ignore[arg-type]
    qtbot.addWidget(panel)
    panel.resize(640, 520)
    panel.show()
    return panel


def click(panel: ModelsPanel, model_id: str, what: str) -> None:
    panel.cards[model_id].buttons[what].click()


def test_it_shows_what_is_here_and_what_suits_this_machine(qtbot: QtBot) -> None:
    panel = panel_of(qtbot, FakeModels())

    assert list(panel.cards) == ["nano", TURBO, "voxtral-realtime-4b-4bit", "voxtral-mini-3b-4bit"]
    assert [badge.text() for badge in panel.cards["nano"].badges] == ["In use", "Demonstration"]
    assert [badge.text() for badge in panel.cards[TURBO].badges] == ["Recommended"]
    assert "24 GB" in panel.disk_label.text()
    assert not panel.is_ready
    panel.all_button.click()
    assert len(panel.cards) == len(FakeModels().items)
    panel.all_button.click()
    assert len(panel.cards) == 4


def test_a_download_from_the_first_click_to_the_end(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    ready: list[bool] = []
    panel.ready_changed.connect(ready.append)
    click(panel, TURBO, "get")
    assert fake.calls == [("get", TURBO)]
    card = panel.cards[TURBO]

    fake.tell(TURBO, DownloadState.QUEUED)
    assert set(card.buttons) == {"pause", "cancel"}
    fake.tell(TURBO, DownloadState.RUNNING, 800_000_000, rate_bytes=20e6)
    assert card.progress.value() == 496
    assert "49 %" in card.state_label.text()
    assert "20 MB a second" in card.state_label.text()
    assert "left" in card.state_label.text()
    click(panel, TURBO, "pause")
    fake.tell(TURBO, DownloadState.PAUSED, 800_000_000)
    click(panel, TURBO, "resume")
    assert fake.calls[1:] == [("pause", TURBO), ("get", TURBO)]
    fake.tell(TURBO, DownloadState.VERIFYING, 1_613_977_880)
    assert "Verifying" in card.state_label.text()
    fake.tell(TURBO, DownloadState.DONE)
    fake.install(TURBO)

    assert [badge.text() for badge in panel.cards[TURBO].badges] == ["In use", "Recommended"]
    assert panel.is_ready
    assert ready == [True]
    assert "1.6 GB" in panel.disk_label.text()


def test_what_failed_says_why_and_can_be_tried_again(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    fake.tell(TURBO, DownloadState.FAILED, 5, error="It broke.", hint="Mend it.")
    card = panel.cards[TURBO]
    assert card.state_label.text() == "It broke. Mend it."
    assert not card.progress.isVisible()
    click(panel, TURBO, "retry")
    click(panel, TURBO, "dismiss")
    assert fake.calls == [("get", TURBO), ("forget", TURBO)]


def test_deleting_can_be_undone(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    fake.install(TURBO)
    fake.change(model_id=TURBO)
    panel.reload()
    panel.cards[TURBO].act_requested.emit("remove", TURBO)
    assert fake.settings.model_id == "auto"
    banner = panel.banners.banner("removed")
    assert banner is not None
    assert "deleted" in banner.message

    banner.buttons[0].click()
    assert fake.calls[-1] == ("restore", TURBO)
    assert panel.cards[TURBO].row.is_installed

    panel.cards[TURBO].act_requested.emit("remove", TURBO)
    panel.finish_removal()
    assert fake.calls[-1] == ("forget_removed", TURBO)
    assert panel.banners.banner("removed") is None


def test_the_time_to_undo_ends(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake, undo_ms=1)
    fake.install(TURBO)
    panel.cards[TURBO].act_requested.emit("remove", TURBO)
    qtbot.waitUntil(lambda: ("forget_removed", TURBO) in fake.calls)


def test_offline_is_said_and_holds_everything_that_fetches(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    assert panel.options is not None
    panel.options.offline_check.click()
    panel.reload()
    assert fake.calls == [("stay_offline",)]
    assert fake.is_offline()
    assert not panel.cards[TURBO].buttons["get"].isEnabled()
    banner = panel.banners.banner("offline")
    assert banner is not None
    banner.buttons[0].click()
    assert not fake.is_offline()
    assert panel.cards[TURBO].buttons["get"].isEnabled()
    assert panel.banners.banner("offline") is None


def test_what_never_fits_cannot_be_fetched(qtbot: QtBot) -> None:
    machine = Machine(8 << 30)
    panel = panel_of(qtbot, FakeModels(machine=machine, items=catalog_rows(machine)))
    panel.all_button.click()
    card = panel.cards["voxtral-small-24b-4bit"]
    assert not card.buttons["get"].isEnabled()
    assert "Too large" in card.facts_label.text()
    assert panel.cards["whisper-large-v3-turbo-4bit"].buttons["get"].isEnabled()


def test_the_menu_of_an_installed_model(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    fake.install(TURBO)
    names = [name for name, _text in panel.cards[TURBO].menu_acts()]
    assert names == ["verify", "reveal", "convert", "remove"]
    assert [name for name, _ in panel.cards["nano"].menu_acts()] == ["verify"]
    for name in ("verify", "convert", "use"):
        panel.cards[TURBO].act_requested.emit(name, TURBO)
    assert fake.calls == [("verify", TURBO), ("convert", TURBO, 4)]
    assert fake.settings.model_id == TURBO
    menu = panel.cards[TURBO].make_menu()
    assert len([action for action in menu.actions() if action.text()]) == 4
    menu.deleteLater()


def test_a_refusal_is_a_banner_not_a_crash(qtbot: QtBot, tmp_path: Path) -> None:
    fake = FakeModels(refusal=ImportFailed("No model in it.", "Choose another."))
    panel = panel_of(qtbot, fake)
    panel.add_folder(tmp_path)
    banner = panel.banners.banner("error")
    assert banner is not None
    assert [label.text() for label in banner.labels] == ["No model in it.", "Choose another."]


def test_the_first_start_shows_only_what_suits(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake, is_first_start=True)
    assert list(panel.cards) == [TURBO, "voxtral-realtime-4b-4bit", "voxtral-mini-3b-4bit"]
    assert panel.options is None
    assert not panel.add_button.isVisible()
    assert not panel.all_button.isVisible()


def test_options_are_applied_at_once(qtbot: QtBot) -> None:
    fake = FakeModels()
    fake.change(unload_after_min=7)
    panel = panel_of(qtbot, fake)
    options = panel.options
    assert options is not None
    assert options.unload_box.currentData() == 7
    for box, value in ((options.unload_box, 0), (options.delay_box, 2400)):
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())
    options.words_check.click()
    options.proxy_edit.setText("http://proxy.example:8080")
    options.proxy_edit.editingFinished.emit()
    options.mirror_edit.setText("https://mirror.example/")
    options.mirror_edit.editingFinished.emit()
    now = fake.settings
    assert (now.unload_after_min, now.voxtral_delay_ms, now.aligns_words) == (0, 2400, False)
    assert (now.proxy, now.model_mirror) == ("http://proxy.example:8080", "https://mirror.example")
    options.mirror_edit.setText("ftp://elsewhere")
    options.mirror_edit.editingFinished.emit()
    assert fake.settings.model_mirror == "https://mirror.example"
    assert panel.banners.banner("error") is not None


def test_no_text_is_ever_squeezed(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    for width in (480, 760, 520):
        panel.resize(width, 480)
        fake.tell(TURBO, DownloadState.RUNNING, 5, rate_bytes=1e6)
        panel.all_button.click()
        qtbot.wait(30)
        below = 0
        for part in panel._scroll.body.parts:
            if part.isHidden():
                continue
            assert part.y() >= below
            assert part.height() >= part.heightForWidth(part.width())
            below = part.y() + part.height()


def test_everything_has_a_name_and_a_size_to_hit(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    fake.install(TURBO)
    fake.tell("voxtral-realtime-4b-4bit", DownloadState.RUNNING, 5)
    for button in panel.findChildren(QPushButton):
        if button.isVisible():
            assert button.accessibleName() or button.text()
            assert button.focusPolicy() is not Qt.FocusPolicy.NoFocus
    for card in panel.cards.values():
        assert card.accessibleName()
        assert card.more_button.width() >= 24
    panel.refresh_colors()


def test_dialogs_ask_for_what_is_needed(qtbot: QtBot) -> None:
    hub = RepositoryDialog()
    qtbot.addWidget(hub)
    ok = hub.buttons.buttons()[0]
    assert not ok.isEnabled()
    hub.name_edit.setText("owner/model")
    assert ok.isEnabled()
    assert hub.repository == "owner/model"
    empty = CacheDialog([])
    qtbot.addWidget(empty)
    assert empty.chosen is None
    found = Found(Family.WHISPER, "MLX", 30.0, ())
    full = CacheDialog([Cached("a/b", "c", Path("/nowhere"), found)])
    qtbot.addWidget(full)
    assert full.chosen is not None


def test_models_that_come_are_shown_without_asking(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    fake.put("whisper-tiny", is_installed=True, disk_bytes=74_000_000)
    fake.bus.models_changed.emit(ModelsChanged())
    assert "whisper-tiny" in panel.cards


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (74_418_540, "74 MB"), (1_613_977_880, "1.6 GB"), (26e9, "26 GB")],
)
def test_sizes(count: float, text: str) -> None:
    assert size(int(count)) == text


def test_facts_say_about_where_nothing_is_known_exactly() -> None:
    rows = {row.model_id: row for row in catalog_rows()}
    assert facts(rows[TURBO]).startswith("1.6 GB download · 2.1 GB memory")
    assert facts(rows["whisper-large-v3-8bit"]).startswith("about 1.6 GB download")
    assert "download" not in facts(rows["acft-whisper-small"])
    assert state.__doc__


def test_staying_offline_may_be_said_elsewhere(qtbot: QtBot) -> None:
    fake = FakeModels()
    panel = panel_of(qtbot, fake)
    assert panel.options is not None
    fake.change(offline=True)
    panel.follow_settings()
    assert panel.options.offline_check.isChecked()
    assert panel.banners.banner("offline") is not None
    fake.change(offline=False)
    panel.follow_settings()
    assert not panel.options.offline_check.isChecked()
    assert panel.banners.banner("offline") is None
