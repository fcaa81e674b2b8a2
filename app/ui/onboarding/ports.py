"""What the first start needs from the rest of the house."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.config.settings import Settings
from app.macos.permissions import Permissions
from app.ui.models.ports import ModelPorts
from app.ui.ports import Microphones


@dataclass(frozen=True, slots=True)
class MeetingPorts:
    """All that the first start is given.

    Attributes:
        permissions: asked anew each second while a step shows them.
        settings: as they are now.
        change_settings: uses and saves changed settings.
        models: the models panel's ports; `None` where nothing can be fetched.
        hotkey: the dictation hotkey as its system writes it, now.
        uses_lone_modifier: whether that hotkey is a modifier alone, which needs a permission more.
        microphones: to show that something is heard; `None` where there is no try-out.
        library_folder: where everything is kept.
        try_dictation: starts or stops a dictation by a button; `None` where nothing can record.
    """

    permissions: Permissions
    settings: Callable[[], Settings]
    change_settings: Callable[..., None]
    models: ModelPorts | None
    hotkey: Callable[[], str]
    uses_lone_modifier: Callable[[], bool]
    library_folder: Path
    microphones: Microphones | None = None
    try_dictation: Callable[[], None] | None = None
