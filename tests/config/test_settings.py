import json
import stat
from pathlib import Path

import pytest

from app.config.settings import Settings, load_settings, save_settings
from app.core.errors import DiskFull, SettingsError


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    file = tmp_path / "home" / "settings.json"
    settings = Settings().changed(language="de", languages=("de", "en"), imported_files="copy")

    save_settings(settings, file)

    assert load_settings(file) == settings
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["settings.json"]


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == Settings()


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "\x00\xff", "[" * 100_000], ids=["", "{", "[1]", "bytes", "deep"]
)
def test_an_unreadable_file_is_set_aside_not_lost(tmp_path: Path, content: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(content, encoding="latin-1")

    assert load_settings(file) == Settings()
    assert (tmp_path / "settings.unreadable.json").read_text(encoding="latin-1") == content


def test_what_is_right_in_a_half_wrong_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    content = {"language": "fr", "appearance": "purple", "model_id": 7, "unknown": 1}
    file.write_text(json.dumps(content))

    assert load_settings(file) == Settings(language="fr")


@pytest.mark.parametrize("version", ["x", [1], {}, None, 0, -3, 1.5, True, 99])
def test_a_version_that_is_none_loses_no_setting(tmp_path: Path, version: object) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"version": version, "language": "fr"}))

    assert load_settings(file) == Settings(language="fr")


@pytest.mark.parametrize(
    ("name", "value"),
    [("appearance", "purple"), ("language", 3), ("languages", (1,)), ("nothing", "x")],
)
def test_a_setting_refuses_what_it_cannot_be(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings().changed(**{name: value})


def test_settings_that_cannot_be_saved_say_so(tmp_path: Path) -> None:
    blocked = tmp_path / "settings.json"
    blocked.mkdir()
    (blocked / "inside").touch()

    with pytest.raises(DiskFull):
        save_settings(Settings(), blocked)
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json"]
