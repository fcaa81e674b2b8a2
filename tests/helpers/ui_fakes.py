"""A library, commands and a bus in memory, so that the window can be shown without an engine.

Used by the tests of `ui/` and by `packaging/screenshots.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.config.settings import Settings
from app.core.errors import AppError
from app.core.events import JobChanged, LibraryChanged, SegmentsFinal
from app.core.job import Job, JobStage, JobStatus
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment, Transcript
from app.library.search import ListQuery, Piece, SearchHit, matches, snippet
from app.ui.ports import ModelChoice, Ports

DEMO = ModelChoice(
    "nano",
    "Demonstration",
    is_demo=True,
    note="Knows a few hundred words of clear English.",
    languages=("en", "de", "fr", "es"),
)
_MANY = 10_000
_SOMEWHERE = Path("/nowhere/sound.wav")
NOON = 1_795_000_000.0  # a fixed moment in November 2026


class FakeBus(QObject):
    """The signals of `app.ui.bus.Bus` that the window listens to."""

    segments_final = Signal(object)
    job_changed = Signal(object)
    library_changed = Signal(object)
    files_checked = Signal(object)
    exported = Signal(object)
    failed = Signal(object)
    download_changed = Signal(object)
    models_changed = Signal(object)


@dataclass
class FakeLibrary:
    """Recordings, newest first, and their transcripts; counts how many rows were read.

    With `made_up`, that many recordings are made up when they are asked for.
    """

    items: list[Recording] = field(default_factory=list)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    rows_read: int = 0
    made_up: int = 0

    def _fitting(self, query: ListQuery) -> list[Recording]:
        if query.kind is None and query.status is None:
            return self.items
        return [
            item
            for item in self.items
            if query.kind in (None, item.kind) and query.status in (None, item.status)
        ]

    def recordings(self, query: ListQuery, offset: int, limit: int) -> list[Recording]:
        if self.made_up:
            numbers = range(max(0, offset), min(self.made_up, offset + limit))
            found = [recording(at) for at in numbers]
        else:
            found = self._fitting(query)[offset : offset + limit]
        self.rows_read += len(found)
        return found

    def count(self, query: ListQuery) -> int:
        if self.made_up:
            return self.made_up if query.status is None else 0
        return len(self._fitting(query))

    def recording(self, recording_id: str) -> Recording | None:
        if self.made_up:
            return recording(int(recording_id[1:]))
        return next((item for item in self.items if item.recording_id == recording_id), None)

    def transcript(self, recording_id: str) -> Transcript:
        return self.transcripts.get(recording_id, Transcript())

    def search(self, query: ListQuery, offset: int, limit: int) -> list[SearchHit]:
        text, hits = query.text, []
        for item in self.items:
            hit = self._hit(item, text)
            if hit is not None:
                hits.append(hit)
        return hits[offset : offset + limit]

    def _hit(self, item: Recording, text: str) -> SearchHit | None:
        for seq, segment in enumerate(self.transcript(item.recording_id).segments):
            if matches(segment.text, text):
                return SearchHit(item, seq, segment.start_s, snippet(segment.text, text))
        if matches(item.title, text):
            return SearchHit(item, None, None, (Piece(item.first_line, False),))
        return None

    # What a test does to it

    def put(self, recording: Recording, transcript: Transcript | None = None) -> None:
        """Add a recording at the top, or replace the one of that id."""
        known = [item.recording_id for item in self.items]
        if recording.recording_id in known:
            self.items[known.index(recording.recording_id)] = recording
        else:
            self.items.insert(0, recording)
        if transcript is not None:
            self.transcripts[recording.recording_id] = transcript

    def drop(self, ids: Sequence[str]) -> None:
        self.items = [item for item in self.items if item.recording_id not in ids]


@dataclass
class FakeCommands:
    """Writes down what it is asked, as (name, arguments)."""

    settings: Settings = field(default_factory=Settings)
    jobs: list[Job] = field(default_factory=list)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    sample_path: Path = Path("/nowhere/sample.flac")

    def names(self) -> list[object]:
        return [call[0] for call in self.calls]

    def change_settings(self, **changes: object) -> None:
        self.settings = self.settings.changed(**changes)
        self.calls.append(("change_settings", changes))

    def add_files(self, paths: Sequence[Path], model_id: str, language: str) -> None:
        self.calls.append(("add_files", tuple(paths), model_id, language))

    def pause_job(self, job_id: str) -> None:
        self.calls.append(("pause_job", job_id))

    def resume_job(self, job_id: str) -> None:
        self.calls.append(("resume_job", job_id))

    def cancel_job(self, job_id: str) -> None:
        self.calls.append(("cancel_job", job_id))

    def retry(self, recording_id: str) -> None:
        self.calls.append(("retry", recording_id))

    def transcribe_again(self, recording_id: str, model_id: str, language: str) -> None:
        self.calls.append(("transcribe_again", recording_id, model_id, language))

    def remove(self, recording_ids: Sequence[str]) -> None:
        self.calls.append(("remove", tuple(recording_ids)))

    def export(self, recording_ids: Sequence[str], format_id: str, target: Path) -> None:
        self.calls.append(("export", tuple(recording_ids), format_id, target))

    def sample(self) -> Path:
        return self.sample_path


@dataclass
class World:
    """Everything a window is given, and ways to let things happen."""

    library: FakeLibrary = field(default_factory=FakeLibrary)
    commands: FakeCommands = field(default_factory=FakeCommands)
    bus: FakeBus = field(default_factory=FakeBus)
    models: tuple[ModelChoice, ...] = (DEMO,)
    problem: AppError | None = None

    @property
    def ports(self) -> Ports:
        return Ports(
            library=self.library,
            commands=self.commands,
            events=self.bus,
            find_matches=matches,
            models=self.models,
            library_folder=Path("/tmp/undertone"),
            version="0.1.0",
            problem=self.problem,
        )

    def tell_library(self, *ids: str) -> None:
        self.bus.library_changed.emit(
            LibraryChanged(frozenset({"recordings", "segments"}), frozenset(ids))
        )

    def tell_job(self, job: Job) -> None:
        self.bus.job_changed.emit(JobChanged(job))

    def tell_segments(self, job: Job, *segments: Segment) -> None:
        end_s = segments[-1].end_s if segments else 0.0
        self.bus.segments_final.emit(SegmentsFinal(job.job_id, segments, end_s, "en"))


def recording(
    at: int, title: str = "", *, created_at: float | None = None, **changes: object
) -> Recording:
    """Return recording number `at`; the higher, the older."""
    made = Recording(
        f"r{at:06d}",
        RecordingKind.FILE,
        title or f"Recording {at}",
        NOON - at * 7_000 if created_at is None else created_at,
        RecordingStatus.DONE,
        61.0 + at % 3000,
        _SOMEWHERE,
        False,
        "en",
        "nano",
        first_line=f"This is the first line of recording {at}.",
    )
    return replace(made, **changes) if changes else made  # type: ignore[arg-type]


def job(at: int, title: str = "", **changes: object) -> Job:
    """Return the job of recording number `at`."""
    made = Job(
        job_id=f"j{at:06d}",
        recording_id=f"r{at:06d}",
        title=title or f"Recording {at}",
        model_id="nano",
        language="auto",
        total_s=600.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def running(at: int, title: str = "", done_s: float = 120.0) -> Job:
    return job(at, title, status=JobStatus.RUNNING, stage=JobStage.TRANSCRIBING, done_s=done_s)


def segments(count: int, words: int = 12, speakers: Sequence[str] = ()) -> tuple[Segment, ...]:
    """Return `count` segments of `words` words, 5 s each."""
    sentence = (
        "so the first thing to say is that nobody expected the river to rise that quickly and "
        "when it did the whole street came out to help carry what could be carried"
    )
    vocabulary = sentence.split()
    made = []
    for at in range(count):
        text = " ".join(vocabulary[(at * 7 + word) % len(vocabulary)] for word in range(words))
        speaker = speakers[at // 2 % len(speakers)] if speakers else None
        made.append(Segment(at * 5.0, at * 5.0 + 4.6, f"{text.capitalize()}.", speaker=speaker))
    return tuple(made)


def world_of(count: int) -> World:
    """Return a world with `count` finished recordings; the first has a transcript."""
    world = World()
    if count > _MANY:
        world.library.made_up = count
    else:
        world.library.items = [recording(at) for at in range(count)]
    if count:
        world.library.transcripts["r000000"] = Transcript(segments(40), "en", "nano")
    return world
