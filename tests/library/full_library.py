"""A library with something of everything in it, and how two of them are compared."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

from app.config.paths import Paths
from app.core.backup import Keeping
from app.core.job import Job, JobStatus
from app.core.recording import RecordingKind, RecordingStatus
from app.core.transcript import Segment
from app.library.backing_up import make_backup
from app.library.backups import Backup
from app.library.revise import RevisionKind
from app.library.work import Work
from app.library.writer import LibraryWriter
from tests.library.builders import make_recording, make_segment

TAKE = "0190a000-0000-7000-8000-000000000001"
COPY = "0190a000-0000-7000-8000-000000000002"
FILE = "0190a000-0000-7000-8000-000000000003"
OPEN_TAKE = "0190a000-0000-7000-8000-000000000004"
NOON = 1_795_000_000.0  # s since 1970
DAY = 86_400.0  # s
_TABLES = {
    "recordings": "recording_id",
    "segments": "",
    "words": "",
    "jobs": "job_id",
    "folders": "folder_id",
    "tags": "name",
    "revisions": "revision_id",
}


def back_up(paths: Paths, disk: Path, at: float = NOON, keeping: Keeping | None = None) -> Backup:
    return make_backup(paths, disk, keeping or Keeping(), Work(), now=lambda: at)


def put_sound(paths: Paths, recording_id: str, name: str, content: bytes) -> Path:
    folder = paths.recordings / recording_id
    for each in (paths.home, paths.recordings, folder):
        each.mkdir(mode=0o700, exist_ok=True)
    file = folder / name
    file.write_bytes(content)
    file.chmod(0o600)
    return file


def noise(seed: str, size: int) -> bytes:
    """Return bytes that do not shrink, as FLAC does not."""
    return hashlib.shake_128(seed.encode()).digest(size)


def make_library(paths: Paths, elsewhere: Path) -> None:
    """Fill a library: takes, a copy, a reference, folders, tags, bin, notes, edits, versions."""
    paths.home.mkdir(mode=0o700, exist_ok=True)
    paths.settings.touch(0o600)
    paths.settings.write_text('{"version": 1, "vocabulary": ["Ada"], "microphone": "mine"}')
    flac = put_sound(paths, TAKE, "audio.flac", noise("take", 90_000))
    put_sound(paths, TAKE, "take.json", b'{"version": 1}')
    put_sound(paths, TAKE, "segments.jsonl", b'{"seq": 0}\n' * 400)
    put_sound(paths, OPEN_TAKE, "audio.journal", b"\0\1" * 60_000)
    wave = put_sound(paths, COPY, "audio.wav", b"RIFF" + b"\0" * 50_000)
    put_sound(paths, COPY, "audio.wav.part", b"half")
    ballast = paths.recordings / ".ballast"
    ballast.touch(0o600)
    ballast.write_bytes(b"0" * 1000)
    with LibraryWriter(paths.library, lambda _: None, watch_s=None) as writer:
        folder = writer.add_folder("Interviews").result()
        writer.add_folder("Empty").result()
        writer.add_finished(
            make_recording(
                TAKE, "A take", kind=RecordingKind.DICTATION, audio_path=flac, is_copy=True,
                created_at=100.0, status=RecordingStatus.DONE, app_name="Mail", language="en",
            ),
            [make_segment("first words said"), make_segment("naïve second words", 5.0)],
        ).result()  # fmt: skip
        copied = make_recording(COPY, "A copy", audio_path=wave, is_copy=True, created_at=200.0)
        writer.add_recording(
            copied, Job("j1", COPY, "A copy", "nano", "auto", status=JobStatus.PAUSED), "f-copy"
        ).result()
        said = [make_segment(text, at) for at, text in enumerate(("from", "the", "copy"))]
        writer.append_segments("j1", COPY, said, 1.0, "de").result()
        referenced = make_recording(
            FILE, "A reference", audio_path=elsewhere, created_at=300.0, notes="look ☃"
        )
        writer.add_finished(referenced, [make_segment("of the file")], "f-file").result()
        writer.add_recording(make_recording(OPEN_TAKE, "", created_at=400.0)).result()
        writer.move_to_folder([TAKE, FILE], folder.folder_id).result()
        writer.tag([TAKE, COPY], "wichtig").result()
        writer.set_favourite([COPY], True).result()
        writer.splice_segments(TAKE, 1, 1, [make_segment("edited words", 5.0)], 500.0).result()
        writer.add_revision(
            TAKE, RevisionKind.RERUN, [Segment(0.0, 1.0, "again")], "en", "turbo", 600.0
        ).result()
        writer.move_to_bin([FILE], 700.0).result()
        writer.index_everything().result()


def rows_of(library: Path, home: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, without numbers and with paths relative to `home`."""
    connection = sqlite3.connect(library)
    try:
        found = {}
        for table in (*_TABLES, "documents"):
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            ids = dict(connection.execute("SELECT number, recording_id FROM recordings").fetchall())
            for row in rows:
                if "recording" in row:
                    row["recording"] = ids[row["recording"]]
                if table == "documents":
                    row["recording"] = ids[row["number"]]
                row.pop("number", None)
                row.pop("owner", None)
                if row.get("audio_path"):
                    row["audio_path"] = str(row["audio_path"]).replace(str(home), "HOME")
            found[table] = sorted(rows, key=repr)
        order = "SELECT recording_id FROM recordings ORDER BY number"
        found["order"] = [{"id": row[0]} for row in connection.execute(order)]
        tagged = (
            "SELECT recording_id, name FROM tagged JOIN tags ON tags.number = tag "
            "JOIN recordings ON recordings.number = recording ORDER BY 1, 2"
        )
        found["tagged"] = [{"id": row[0], "tag": row[1]} for row in connection.execute(tagged)]
        return found
    finally:
        connection.close()


def sounds_of(paths: Paths) -> dict[str, str]:
    """Return the hash of every sound file by its path in the home."""
    return {
        str(file.relative_to(paths.home)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(paths.recordings.glob("*/*"))
        if not file.name.endswith(".part")
    }


def all_private(folder: Path) -> bool:
    """Return whether only this user can look at anything in `folder`."""
    return all(not each.stat().st_mode & 0o077 for each in folder.rglob("*"))
