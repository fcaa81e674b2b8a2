"""Make the stored library of the newest schema: `python tests/data/library/make.py`.

Run it once when a schema is released, and never again for that version: the file stands for the
libraries people have.
"""

import hashlib
import json
import sqlite3
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from app.core.job import Job, JobStatus
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment, Word
from app.library.reader import LibraryReader
from app.library.schema import MIGRATIONS, SCHEMA_VERSION
from app.library.writer import LibraryWriter

HERE = Path(__file__).parent
SAID = {
    "r-en": ("Budget meeting", RecordingKind.FILE, ["We talked about money.", "And about “time”."]),
    "r-de": ("Straße nach München", RecordingKind.DICTATION, ["Grüße aus Köln."]),
    "r-ja": ("会議", RecordingKind.QUICK, ["明日の会議は東京駅で行います"]),
    "r-new": ("waiting.mp3", RecordingKind.FILE, []),
}


def main() -> None:
    file = HERE / f"v{SCHEMA_VERSION}.sqlite"
    if file.exists():
        raise SystemExit(f"{file.name} stands for a released schema and is never made again")
    with LibraryWriter(file, lambda _: None) as writer:
        for index, (name, (title, kind, texts)) in enumerate(SAID.items()):
            status = RecordingStatus.DONE if texts else RecordingStatus.PENDING
            recording = Recording(name, kind, title, 1_700_000_000.0 + index, status, 12.5)
            job = Job(f"j{name[1:]}", name, title, "nano", "auto", total_s=12.5)
            writer.add_recording(recording, job, fingerprint=f"print-{name}").result()
            segments = [_segment(text, place * 4.0) for place, text in enumerate(texts)]
            if segments:
                writer.append_segments(job.job_id, name, segments, 12.5, name[2:]).result()
                done = Job(job.job_id, name, title, "nano", "auto", status=JobStatus.DONE)
                writer.save_job(done).result()
        _organise(writer)
        writer.checkpoint().result()
    file.with_name("library.lock").unlink()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    with LibraryReader(file) as reader:
        held = {
            "jobs": [job.job_id for job in reader.jobs()],
            "recordings": {
                recording.recording_id: {
                    "title": recording.title,
                    "text": (transcript := reader.transcript(recording.recording_id)).text,
                    "words": sum(len(segment.words) for segment in transcript.segments),
                }
                for recording in reader.recordings()
            },
        }
    _write(HERE / f"v{SCHEMA_VERSION}.json", held)
    plain = ["\n".join(" ".join(line.split()) for line in each) for each in MIGRATIONS]
    _write(HERE / "migrations.json", [hashlib.sha256(text.encode()).hexdigest() for text in plain])


def _organise(writer: LibraryWriter) -> None:
    """Use everything that came after the first schema."""
    folder = writer.add_folder("Work").result()
    writer.move_to_folder(["r-en", "r-new"], folder.folder_id).result()
    writer.tag(["r-en", "r-de"], "travel").result()
    writer.set_favourite(["r-en"], True).result()
    writer.update_recording("r-en", notes="Ask Ada").result()
    writer.update_recording("r-de", app_name="Notes").result()
    writer.splice_segments("r-en", 0, 1, [_segment("We spoke about money.", 0.0)]).result()


def _segment(text: str, start_s: float) -> Segment:
    words = tuple(
        Word(word, start_s + index * 0.3, start_s + index * 0.3 + 0.25, 0.9)
        for index, word in enumerate(text.split())
    )
    return Segment(start_s, start_s + 3.5, text, words, 0.8)


def _write(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
