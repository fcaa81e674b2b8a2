"""The parts of the bench that measure nothing."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.core.packing import SAMPLE_RATE
from tests.bench.__main__ import main, parsed
from tests.bench.child import Stored, peak_bytes
from tests.bench.engine import Turns, describe
from tests.bench.ours import StoredSource
from tests.bench.report import difference, machine, markdown, write_section
from tests.bench.sides import Answer
from tests.bench.sound import Input, join_talks


def test_a_table_lines_up() -> None:
    drawn = markdown(["side", "s"], [["peer", "10.5"], ["us", "2"]])

    assert drawn.splitlines() == [
        "| side | s    |",
        "|------|------|",
        "| peer | 10.5 |",
        "| us   | 2    |",
    ]


def test_texts_are_compared_pair_by_pair() -> None:
    assert difference(["One two.", "three four"], ["one TWO", "three"]) == 0.25
    assert difference(["", ""], ["", ""]) == 0
    assert difference([""], ["invented"]) == 1
    assert difference([], []) == 0


def test_each_bench_keeps_its_own_section(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    write_section(file, "engine", "old")
    write_section(file, "live", "words")
    write_section(file, "engine", "new")
    assert file.read_text() == (
        "# What was measured\n\n<!-- engine -->\nnew\n<!-- end of engine -->\n\n"
        "<!-- live -->\nwords\n<!-- end of live -->\n"
    )


def test_the_command_line() -> None:
    given = parsed(["engine"])
    assert (given.minutes, given.rounds, given.full, given.write) == (1.0, 1, False, False)
    assert parsed(["engine", "--minutes", "0.5", "--write"]).minutes == 0.5
    assert parsed(["live"]).every == 4
    assert parsed([]).bench is None


@pytest.mark.parametrize(
    "words", [["nothing"], ["engine", "--minutes", "0"], ["engine", "--rounds", "0"]]
)
def test_a_wrong_command_line_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        parsed(words)

    assert refused.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_without_a_word_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0

    said = capsys.readouterr().out
    assert "./run bench engine" in said
    assert "./run bench live" in said


def test_stored_windows_come_back(tmp_path: Path) -> None:
    stored = Stored(tmp_path)
    sounds = [np.arange(count, dtype=np.float32) for count in (3, 160, 7)]
    stored.write(zip(sounds, (0.0, 1.0, 2.5), strict=True))

    assert [start_s for _, _, start_s in stored.spans] == [0.0, 1.0, 2.5]
    for span, sound in zip(stored.spans, sounds, strict=True):
        assert np.array_equal(stored.read(span), sound)
    source = StoredSource(stored, stored.spans)
    taken = [source.take() for _ in sounds]
    assert [w.index for w in taken if w] == [0, 1, 2]
    assert taken[1] is not None
    assert taken[1].end_s == pytest.approx(1.01)
    assert source.is_finished
    assert source.take() is None


def test_the_talks_are_repeated_to_the_wanted_length(tmp_path: Path) -> None:
    joined = tmp_path / "joined.flac"

    join_talks(joined, 2.5)

    assert soundfile.info(joined).frames == 2.5 * SAMPLE_RATE


def test_a_ratio_below_the_goal_is_marked() -> None:
    given = Input(sound_s=60.0, speech_s=50.0, windows=6, preparing_cpu_s=1.0)
    stages = {"encode": 2.0, "decode": 1.0, "words": 1.0}
    turns = Turns(
        {words: _answer(10.0, 200) for words in (False, True)},
        {(words, batch): _answer(3.0, 100) for words in (False, True) for batch in (1, 2, 4, 8)},
        stages,
        peer_peak=400_000_000,
        our_peak=100_000_000,
    )

    text = describe(given, turns)

    off, on = (line for line in text.splitlines() if line.startswith(("| off", "| on")))
    assert "| 3.33× " in off
    assert "| 3.33× (below)" in on
    assert "| 2.50× " in off  # with decoding and VAD on our side
    assert "| 1.67× " in off  # a token
    assert "200 / 100" in off
    assert "peer 400 MB, ours 100 MB" in text
    assert "| mel and encoder            | 2.0 s | 40%   |" in text


def test_this_machine_and_its_memory_are_known() -> None:
    assert "MLX" in machine()
    assert peak_bytes() > 1_000_000


def _answer(seconds: float, tokens: int) -> Answer:
    return {
        "seconds": seconds,
        "cpu_s": seconds,
        "tokens": tokens,
        "passes": 6,
        "texts": ["a b"] * 6,
    }
