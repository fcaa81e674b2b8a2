"""About tells what this is, and every licence can be read."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.config import notices
from app.config.notices import Notice, all_notices
from app.ui.about import AboutBox, LicencesBox


def test_the_source_tree_names_its_packages() -> None:
    found = all_notices()
    assert found[0].name == "Undertone"
    assert "GNU GENERAL PUBLIC LICENSE" in found[0].text()
    assert {"av", "mlx", "pyside6-essentials"} <= {notice.name for notice in found}


def test_a_bundle_shows_the_list_it_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "notices"
    folder.mkdir()
    for name in ("undertone.txt", "GPL-3.txt", "av-1.txt"):
        (folder / name).write_text(f"text of {name}")
    entry = {"name": "av", "version": "18", "license": "BSD-3-Clause", "texts": ["av-1.txt"]}
    (folder / "index.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(notices, "resources", lambda: tmp_path)
    own, av = all_notices()
    assert own.license.startswith("GPL-3.0")
    assert "text of undertone.txt" in own.text()
    assert (av.name, av.version, av.text()) == ("av", "18", "text of av-1.txt")


def test_licences_are_shown_as_they_are(qtbot: QtBot, tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("<b>Permission</b> is granted")
    box = LicencesBox([Notice("A", "1.0", "MIT", (text,)), Notice("B", "", "GPL", (text, text))])
    qtbot.addWidget(box)
    assert box.text.toPlainText() == "<b>Permission</b> is granted"
    assert box.licence_label.text() == "MIT"
    box.list.setCurrentRow(1)
    assert box.licence_label.text() == "GPL"
    assert box.text.toPlainText().count("Permission") == 2


def test_about_opens_the_licences(qtbot: QtBot) -> None:
    box = AboutBox("1.2.3")
    qtbot.addWidget(box)
    box.show()
    box.licences_button.click()
    opened = box.findChild(LicencesBox)
    assert opened is not None
    assert opened.list.count() > 5
    opened.close()
