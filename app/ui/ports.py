"""What the window needs from the rest of the house, as Protocols.

`ui/main.py` builds the real things and hands them in; the window builds none of them and keeps none
of their truth: it renders the last snapshot.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from PySide6.QtCore import SignalInstance

from app.config.settings import Settings
from app.core.backup import BackupChanged, BackupLine
from app.core.dictation import Dictation
from app.core.errors import AppError
from app.core.job import Job
from app.core.recording import Folder, Recording
from app.core.transcript import Segment, Transcript
from app.export import ExportOptions
from app.library.listing import Overview
from app.library.revise import Revision, RevisionKind
from app.library.search import ListQuery, SearchHit
from app.macos.hotkey import Chord
from app.macos.login_item import LoginItem
from app.pipeline.retake import Part
from app.ui.keeping.ports import KeepingPorts
from app.ui.models.ports import ModelPorts

_T = TypeVar("_T")

# Finds every place where a typed query matches a text: (text, query) -> [(start, end), …].
FindMatches = Callable[[str, str], Sequence[tuple[int, int]]]


class LibraryReader(Protocol):
    """Reads the library. What is about one recording is short; whole lists are for the desk."""

    def numbers(self, query: ListQuery, limit: int = -1) -> Sequence[int]:
        """Return the rows of a list by their numbers, in its order; the first `limit`, or all."""

    def mark(self, query: ListQuery) -> tuple[int, int]:
        """Return the count of a list and the sum of its rows' numbers."""

    def recordings_at(self, numbers: Sequence[int]) -> Mapping[int, Recording]:
        """Return the recordings of a few rows by their numbers; what is gone is left out."""

    def hits_at(self, numbers: Sequence[int], text: str) -> Mapping[int, SearchHit]:
        """Return why a few rows are found by a search for `text`."""

    def ids_at(self, numbers: Sequence[int]) -> Sequence[str]:
        """Return the ids of rows, in that order."""

    def number_of(self, recording_id: str) -> int | None: ...

    def count(self, query: ListQuery) -> int: ...

    def overview(self) -> Overview:
        """Return how much there is, the folders and tags, and what can be filtered by."""

    def recording(self, recording_id: str) -> Recording | None: ...

    def transcript(self, recording_id: str) -> Transcript: ...

    def ids(self, query: ListQuery) -> Sequence[str]:
        """Return the ids of the whole list, in its order."""

    def tags_of(self, recording_id: str) -> Sequence[str]: ...

    def revisions(self, recording_id: str) -> Sequence[Revision]: ...

    def revision_segments(self, revision_id: str) -> Sequence[Segment]: ...

    def reruns_of(self, recording_id: str) -> Sequence[Recording]: ...

    def job_of(self, recording_id: str) -> Job | None:
        """Return the latest job of a recording."""


class Desk(Protocol):
    """Asks the library without waiting for it (`app.ui.desk`). Thread: main."""

    @property
    def failed(self) -> SignalInstance: ...

    def ask(self, key: str, question: Callable[[], _T], answer: Callable[[_T], object]) -> None:
        """Answer `question` elsewhere and hand what it returns to `answer`, in the main thread.

        Whatever was asked with the same `key` and is not answered yet is forgotten.
        """


class Organiser(Protocol):
    """Changes the library at once; each result comes when it is on the disk (the writer)."""

    def move_to_bin(self, recording_ids: Sequence[str]) -> "Future[tuple[str, ...]]": ...

    def restore(self, recording_ids: Sequence[str]) -> "Future[tuple[str, ...]]": ...

    def set_favourite(
        self, recording_ids: Sequence[str], is_favourite: bool
    ) -> "Future[tuple[str, ...]]": ...

    def add_folder(self, name: str) -> "Future[Folder]": ...

    def rename_folder(self, folder_id: str, name: str) -> "Future[bool]": ...

    def remove_folder(self, folder_id: str) -> "Future[tuple[str, ...]]": ...

    def move_to_folder(
        self, recording_ids: Sequence[str], folder_id: str | None
    ) -> "Future[dict[str, str | None]]": ...

    def tag(self, recording_ids: Sequence[str], name: str) -> "Future[tuple[str, ...]]": ...

    def untag(self, recording_ids: Sequence[str], name: str) -> "Future[tuple[str, ...]]": ...

    def rename_tag(self, name: str, new_name: str) -> "Future[bool]": ...

    def remove_tag(self, name: str) -> "Future[tuple[str, ...]]": ...

    def update_recording(
        self, recording_id: str, **fields: object
    ) -> "Future[Recording | None]": ...

    def splice_segments(
        self, recording_id: str, first: int, removed: int | None, segments: Sequence[Segment]
    ) -> "Future[bool]": ...

    def add_revision(
        self, recording_id: str, kind: RevisionKind, segments: Sequence[Segment]
    ) -> "Future[Revision | None]": ...

    def settle_rerun(
        self, rerun_id: str, segments: Sequence[Segment] = ()
    ) -> "Future[Revision | None]":
        """Keep what was transcribed once more as a version, or nothing of it, and end it."""


