"""A library, commands and a bus in memory, so that the window can be shown without an engine.

Used by the tests of `ui/` and by `packaging/screenshots.py`.
"""

from array import array
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from app.config.settings import Settings
from app.core.dictation import Dictation
from app.core.errors import AppError
from app.core.events import JobChanged, LibraryChanged, SegmentsFinal
from app.core.job import Job, JobStage, JobStatus
from app.core.recording import Folder, Recording, RecordingKind, RecordingStatus, Tag
from app.core.transcript import Segment, Transcript
from app.export import ExportOptions
from app.library.listing import Overview
from app.library.revise import Revision, RevisionKind
from app.library.search import ListQuery, Piece, SearchHit, matches, snippet
from app.macos.login_item import FakeLoginItem
from app.pipeline.retake import Part
from app.ui.ports import ModelChoice, Ports
from tests.helpers.backup_fakes import FakeBackups
from tests.helpers.keeping_fakes import FakeKeeping
from tests.helpers.take_fakes import (
    AIRPODS,
    BUILT_IN,
    FakeDictation,
    FakeHotkeyKeys,
    FakeMicrophones,
)
from tests.helpers.ui_signals import FakeBus, FakeDesk, FakePlayer

_T = TypeVar("_T")
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


@dataclass
class FakeLibrary:
    """Recordings, newest first, and their transcripts; counts how many rows were read.

    With `made_up`, that many recordings are made up when they are asked for.
    """

    items: list[Recording] = field(default_factory=list)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    rows_read: int = 0
    made_up: int = 0
    shelf: dict[str, str] = field(default_factory=dict)  # folders' names
    worn: dict[str, list[str]] = field(default_factory=dict)  # recordings' tags
    kept: dict[str, list[tuple[Revision, tuple[Segment, ...]]]] = field(default_factory=dict)
    _numbered: dict[str, int] = field(default_factory=dict)
    worked: dict[str, Job] = field(default_factory=dict)  # recordings' latest jobs

    def _fitting(self, query: ListQuery) -> list[Recording]:
        return [
            item
            for item in self.items
            if query.kind in (None, item.kind)
            and query.status in (None, item.status)
            and query.is_favourite in (None, item.is_favourite)
            and query.is_doubtful in (None, item.doubt > 0)
            and query.folder_id in (None, item.folder_id)
            and (query.tag is None or query.tag in self.worn.get(item.recording_id, ()))
            and query.is_binned is (item.deleted_at is not None)
            and item.rerun_of is None
        ]

    def numbers(self, query: ListQuery, limit: int = -1) -> "array[int]":
        if self.made_up:
            found: Sequence[int] = range(1, self.made_up + 1)
        elif query.text.strip():
            found = [
                self._number(item.recording_id)
                for item in self.items
                if self._hit(item, query.text) is not None
            ]
        else:
            found = [self._number(item.recording_id) for item in self._fitting(query)]
        return array("q", found if limit < 0 else found[:limit])

    def _number(self, recording_id: str) -> int:
        """Return the number of a recording: the first one ever asked for is 1."""
        if self.made_up:
            return int(recording_id[1:]) + 1
        return self._numbered.setdefault(recording_id, len(self._numbered) + 1)

    def number_of(self, recording_id: str) -> int | None:
        return None if self.recording(recording_id) is None else self._number(recording_id)

    def mark(self, query: ListQuery) -> tuple[int, int]:
        numbers = self.numbers(query)
        return len(numbers), sum(numbers)

    def ids_at(self, numbers: Sequence[int]) -> list[str]:
        if self.made_up:
            return [f"r{number - 1:06d}" for number in numbers]
        names = {number: name for name, number in self._numbered.items()}
        return [names[number] for number in numbers if self.recording(names[number]) is not None]

    def recordings_at(self, numbers: Sequence[int]) -> dict[int, Recording]:
        found = {}
        for name in self.ids_at(numbers):
            item = self.recording(name)
            if item is not None:
                found[self._number(name)] = item
        self.rows_read += len(found)
        return found

    def hits_at(self, numbers: Sequence[int], text: str) -> dict[int, SearchHit]:
        found = self.recordings_at(numbers)
        hits = ((number, self._hit(item, text)) for number, item in found.items())
        return {number: hit for number, hit in hits if hit is not None}

    def overview(self) -> Overview:
        return Overview(
            self.count(ListQuery()),
            self.count(ListQuery(status=RecordingStatus.FAILED)),
            tuple(self.folders()),
            tuple(self.tags()),
            self._values("language"),
            self._values("model_id"),
            self._values("app_name"),
        )

    def count(self, query: ListQuery) -> int:
        if self.made_up:
            return self.made_up if query.status is None else 0
        return len(self._fitting(query))

    def recording(self, recording_id: str) -> Recording | None:
        if self.made_up:
            return recording(int(recording_id[1:]))
        return next((item for item in self.items if item.recording_id == recording_id), None)

    def ids(self, query: ListQuery) -> list[str]:
        if self.made_up:
            return [f"r{at:06d}" for at in range(self.made_up)]
        return [item.recording_id for item in self._fitting(query)]

    def folders(self) -> list[Folder]:
        return [
            Folder(key, name, len(self._fitting(ListQuery(folder_id=key))))
            for key, name in sorted(self.shelf.items(), key=lambda each: each[1])
        ]

    def tags(self) -> list[Tag]:
        names = sorted({name for worn in self.worn.values() for name in worn})
        return [Tag(name, sum(name in worn for worn in self.worn.values())) for name in names]

    def tags_of(self, recording_id: str) -> tuple[str, ...]:
        return tuple(self.worn.get(recording_id, ()))

    def _values(self, field_name: str) -> tuple[str, ...]:
        return tuple(
            sorted({str(value) for item in self.items if (value := getattr(item, field_name))})
        )

    def revisions(self, recording_id: str) -> list[Revision]:
        return [revision for revision, _segments in self.kept.get(recording_id, [])]

    def revision_segments(self, revision_id: str) -> tuple[Segment, ...]:
        return next(
            segments
            for kept in self.kept.values()
            for revision, segments in kept
            if revision.revision_id == revision_id
        )

    def reruns_of(self, recording_id: str) -> list[Recording]:
        return [item for item in self.items if item.rerun_of == recording_id]

    def job_of(self, recording_id: str) -> Job | None:
        return self.worked.get(recording_id)

    def transcript(self, recording_id: str) -> Transcript:
        return self.transcripts.get(recording_id, Transcript())

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


