"""Files in, text out: what is refused, and that nothing makes it wait for ever."""

from pathlib import Path

import pytest

from app.cli.main import run


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