class Commands(Protocol):
    """What a person can ask for. Each call returns at once; what came of it comes as an event."""

    @property
    def settings(self) -> Settings: ...

    @property
    def jobs(self) -> Sequence[Job]:
        """Every job of the queue as it now stands."""

    def change_settings(self, **changes: object) -> None: ...

    def add_files(self, paths: Sequence[Path], model_id: str, language: str) -> object:
        """Check files (and what lies in folders) and queue them; then `FilesChecked`."""

    def pause_job(self, job_id: str) -> object: ...

    def resume_job(self, job_id: str) -> object: ...

    def cancel_job(self, job_id: str) -> object: ...

    def retry(self, recording_id: str) -> object: ...

    def retake(self, recording_id: str, model_id: str, language: str, part: Part | None) -> object:
        """Transcribe a recording, or a part of it, once more beside its text."""

    def remove(self, recording_ids: Sequence[str]) -> object: ...

    def export(
        self,
        recording_ids: Sequence[str],
        format_id: str,
        target: Path,
        options: ExportOptions,
        template: str,
    ) -> object:
        """Write `target`: a file for one recording, the folder for several; then `Exported`."""

    def write_for_drag(self, recording_ids: Sequence[str]) -> "Future[Sequence[Path]]":
        """Export into a private folder, as the last export was, for a drag to another program.

        The folder goes when whoever took the files has had the time to read them.
        """

    def preview(self, recording_id: str, format_id: str, options: ExportOptions) -> str:
        """Return how an export would begin. Short."""

    def sample(self) -> Path:
        """Return the sample recording that ships with the app."""


class Events(Protocol):
    """The bus: one typed signal for each event, in the main thread."""

    @property
    def segments_final(self) -> SignalInstance: ...

    @property
    def stage_changed(self) -> SignalInstance: ...

    @property
    def partial_changed(self) -> SignalInstance: ...

    @property
    def takes_recovered(self) -> SignalInstance: ...

    @property
    def job_changed(self) -> SignalInstance: ...

    @property
    def library_changed(self) -> SignalInstance: ...

    @property
    def files_checked(self) -> SignalInstance: ...

    @property
    def exported(self) -> SignalInstance: ...

    @property
    def models_changed(self) -> SignalInstance: ...

    @property
    def backup_changed(self) -> SignalInstance: ...

    @property
    def failed(self) -> SignalInstance: ...


class Player(Protocol):
    """Plays the sound of one recording; positions are seconds."""

    @property
    def moved(self) -> SignalInstance:
        """The position in seconds, some thirty times a second while it plays."""

    @property
    def playing_changed(self) -> SignalInstance: ...

    @property
    def failed(self) -> SignalInstance:
        """Why it cannot be played, an `AppError`."""

    @property
    def position_s(self) -> float: ...

    @property
    def is_playing(self) -> bool: ...

    def open(self, file: Path | None) -> None: ...

    def play(self) -> None: ...

    def pause(self) -> None: ...

    def seek(self, time_s: float) -> None: ...

    def set_speed(self, speed: float) -> None: ...


class Waves(Protocol):
    """The peaks of a recording."""

    @property
    def duration_s(self) -> float: ...

    def columns(self, start_s: float, end_s: float, count: int) -> np.ndarray: ...


# Reads or makes the waveform of a recording elsewhere.
LoadWaves = Callable[[Recording], "Future[Waves | None]"]

