"""When the library is backed up, and what a person asks for by hand: restore, archive, take in.

One piece of such work runs at a time, on the io pool. It lets the disk alone while somebody
records. A backup that is due and cannot be made is said once, calmly, and tried again by itself.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.backup import BackupChanged, BackupLine, BackupStage, Keeping, is_due
from app.core.dictation import Stage, StageChanged
from app.core.errors import AppError, BackupDamaged, BackupFailed, BackupMissing, mark
from app.core.events import Event
from app.library.archive import write_archive
from app.library.backing_up import make_backup
from app.library.backup_errors import backup_too_new, not_there
from app.library.backup_state import forget_store, load_state
from app.library.backups import Backup, BackupFolder, existing_backups
from app.library.errors import read_only
from app.library.restore import is_restore_staged, newest_whole, stage_restore
from app.library.unarchive import take_in_archive
from app.library.work import Stopped, Work
from app.library.writer import LibraryWriter

LOOK_S = 300.0  # how often to ask whether a backup is due
_AGAIN_S = 3600.0  # after a failure that will not pass by itself
_OVERDUE_S = 6 * 3600.0  # so much later it is made although files are being transcribed
_DAY_S = 24 * 3600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackupParts:
    """What `Backups` works with; all of it outlives it.

    Attributes:
        writer: `None` where the library cannot be written; restoring a backup may be the way out.
        is_working: whether a file is being transcribed.
    """

    paths: Paths
    writer: LibraryWriter | None
    pool: ThreadPoolExecutor
    is_working: Callable[[], bool]
    wall_s: Callable[[], float] = time.time
    clock_s: Callable[[], float] = time.monotonic


class Backups:
    """Backups of one library. Every call returns at once; `BackupChanged` tells what came of it.

    Thread: any.
    """

    def __init__(
        self, parts: BackupParts, emit: Callable[[Event], None], settings: Callable[[], Settings]
    ) -> None:
        self._parts = parts
        self._emit = emit
        self._settings = settings
        self._lock = threading.Lock()
        self._work: Work | None = None
        self._is_recording = False
        self._is_closed = False
        self._tried_s: float | None = None  # when one failed that will not pass by itself
        self._now = self._remembered()

    @property
    def now(self) -> BackupChanged:
        """The last snapshot."""
        return self._now

    @property
    def is_busy(self) -> bool:
        return self._work is not None

    def look(self) -> None:
        """Make a backup if it is time for one; to be called every `LOOK_S`."""
        settings, state = self._settings(), load_state(self._parts.paths)
        if not settings.backup_folder or not settings.backs_up_daily or self.is_busy:
            return
        if self._parts.writer is None:
            return  # what cannot be used must not push good backups out
        now = self._parts.wall_s()
        is_elsewhere = state.folder != settings.backup_folder
        if not is_elsewhere and not is_due(state.last_at, now):
            return
        late_s = _OVERDUE_S + _DAY_S
        is_late = state.last_at is None or now - state.last_at > late_s
        if self._is_recording or (self._parts.is_working() and not is_late):
            return
        tried_s = self._tried_s
        if tried_s is not None and self._parts.clock_s() - tried_s < _AGAIN_S:
            return
        chosen = Path(settings.backup_folder)
        if not chosen.is_dir():  # a disk that is not connected: said once
            if not isinstance(self._now.problem, BackupMissing):
                self._tell(replace(self._now, problem=not_there(chosen)))
            return
        self.back_up()

    def on_stage(self, changed: StageChanged) -> None:
        """Let the disk alone while somebody records."""
        self._is_recording = changed.stage is not Stage.IDLE
        work = self._work
        if work is None:
            return
        if self._is_recording:
            work.hold()
        else:
            work.go_on()

    def folder_chosen(self) -> None:
        """Begin anew with the folder that the settings name now."""
        self._tried_s = None
        with contextlib.suppress(OSError):  # said by the backup that comes next
            forget_store(self._parts.paths, Path(self._settings().backup_folder))
        self._tell(replace(self._remembered(), stage=self._now.stage))
        self.look()

    def back_up(self) -> None:
        """Make a backup now."""
        settings = self._settings()
        chosen = Path(settings.backup_folder)
        keeping = Keeping(settings.backup_days, settings.backup_weeks, settings.backup_months)

        def run(work: Work) -> BackupChanged:
            make_backup(
                self._parts.paths,
                chosen,
                keeping,
                work,
                with_imported=settings.backs_up_imported,
                now=self._parts.wall_s,
            )
            self._tried_s = None
            return self._remembered()

        if not settings.backup_folder:
            self._tell(replace(self._now, problem=_no_folder()))
            return
        self._run(BackupStage.BACKING_UP, run)

    def list(self, chosen: Path) -> "Future[tuple[BackupLine, ...]]":
        """Return the backups in a folder, newest first; `BackupFailed` when there are none."""
        return self._parts.pool.submit(backups_in, chosen)

    def restore(self, chosen: Path, name: str, *, without_damaged: bool = False) -> None:
        """Check a backup and copy it beside the library; the next start puts it in place.

        When it is damaged, `BackupChanged.older` names the newest older one that is whole.
        """

        def run(work: Work) -> BackupChanged:
            folder = existing_backups(chosen)
            paths = self._parts.paths
            backup = find_backup(folder, name, load_state(paths).library_id)
            try:
                stage_restore(paths, folder, backup, work, without_damaged=without_damaged)
            except BackupDamaged as error:
                older = newest_whole(folder, backup.made_at, work, backup.library_id)
                found = line_of(older) if older is not None else None
                return replace(self._now, problem=error, older=found)
            return self._remembered()

        self._run(BackupStage.CHECKING, run)

    def write_archive(self, file: Path) -> None:
        """Write everything into one file."""

        def run(work: Work) -> BackupChanged:
            return replace(self._now, done=write_archive(self._parts.paths, file, work))

        self._run(BackupStage.ARCHIVING, run)

    def take_in_archive(self, file: Path) -> None:
        """Take everything of an archive in."""

        def run(work: Work) -> BackupChanged:
            if self._parts.writer is None:
                raise read_only(self._parts.paths.library)
            merged = take_in_archive(self._parts.paths, file, self._parts.writer, work)
            return replace(self._now, done=merged)

        self._run(BackupStage.UNARCHIVING, run)

    def stop(self) -> None:
        """Stop what runs; nothing half is left behind."""
        if (work := self._work) is not None:
            work.stop()

    def close(self) -> None:
        """Stop for good."""
        self._is_closed = True
        self.stop()

    def _run(self, stage: BackupStage, task: Callable[[Work], BackupChanged]) -> None:
        """Run `task` on the io pool, unless something runs already."""
        with self._lock:
            if self._work is not None or self._is_closed:
                return
            told = [-1]

            def tell(done: int, total: int) -> None:
                percent = 100 * done // total if total else 0
                if percent != told[0]:
                    told[0] = percent
                    self._tell(replace(self._now, fraction=percent / 100))

            work = self._work = Work(tell)
        if self._is_recording:
            work.hold()
        shown = BackupStage.WAITING if self._is_recording else stage
        self._tell(
            replace(self._now, stage=shown, fraction=None, problem=None, done=None, older=None)
        )
        self._parts.pool.submit(self._attempt, work, stage, task)

    def _attempt(
        self, work: Work, stage: BackupStage, task: Callable[[Work], BackupChanged]
    ) -> None:
        idle = replace(self._now, stage=BackupStage.IDLE, fraction=None)
        try:
            ended = task(work)
        except Stopped:
            ended = idle
        except AppError as error:
            ended = replace(idle, problem=error)
            if not isinstance(error, BackupMissing) and stage is BackupStage.BACKING_UP:
                self._tried_s = self._parts.clock_s()
        except Exception as error:  # noqa: BLE001  # the net of io tasks: a bug is shown, not lost
            _log.exception("work on backups failed")
            ended = replace(idle, problem=_unexpected(error))
            self._tried_s = self._parts.clock_s()
        finally:
            self._work = None
        is_staged = is_restore_staged(self._parts.paths)
        resting = BackupStage.RESTORED if is_staged else BackupStage.IDLE
        self._tell(replace(ended, stage=resting, fraction=None))

    def _remembered(self) -> BackupChanged:
        """Return what is known without looking at the disk of the backups."""
        state = load_state(self._parts.paths)
        is_here = state.folder == self._settings().backup_folder
        is_staged = is_restore_staged(self._parts.paths)
        return BackupChanged(
            stage=BackupStage.RESTORED if is_staged else BackupStage.IDLE,
            last_at=state.last_at if is_here else None,
            recordings=state.recordings if is_here else 0,
            size_bytes=state.size_bytes if is_here else 0,
            left_out=state.left_out if is_here else 0,
        )

    def _tell(self, now: BackupChanged) -> None:
        if self._is_recording and self._work is not None:
            now = replace(now, stage=BackupStage.WAITING)
        self._now = now
        if not self._is_closed:
            self._emit(now)


def backups_in(chosen: Path) -> tuple[BackupLine, ...]:
    """Return the backups in a folder, newest first.

    Raises:
        BackupMissing: there are none, or the disk is not connected.
    """
    folder = existing_backups(chosen)
    lines = [line_of(backup) for backup in folder.backups()]
    lines += [BackupLine(n, 0.0, is_readable=False, is_newer=True) for n in folder.newer()]
    lines += [BackupLine(name, 0.0, is_readable=False) for name in folder.unreadable()]
    return tuple(lines)


def find_backup(folder: BackupFolder, name: str, library_id: str = "") -> Backup:
    """Return the backup that is called `name`, else the newest whose name begins with it.

    Where more than one library keeps its backups in the folder, that is the newest of `library_id`.

    Raises:
        BackupFailed: there is none, or it might be another library's.
    """
    found = [backup for backup in folder.backups() if backup.name.startswith(name)]
    own = [backup for backup in found if backup.library_id == library_id]
    exact = [backup for backup in found if backup.name == name]
    libraries = len({backup.library_id for backup in found})
    if best := exact or own or (found if libraries == 1 else []):
        return best[0]
    if found:
        raise BackupFailed(
            mark("“{folder}” holds backups of {count} libraries, and none is this one’s."),
            mark("Name the one you want; see which there are in the list of backups."),
            folder=str(folder.root),
            count=libraries,
        )
    raise _not_found(folder, name)


def _not_found(folder: BackupFolder, name: str) -> BackupFailed:
    if newer := [each for each in folder.newer() if each.startswith(name)]:
        return backup_too_new(newer[0])
    if any(damaged.startswith(name) for damaged in folder.unreadable()):
        return BackupDamaged(
            mark("The description of the backup “{name}” is damaged."),
            mark("Restore another backup."),
            name=name or folder.root.name,
        )
    return BackupMissing(
        mark("There is no backup “{name}” in “{folder}”."),
        mark("See which there are in the list of backups."),
        name=name,
        folder=str(folder.root),
    )


def line_of(backup: Backup) -> BackupLine:
    return BackupLine(
        backup.name, backup.made_at, backup.recordings, backup.size_bytes, backup.left_out
    )


def _no_folder() -> BackupFailed:
    return BackupFailed(
        mark("No folder for backups was chosen yet."), mark("Choose one, best on another disk.")
    )


def _unexpected(error: Exception) -> BackupFailed:
    return BackupFailed(
        mark("Something unexpected went wrong ({kind}). The library was not changed."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )
