"""Recordings, jobs and segments for the tests of the library."""

from collections.abc import Callable
from pathlib import Path

from app.core.events import LibraryChanged
from app.core.job import Job
from app.core.recording import Recording, RecordingKind
from app.core.transcript import Segment, Word
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter


def make_recording(name: str = "r1", title: str = "A title", **fields: object) -> Recording:
    values: dict[str, object] = {
        "kind": RecordingKind.FILE,
        "created_at": 1_700_000_000.5,
        **fields,
    }
    return Recording(recording_id=name, title=title, **values)  # type: ignore[arg-type]


def make_job(name: str = "j1", recording_id: str = "r1", **fields: object) -> Job:
    return Job(name, recording_id, "A title", "nano", "auto", **fields)  # type: ignore[arg-type]


def make_segment(text: str, start_s: float = 0.0, end_s: float | None = None) -> Segment:
    """Return a segment whose words share its time evenly."""
    texts = text.split()
    end_s = start_s + max(1, len(texts)) * 0.31 if end_s is None else end_s
    step = (end_s - start_s) / max(1, len(texts))
    words = tuple(
        Word(word, start_s + index * step, start_s + (index + 1) * step, 0.9 - index / 97)
        for index, word in enumerate(texts)
    )
    return Segment(start_s, end_s, text, words, confidence=0.75)


class Library:
    """A writer, a reader and what the writer told."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.events: list[LibraryChanged] = []
        self.writer = LibraryWriter(file, self.events.append, origin="test")
        self.reader = LibraryReader(file)

    def add(self, name: str, title: str, *texts: str, **fields: object) -> None:
        """Add a recording with one segment for each of `texts`."""
        self.writer.add_recording(make_recording(name, title, **fields)).result(timeout=30)
        segments = [make_segment(text, index * 10.0) for index, text in enumerate(texts)]
        self.writer.replace_transcript(name, segments).result(timeout=30)

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


Make = Callable[[Path], Library]