# Looks elsewhere whether a file is sound that may be played; fails with the reason.
CheckSound = Callable[[Path], "Future[object]"]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be chosen; `note` is one plain sentence about it."""

    model_id: str
    title: str
    is_demo: bool = False
    note: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MicrophoneChoice:
    """A microphone that is there now, by the name a person knows."""

    uid: str
    name: str
    is_default: bool = False
    is_builtin: bool = False
    is_bluetooth: bool = False


class Microphones(Protocol):
    """The microphones of this computer, and a try-out of one. Thread: main; nothing waits."""

    @property
    def changed(self) -> SignalInstance:
        """Told after `choices`, or how the test stands, changed."""

    @property
    def choices(self) -> Sequence[MicrophoneChoice]:
        """What was there at the last look."""

    @property
    def problem(self) -> AppError | None:
        """Why none can be listed, or why the one on trial gives no sound."""

    def look_again(self) -> None:
        """Look anew at what is plugged in; `changed` tells when that is done."""

    def start_test(self) -> None:
        """Open the chosen microphone to show its level; nothing is kept."""

    def stop_test(self) -> None: ...

    @property
    def is_testing(self) -> bool: ...

    def test_level_db(self) -> float:
        """The level now in dBFS, -100 for silence; cheap enough for a meter's timer."""


class Backups(Protocol):
    """Copies of the whole library. Every call returns at once; then `BackupChanged`."""

    @property
    def now(self) -> BackupChanged: ...

    def folder_chosen(self) -> None:
        """The settings name another folder."""

    def back_up(self) -> None: ...

    def stop(self) -> None: ...

    def list(self, chosen: Path) -> "Future[tuple[BackupLine, ...]]": ...

    def restore(self, chosen: Path, name: str, *, without_damaged: bool = False) -> None: ...

    def write_archive(self, file: Path) -> None: ...

    def take_in_archive(self, file: Path) -> None: ...


class HotkeyKeys(Protocol):
    """The keyboard side of the hotkeys that the settings change. Thread: main."""

    def trial(self, name: str, chord: Chord | None) -> AppError | None:
        """Listen for `chord` as `name` from now on; `None` lets it go.

        Returns:
            Why it cannot be had; then nothing has changed.
        """

    def shown(self, name: str) -> str:
        """Return the hotkey that is listened for, as its system writes it; "" for none."""

    def problem(self, name: str) -> AppError | None:
        """Return why `name` may not arrive at this moment, if there is a reason."""

    def rest(self, is_resting: bool) -> None:
        """Let go of all keys while a person presses a new one, and take them back after."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All that the window is given.

    Attributes:
        desk: where whole lists and long texts are asked for.
        dictation: live recording; `None` where there is none (a library that cannot be written).
        microphones: what can be listened to.
        hotkeys: the global hotkeys.
        login_item: launch at login.
        has_dock: whether this system has a Dock whose icon can be hidden.
        relaunch: ends the app and starts it again, where that is possible.
        problem: why the library cannot be used as usual (read-only, too new, …), if so.
        organiser: changes the library; `None` when it can only be read.
        player: plays sound; `None` for the system's own.
        load_waves: reads or makes a waveform elsewhere.
        check_sound: asked before a file is played; without it none is.
        keeping: retention, check, repair, erasing.
        library_folder: where the library lies, to show and to reveal.
        version: the app's, for the About box.
        model_ports: what the models panel is given; none where models cannot be changed.
        list_models: reads the installed models again.
        backups: copies of the whole library; `None` when it can only be read.
    """

    library: LibraryReader
    desk: Desk
    commands: Commands
    events: Events
    find_matches: FindMatches
    models: tuple[ModelChoice, ...]
    library_folder: Path
    version: str = ""
    problem: AppError | None = None
    model_ports: ModelPorts | None = None
    list_models: Callable[[], tuple[ModelChoice, ...]] | None = None
    organiser: Organiser | None = None
    dictation: Dictation | None = None
    microphones: Microphones | None = None
    hotkeys: HotkeyKeys | None = None
    login_item: LoginItem | None = None
    has_dock: bool = False
    relaunch: Callable[[], None] | None = None
    player: Player | None = None
    load_waves: LoadWaves | None = None
    check_sound: CheckSound | None = None
    keeping: KeepingPorts | None = None
    backups: Backups | None = None