def _done(value: _T) -> "Future[_T]":
    future: Future[_T] = Future()
    future.set_result(value)
    return future


@dataclass
class FakeOrganiser:
    """Changes a `FakeLibrary` at once and tells the bus; `error` makes every change fail."""

    library: FakeLibrary
    bus: FakeBus
    error: AppError | None = None

    def _change(self, ids: Sequence[str], **fields: object) -> "Future[tuple[str, ...]]":
        if self.error is not None:
            failed: Future[tuple[str, ...]] = Future()
            failed.set_exception(self.error)
            return failed
        changed = []
        for at, item in enumerate(self.library.items):
            if item.recording_id in ids:
                new = replace(item, **fields)  # type: ignore[arg-type]
                if new != item:
                    self.library.items[at] = new
                    changed.append(item.recording_id)
        self._tell(*changed)
        return _done(tuple(changed))

    def _tell(self, *ids: str) -> None:
        self.bus.library_changed.emit(LibraryChanged(frozenset({"recordings"}), frozenset(ids)))

    def move_to_bin(self, recording_ids: Sequence[str]) -> "Future[tuple[str, ...]]":
        return self._change(recording_ids, deleted_at=NOON)

    def restore(self, recording_ids: Sequence[str]) -> "Future[tuple[str, ...]]":
        return self._change(recording_ids, deleted_at=None)

    def set_favourite(
        self, recording_ids: Sequence[str], is_favourite: bool
    ) -> "Future[tuple[str, ...]]":
        return self._change(recording_ids, is_favourite=is_favourite)

    def add_folder(self, name: str) -> "Future[Folder]":
        self.library.shelf[f"f-{name}"] = name
        self._tell()
        return _done(Folder(f"f-{name}", name))

    def rename_folder(self, folder_id: str, name: str) -> "Future[bool]":
        self.library.shelf[folder_id] = name
        self._tell()
        return _done(True)

    def remove_folder(self, folder_id: str) -> "Future[tuple[str, ...]]":
        self.library.shelf.pop(folder_id)
        return self._change(self.library.ids(ListQuery(folder_id=folder_id)), folder_id=None)

    def move_to_folder(
        self, recording_ids: Sequence[str], folder_id: str | None
    ) -> "Future[dict[str, str | None]]":
        before = {
            item.recording_id: item.folder_id
            for item in self.library.items
            if item.recording_id in recording_ids and item.folder_id != folder_id
        }
        self._change(recording_ids, folder_id=folder_id)
        return _done(before)

    def tag(self, recording_ids: Sequence[str], name: str) -> "Future[tuple[str, ...]]":
        new = [key for key in recording_ids if name not in self.library.worn.get(key, [])]
        for key in new:
            self.library.worn.setdefault(key, []).append(name)
        self._tell(*new)
        return _done(tuple(new))

    def untag(self, recording_ids: Sequence[str], name: str) -> "Future[tuple[str, ...]]":
        old = [key for key in recording_ids if name in self.library.worn.get(key, [])]
        for key in old:
            self.library.worn[key].remove(name)
        self._tell(*old)
        return _done(tuple(old))

    def rename_tag(self, name: str, new_name: str) -> "Future[bool]":
        for worn in self.library.worn.values():
            worn[:] = [new_name if each == name else each for each in worn]
        self._tell()
        return _done(True)

    def remove_tag(self, name: str) -> "Future[tuple[str, ...]]":
        return self.untag(list(self.library.worn), name)

    def update_recording(self, recording_id: str, **fields: object) -> "Future[Recording | None]":
        self._change([recording_id], **fields)
        return _done(self.library.recording(recording_id))

    def splice_segments(
        self, recording_id: str, first: int, removed: int | None, segments: Sequence[Segment]
    ) -> "Future[bool]":
        if self.error is not None:
            failed: Future[bool] = Future()
            failed.set_exception(self.error)
            return failed
        old = self.library.transcript(recording_id)
        new = [*old.segments]
        new[first : len(new) if removed is None else first + removed] = segments
        self.library.transcripts[recording_id] = replace(old, segments=tuple(new))
        self._tell(recording_id)
        return _done(True)

    def add_revision(
        self, recording_id: str, kind: RevisionKind, segments: Sequence[Segment]
    ) -> "Future[Revision | None]":
        kept = self.library.kept.setdefault(recording_id, [])
        revision = Revision(f"v{len(kept)}", kind, NOON, None, None, len(segments))
        kept.insert(0, (revision, tuple(segments)))
        return _done(revision)

    def settle_rerun(
        self, rerun_id: str, segments: Sequence[Segment] = ()
    ) -> "Future[Revision | None]":
        if self.error is not None:
            failed: Future[Revision | None] = Future()
            failed.set_exception(self.error)
            return failed
        again = self.library.recording(rerun_id)
        self.library.drop([rerun_id])
        if again is None or again.rerun_of is None or not segments:
            return _done(None)
        kept = self.add_revision(again.rerun_of, RevisionKind.RERUN, segments)
        self._tell(again.rerun_of)
        return kept


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

    def retake(self, recording_id: str, model_id: str, language: str, part: Part | None) -> None:
        self.calls.append(("retake", recording_id, model_id, language, part))

    def remove(self, recording_ids: Sequence[str]) -> None:
        self.calls.append(("remove", tuple(recording_ids)))

    def preview(self, recording_id: str, format_id: str, options: ExportOptions) -> str:
        return f"{format_id} of {recording_id}, lines of {options.line_length}"

    def export(
        self,
        recording_ids: Sequence[str],
        format_id: str,
        target: Path,
        options: ExportOptions,
        template: str,
    ) -> None:
        self.calls.append(("export", tuple(recording_ids), format_id, target))

    def sample(self) -> Path:
        return self.sample_path

    def write_for_drag(self, recording_ids: Sequence[str]) -> "Future[Sequence[Path]]":
        self.calls.append(("write_for_drag", tuple(recording_ids)))
        return _done([Path(f"/nowhere/{key}.txt") for key in recording_ids])


