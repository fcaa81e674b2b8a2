"""What keeps the library well, from the command line."""

import json
import os
from pathlib import Path

import pytest

from app.cli.main import run
from app.config.paths import Paths, default_paths
from app.config.settings import load_settings
from app.core.recording import RecordingStatus
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording, make_segment


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = default_paths()
    with LibraryWriter(found.library, lambda _: None, watch_s=None) as writer:
        for name in ("one", "two"):
            row = make_recording(name, f"Title {name}", status=RecordingStatus.DONE)
            writer.add_finished(row, [make_segment(f"text of {name}")]).result(10)
        writer.set_favourite(["two"], True).result(10)
    return found


def test_check_says_what_it_mended(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["library", "check"]) == 0
    assert capsys.readouterr().out == "All is well.\n"
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        writer.update_recording("one", audio_path=Path("/gone/away.wav"), created_at=4e9).result(10)
    assert run(["library", "check"]) == 1
    said = capsys.readouterr().out
    assert "Mended: Dated in the future: 1 (“Title one”)." in said
    assert "Left for you: Sound that is not where it was: 1" in said
    assert run(["library", "check", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["mended"], told["needs_salvage"]) == ([], False)


def test_salvage_makes_the_library_anew(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["library", "salvage"]) == 0
    assert "nothing to salvage" in capsys.readouterr().err
    content = bytearray(paths.library.read_bytes())
    content[:4096] = os.urandom(4096)
    paths.library.write_bytes(content)
    assert run(["library", "list"]) == 1
    assert "undertone library salvage" in capsys.readouterr().err
    assert run(["library", "salvage"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("2 recordings are in the new library.")
    assert "library.sqlite.damaged-" in told.err
    assert run(["library", "search", "text"]) == 0


def test_retention_shows_a_count_before_it_is_switched_on(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["library", "retention", "file", "all", "4w"]) == 0
    told = capsys.readouterr()
    assert "1 recording would move to the bin now." in told.out
    assert "--yes" in told.err
    assert load_settings(paths.settings).retention == ()
    assert run(["library", "retention", "file", "all", "4w", "--bin", "90d", "--yes"]) == 0
    assert "Moved to the bin: 1." in capsys.readouterr().err
    settings = load_settings(paths.settings)
    assert (settings.retention, settings.bin_keeps_days) == (("file\tall\t28",), 90)
    with LibraryReader(paths.library) as reader:
        assert reader.ids() == ["two"]
        assert reader.ids(ListQuery(is_binned=True)) == ["one"]
    assert run(["library", "retention", "file", "keep", "--yes"]) == 0
    assert load_settings(paths.settings).retention == ()


@pytest.mark.parametrize("words", [["file"], ["file", "all"], ["file", "all", "soon"]])
def test_retention_refuses_half_a_rule(paths: Paths, words: list[str]) -> None:
    assert run(["library", "retention", *words, "--yes"]) == 1
    assert not paths.settings.exists()


def test_rules_are_not_changed_behind_a_running_app(paths: Paths) -> None:
    with Owner.take(paths):
        assert run(["library", "retention", "file", "all", "4w", "--yes"]) == 1
        assert run(["erase", "--yes"]) == 1
    assert not paths.settings.exists()
    assert paths.library.exists()


def test_erase_asks_and_then_erases(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["erase"]) == 1  # nobody can answer here
    assert "--yes" in capsys.readouterr().err
    assert paths.library.exists()
    assert run(["erase", "--yes"]) == 0
    assert not paths.home.exists()
