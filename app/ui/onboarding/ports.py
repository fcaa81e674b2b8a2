"""What the first start needs from the rest of the house."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.config.settings import Settings
from app.core.errors import Phrase
from app.macos.permissions import Permissions
from app.ui.ports import Microphones


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """A model as the first start shows it.

    Attributes:
        note: what it is good for, one sentence.
        languages: how many it knows, or which, in words.
        speed: how fast it is here, in words; empty where nobody knows.
        download_bytes: what getting it takes; 0 when it is here.
        is_recommended: the one for this machine.
        is_demo: the small one that ships with the app.
        fits: whether this machine can run it.
        is_on_its_way: whether it is being fetched.
        fraction: how much of it is here, while it is on its way.
        problem: why it could not be fetched.
    """

    model_id: str
    title: str
    note: str = ""
    languages: str = ""
    speed: str = ""
    download_bytes: int = 0
    is_installed: bool = False
    is_recommended: bool = False
    is_demo: bool = False
    fits: bool = True
    is_on_its_way: bool = False
    fraction: float | None = None
    problem: Phrase | None = None


class ModelOffers(Protocol):
    """The models of this machine and those that could be got. Thread: main."""

    def offers(self) -> Sequence[ModelOffer]:
        """Return the recommended one first, what is here marked so."""

    def free_bytes(self) -> int:
        """Return what is free on the disk that holds them."""

    def get(self, model_id: str) -> None:
        """Begin to fetch a model.

        Raises:
            AppError: it cannot be fetched; says why.
        """

    def stop(self, model_id: str) -> None:
        """Stop fetching; what is here already is kept."""


@dataclass(frozen=True, slots=True)
class MeetingPorts:
    """All that the first start is given.

    Attributes:
        permissions: asked anew each second while a step shows them.
        settings: as they are now.
        change_settings: uses and saves changed settings.
        models: what can be chosen; `None` where nothing can be fetched.
        hotkey: the dictation hotkey as its system writes it, now.
        uses_lone_modifier: whether that hotkey is a modifier alone, which needs a permission more.
        microphones: to show that something is heard; `None` where there is no try-out.
        library_folder: where everything is kept.
        try_dictation: starts or stops a dictation by a button; `None` where nothing can record.
    """

    permissions: Permissions
    settings: Callable[[], Settings]
    change_settings: Callable[..., None]
    models: ModelOffers | None
    hotkey: Callable[[], str]
    uses_lone_modifier: Callable[[], bool]
    library_folder: Path
    microphones: Microphones | None = None
    try_dictation: Callable[[], None] | None = None
