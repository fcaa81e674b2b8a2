"""What the first start is given in tests and pictures: fakes that write down what is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.config.settings import Settings
from app.core.errors import DownloadFailed, mark
from app.macos.permissions import Permissions
from app.ui.onboarding.ports import MeetingPorts, ModelOffer

GB = 1_000_000_000
OFFERS = (
    ModelOffer(
        "turbo",
        "Whisper large-v3 turbo",
        note="The best choice for most people: quick, and right in nearly every language.",
        languages="99 languages",
        speed="fast on this Mac",
        download_bytes=int(1.6 * GB),
        is_recommended=True,
    ),
    ModelOffer(
        "small",
        "Whisper small",
        note="Light and quick; makes more mistakes.",
        languages="99 languages",
        speed="very fast",
        download_bytes=480_000_000,
    ),
    ModelOffer(
        "large",
        "Voxtral Small 24B",
        note="The fewest mistakes, for long recordings.",
        languages="8 languages",
        speed="slow",
        download_bytes=14 * GB,
        fits=False,
    ),
    ModelOffer(
        "nano",
        "Built-in demonstration model",
        note="For trying Undertone out: it knows a few hundred words.",
        languages="English, German, French, Spanish",
        is_installed=True,
        is_demo=True,
    ),
)


@dataclass
class FakeOffers:
    """Models that a test moves along by hand."""

    now: list[ModelOffer] = field(default_factory=lambda: list(OFFERS))
    free: int = 212 * GB
    asked: list[str] = field(default_factory=list)
    is_offline: bool = False

    def offers(self) -> Sequence[ModelOffer]:
        return self.now

    def free_bytes(self) -> int:
        return self.free

    def get(self, model_id: str) -> None:
        if self.is_offline:
            raise DownloadFailed(mark("Undertone is set to stay offline."), mark("Switch it off."))
        self.asked.append(f"get {model_id}")
        self.change(model_id, is_on_its_way=True, fraction=0.0)

    def stop(self, model_id: str) -> None:
        self.asked.append(f"stop {model_id}")
        self.change(model_id, is_on_its_way=False, fraction=None)

    def change(self, model_id: str, **changes: object) -> None:
        self.now = [
            replace(offer, **changes) if offer.model_id == model_id else offer  # type: ignore[arg-type]
            for offer in self.now
        ]


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
    models: FakeOffers | None = None,
    uses_lone_modifier: bool = False,
) -> MeetingPorts:
    """Return ports over fakes."""
    kept = kept or KeptSettings()
    return MeetingPorts(
        permissions=permissions,
        settings=lambda: kept.now,
        change_settings=kept.change,
        models=models or FakeOffers(),
        hotkey=lambda: "⌘ Right" if uses_lone_modifier else "⌃⌥D",
        uses_lone_modifier=lambda: uses_lone_modifier,
        library_folder=Path.home() / "Library/Application Support/Undertone",
        try_dictation=lambda: None,
    )
