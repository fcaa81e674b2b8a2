"""What of a file on its way here is trusted after a kill or a power cut."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import part as part_module
from app.models.part import Part, Range

SIZE = 1000


def _content(first: int, last: int) -> bytes:
    return bytes(n % 251 for n in range(first, last))


def _read_back(file: Path) -> Part:
    part = Part(file, SIZE)
    for _ in part.read_back():
        pass
    return part


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_no_byte_is_missing_after_any_number_of_kills(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    """Each start writes some bytes in blocks of 100 and is killed: no `stop`."""
    file = tmp_path_factory.mktemp("part") / "weights"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_module, "BLOCK_BYTES", 100)
        written = 0
        for size in sizes:
            part = _read_back(file)
            missing = part.missing()
            if written == SIZE:
                assert missing is None
                break
            assert missing == Range(written, SIZE)
            assert part.done_bytes == written
            part.begin(written)
            last = min(SIZE, written + size)
            for first, after in itertools.pairwise([*range(written, last, 30), last]):
                part.write(_content(first, after))
            written = last
            killed(part)
    assert file.with_name("weights.part").read_bytes() == _content(0, written)


def test_a_block_that_reads_differently_is_fetched_again_and_no_other(tmp_path: Path) -> None:
    part = Part(tmp_path / "weights", SIZE)
    for first in (0, 300, 600):
        part.begin(first)
        part.write(_content(first, first + 300))
    part.stop()
    with (tmp_path / "weights.part").open("r+b") as file:
        file.seek(350)
        file.write(b"lost in a power cut")
    assert _read_back(tmp_path / "weights").missing() == Range(300, 600)


def test_bytes_nobody_vouches_for_can_be_dropped_alone(tmp_path: Path) -> None:
    for first, last in ((0, 300), (300, 450)):
        part = _read_back(tmp_path / "weights")
        part.begin(first)
        part.write(_content(first, last))
        if last == 300:
            part.stop()
        else:
            killed(part)
    part = _read_back(tmp_path / "weights")
    assert part.has_unsure
    part.drop_unsure()
    assert part.missing() == Range(300, SIZE)


def killed(part: Part) -> None:
    """Let go of the file as a killed process does: nothing is written down."""
    part._block_start = part._at
    part.stop()
