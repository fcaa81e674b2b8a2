"""What a library remembers of its backups while their disk is not connected.

It lies in `backups.json` in the library's home and may be lost: the backups themselves say most of
it again. `library_id` tells the backups of two libraries in one folder apart.
"""

import contextlib
import json
import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from app.config.paths import Paths
from app.library.work import write_whole

STATE_NAME = "backups.json"


@dataclass(frozen=True, slots=True)
class BackupState:
    """What is remembered.

    Attributes:
        library_id: names this library's series of backups.
        folder: where the last one went.
        store_id: what that folder calls itself.
        last_at: when that was.
        recordings: how many it holds.
        size_bytes: how much sound and text it holds.
        left_out: how many files could not be read.
        stores: what each folder that was ever backed up into calls itself.
    """

    library_id: str
    folder: str = ""
    store_id: str = ""
    last_at: float | None = None
    recordings: int = 0
    size_bytes: int = 0
    left_out: int = 0
    stores: dict[str, str] = field(default_factory=dict)

    def store_of(self, folder: Path) -> str:
        """Return what `folder` called itself; empty where there was no backup yet."""
        return self.stores.get(str(folder), self.store_id if self.folder == str(folder) else "")

    def changed(self, **changes: object) -> "BackupState":
        return replace(self, **changes)  # type: ignore[arg-type]  # by the callers here


def load_state(paths: Paths) -> BackupState:
    """Return what is remembered; a new beginning where that cannot be read."""
    names = {each.name for each in fields(BackupState)}
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        found = json.loads((paths.home / STATE_NAME).read_bytes())
        if isinstance(found.get("library_id"), str):
            held = {name: value for name, value in found.items() if name in names}
            return BackupState(**{**held, "stores": dict(found.get("stores", {}))})
    return BackupState(new_library_id())


def new_library_id() -> str:
    return secrets.token_hex(8)


def forget_store(paths: Paths, folder: Path) -> None:
    """Let `folder` be any folder: the person has just chosen it as it is.

    Raises:
        OSError: it could not be written.
    """
    state = load_state(paths)
    if state.store_of(folder):
        stores = {name: store for name, store in state.stores.items() if name != str(folder)}
        is_last = state.folder == str(folder)
        save_state(paths, state.changed(stores=stores, store_id="" if is_last else state.store_id))


def save_state(paths: Paths, state: BackupState) -> None:
    """Remember `state`.

    Raises:
        OSError: it could not be written.
    """
    write_state(paths.home / STATE_NAME, state)


def write_state(file: Path, state: BackupState) -> None:
    write_whole(file, json.dumps(asdict(state), indent=1).encode())
