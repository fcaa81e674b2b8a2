"""Files in, text out: what is refused, and that nothing makes it wait for ever."""

from pathlib import Path

import pytest

from app.cli.main import run
from app.config.paths import default_paths
from app.library.lock import Owner
from app.library.writer import LibraryWriter
from app.pipeline.importing import fingerprint
from tests.helpers.words import SPEECH
from tests.library.builders import make_job, make_recording


def test_names_no_disk_takes_are_one_sentence_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "a" * 300 + ".wav"
    assert run(["transcribe", long]) == 1
    assert run(["transcribe", str(tmp_path / "none.wav"), long]) == 1
    said = capsys.readouterr()
    assert said.err.count("could not be read from the disk") == 2
    assert said.err.count("is no longer where it was") == 1
    assert said.out == ""


def test_a_file_in_work_elsewhere_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    file, paths = SPEECH / "en-01.flac", default_paths()
    with Owner.take(paths) as other:
        with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
            row, job = make_recording("r1", "The talk"), make_job("j1", "r1")
            writer.add_recording(row, job, fingerprint=fingerprint(file), owner=other).result(10)
        assert run(["transcribe", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "The talk: another Undertone is at work on it\n"


@pytest.mark.parametrize("words", [[], ["--no-library"]])
def test_what_a_killed_run_left_goes_at_the_next(words: list[str]) -> None:
    left = default_paths().home / ".once-killed"
    left.mkdir(parents=True)
    (left / "library.sqlite").write_text("what was said")
    assert run(["transcribe", "none.wav", *words]) == 1
    assert list(default_paths().home.glob(".once-*")) == []
