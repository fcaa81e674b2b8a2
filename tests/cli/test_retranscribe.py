"""A text of the library is made again from the command line, in part or whole."""

import json
from contextlib import closing

import pytest

from app.cli.main import run
from app.config.paths import default_paths
from app.library.reader import LibraryReader
from app.library.revise import RevisionKind
from tests.helpers.words import SPEECH


@pytest.mark.serial
def test_a_text_is_made_again_and_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["transcribe", str(SPEECH / "en-03.flac"), "--language", "en"]) == 0
    first = capsys.readouterr().out
    assert run(["library", "list", "--json"]) == 0
    (key,) = [held["recording_id"] for held in json.loads(capsys.readouterr().out)]

    assert run(["library", "retranscribe", key, "--from", "0:01", "--until", "0:03"]) == 0
    part = capsys.readouterr().out
    assert 0 < len(part.split()) < len(first.split())
    assert run(["library", "retranscribe", key, "--language", "en", "--use"]) == 0
    assert capsys.readouterr().out == first

    with closing(LibraryReader(default_paths().library)) as reader:
        kinds = [each.kind for each in reader.revisions(key)]
        assert kinds == [RevisionKind.RERUN, RevisionKind.RAW, RevisionKind.RERUN]
        assert reader.reruns_of(key) == []
        assert [held.recording_id for held in reader.recordings()] == [key]
        assert "".join(f"{each.text}\n" for each in reader.transcript(key).segments) == first

    assert run(["library", "retranscribe", key, "--model", "not-here"]) == 1
    assert run(["library", "retranscribe", key, "--from", "0:09", "--until", "0:02"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "lies before its beginning" in said.err
