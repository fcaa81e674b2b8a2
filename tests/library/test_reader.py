import sqlite3
import threading
from pathlib import Path

import pytest

from app.core.errors import LibraryDamaged, LibraryTooNew
from app.core.recording import RecordingKind
from app.core.transcript import Transcript
from app.library.reader import LibraryReader
from app.library.schema import SCHEMA_VERSION
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from tests.library.builders import Library, make_recording

WAIT = 30


def test_a_library_that_is_not_there_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "home" / "library.sqlite"
    with LibraryReader(file) as reader:
        assert reader.recordings() == []
        assert reader.count(ListQuery("x")) == 0
        assert reader.search(ListQuery("x")) == []
        assert reader.transcript("r1") == Transcript()
        assert reader.jobs() == []
        assert not reader.is_frozen
        assert not reader.is_too_new
        assert not file.parent.exists()
        with LibraryWriter(file, lambda _: None) as writer:
            writer.add_recording(make_recording()).result(WAIT)
        assert reader.count() == 1


def test_pages_are_newest_first_and_whole(library: Library) -> None:
    for number in range(25):
        library.writer.add_recording(
            make_recording(f"r{number:02d}", ["even", "odd"][number % 2])
        ).result(WAIT)
    names = [held.recording_id for held in library.reader.recordings()]
    assert names == [f"r{number:02d}" for number in reversed(range(25))]
    by_offset = [
        held.recording_id
        for offset in range(0, 30, 7)
        for held in library.reader.recordings(offset=offset, limit=7)
    ]
    assert by_offset == names
    for query in (ListQuery(), ListQuery("odd"), ListQuery(kind=RecordingKind.FILE)):
        wanted = [held.recording_id for held in library.reader.recordings(query)]
        found: list[str] = []
        before = None
        while page := library.reader.recordings(query, limit=4, before=before):
            found += [held.recording_id for held in page]
            before = found[-1]
        assert found == wanted


def test_every_thread_reads_for_itself(library: Library) -> None:
    library.add("r1", "x", "hello")
    counts: list[int] = []

    def read() -> None:
        counts.append(library.reader.count(ListQuery("hello")))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 8
    library.reader.close()
    assert library.reader.count() == 1


def test_data_version_moves_with_commits_of_others(library: Library) -> None:
    library.add("r1", "x", "hello")
    before = library.reader.data_version()
    assert library.reader.data_version() == before
    library.writer.update_recording("r1", title="y").result(WAIT)
    assert library.reader.data_version() != before


def test_a_restored_file_is_seen(library: Library, tmp_path: Path) -> None:
    library.add("r1", "x", "hello")
    assert library.reader.count() == 1
    with LibraryWriter(tmp_path / "other.sqlite", lambda _: None) as other:
        other.add_recording(make_recording("a")).result(WAIT)
        other.add_recording(make_recording("b")).result(WAIT)
    library.writer.close()
    for name in ("library.sqlite-wal", "library.sqlite-shm"):  # they belong to the old file
        library.file.with_name(name).unlink(missing_ok=True)
    (tmp_path / "other.sqlite").replace(library.file)
    assert library.reader.count() == 2


def make_newer(file: Path) -> None:
    with LibraryWriter(file, lambda _: None) as writer:
        writer.add_recording(make_recording()).result(WAIT)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.execute("CREATE TABLE tomorrow (x)")
    connection.execute("ALTER TABLE recordings ADD COLUMN folder TEXT")
    connection.close()


def test_a_newer_library_is_read_but_not_written(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    make_newer(file)
    before = file.read_bytes()
    with pytest.raises(LibraryTooNew, match="newer Undertone"):
        LibraryWriter(file, lambda _: None)
    with LibraryReader(file) as reader:
        assert reader.is_too_new
        assert reader.recordings() == [make_recording()]
        assert [hit.recording for hit in reader.search(ListQuery("title"))] == [make_recording()]
    assert file.read_bytes() == before


def test_a_newer_library_we_cannot_follow_says_so(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    make_newer(file)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("ALTER TABLE jobs RENAME TO work")
    connection.close()
    with LibraryReader(file) as reader, pytest.raises(LibraryTooNew):
        reader.jobs()


@pytest.mark.parametrize(
    "content",
    [b"not a database at all, but long enough " * 200, b"SQLite format 3\x00" + b"\xff" * 9000],
)
def test_a_file_that_is_no_library_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "library.sqlite"
    file.write_bytes(content)
    with pytest.raises(LibraryDamaged):
        LibraryWriter(file, lambda _: None)
    with LibraryReader(file) as reader, pytest.raises(LibraryDamaged):
        reader.recordings()
    assert file.read_bytes() == content


def test_a_damaged_page_is_a_sentence(library: Library) -> None:
    for number in range(400):
        library.writer.add_recording(make_recording(f"r{number}", f"title {number} " * 40))
    library.writer.checkpoint().result(WAIT)
    library.writer.close()
    size = library.file.stat().st_size
    with library.file.open("r+b") as file:
        for page in range(size // 8192, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    with pytest.raises(LibraryDamaged):
        library.reader.recordings(limit=1000)


def test_a_file_whose_maker_was_killed_reads_as_an_empty_library(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite"
    file.touch()
    with LibraryReader(file) as reader:
        assert reader.count() == 0
        assert reader.recordings() == []
        LibraryWriter(file, lambda _change: None, watch_s=None).close()
        assert reader.count() == 0
        assert reader.data_version() > 0
