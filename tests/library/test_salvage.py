"""A damaged library gives back every row that can be read, and nothing that is not so."""

import errno
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import LibraryDamaged, Stopped
from app.core.recording import Recording
from app.core.transcript import Segment
from app.library.pages import DamagedFile
from app.library.reader import LibraryReader
from app.library.revise import RevisionKind
from app.library.salvage import salvage
from app.library.search import ListQuery
from tests.library.builders import Library, make_job, make_recording, make_segment

PAGE = 4096
RECORDINGS, SEGMENTS = 14, 8


class NoFolders:
    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        return ()

    def owner(self, texts: tuple[str, ...], known: frozenset[str]) -> Recording | None:
        return None


class AllFolders(NoFolders):
    """Every recording has a folder with all that was said."""

    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        return tuple(said(recording_id, at) for at in range(SEGMENTS))

    def owner(self, texts: tuple[str, ...], known: frozenset[str]) -> Recording | None:
        names = {text.split()[0] for text in texts} - known
        name = names.pop() if len(names) == 1 else ""
        return make_recording(name, f"Title {name}") if name else None


def said(name: str, at: int) -> Segment:
    return make_segment(f"{name} said sentence{at} " + f"über das Wetter {at} " * 6, at * 10.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with everything in it, folded into one file."""
    library = Library(tmp_path_factory.mktemp("whole") / "library.sqlite")
    writer = library.writer
    folder = writer.add_folder("Work").result(30)
    for at in range(RECORDINGS):
        name = f"r{at}"
        row = make_recording(name, f"Title {name}", notes=f"note {name}")
        segments = [said(name, seq) for seq in range(SEGMENTS)]
        writer.add_finished(row, segments).result(30)
    writer.move_to_folder(["r1", "r2"], folder.folder_id).result(30)
    writer.tag(["r3", "r4"], "Blue").result(30)
    writer.set_favourite(["r5"], True).result(30)
    writer.add_revision("r6", RevisionKind.RERUN, [make_segment("another reading")]).result(30)
    writer.save_job(make_job("j7", "r7")).result(30)
    long = make_segment("r8 " + "a very long monologue " * 3000, 500.0)
    writer.splice_segments("r8", SEGMENTS, 0, [long]).result(30)
    writer.checkpoint().result(30)
    library.close()
    return library.file


@pytest.fixture
def file(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(whole, tmp_path / "library.sqlite"))


def damage(file: Path, dice: random.Random, pages: int, *, is_partial: bool) -> None:
    with file.open("r+b") as out:
        count = file.stat().st_size // PAGE
        for page in dice.sample(range(count), pages):
            start = dice.randrange(PAGE) if is_partial else 0
            length = dice.randrange(1, PAGE - start + 1) if is_partial else PAGE
            out.seek(page * PAGE + start)
            out.write(dice.randbytes(length))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[LibraryReader]:
    with LibraryReader(tmp_path / "new.sqlite") as opened:
        yield opened


def check(file: Path) -> None:
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


def test_a_whole_library_comes_through_as_it_was(
    file: Path, tmp_path: Path, reader: LibraryReader
) -> None:
    result = salvage(file, tmp_path / "new.sqlite", NoFolders())
    assert (result.recordings, result.segments) == (RECORDINGS, RECORDINGS * SEGMENTS + 1)
    assert (result.completed, result.incomplete, result.unsure) == ([], [], [])
    check(tmp_path / "new.sqlite")
    with LibraryReader(file) as old:
        for query in (ListQuery(), ListQuery("sentence3"), ListQuery(tag="Blue")):
            assert reader.ids(query) == old.ids(query)
        for key in old.ids():
            assert reader.recording(key) == old.recording(key)
            assert reader.transcript(key) == old.transcript(key)
            assert reader.tags_of(key) == old.tags_of(key)
        assert reader.jobs() == old.jobs()
        assert reader.folders() == old.folders()
        (kept,) = reader.revisions("r6")
        assert reader.revision_segments(kept.revision_id)[0].text == "another reading"


@pytest.mark.parametrize("is_partial", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_random_damage_loses_only_what_was_hit(
    file: Path, tmp_path: Path, reader: LibraryReader, seed: int, is_partial: bool
) -> None:
    dice = random.Random(seed)
    damage(file, dice, dice.randrange(1, 4), is_partial=is_partial)
    result = salvage(file, tmp_path / "new.sqlite", NoFolders())
    check(tmp_path / "new.sqlite")
    total = RECORDINGS * SEGMENTS + 1
    assert result.segments >= total - 3 * 40  # as many as stand on a page
    incomplete = set(result.incomplete) | set(result.unsure)
    for key in reader.ids():
        recording = reader.recording(key)
        assert recording is not None
        for segment in reader.transcript(key).segments:
            name, _said, number = segment.text.split(" ")[:3]
            if recording.title not in incomplete and number.startswith("sentence"):
                assert segment.text == said(name, int(number[8:])).text
    assert reader.count(ListQuery("wetter")) >= len(reader.ids()) - 1


@pytest.mark.parametrize("seed", range(2))
def test_the_folders_fill_what_was_lost(
    file: Path, tmp_path: Path, reader: LibraryReader, seed: int
) -> None:
    dice = random.Random(seed)
    damage(file, dice, 3, is_partial=False)
    result = salvage(file, tmp_path / "new.sqlite", AllFolders())
    check(tmp_path / "new.sqlite")
    for key in reader.ids():
        if key.startswith("r"):
            texts = [segment.text for segment in reader.transcript(key).segments]
            assert texts[:SEGMENTS] == [said(key, at).text for at in range(SEGMENTS)]
    assert result.recordings >= RECORDINGS - 10


def test_the_first_page_is_not_needed(file: Path, tmp_path: Path, reader: LibraryReader) -> None:
    with file.open("r+b") as out:
        out.write(random.Random(1).randbytes(PAGE))
    result = salvage(file, tmp_path / "new.sqlite", NoFolders())
    assert (result.recordings, result.segments) == (RECORDINGS, RECORDINGS * SEGMENTS + 1)
    assert reader.tags_of("r3") == ()  # the one thing that only the first page leads to
    assert [folder.name for folder in reader.folders()] == ["Work"]


def test_what_is_only_in_the_log_is_read_too(
    file: Path, tmp_path: Path, reader: LibraryReader
) -> None:
    library = Library(file)
    library.add("fresh", "Said a moment ago", "only in the log")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for ending in ("", "-wal"):
        shutil.copyfile(f"{file}{ending}", crashed / f"library.sqlite{ending}")
    library.close()
    with (crashed / "library.sqlite").open("r+b") as out:
        out.write(bytes(PAGE))
    salvage(crashed / "library.sqlite", tmp_path / "new.sqlite", NoFolders())
    assert reader.transcript("fresh").segments[0].text == "only in the log"
    assert reader.ids()[0] == "fresh"


@pytest.mark.parametrize("content", [b"", b"\x00garbage" * 4000, bytes(PAGE * 4)])
def test_a_file_without_a_row_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "library.sqlite"
    file.write_bytes(content)
    with pytest.raises(LibraryDamaged):
        salvage(file, tmp_path / "new.sqlite", NoFolders())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library.sqlite"]


def test_what_the_disk_cannot_give_costs_only_that(file: Path) -> None:
    whole = DamagedFile(file)
    pages = range(1, whole.page_count + 1)
    bad = next(page for page in pages[2:] if list(whole.rows(page)))  # so no row goes on there
    asked = []

    def read(descriptor: int, count: int, at: int) -> bytes:
        asked.append(count)
        if at <= (bad - 1) * PAGE < at + count:
            raise OSError(errno.EIO, "Input/output error")
        return os.pread(descriptor, count, at)

    torn = DamagedFile(file, read)
    assert torn.page_count == whole.page_count
    assert list(torn.rows(bad)) == []
    for page in set(pages) - {bad}:
        assert list(torn.rows(page)) == list(whole.rows(page))
    assert len(asked) < whole.page_count + 5


def test_a_disk_that_is_gone_is_no_bad_block(file: Path) -> None:
    def read(_descriptor: int, _count: int, _at: int) -> bytes:
        raise OSError(errno.ENXIO, "No such device")

    with pytest.raises(OSError, match="No such device"):
        DamagedFile(file, read)


def test_it_can_be_stopped(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        salvage(file, tmp_path / "new.sqlite", NoFolders(), is_stopped=lambda: True)
    assert not list(tmp_path.glob("new.sqlite*"))


def test_garbage_never_gets_out_of_hand(tmp_path: Path) -> None:
    dice = random.Random(7)
    for _ in range(5):
        file = tmp_path / "noise"
        content = bytearray(dice.randbytes(PAGE * 8))
        for page in range(8):
            content[page * PAGE] = 0x0D
        file.write_bytes(content)
        pages = DamagedFile(file)
        assert sum(1 for page in range(1, 9) for _row in pages.rows(page)) < 50
