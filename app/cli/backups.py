"""`undertone library backup | backups | restore --backup | archive | unarchive`."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.output import ProgressLine, print_json, print_table
from app.config.paths import default_paths
from app.config.settings import load_settings
from app.config.translate import tr, tr_plural
from app.core.errors import BackupDamaged, BackupFailed, mark

if TYPE_CHECKING:
    from app.core.backup import BackupLine
    from app.library.work import Work


def add_backup_verbs(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs about copies of the whole library."""
    backup = kinds.add_parser("backup", help=tr("make a backup of everything now"))
    backup.add_argument(
        "folder", nargs="?", default="", metavar=tr("FOLDER"), help=tr("else the one in Settings")
    )
    backup.set_defaults(run=_backup)

    backups = kinds.add_parser("backups", help=tr("which backups there are"))
    backups.add_argument("folder", nargs="?", default="", metavar=tr("FOLDER"))
    backups.add_argument("--check", action="store_true", help=tr("read all of them"))
    backups.add_argument("--json", action="store_true", help=tr("print JSON"))
    backups.set_defaults(run=_backups)

    archive = kinds.add_parser("archive", help=tr("write everything into one file"))
    archive.add_argument("file", metavar=tr("FILE"))
    archive.add_argument(
        "--without-imported",
        action="store_true",
        help=tr("leave out the sound of imported files that stay where they are"),
    )
    archive.add_argument(
        "--force", action="store_true", help=tr("replace FILE even if it is no archive")
    )
    archive.set_defaults(run=_archive)

    unarchive = kinds.add_parser("unarchive", help=tr("take everything of an archive in"))
    unarchive.add_argument("file", metavar=tr("FILE"))
    unarchive.set_defaults(run=_unarchive)


def add_restore_words(restore: argparse.ArgumentParser) -> None:
    """Add what `restore` understands of backups."""
    restore.add_argument(
        "--backup",
        nargs="?",
        const="",
        default=None,
        metavar=tr("FOLDER"),
        help=tr("put the whole library back from a backup; the present one is kept beside it"),
    )
    restore.add_argument(
        "--of",
        default="",
        metavar=tr("NAME"),
        help=tr("which backup; else the newest of this library"),
    )
    restore.add_argument(
        "--without-damaged", action="store_true", help=tr("leave out sound that is not whole")
    )


def _chosen(folder: str) -> Path:
    """Return the folder of backups that was named, else the one in the settings."""
    chosen = folder or load_settings(default_paths().settings).backup_folder
    if not chosen:
        raise BackupFailed(
            mark("No folder for backups was chosen yet."),
            mark("Name one: undertone library backup FOLDER."),
        )
    return Path(chosen).expanduser().absolute()


@contextmanager
def _working(saying: Callable[[int], str]) -> "Iterator[Work]":
    """Show how far some work is; Ctrl-C stops it at once and leaves nothing half."""
    from app.library.work import Work

    line = ProgressLine()

    def tell(done: int, total: int) -> None:
        fraction = done / total if total else 1.0
        line.write(saying(int(100 * fraction)), fraction)

    try:
        yield Work(tell)
    finally:
        line.end()


def _backup(options: argparse.Namespace) -> int:
    from app.core.backup import Keeping
    from app.library.backing_up import make_backup

    paths = default_paths()
    settings = load_settings(paths.settings)
    keeping = Keeping(settings.backup_days, settings.backup_weeks, settings.backup_months)
    with _working(lambda percent: tr("{percent} % backed up", percent=percent)) as work:
        backup = make_backup(
            paths,
            _chosen(options.folder),
            keeping,
            work,
            with_imported=settings.backs_up_imported,
        )
    print(backup.folder)
    print(_holds(backup.recordings, backup.size_bytes), file=sys.stderr)
    return _told_left_out(backup.left_out)


def _told_left_out(count: int) -> int:
    """Say how many files could not be read, and return the exit status for that."""
    if count:
        print(
            tr_plural(
                "{count} sound file could not be read and is not in it.",
                "{count} sound files could not be read and are not in it.",
                count,
            ),
            file=sys.stderr,
        )
    return 1 if count else 0


