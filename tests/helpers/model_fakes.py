"""Models in memory, so that the panel can be shown without a disk, a network or an engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.config.paths import resources
from app.config.settings import Settings
from app.core.download import Download, DownloadState
from app.core.errors import AppError
from app.core.events import DownloadChanged, ModelsChanged
from app.models.catalog import load_catalog
from app.models.custom import Cached
from app.models.recommend import Machine, recommend
from app.models.store import ModelStore
from app.pipeline.model_rows import ModelRow, model_rows
from app.ui.models.ports import ModelPorts
from tests.helpers.ui_signals import FakeBus, FakeDesk

MACHINE = Machine(24 << 30, 2, True)


def catalog_rows(machine: Machine = MACHINE) -> list[ModelRow]:
    """Return the rows of a fresh installation on `machine`."""
    catalog = load_catalog(resources() / "models.toml")
    store = ModelStore(Path("/nowhere"), resources() / "models", catalog)
    return list(model_rows(store, (), machine, recommend(machine)))


@dataclass
class FakeModels:
    """Writes down what it is asked; a test lets things happen."""

    bus: FakeBus = field(default_factory=FakeBus)
    settings: Settings = field(default_factory=Settings)
    machine: Machine = MACHINE
    items: list[ModelRow] = field(default_factory=catalog_rows)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    found: list[Cached] = field(default_factory=list)
    refusal: AppError | None = None

    @property
    def ports(self) -> ModelPorts:
        return ModelPorts(
            desk=FakeDesk(),
            commands=self,
            events=self.bus,
            settings=lambda: self.settings,
            change=self.change,
            memory_bytes=self.machine.memory_bytes,
            budget_bytes=self.machine.budget_bytes,
        )

    def change(self, **changes: object) -> None:
        self.settings = self.settings.changed(**changes)

    def rows(self) -> Sequence[ModelRow]:
        here = [row for row in self.items if row.is_installed]
        return here + [row for row in self.items if not row.is_installed]

    def used_bytes(self) -> int:
        return sum(row.disk_bytes for row in self.items if not row.is_demo)

    def free_bytes(self) -> int:
        return 212_000_000_000

    def cached(self) -> Sequence[Cached]:
        return self.found

    def _note(self, *call: object) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(call)

    def get(self, model_id: str) -> None:
        self._note("get", model_id)

    def get_repository(self, repository: str, revision: str = "") -> None:
        self._note("get_repository", repository)

    def pause(self, model_id: str) -> None:
        self._note("pause", model_id)

    def cancel(self, model_id: str) -> None:
        self._note("cancel", model_id)

    def forget(self, model_id: str) -> None:
        self._note("forget", model_id)

    def remove(self, model_id: str) -> Path:
        self._note("remove", model_id)
        self.put(model_id, is_installed=False, disk_bytes=0)
        return Path("/nowhere") / model_id

    def restore(self, place: Path) -> None:
        self._note("restore", place.name)
        self.put(place.name, is_installed=True, disk_bytes=1_613_977_880)

    def forget_removed(self, place: Path) -> None:
        self._note("forget_removed", place.name)

    def verify(self, model_id: str) -> None:
        self._note("verify", model_id)

    def add_folder(self, folder: Path, model_id: str = "") -> None:
        self._note("add_folder", folder)

    def import_cached(self, cached: Cached) -> None:
        self._note("import_cached", cached.repository)

    def convert(self, source: str | Path, bits: int, model_id: str = "") -> None:
        self._note("convert", source, bits)

    def stay_offline(self) -> None:
        self._note("stay_offline")

    # What a test does to it

    def is_offline(self) -> bool:
        return self.settings.offline

    def row(self, model_id: str) -> ModelRow:
        return next(row for row in self.items if row.model_id == model_id)

    def put(self, model_id: str, **changes: object) -> ModelRow:
        """Change a row."""
        at = self.items.index(self.row(model_id))
        self.items[at] = replace(self.items[at], **changes)  # type: ignore[arg-type]
        return self.items[at]

    def install(self, model_id: str, disk_bytes: int = 1_613_977_880) -> None:
        """Let a model be here."""
        self.put(
            model_id, is_installed=True, disk_bytes=disk_bytes, download=None, is_verifiable=True
        )
        self.bus.models_changed.emit(ModelsChanged())

    def tell(self, model_id: str, state: DownloadState, done: int = 0, **more: object) -> None:
        """Let a download be somewhere."""
        row = self.row(model_id)
        total = row.download_bytes or 1000
        download = Download(model_id, row.title, state, done, total, **more)  # type: ignore[arg-type]
        is_over = state in (DownloadState.DONE, DownloadState.CANCELLED)
        self.put(model_id, download=None if is_over else download)
        self.bus.download_changed.emit(DownloadChanged(download))