@dataclass
class World:
    """Everything a window is given, and ways to let things happen."""

    library: FakeLibrary = field(default_factory=FakeLibrary)
    commands: FakeCommands = field(default_factory=FakeCommands)
    bus: FakeBus = field(default_factory=FakeBus)
    models: tuple[ModelChoice, ...] = (DEMO,)
    problem: AppError | None = None
    has_dictation: bool = True

    def __post_init__(self) -> None:
        self.organiser = FakeOrganiser(self.library, self.bus)
        self.dictation = FakeDictation(self.bus)
        self.microphones = FakeMicrophones(BUILT_IN, AIRPODS)
        self.hotkeys = FakeHotkeyKeys()
        self.login_item = FakeLoginItem()
        self.player = FakePlayer()
        self.desk = FakeDesk()
        self.keeping = FakeKeeping()
        self.backups = FakeBackups(self.bus.backup_changed)

    @property
    def ports(self) -> Ports:
        return Ports(
            organiser=None if self.problem else self.organiser,
            player=self.player,
            library=self.library,
            desk=self.desk,
            commands=self.commands,
            events=self.bus,
            find_matches=matches,
            models=self.models,
            library_folder=Path("/tmp/undertone"),
            version="0.1.0",
            problem=self.problem,
            dictation=self._dictation if self.has_dictation else None,
            microphones=self.microphones,
            hotkeys=self.hotkeys,
            login_item=self.login_item,
            has_dock=True,
            relaunch=lambda: self.commands.calls.append(("relaunch",)),
            keeping=self.keeping.ports,
            backups=self.backups,
        )

    @property
    def _dictation(self) -> Dictation:
        return self.dictation

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
