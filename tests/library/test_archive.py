"""Everything out into one file and back in: equal, merged, and nothing believed."""

import errno
import json
import os
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import IO, cast

import pytest

from app.config.paths import Paths
from app.core.backup import Archived, Merged
from app.core.errors import BackupDamaged, BackupFailed, BackupMissing, DiskFull
from app.core.transcript import Segment
from app.library import merge, reorder, unarchive
from app.library.archive import write_archive
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.transaction import Transaction
from app.library.unarchive import finish_take_in, take_in_archive
from app.library.work import Stopped, Work
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording, make_segment
from tests.library.full_library import (
    COPY,
    FILE,
    TAKE,
    all_private,
    noise,
    put_sound,
    rows_of,
    sounds_of,
)


@pytest.fixture
def archive(paths: Paths, tmp_path: Path) -> Path:
    file = tmp_path / "library.zip"
    assert write_archive(paths, file, Work()).recordings == 4
    return file


def take_in(paths: Paths, file: Path) -> Merged:
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        return take_in_archive(paths, file, writer, Work())


def change(paths: Paths, work: Callable[[LibraryWriter], object]) -> None:
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        work(writer)


def unreadable(file: Path) -> Callable[..., IO[bytes]]:
    """Return an `open` for which `file` lies on a bad sector."""
    opened = Path.open

    def opening(self: Path, mode: str = "r") -> IO[bytes]:
        if self == file:
            raise OSError(errno.EIO, "said by the disk", str(self))
        return cast(IO[bytes], opened(self, mode))

    return opening


