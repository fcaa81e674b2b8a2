"""What the first start is given in tests and pictures: fakes that write down what is asked."""

from dataclasses import dataclass, field
from pathlib import Path

from app.config.settings import Settings
from app.macos.permissions import Permissions
from app.ui.onboarding.ports import MeetingPorts
from app.ui.ports import Microphones
from tests.helpers.model_fakes import FakeModels


@dataclass
class KeptSettings:
    """Settings in memory."""

    now: Settings = field(default_factory=Settings)

    def change(self, **changes: object) -> None:
        self.now = self.now.changed(**changes)


def meeting_ports(
    permissions: Permissions,
    *,
    kept: KeptSettings | None = None,
    models: FakeModels | None = None,
    has_models: bool = True,
    uses_lone_modifier: bool = False,
    microphones: Microphones | None = None,
) -> MeetingPorts:
    """Return ports over fakes."""
    kept = kept or KeptSettings()
    return MeetingPorts(
        permissions=permissions,
        settings=lambda: kept.now,
        change_settings=kept.change,
        models=(models or FakeModels()).ports if has_models else None,
        hotkey=lambda: "⌘ Right" if uses_lone_modifier else "⌃⌥D",
        uses_lone_modifier=lambda: uses_lone_modifier,
        library_folder=Path.home() / "Library/Application Support/Undertone",
        microphones=microphones,
        try_dictation=lambda: None,
    )
