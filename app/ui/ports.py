"""What the window needs from the rest of the house, as Protocols.

`ui/main.py` builds the real things and hands them in; the window builds none of them and keeps none
of their truth: it renders the last snapshot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import SignalInstance

from app.config.settings import Settings
from app.core.errors import AppError
from app.core.job import Job
from app.core.recording import Recording
from app.core.transcript import Transcript
from app.library.search import ListQuery, SearchHit
from app.ui.models.ports import ModelPorts

# Finds every place where a typed query matches a text: (text, query) -> [(start, end), …].
FindMatches = Callable[[str, str], Sequence[tuple[int, int]]]


class LibraryReader(Protocol):
    """Reads the library on the main thread; every call is short."""

    def recordings(self, query: ListQuery, offset: int, limit: int) -> Sequence[Recording]:
        """Return part of the list, newest first."""

    def count(self, query: ListQuery) -> int: ...

    def recording(self, recording_id: str) -> Recording | None: ...

    def transcript(self, recording_id: str) -> Transcript: ...

    def search(self, query: ListQuery, offset: int, limit: int) -> Sequence[SearchHit]: ...


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

    def transcribe_again(self, recording_id: str, model_id: str, language: str) -> object: ...

    def remove(self, recording_ids: Sequence[str]) -> object: ...

    def export(self, recording_ids: Sequence[str], format_id: str, target: Path) -> object:
        """Write `target`: a file for one recording, the folder for several; then `Exported`."""

    def sample(self) -> Path:
        """Return the sample recording that ships with the app."""


class Events(Protocol):
    """The bus: one typed signal for each event, in the main thread."""

    @property
    def segments_final(self) -> SignalInstance: ...

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
    def failed(self) -> SignalInstance: ...


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be chosen; `note` is one plain sentence about it."""

    model_id: str
    title: str
    is_demo: bool = False
    note: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ports:
    """All that the window is given.

    Attributes:
        problem: why the library cannot be used as usual (read-only, too new, …), if so.
        library_folder: where the library lies, to show and to reveal.
        version: the app's, for the About box.
        model_ports: what the models panel is given; none where models cannot be changed.
        list_models: reads the installed models again.
    """

    library: LibraryReader
    commands: Commands
    events: Events
    find_matches: FindMatches
    models: tuple[ModelChoice, ...]
    library_folder: Path
    version: str = ""
    problem: AppError | None = None
    model_ports: ModelPorts | None = None
    list_models: Callable[[], tuple[ModelChoice, ...]] | None = None