def test_sound_that_cannot_be_read_is_left_out_and_counted(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, fresh = tmp_path / "all.zip", Paths(tmp_path / "fresh")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", unreadable(paths.recordings / TAKE / "audio.flac"))
        assert write_archive(paths, file, Work()) == Archived("all.zip", 4, left_out=1)
    assert take_in(fresh, file) == Merged(added=4)
    wanted = sounds_of(paths)
    del wanted[f"recordings/{TAKE}/audio.flac"]
    assert sounds_of(fresh) == wanted


def test_an_archive_that_cannot_be_read_is_named(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Paths(tmp_path / "fresh")

    def failing(_self: zipfile.ZipExtFile, _count: int = -1) -> bytes:
        raise OSError(errno.EIO, "said by the disk")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", failing)
    with pytest.raises(BackupFailed, match=r"“library.zip”"):
        take_in(fresh, archive)


def test_settings_from_before_there_were_zips_go_along(paths: Paths, tmp_path: Path) -> None:
    os.utime(paths.settings, (0, 0))
    file = tmp_path / "all.zip"
    write_archive(paths, file, Work())
    with zipfile.ZipFile(file) as zipped:
        assert zipped.read("settings.json") == paths.settings.read_bytes()


def test_out_and_in_again_is_the_same_library(paths: Paths, archive: Path, tmp_path: Path) -> None:
    fresh = Paths(tmp_path / "fresh")
    assert take_in(fresh, archive) == Merged(added=4)
    assert rows_of(fresh.library, fresh.home) == rows_of(paths.library, paths.home)
    assert sounds_of(fresh) == sounds_of(paths)
    assert all_private(fresh.home)
    assert not (fresh.home / "taking-in").exists()
    with LibraryReader(fresh.library) as reader:
        assert [hit.recording.recording_id for hit in reader.search(ListQuery("edit"))] == [TAKE]


def test_flac_is_stored_and_any_unzip_finds_it_whole(paths: Paths, archive: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        assert zipped.testzip() is None
        flac = zipped.getinfo(f"recordings/{TAKE}/audio.flac")
        assert flac.compress_type == zipfile.ZIP_STORED
        assert zipped.getinfo(f"recordings/{COPY}/audio.wav").compress_type == zipfile.ZIP_DEFLATED
        sound = (paths.recordings / TAKE / "audio.flac").read_bytes()
        assert zipped.read(flac) == sound
    assert not archive.stat().st_mode & 0o077


def test_the_same_archive_twice_changes_nothing(paths: Paths, archive: Path) -> None:
    before = rows_of(paths.library, paths.home), sounds_of(paths)
    assert take_in(paths, archive) == Merged(unchanged=4)
    assert (rows_of(paths.library, paths.home), sounds_of(paths)) == before


def test_two_libraries_become_one_in_the_order_of_making(archive: Path, tmp_path: Path) -> None:
    other = Paths(tmp_path / "other")

    def fill(writer: LibraryWriter) -> None:
        for name, at in (("x1", 50.0), ("x2", 250.0), ("x3", 900.0)):
            writer.add_finished(
                make_recording(name, f"title {name}", created_at=at), [make_segment(f"said {name}")]
            ).result()
        folder = writer.add_folder("interviews").result()  # theirs differs in case only
        writer.move_to_folder(["x2"], folder.folder_id).result()
        writer.tag(["x1"], "Wichtig").result()

    change(other, fill)
    assert take_in(other, archive) == Merged(added=4)
    with LibraryReader(other.library) as reader:
        listed = [each.created_at for each in reader.recordings()]
        assert listed == [900.0, 400.0, 250.0, 200.0, 100.0, 50.0]
        assert [hit.recording.recording_id for hit in reader.search(ListQuery("said x2"))] == ["x2"]
        assert [hit.recording.recording_id for hit in reader.search(ListQuery("copy"))] == [COPY]
        assert sorted(folder.name for folder in reader.folders()) == ["Empty", "interviews"]
        counts = {folder.name: folder.count for folder in reader.folders()}
        assert counts["interviews"] == 2
        assert [(tag.name, tag.count) for tag in reader.tags()] == [("Wichtig", 3)]
        words = reader.transcript("x3").segments[0].words
        assert [word.text for word in words] == ["said", "x3"]
    connection = sqlite3.connect(other.library)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.execute("PRAGMA query_only = OFF")
    connection.execute(
        "INSERT INTO documents_search (documents_search, rank) VALUES ('integrity-check', 1)"
    )
    connection.close()


def test_texts_that_differ_are_both_kept(paths: Paths, archive: Path) -> None:
    mine = make_segment("entirely my own words")
    change(paths, lambda writer: writer.splice_segments(TAKE, 0, None, [mine], 800.0).result())
    change(paths, lambda writer: writer.update_recording(TAKE, notes="mine").result())
    assert take_in(paths, archive) == Merged(completed=1, unchanged=3, conflicts=1)
    with LibraryReader(paths.library) as reader:
        assert [each.text for each in reader.transcript(TAKE).segments] == [mine.text]
        texts = [
            " ".join(each.text for each in reader.revision_segments(version.revision_id))
            for version in reader.revisions(TAKE)
        ]
        assert "first words said edited words" in texts
    assert take_in(paths, archive).unchanged == 4  # and the second time there is nothing new


def test_an_edit_made_elsewhere_comes_over(paths: Paths, archive: Path, tmp_path: Path) -> None:
    fresh = Paths(tmp_path / "fresh")
    take_in(fresh, archive)
    text = make_segment("from the copy, corrected")
    change(fresh, lambda writer: writer.splice_segments(COPY, 0, None, [text], 900.0).result())
    change(fresh, lambda writer: writer.tag([COPY], "checked").result())
    newer = tmp_path / "newer.zip"
    write_archive(fresh, newer, Work())
    assert take_in(paths, newer) == Merged(completed=1, unchanged=3)
    with LibraryReader(paths.library) as reader:
        assert [each.text for each in reader.transcript(COPY).segments] == [text.text]
        assert set(reader.tags_of(COPY)) == {"wichtig", "checked"}


def test_the_same_sound_with_the_same_text_is_not_doubled(archive: Path, tmp_path: Path) -> None:
    other = Paths(tmp_path / "other")

    def fill(writer: LibraryWriter) -> None:
        same = make_recording("own", "My name for it", created_at=1.0)
        writer.add_finished(same, [make_segment("of the file")], "f-file").result()
        differs = make_recording("own2", "My copy", created_at=2.0)
        writer.add_finished(differs, [Segment(0.0, 1.0, "another text")], "f-copy").result()

    change(other, fill)
    assert take_in(other, archive) == Merged(added=3, completed=1)
    with LibraryReader(other.library) as reader:
        assert reader.count() + reader.count(ListQuery(is_binned=True)) == 5
        found = reader.recording("own")
        assert found is not None
        assert found.notes == "look ☃"


def test_sound_that_was_missing_here_comes_back(paths: Paths, archive: Path) -> None:
    sound = paths.recordings / TAKE / "audio.flac"
    content = sound.read_bytes()
    sound.unlink()
    take_in(paths, archive)
    assert sound.read_bytes() == content


def test_imported_sound_goes_along(paths: Paths, tmp_path: Path) -> None:
    original = tmp_path / "elsewhere.mp3"
    original.write_bytes(noise("mp3", 9_000))
    file, fresh = tmp_path / "all.zip", Paths(tmp_path / "fresh")
    write_archive(paths, file, Work())
    assert take_in(paths, file) == Merged(unchanged=4)
    assert not (paths.recordings / FILE).exists()
    original.unlink()
    assert take_in(fresh, file) == Merged(added=4)
    with LibraryReader(fresh.library) as reader:
        found = reader.recording(FILE)
        assert found is not None
        assert found.audio_path == fresh.recordings / FILE / "audio.mp3"
        assert found.is_copy
    assert take_in(paths, file) == Merged(completed=1, unchanged=3)  # it was lost here, too
    assert (paths.recordings / FILE / "audio.mp3").read_bytes() == noise("mp3", 9_000)
    smaller = tmp_path / "small.zip"
    write_archive(paths, smaller, Work(), with_imported=False)
    with zipfile.ZipFile(smaller) as zipped:
        assert not [name for name in zipped.namelist() if name.startswith("imported")]


def rewritten(archive: Path, **members: bytes | None) -> Path:
    """Return a copy of the archive with members changed; by the last part of their name."""
    target = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            key = entry.filename.split("/")[-1].replace(".", "_").replace("-", "_")
            content = members.get(key, old.read(entry))
            if content is not None:
                new.writestr(entry.filename, content)
    return target


@pytest.mark.parametrize("member", ["audio_flac", "library_sqlite", "undertone_library_json"])
def test_an_archive_that_is_not_what_it_was_is_refused(
    paths: Paths, archive: Path, tmp_path: Path, member: str
) -> None:
    fresh = Paths(tmp_path / "fresh")
    for content in (b"other", None):
        with pytest.raises(BackupDamaged):
            take_in(fresh, rewritten(archive, **{member: content}))
    with LibraryReader(fresh.library) as reader:
        assert reader.count() == 0
    assert not list(fresh.home.glob("recordings/*"))
    assert not (fresh.home / "taking-in").exists()


def test_an_archive_writes_nowhere_else(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        held = json.loads(zipped.read("undertone-library.json"))
    held["files"][0]["path"] = "recordings/../../escaped.flac"
    content = json.dumps(held).encode()
    with pytest.raises(BackupDamaged):
        take_in(Paths(tmp_path / "fresh"), rewritten(archive, undertone_library_json=content))
    assert not list(tmp_path.rglob("escaped*"))


def test_no_archive_newer_archive_no_file(paths: Paths, archive: Path, tmp_path: Path) -> None:
    text = tmp_path / "x.zip"
    text.write_text("no zip")
    with pytest.raises(BackupDamaged, match="not an archive"):
        take_in(paths, text)
    with pytest.raises(BackupMissing):
        take_in(paths, tmp_path / "none.zip")
    with zipfile.ZipFile(archive) as zipped:
        held = json.loads(zipped.read("undertone-library.json"))
    newer = rewritten(archive, undertone_library_json=json.dumps({**held, "version": 99}).encode())
    with pytest.raises(BackupFailed, match="newer"):
        take_in(paths, newer)


def test_writing_is_whole_or_not_at_all(paths: Paths, archive: Path) -> None:
    before = archive.read_bytes()
    work = Work(lambda done, _total: work.stop() if done > 100_000 else None)
    with pytest.raises(Stopped):
        write_archive(paths, archive, work)
    with pytest.raises(DiskFull):
        write_archive(paths, archive, Work(), free=lambda _: 1000)
    assert archive.read_bytes() == before
    assert not list(archive.parent.glob(".partial*"))
    with pytest.raises(BackupFailed, match="inside the library"):
        write_archive(paths, paths.home / "x.zip", Work())


def test_a_file_that_is_no_archive_is_not_replaced(
    paths: Paths, archive: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious.pdf"
    precious.write_bytes(b"a thesis")
    foreign = tmp_path / "photos.zip"
    with zipfile.ZipFile(foreign, "w") as zipped:
        zipped.writestr("photo", b"x")
    for file in (precious, foreign):
        before = file.read_bytes()
        with pytest.raises(BackupFailed, match="there already"):
            write_archive(paths, file, Work(), replaces_any=False)
        assert file.read_bytes() == before
    write_archive(paths, archive, Work(), replaces_any=False)  # an older one of ours
    write_archive(paths, precious, Work())  # the person said so
    assert zipfile.is_zipfile(precious)


@pytest.mark.parametrize("name", ["..", ".", "a/b"])
def test_an_id_that_names_no_folder_of_its_own_is_refused(
    paths: Paths, tmp_path: Path, name: str
) -> None:
    connection = sqlite3.connect(paths.library)
    connection.execute(
        "UPDATE recordings SET recording_id = ? WHERE recording_id = ?", (name, FILE)
    )
    connection.commit()
    connection.close()
    file, fresh = tmp_path / "odd.zip", Paths(tmp_path / "fresh")
    write_archive(paths, file, Work())
    with pytest.raises(BackupDamaged):
        take_in(fresh, file)
    with LibraryReader(fresh.library) as reader:
        assert reader.count() == 0


@pytest.mark.parametrize("column", ["created_at", "edited_at", "deleted_at"])
def test_a_date_of_no_calendar_is_refused(paths: Paths, tmp_path: Path, column: str) -> None:
    connection = sqlite3.connect(paths.library)
    connection.execute(f"UPDATE recordings SET {column} = 1e300 WHERE recording_id = ?", (TAKE,))
    connection.commit()
    connection.close()
    file, fresh = tmp_path / "odd.zip", Paths(tmp_path / "fresh")
    write_archive(paths, file, Work())
    with pytest.raises(BackupDamaged):
        take_in(fresh, file)
    with LibraryReader(fresh.library) as reader:
        assert reader.count() == 0


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_killed_import_is_finished_or_swept(
    paths: Paths, archive: Path, tmp_path: Path, is_committed: bool
) -> None:
    fresh = Paths(tmp_path / "fresh")
    take_in(fresh, archive)
    staged = fresh.home / "taking-in"
    staged.mkdir()
    fresh.recordings.rename(staged / "recordings")
    added = [TAKE] if is_committed else ["never-added"]
    (staged / "plan.json").write_text(json.dumps({"added": added}))
    finish_take_in(fresh)
    assert not staged.exists()
    assert sounds_of(fresh) == (sounds_of(paths) if is_committed else {})


def failing_once(error: BaseException) -> Callable[[Paths, Path], None]:
    """Return the moving of sounds, which fails the first time."""
    move, left = unarchive._move_sounds, [error]

    def moved(paths: Paths, staged: Path) -> None:
        if left:
            raise left.pop()
        move(paths, staged)

    return moved


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_what_fails_behind_the_rows_loses_no_sound(
    paths: Paths, archive: Path, tmp_path: Path, error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fresh = Paths(tmp_path / "fresh")
    monkeypatch.setattr(unarchive, "_move_sounds", failing_once(error))
    with pytest.raises((KeyboardInterrupt, DiskFull)):
        take_in(fresh, archive)
    assert sounds_of(fresh) == sounds_of(paths)
    assert not (fresh.home / "taking-in").exists()


def test_sound_without_room_follows_later(
    paths: Paths, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Paths(tmp_path / "fresh")

    def full(_paths: Paths, _staged: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(unarchive, "_move_sounds", full)
        with pytest.raises(DiskFull, match="sound"):
            take_in(fresh, archive)
    assert take_in(fresh, archive) == Merged(unchanged=4)
    assert sounds_of(fresh) == sounds_of(paths)


@pytest.mark.parametrize("is_twice", [False, True])
def test_ctrl_c_while_the_rows_come_in_loses_no_sound(
    paths: Paths, archive: Path, tmp_path: Path, is_twice: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Paths(tmp_path / "fresh")
    has_come = threading.Event()
    begin = LibraryWriter.merge

    def slow(change: Transaction, added: list[str]) -> None:
        reorder.put_in_order(change, added)
        assert has_come.wait(30)

    def begun(writer: LibraryWriter, incoming: merge.Incoming, home: Path) -> Future[Merged]:
        future = begin(writer, incoming, home)

        def interrupted() -> Merged:
            if not is_twice:
                has_come.set()
            raise KeyboardInterrupt

        monkeypatch.setattr(future, "result", interrupted)
        return future

    def again(_futures: list[Future[Merged]]) -> None:
        raise KeyboardInterrupt

    if is_twice:
        monkeypatch.setattr(unarchive, "wait", again)
    monkeypatch.setattr(merge, "put_in_order", slow)
    monkeypatch.setattr(LibraryWriter, "merge", begun)
    with LibraryWriter(fresh.library, lambda _: None, watch_s=None) as writer:
        with pytest.raises(KeyboardInterrupt):
            take_in_archive(fresh, archive, writer, Work())
        has_come.set()
    finish_take_in(fresh)
    with LibraryReader(fresh.library) as reader:
        assert reader.count() == 3
    assert sounds_of(fresh) == sounds_of(paths)


def test_the_next_archive_finishes_what_a_killed_one_left(
    paths: Paths, archive: Path, tmp_path: Path
) -> None:
    fresh = Paths(tmp_path / "fresh")
    take_in(fresh, archive)
    staged = fresh.home / "taking-in"
    staged.mkdir()
    fresh.recordings.rename(staged / "recordings")
    (staged / "plan.json").write_text(json.dumps({"added": [TAKE]}))
    change(fresh, lambda writer: writer.remove([COPY]).result())
    small = tmp_path / "small.zip"
    write_archive(fresh, small, Work(), with_imported=False)
    take_in(fresh, small)
    assert sounds_of(fresh) == sounds_of(paths)


def test_an_import_beside_this_one_is_left_alone(archive: Path, tmp_path: Path) -> None:
    from app.library.lock import LibraryLock

    fresh = Paths(tmp_path / "fresh")
    put_sound(fresh, TAKE, "audio.flac", b"x")
    staged = fresh.home / "taking-in"
    staged.mkdir()
    lock = LibraryLock.take(staged / ".lock")
    assert lock is not None
    with lock:
        finish_take_in(fresh)
        assert staged.exists()
        with pytest.raises(BackupFailed, match="Another Undertone"):
            take_in(fresh, archive)
