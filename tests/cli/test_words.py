"""The words of the command line: help, mistakes, and what it refuses."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.main import parser, run
from app.cli.output import ProgressLine, print_json, print_table
from app.config.paths import Paths, default_paths
from app.core.job import Job, JobStage, JobStatus
from app.core.recording import RecordingStatus
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording, make_segment


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["transcribe"],
        ["library"],
        ["library", "list"],
        ["library", "show"],
        ["library", "search"],
        ["library", "export"],
        ["library", "remove"],
        ["library", "retranscribe"],
        ["models"],
        ["models", "list"],
        ["devices"],
        ["doctor"],
    ],
)
def test_every_verb_has_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args([*words, "--help"])

    assert stopped.value.code == 0
    assert "usage: undertone" in capsys.readouterr().out


def test_every_verb_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    for verb in ("transcribe", "library list", "models list", "devices", "doctor"):
        assert f"undertone {verb}" in readme
    for word in (
        "show",
        "search",
        "export",
        "remove",
        "retranscribe",
        "--json",
        "--no-library",
        "--words",
    ):
        assert word in readme


@pytest.mark.parametrize("words", [["fly"], ["transcribe"], ["transcribe", "a", "--format", "x"]])
def test_words_that_are_not_understood_exit_with_two(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(words)

    assert stopped.value.code == 2


def test_without_a_library_reading_verbs_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["library", "search", "word"]) == 1
    assert "no library yet" in capsys.readouterr().err
    assert run(["library", "list", "--json"]) == 0
    assert capsys.readouterr().out.strip() == "[]"


def test_models_list_says_that_the_built_in_one_is_a_demonstration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "nano" in out
    assert "demonstration" in out


def test_importing_the_command_line_pulls_in_neither_qt_nor_mlx() -> None:
    code = (
        "import sys, app.cli.main; "
        "print([m for m in sys.modules if m.split('.')[0] in ('PySide6', 'mlx', 'mlx_whisper')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_tables_align_and_json_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("a", "long"), ("wider", "b")])
    print_table([])
    print_json({"path": Path("x"), "status": JobStatus.DONE, "job": [Job("j", "r", "t", "m", "l")]})
    out = capsys.readouterr().out

    assert out.startswith("a      long\nwider  b\n")
    assert '"path": "x"' in out
    assert '"status": "done"' in out
    assert '"job_id": "j"' in out


def test_progress_off_a_terminal_is_a_line_a_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    for done in range(101):
        line.show(
            Job("j", "r", "talk", "m", "en", status=JobStatus.RUNNING, done_s=done, total_s=100,
                stage=JobStage.TRANSCRIBING)
        )  # fmt: skip
    line.end()
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 11
    assert lines[5].startswith("talk: 50 %  0:50 of 1:40")


@pytest.fixture
def library() -> Paths:
    """Return a library with two transcripts, one of them of a day no calendar has."""
    paths = default_paths()
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        for name, created_at in (("one", 1e9), ("two", 1e300)):
            row = make_recording(
                name, f"Title “{name}” 😀", status=RecordingStatus.DONE, created_at=created_at
            )
            writer.add_finished(row, [make_segment(f"text of {name}")]).result(10)
    return paths


@pytest.mark.parametrize("verb", [["list"], ["search", "text"]])
def test_any_limit_may_be_said(
    library: Paths, verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for limit, count in (("9" * 20, 2), ("1", 1), ("-5", 0)):
        assert run(["library", *verb, "--json", "--limit", limit]) == 0
        assert len(json.loads(capsys.readouterr().out)) == count
    with pytest.raises(SystemExit):
        run(["library", *verb, "--limit", "many"])


def test_a_day_no_calendar_has_does_not_keep_the_list_from_showing(
    library: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["library", "list"]) == 0
    assert "2001-09-09" in capsys.readouterr().out


@pytest.mark.parametrize("wanted", ["", "a\udc80b"])
def test_an_id_that_is_none_matches_nothing(
    library: Paths, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["library", "remove", "--for-good", "two"]) == 0
    assert run(["library", "remove", "--for-good", wanted]) == 1
    assert "No transcript has the id" in capsys.readouterr().err
    assert run(["library", "show", "one"]) == 0


def test_where_nothing_can_be_written_is_said_first(
    library: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.txt"
    file.write_text("mine")
    for target in (file, file / "in", Path("/proc/nope"), tmp_path / ("a" * 300)):
        for words in (["library", "export", "one", "two"], ["transcribe", "a.wav", "b.wav"]):
            assert run([*words, "--output", str(target)]) == 1
            said = capsys.readouterr().err.splitlines()
            assert len(said) == 2  # what happened and what to do: nothing else was begun
            assert "Choose another folder" in said[1]
    for words in (["library", "export", "one"], ["transcribe", "a.wav"], ["record"]):
        assert run([*words, "--output", str(tmp_path / "none" / "out.txt")]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 2
    assert file.read_text() == "mine"


def test_what_a_terminal_cannot_show_is_written_in_other_signs(
    library: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert run(["library", "list"]) == 0
    assert run(["library", "list", "--json"]) == 0
    plain.seek(0)
    listed, _, found = plain.read().partition("[")
    assert "Title \\u201cone\\u201d \\U0001f600" in listed
    assert {row["title"] for row in json.loads("[" + found)} == {
        "Title “one” 😀",
        "Title “two” 😀",
    }


def test_what_nobody_foresaw_is_a_sentence_and_a_line_in_the_log(
    library: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [ValueError("a bug"), OSError(5, "Input/output error")]
    for fault in faults:
        monkeypatch.setattr("app.cli.library.open_reader", _raising(fault))
        assert run(["library", "list"]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        assert str(library.logs / "undertone.log") in said.err
    log = (library.logs / "undertone.log").read_text(encoding="utf-8")
    assert "ValueError: a bug" in log
    assert "Input/output error" in log


def _raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize(("out", "status"), [("/dev/full", 1), (None, 0)])
def test_output_that_nobody_takes_leaves_no_traceback(
    library: Paths, out: str | None, status: int
) -> None:
    assert library.library.exists()
    reading, writing = os.pipe()
    os.close(reading)  # whoever writes there learns that nobody reads
    target = writing if out is None else os.open(out, os.O_WRONLY)
    done = subprocess.run(
        [sys.executable, "-m", "app", "library", "list"],
        stdout=target,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    for descriptor in {writing, target}:
        os.close(descriptor)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert ("No space left" in done.stderr) == (status == 1)
