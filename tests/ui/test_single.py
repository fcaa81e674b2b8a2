"""A second start hands over what it was asked to open."""

import threading
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.ui.single import FirstStart, hand_over


def test_files_and_links_arrive_at_the_first(qtbot: QtBot, tmp_path: Path) -> None:
    first = FirstStart(tmp_path)
    files: list[list[Path]] = []
    links: list[list[str]] = []
    first.files_handed.connect(files.append)
    first.links_handed.connect(links.append)
    taken: list[bool] = []

    def start(*arguments: object) -> None:
        second = threading.Thread(
            target=lambda: taken.append(hand_over(tmp_path, *arguments))  # type: ignore[arg-type]
        )
        second.start()
        qtbot.waitUntil(lambda: not second.is_alive(), timeout=10_000)

    try:
        start([tmp_path / "a.wav"], ["undertone://stop"])
        qtbot.waitUntil(lambda: bool(files and links), timeout=5_000)
        assert files == [[tmp_path / "a.wav"]]
        assert links == [["undertone://stop"]]
        start([], ["undertone://record"])
        qtbot.waitUntil(lambda: len(links) == 2, timeout=5_000)
        assert len(files) == 1  # a link alone opens no window
        start([])
        qtbot.waitUntil(lambda: len(files) == 2, timeout=5_000)
        assert files[1] == []
        assert taken == [True, True, True]
    finally:
        first.close()
    assert not hand_over(tmp_path, [])
