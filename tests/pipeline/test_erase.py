"""A word once said is nowhere any more when a person wanted it gone; and nobody else could read it.

The canary goes through everything that keeps text; then every byte of the home and of the folder
for temporary files is searched.
"""

import logging
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config.logs import start_logging, stop_logging
from app.config.settings import Settings, load_settings, save_settings
from app.core.errors import LibraryLocked
from app.core.recording import RecordingKind
from app.core.transcript import Segment, Word
from app.library.lock import Owner, is_used_by_another
from app.library.revise import RevisionKind, pack_segments
from app.library.search import ListQuery
from app.pipeline.erase import (
    count_recordings,
    erase_everything,
    finish_erasing,
    plan_erasing,
)
from app.pipeline.removing import remove_recordings
from app.pipeline.retention import Retention
from app.pipeline.sound_bin import SoundBin
from app.pipeline.stored import Shelf, look_at_store
from tests.helpers.dictation import BIG, SMALL, Desk, Loads, says, speech
from tests.library.builders import make_job, make_recording

CANARY = "Zyxwvquarkbird"


@dataclass
class Session:
    """What a person did with one word, everywhere it can go."""

    desk: Desk
    take_id: str
    sound: bytes
    packed: bytes


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def mask() -> Iterator[None]:
    """Let everything be readable by all that is not closed on purpose."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def session(tmp_path: Path, temporary: Path, mask: None) -> Iterator[Session]:
    home = tmp_path / "home"
    heard = {BIG.model_id: says(f"{CANARY} was said aloud"), SMALL.model_id: says()}
    desk = Desk(home, speech(), Loads({**heard}))
    start_logging(desk.paths.logs)
    try:
        yield record(desk)
    finally:
        desk.close()
        stop_logging()


def record(desk: Desk) -> Session:
    desk.machine.start(RecordingKind.DICTATION)
    desk.play_to_end()
    desk.machine.stop()
    desk.until_over()
    take_id = desk.now.recording_id
    desk.until(lambda: bool((found := desk.reader.recording(take_id)) and found.audio_path))
    desk.settle()
    assert CANARY in " ".join(desk.texts())
    packed = use_everywhere(desk, take_id)
    content = (desk.paths.recordings / take_id / "audio.flac").read_bytes()
    return Session(desk, take_id, content[len(content) // 2 :][:64], packed)


def use_everywhere(desk: Desk, take_id: str) -> bytes:
    """Put the canary wherever a text can go; return how a version of it is packed."""
    writer, paths = desk.writer, desk.paths
    words = (Word(CANARY, 0.0, 0.5, 0.9),)
    segments = (Segment(0.0, 0.5, CANARY, words, raw=f"{CANARY} raw", speaker=CANARY),)
    writer.update_recording(take_id, title=f"About {CANARY}", notes=f"{CANARY} note").result(10)
    writer.splice_segments(take_id, 0, 0, segments).result(10)
    writer.splice_segments(take_id, 0, 1, ()).result(10)  # deleted again: its version stays
    writer.splice_segments(take_id, 0, 0, segments).result(10)
    writer.add_revision(take_id, RevisionKind.RERUN, segments, "en", CANARY).result(10)
    writer.tag([take_id], CANARY).result(10)
    writer.save_job(make_job("j1", take_id, error=f"{CANARY} failed")).result(10)
    assert desk.reader.ids(ListQuery(CANARY)) == [take_id]
    logging.getLogger("app.test").info("a line")
    rules = (f"{CANARY}\tis written",)
    save_settings(Settings(vocabulary=(CANARY,), replacements=rules), paths.settings)
    return pack_segments(segments)[8:40]


def traces(*folders: Path, more: tuple[bytes, ...] = ()) -> list[str]:
    """Return the files that hold the canary in any writing, or any of `more`."""
    wanted = [
        form.encode(coding)
        for form in (CANARY, CANARY.lower(), CANARY.upper())
        for coding in ("utf-8", "utf-16-le", "utf-16-be")
    ]
    found = []
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                if any(each in content for each in (*wanted, *more)) or _in_packed(content):
                    found.append(str(file.relative_to(folder)))
    return sorted(found)


def _in_packed(content: bytes) -> bool:
    """Whether a compressed text in `content` holds the canary."""
    at = content.find(b"\x78\x9c")
    while at >= 0:
        try:
            if CANARY.encode() in zlib.decompressobj().decompress(content[at : at + 65_536]):
                return True
        except zlib.error:
            pass
        at = content.find(b"\x78\x9c", at + 1)
    return False


def test_after_erasing_everything_nothing_is_left(
    session: Session, tmp_path: Path, temporary: Path
) -> None:
    desk = session.desk
    paths = desk.paths
    (temporary / "undertone-self-test-1").mkdir()
    (temporary / "undertone-self-test-1" / "x.txt").write_text(CANARY)
    (tmp_path / "cache" / "Undertone").mkdir(parents=True)
    (tmp_path / "cache" / "Undertone" / "shader").write_text(CANARY)
    (paths.home / "library.sqlite.damaged-20260101-000000").write_text(CANARY)
    put_aside = paths.home / "library before 2026-01-01"
    put_aside.mkdir()
    (put_aside / "library.sqlite").write_text(CANARY)
    (paths.drags / "one").mkdir(parents=True)
    (paths.drags / "one" / f"{CANARY}.txt").write_text(CANARY)
    assert {one.shelf: one.files for one in look_at_store(paths)}[Shelf.ASIDE] == 2
    (paths.home / "a picture of mine.png").write_text("not Undertone's")
    paths.models.mkdir()
    (paths.models / "weights").write_text("heavy")
    before = traces(tmp_path, more=(session.sound,))
    for name in ("library.sqlite", "settings.json", "take.json", "segments.jsonl", "audio.flac"):
        assert any(name in path for path in before), name
    desk.settle()
    desk.writer.close()
    desk.reader.close()
    assert count_recordings(paths) == 1
    desk.owner.release()
    stop_logging()
    erased = erase_everything(paths, has_models=False)
    assert erased.files > 5
    assert erased.left == ()
    assert traces(tmp_path, more=(session.sound,)) == []
    assert sorted(path.name for path in paths.home.iterdir()) == ["a picture of mine.png", "models"]
    assert load_settings(paths.settings) == Settings()
    erase_everything(paths, has_models=True)
    assert [path.name for path in paths.home.iterdir()] == ["a picture of mine.png"]


def test_a_recording_removed_for_good_leaves_no_trace(session: Session, tmp_path: Path) -> None:
    desk, take_id = session.desk, session.take_id
    desk.writer.add_finished(make_recording("other"), [Segment(0, 1, "another text")]).result(10)
    save_settings(Settings(), desk.paths.settings)  # a person's vocabulary is not the recording's
    (desk.paths.home / "library.before-v2.sqlite").write_text(CANARY)
    assert len(traces(tmp_path, more=(session.sound, session.packed))) >= 4
    desk.writer.move_to_bin([take_id]).result(10)
    remove_recordings(desk.writer, desk.paths, [take_id])
    desk.writer.checkpoint().result(10)
    assert traces(tmp_path, more=(session.sound, session.packed)) == []
    assert desk.reader.ids() == ["other"]
    assert desk.reader.tags() == []


def test_sound_alone_is_gone_when_its_bin_is_emptied(session: Session, tmp_path: Path) -> None:
    desk, take_id = session.desk, session.take_id
    bin_ = SoundBin(desk.paths, desk.writer, desk.reader)
    assert bin_.put([take_id], 1.0) == (take_id,)
    assert desk.reader.recording(take_id).audio_path is None  # type: ignore[union-attr]
    assert any("sound-bin" in path for path in traces(tmp_path, more=(session.sound,)))
    bin_.erase([take_id])
    left = [path for path in traces(tmp_path, more=(session.sound,)) if "audio" in path]
    assert left == []
    assert CANARY in " ".join(desk.texts())


def test_whatever_is_written_is_for_this_user_alone(session: Session, tmp_path: Path) -> None:
    desk = session.desk
    SoundBin(desk.paths, desk.writer, desk.reader).put([session.take_id], 1.0)
    Retention(desk.paths, desk.writer, desk.reader, lambda: desk.settings).run()
    plan_erasing(desk.paths, has_models=False)
    seen = set()
    for path in [desk.paths.home, *desk.paths.home.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path.name} {mode:o}"
        seen.add(path.name)
    assert {"library.sqlite", "library.sqlite-wal", "settings.json", "undertone.log"} <= seen
    assert {"crash.log", "take.json", "audio.flac", "retention.json", "erasing.json"} <= seen


def test_a_kill_while_erasing_is_made_good_at_the_next_start(session: Session) -> None:
    paths = session.desk.paths
    assert finish_erasing(paths) is None
    plan_erasing(paths, has_models=False)
    assert finish_erasing(paths) is None  # an Undertone is running
    assert paths.library.exists()
    session.desk.settle()
    session.desk.writer.close()
    session.desk.reader.close()
    session.desk.owner.release()
    erased = finish_erasing(paths)
    assert erased is not None
    assert not paths.library.exists()
    assert not paths.erasing.exists()


def test_nothing_is_erased_under_a_running_undertone(session: Session) -> None:
    with pytest.raises(LibraryLocked):
        erase_everything(session.desk.paths, has_models=True)
    assert session.desk.paths.settings.exists()
    assert not is_used_by_another(session.desk.paths, session.desk.owner)
    with Owner.take(session.desk.paths):
        assert is_used_by_another(session.desk.paths, session.desk.owner)


def test_what_is_kept_is_counted(session: Session) -> None:
    kept = {one.shelf: one for one in look_at_store(session.desk.paths)}
    assert set(kept) == set(Shelf)
    for shelf in (Shelf.LIBRARY, Shelf.SOUND, Shelf.SETTINGS, Shelf.LOGS):
        assert kept[shelf].size_bytes > 0, shelf
    assert (kept[Shelf.ASIDE].files, kept[Shelf.SOUND_BIN].files) == (0, 0)