def _backups(options: argparse.Namespace) -> int:
    from app.library.backups import existing_backups
    from app.library.restore import check_backup
    from app.pipeline.backups import backups_in

    chosen = _chosen(options.folder)
    lines = backups_in(chosen)
    damaged = {line.name for line in lines if not line.is_readable and not line.is_newer}
    if options.check:
        folder = existing_backups(chosen)
        with _working(lambda percent: tr("{percent} % checked", percent=percent)) as work:
            damaged |= {each.name for each in folder.backups() if check_backup(folder, each, work)}
    if options.json:
        print_json([{"backup": line, "is_damaged": line.name in damaged} for line in lines])
        return 1 if damaged else 0
    print_table(
        (
            line.name,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(line.made_at)) if line.made_at else "–",
            _holds(line.recordings, line.size_bytes) if line.is_readable else "",
            _state(line, damaged),
        )
        for line in lines
    )
    return 1 if damaged else 0


def _state(line: "BackupLine", damaged: set[str]) -> str:
    if line.is_newer:
        return tr("made by a newer Undertone")
    return tr("damaged") if line.name in damaged else ""


def restore_backup(options: argparse.Namespace) -> int:
    """Put the whole library back from a backup."""
    from app.library.backup_state import load_state
    from app.library.backups import existing_backups
    from app.library.restore import finish_restore, is_restore_staged, newest_whole, stage_restore
    from app.pipeline.backups import find_backup

    if options.ids:
        raise BackupFailed(
            mark("Transcripts come back from the bin, a backup brings the whole library back."),
            mark("Ask for one or the other: leave out either the ids or --backup."),
        )
    paths = default_paths()
    folder = existing_backups(_chosen(options.backup))
    backup = find_backup(folder, options.of, load_state(paths).library_id)
    with _working(lambda percent: tr("{percent} % checked", percent=percent)) as work:
        try:
            left_out = stage_restore(
                paths, folder, backup, work, without_damaged=options.without_damaged
            )
        except BackupDamaged:
            older = newest_whole(folder, backup.made_at, work, backup.library_id)
            if older is not None:
                said = tr("The next older one that is whole: {name}.", name=older.name)
                print(f"\n{said}", file=sys.stderr)
            raise
    if left_out:
        said = tr_plural(
            "{count} sound file was not whole and is left out.",
            "{count} sound files were not whole and are left out.",
            left_out,
        )
        print(said, file=sys.stderr)
    aside = finish_restore(paths)
    if is_restore_staged(paths):
        print(tr("Undertone is open: it is put in place when it starts next."), file=sys.stderr)
        return 0
    print(_holds(backup.recordings, backup.size_bytes), file=sys.stderr)
    if aside is not None:
        print(tr("The library of before is kept in {path}.", path=aside), file=sys.stderr)
    return 0


def _archive(options: argparse.Namespace) -> int:
    from app.library.archive import write_archive

    file = Path(options.file).expanduser().absolute()
    with _working(lambda percent: tr("{percent} % written", percent=percent)) as work:
        archived = write_archive(
            default_paths(),
            file,
            work,
            with_imported=not options.without_imported,
            replaces_any=options.force,
        )
    print(file)
    print(
        tr_plural("{count} recording", "{count} recordings", archived.recordings), file=sys.stderr
    )
    return _told_left_out(archived.left_out)


def _unarchive(options: argparse.Namespace) -> int:
    from app.library.unarchive import take_in_archive
    from app.library.writer import LibraryWriter

    paths = default_paths()
    with (
        _working(lambda percent: tr("{percent} % taken in", percent=percent)) as work,
        LibraryWriter(paths.library, lambda _change: None, watch_s=None) as writer,
    ):
        merged = take_in_archive(paths, Path(options.file).expanduser(), writer, work)
    print(
        tr(
            "{added} new, {completed} completed, {unchanged} already here.",
            added=merged.added,
            completed=merged.completed,
            unchanged=merged.unchanged,
        )
    )
    if merged.conflicts:
        print(
            tr_plural(
                "Of {count} the text differs; the archive’s is among its versions.",
                "Of {count} the text differs; the archive’s is among their versions.",
                merged.conflicts,
            ),
            file=sys.stderr,
        )
    return 0


def _holds(recordings: int, size_bytes: int) -> str:
    count = tr_plural("{count} recording", "{count} recordings", recordings)
    size = f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
    return f"{count}, {size}"
