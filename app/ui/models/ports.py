"""What the models panel needs from the rest of the house."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from PySide6.QtCore import SignalInstance

from app.config.settings import Settings
from app.models.custom import Cached
from app.pipeline.model_rows import ModelRow

_T = TypeVar("_T")


class ModelCommands(Protocol):
    """What a person can ask for (`app.pipeline.models.Models` does it).

    What reads the disk (`rows`, `used_bytes`, `free_bytes`, `cached`) is for the desk; no other
    call waits. One that cannot even begin raises an `AppError`; what came of the others comes as an
    event.
    """

    def rows(self) -> Sequence[ModelRow]: ...

    def used_bytes(self) -> int: ...

    def free_bytes(self) -> int: ...

    def cached(self) -> Sequence[Cached]: ...

    def get(self, model_id: str) -> object: ...

    def get_repository(self, repository: str, revision: str = "") -> object: ...

    def pause(self, model_id: str) -> object: ...

    def cancel(self, model_id: str) -> object: ...

    def forget(self, model_id: str) -> object: ...

    def remove(self, model_id: str) -> Path: ...

    def restore(self, place: Path) -> object: ...

    def forget_removed(self, place: Path) -> object: ...

    def verify(self, model_id: str) -> object: ...

    def add_folder(self, folder: Path, model_id: str = "") -> object: ...

    def import_cached(self, cached: Cached) -> object: ...

    def convert(self, source: str | Path, bits: int, model_id: str = "") -> object: ...

    def stay_offline(self) -> object: ...


class ModelEvents(Protocol):
    """The bus's signals about models, in the main thread."""

    @property
    def download_changed(self) -> SignalInstance: ...

    @property
    def models_changed(self) -> SignalInstance: ...


class Desk(Protocol):
    """Asks without waiting (`app.ui.desk`). Thread: main."""

    def ask(self, key: str, question: Callable[[], _T], answer: Callable[[_T], object]) -> None:
        """Answer `question` elsewhere and hand what it returns to `answer`, in the main thread."""


@dataclass(frozen=True, slots=True)
class ModelPorts:
    """All that the panel is given.

    Attributes:
        desk: reads the disk for the panel.
        settings: the settings as they now stand.
        change: changes some of them at once.
        memory_bytes: what this machine has.
        budget_bytes: what models may take of it.
    """

    commands: ModelCommands
    desk: Desk
    events: ModelEvents
    settings: Callable[[], Settings]
    change: Callable[..., None]
    memory_bytes: int
    budget_bytes: int
