from pathlib import Path

import pytest

from app.audio.take_folder import (
    SegmentLog,
    TakeFolder,
    make_take_folder,
    read_segments,
    take_folders,
)
from app.core.errors import AudioError
from app.core.transcript import Segment, Word

FIRST = Segment(0.0, 1.5, "Grüße, 世界", (Word("Grüße,", 0.0, 0.7, 0.9),), 0.8, "A")
SECOND = Segment(1.5, 2.0, "end")


def test_a_take_has_a_private_folder_of_its_own(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    made = make_take_folder(recordings, "0190-a", {"title": "Interview", "kind": "dictation"})
    assert made.details() == {"version": 1, "title": "Interview", "kind": "dictation"}
    for path, mode in ((recordings, 0o700), (made.folder, 0o700), (made.take, 0o600)):
        assert path.stat().st_mode & 0o777 == mode
    with pytest.raises(AudioError, match="already"):
        make_take_folder(recordings, "0190-a", {})
    made.save_details({"title": "Other"})
    assert made.details() == {"version": 1, "title": "Other"}
    assert [path.name for path in made.folder.iterdir()] == ["take.json"]


def test_all_takes_are_found_in_order_and_strangers_passed_over(tmp_path: Path) -> None:
    for name in ("0190-b", "0190-a"):
        make_take_folder(tmp_path, name, {})
    (tmp_path / ".ballast").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "0190-c").mkdir()
    (tmp_path / "0190-c" / "audio.journal").touch()  # its take.json is gone
    found = take_folders(tmp_path)
    assert [folder.take_id for folder in found] == ["0190-a", "0190-b", "0190-c"]
    assert found[2].details() is None
    assert take_folders(tmp_path / "none") == ()


def test_finals_survive_and_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    file = TakeFolder(tmp_path).segments
    log = SegmentLog(file)
    log.append(1, SECOND)
    log.append(0, FIRST)
    log.close()
    with file.open("ab") as out:
        out.write(b'{"seq": 2, "start_s": 3.0, "te')
    log = SegmentLog(file)
    log.append(3, Segment(4.0, 5.0, "after"))
    log.append(1, SECOND)
    log.close()
    assert read_segments(file) == (FIRST, SECOND, Segment(4.0, 5.0, "after"))
    assert read_segments(tmp_path / "none") == ()


def test_an_unreadable_take_file_is_none(tmp_path: Path) -> None:
    folder = TakeFolder(tmp_path)
    folder.take.write_text("[1]")
    assert folder.details() is None
    folder.take.write_bytes(b"\xff{")
    assert folder.details() is None
