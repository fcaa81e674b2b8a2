"""All files of one model on their way here, and the plan that says which files those are.

The plan is written before the first byte is asked for, so every later try means the same commit.
"""

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import httpx

from app.core.download import DownloadState
from app.core.errors import DownloadFailed, mark
from app.models.catalog import CatalogEntry
from app.models.fetch import Fetch, Patience
from app.models.hub import HubFile, Listing, Route
from app.models.store import ModelStore

PLAN = "plan.json"
_TOLD_EVERY_S = 0.1
_RATE_OVER_S = 5.0

# (bytes here, bytes a second, state)
Tell = Callable[[int, float, DownloadState], None]


def write_plan(folder: Path, listing: Listing) -> None:
    """Keep in `folder` what is to be fetched into it."""
    draft = folder / f"{PLAN}.new"
    draft.write_text(json.dumps(asdict(listing)), encoding="utf-8")
    draft.replace(folder / PLAN)


def read_plan(folder: Path, entry: CatalogEntry | None) -> Listing | None:
    """Return what was to be fetched into `folder`, unless the catalog wants another commit now."""
    try:
        raw = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        files = tuple(HubFile(**file) for file in raw["files"])
        listing = Listing(str(raw["repository"]), str(raw["commit"]), files)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if entry is None:
        return listing
    is_same = entry.repository == listing.repository
    return listing if is_same and entry.revision in ("", listing.commit) else None


@dataclass(slots=True)
class Bundle:
    """Fetches the files of one model. Owner: the download thread."""

    client: httpx.AsyncClient
    route: Route
    listing: Listing
    folder: Path
    patience: Patience
    tell: Tell
    _here: dict[str, int] = field(init=False, default_factory=dict)
    _seen: "deque[tuple[float, int]]" = field(init=False, default_factory=deque)
    _told_s: float = field(init=False, default=0.0)

    async def fetch_all(self) -> dict[str, str]:
        """Bring every file here and return their hashes.

        Raises:
            DownloadFailed: one cannot be had.
            DiskFull: there is no room.
        """
        for file in self.listing.files:
            if Path(file.name).name != file.name or file.name.startswith("."):
                raise _strange(file)
            self._here[file.name] = self._present(file)
        hashes = {}
        for file in self.listing.files:
            fetch = Fetch(
                self.client,
                self.route,
                self.listing.repository,
                self.listing.commit,
                file,
                self.folder / file.name,
                self.patience,
                partial(self._on_bytes, file.name),
                self._on_waiting,
            )
            hashes[file.name] = await fetch.run()
            self._here[file.name] = file.size_bytes
        return hashes

    def left_bytes(self) -> int:
        """Return how much is still to come."""
        return sum(file.size_bytes - self._present(file) for file in self.listing.files)

    def _present(self, file: HubFile) -> int:
        for name in (file.name, f"{file.name}.part"):
            if (self.folder / name).is_file():
                return min((self.folder / name).stat().st_size, file.size_bytes)
        return 0

    def _on_waiting(self) -> None:
        self.tell(sum(self._here.values()), 0.0, DownloadState.WAITING)

    def _on_bytes(self, name: str, done: int, is_verifying: bool) -> None:
        now = time.monotonic()
        if not is_verifying:
            self._here[name] = done
        here = sum(self._here.values())
        if now - self._told_s < _TOLD_EVERY_S:
            return
        self._told_s = now
        state = DownloadState.VERIFYING if is_verifying else DownloadState.RUNNING
        self.tell(here, self._rate(now, here), state)

    def _rate(self, now: float, here: int) -> float:
        if self._seen and here < self._seen[-1][1]:
            self._seen.clear()  # something was thrown away
        self._seen.append((now, here))
        while self._seen[0][0] < now - _RATE_OVER_S:
            self._seen.popleft()
        first_s, first = self._seen[0]
        return (here - first) / (now - first_s) if now > first_s else 0.0


def require_room(store: ModelStore, bundle: Bundle, entry: CatalogEntry) -> None:
    """Make sure that the rest of a model fits on the disk, and what is made of it.

    Raises:
        DiskFull: it does not.
    """
    made = entry.disk_bytes if entry.converts_to_bits else 0
    store.require_room(bundle.left_bytes() + made)


def _strange(file: HubFile) -> DownloadFailed:
    return DownloadFailed(
        mark("The server names a file “{file}”, which no model has."),
        mark("Choose another model or mirror."),
        file=file.name,
    )
