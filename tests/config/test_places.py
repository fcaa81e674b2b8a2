import logging
from pathlib import Path

import pytest

from app.config.logs import start_logging, stop_logging
from app.config.paths import Paths, default_paths, resources
from app.config.translate import tr, tr_phrase, tr_plural, use_language
from app.core.errors import Phrase


def test_the_home_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNDERTONE_HOME", str(tmp_path / "elsewhere"))

    assert default_paths() == Paths(tmp_path / "elsewhere")
    assert default_paths().library == tmp_path / "elsewhere" / "library.sqlite"


def test_without_the_variable_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNDERTONE_HOME")

    assert default_paths().home.name == "Undertone"


def test_the_shipped_files_are_found() -> None:
    assert (resources() / "models.toml").is_file()


def test_texts_without_a_translation_are_shown_as_they_are() -> None:
    use_language("en")

    assert tr("{n} of {m}", n=1, m=2) == "1 of 2"
    assert tr("50 % {braces") == "50 % {braces"
    assert tr_plural("{count} file", "{count} files", 1) == "1 file"
    assert tr_plural("{count} file", "{count} files", 2) == "2 files"
    assert tr_phrase(Phrase("“{name}”", {"name": "a"})) == "“a”"


def test_the_log_holds_what_the_app_says_and_is_closed_again(tmp_path: Path) -> None:
    start_logging(tmp_path / "logs")
    try:
        logging.getLogger("app.somewhere").info("job %s done", "j1")
    finally:
        stop_logging()
    logging.getLogger("app.somewhere").info("after")

    assert "job j1 done" in (tmp_path / "logs" / "undertone.log").read_text()
    assert "after" not in (tmp_path / "logs" / "undertone.log").read_text()
