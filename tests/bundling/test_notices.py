"""Every part that others made comes with its licence."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from bundling import icons, notices


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notices")
    notices.gather(notices.bundled_packages(), folder)
    return folder


def test_each_part_has_a_licence_and_its_text(gathered: Path) -> None:
    index = json.loads((gathered / "index.json").read_text("utf-8"))
    names = {entry["name"] for entry in index}
    assert {"av", "mlx", "mlx-whisper", "numpy", "pyside6-essentials", "tiktoken"} <= names
    assert {"Qt", "Python", "Silero VAD", "FFmpeg, x264 and x265 (in PyAV)"} <= names
    for entry in index:
        assert entry["license"], entry["name"]
        assert entry["texts"], entry["name"]
        for text in entry["texts"]:
            assert (gathered / text).stat().st_size > 20, (entry["name"], text)


def test_tools_and_tests_are_no_part_of_the_app(gathered: Path) -> None:
    index = json.loads((gathered / "index.json").read_text("utf-8"))
    names = {entry["name"] for entry in index}
    assert names.isdisjoint({"pytest", "mypy", "ruff", "pyinstaller", "onnxruntime", "pip"})


def test_the_texts_of_the_gpl_are_whole(gathered: Path) -> None:
    gpl = (gathered / "GPL-3.txt").read_text("utf-8")
    assert "Version 3, 29 June 2007" in gpl
    assert "END OF TERMS AND CONDITIONS" in gpl


def test_icons_have_every_size(qtbot: QtBot, tmp_path: Path) -> None:
    app, document, *_pictures = icons.write_icons(tmp_path)
    for file in (app, document):
        content = file.read_bytes()
        assert content[:4] == b"icns"
        assert int.from_bytes(content[4:8], "big") == len(content)
        found = icons.read_icns(content)
        assert set(found) == set(icons.KINDS)
        for kind, side in icons.KINDS.items():
            picture = found[kind]
            assert picture[:8] == b"\x89PNG\r\n\x1a\n"
            assert int.from_bytes(picture[16:20], "big") == side
