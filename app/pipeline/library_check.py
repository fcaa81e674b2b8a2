"""Checks the whole library and mends what can be mended; a second run finds nothing of that again.

Nothing a person could want is deleted: text whose row is lost gets a row, torn text stays as a
version, recordings that only their folders know come back. What cannot be mended is told with a
way out.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.audio.take_folder import TakeFolder, take_folders
from app.config.paths import Paths
from app.core.errors import AppError, LibraryDamaged, Phrase, mark
from app.core.events import Event, Failed
from app.core.finding import Finding, Severity
from app.core.ids import names_a_folder
from app.library import mend
from app.library.check import look_at_index, look_at_place
from app.library.connection import Opened, mend_file, open_readonly
from app.library.errors import damaged, told_plainly
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.transaction import Transaction
from app.library.writer import LibraryWriter
from app.pipeline.erase import own_files
from app.pipeline.importing import MEDIA_SUFFIXES
from app.pipeline.recover import rebuild_library, recover_takes
from app.pipeline.sound_bin import SoundBin
from app.pipeline.take_texts import TakeTexts

_BATCH = 64
_NAMED = 3
_HOUR_S = 3600.0
_SETTLED_S = 60.0
# How far each part of the check is when it begins, of 1.
_ROWS, _INDEX, _FOLDERS, _SOUND, _RIGHTS = 0.1, 0.7, 0.8, 0.9, 0.95


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found.

    Attributes:
        mended: what was wrong and is right now.
        open: what is left for the person.
        needs_salvage: whether the file itself is damaged, so that it was not looked at further.
        was_stopped: whether the person stopped it; what was mended until then stays mended.
    """

    mended: tuple[Finding, ...] = ()
    open: tuple[Finding, ...] = ()
    needs_salvage: bool = False
    was_stopped: bool = False

    @property
    def is_clean(self) -> bool:
        return not (self.mended or self.open or self.was_stopped)


class _StopNow(Exception):
    """The person stopped the check."""


class LibraryCheck:
    """One run over the library of an open session. Thread: io.

    Args:
        paths: where things lie.
        writer: mends.
        reader: reads.
        owner: tells whose takes are under way.
        progress: told how far it is, 0…1.
        is_stopped: asked between small steps.
    """

    def __init__(
        self,
        paths: Paths,
        writer: LibraryWriter,
        reader: LibraryReader,
        owner: Owner,
        progress: Callable[[float], None] = lambda _fraction: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._paths = paths
        self._writer = writer
        self._reader = reader
        self._owner = owner
        self._progress = progress
        self._is_stopped = is_stopped
        self._mended: list[Finding] = []
        self._open: list[Finding] = []

    def run(self) -> CheckReport:
        """Check and mend.

        Raises:
            LibraryError, DiskFull: it could not be carried through; what was mended stays.
        """
        needs_salvage = was_stopped = False
        try:
            needs_salvage = not self._run()
        except _StopNow:
            was_stopped = True
        return CheckReport(tuple(self._mended), tuple(self._open), needs_salvage, was_stopped)

    def _run(self) -> bool:
        self._open += look_at_place(self._paths)
        self._step(0.0)
        try:
            opened = open_readonly(self._paths.library)
        except LibraryDamaged as error:
            return self._give_up(error)
        with told_plainly(self._paths.library):
            try:
                if not mend.is_whole(opened.connection):
                    return self._give_up(damaged(self._paths.library))
                self._loose_rows(opened)
                self._rows(opened)
                self._step(_INDEX)
                self._index(opened)
            finally:
                opened.connection.close()
        self._step(_FOLDERS)
        self._folders()  # before the sound: whose that is, the rows say
        self._step(_SOUND)
        self._sound()
        self._step(_RIGHTS)
        self._rights()
        self._progress(1.0)
        return True

    def _give_up(self, error: AppError) -> bool:
        self._open.append(Finding("library_damaged", Severity.ERROR, error.message, error.hint))
        return False

    def _step(self, fraction: float) -> None:
        self._progress(fraction)
        if self._is_stopped():
            raise _StopNow

    def _tell(self, kind: str, message: str, *, is_open: str = "", **args: object) -> None:
        """Write a finding down; `is_open` is the way out of what could not be mended."""
        severity = Severity.WARNING if is_open else Severity.NOTE
        finding = Finding(kind, severity, Phrase(message, args), Phrase(is_open))
        (self._open if is_open else self._mended).append(finding)

    # The rows

    def _loose_rows(self, opened: Opened) -> None:
        count = mend.loose_rows(opened.connection)
        if not count:
            return
        result, texts = mend.Mended(), TakeTexts(self._paths)
        self._writer.mend(lambda t: mend.mend_loose_rows(t, texts, result)).result()
        if result.found_again:
            self._tell(
                "recordings_lost",
                mark("Recordings that had lost their entry are in the list again: {count}."),
                count=result.found_again,
            )
        else:
            self._tell(
                "orphans",
                mark("Leftovers of recordings that are gone were cleared away: {count}."),
                count=count,
            )

    def _rows(self, opened: Opened) -> None:
        now_s, texts, result = time.time(), TakeTexts(self._paths), mend.Mended()
        total = max(1, self._reader.count())
        found: list[mend.RowFaults] = []
        place: int | None = 0
        seen = 0
        while place is not None:
            seen_faults, place = mend.examine(opened.connection, place, _BATCH, now_s)
            faults = [one for one in seen_faults if not self._is_under_way(one.recording_id)]
            for one in faults:
                self._mend_row(one, texts, result, now_s)
            found += faults
            seen += _BATCH
            self._step(_ROWS + (_INDEX - _ROWS) * min(1.0, seen / total))
        self._tell_text(result)
        for kind, message, names in (
            (
                "wrong_counts",
                mark("What the list shows was out of date: {count} ({titles})."),
                [one.title for one in found if one.has_bad_counts and not one.has_bad_text],
            ),
            (
                "stuck",
                mark("Waited for work that had ended: {count} ({titles}). Retry them."),
                [one.title for one in found if one.is_stuck],
            ),
            (
                "future_date",
                mark("Dated in the future: {count} ({titles})."),
                [one.title for one in found if one.is_ahead],
            ),
        ):
            if names:
                self._tell(kind, message, count=len(names), titles=few(names))

    def _mend_row(
        self, one: mend.RowFaults, texts: TakeTexts, result: mend.Mended, now_s: float
    ) -> None:
        def work(change: Transaction) -> None:
            mend.mend_rows(change, one, texts, result, now_s)

        self._writer.mend(work).result()

    def _tell_text(self, result: mend.Mended) -> None:
        for kind, message, names in (
            (
                "text_restored",
                mark(
                    "Damaged text came back from the recordings' own folders: {count} ({titles})."
                ),
                result.completed,
            ),
            (
                "text_unsure",
                mark("Not what was saved, but kept; compare with the sound: {count} ({titles})."),
                result.unsure,
            ),
            (
                "text_lost",
                mark("Some text is lost; transcribe again: {count} ({titles})."),
                result.incomplete,
            ),
        ):
            if names:
                self._tell(kind, message, count=len(names), titles=few(names))

    def _index(self, opened: Opened) -> None:
        file = self._paths.library
        if any(look_at_index(opened.connection, file, is_frozen=opened.is_frozen)):
            self._writer.rebuild_search().result()
            mend_file(file).unlink(missing_ok=True)
            self._tell("search_drift", mark("Search did not find everything. Its index is new."))

    # The files

    def _sound(self) -> None:
        SoundBin(self._paths, self._writer, self._reader).tidy()
        with (
            told_plainly(self._paths.library),
            contextlib.closing(open_readonly(self._paths.library).connection) as connection,
        ):
            rows = mend.sounds(connection)
        found_again, missing = [], []
        busy = self._under_way()
        for recording_id, title, path in rows:
            if recording_id in busy or (path is not None and path.exists()):
                continue
            own = self._own_sound(recording_id)
            if own is not None:
                self._writer.update_recording(recording_id, audio_path=own, is_copy=True).result()
                found_again.append(title)
            elif path is not None:
                missing.append(title)
        if found_again:
            self._tell(
                "audio_found",
                mark("Sound that had gone astray was found: {count} ({titles})."),
                count=len(found_again),
                titles=few(found_again),
            )
        if missing:
            self._tell(
                "audio_missing",
                mark("Sound that is not where it was: {count} ({titles})."),
                is_open=mark("Put the files back. Their transcripts are safe."),
                count=len(missing),
                titles=few(missing),
            )

    def _own_sound(self, recording_id: str) -> Path | None:
        """Return the sound in the recording's own folder, if there is one."""
        if not names_a_folder(recording_id):
            return None
        folder = self._paths.recordings / recording_id
        flac = TakeFolder(folder).flac
        if flac.exists():
            return flac
        copies = [file for file in folder.glob("audio.*") if file.suffix in MEDIA_SUFFIXES]
        return copies[0] if len(copies) == 1 else None

    def _folders(self) -> None:
        problems: list[AppError] = []

        def hear(event: Event) -> None:
            if isinstance(event, Failed):
                problems.append(event.error)

        before = self._reader.count()
        back = recover_takes(self._paths, self._writer, self._reader, self._owner, hear)
        parts = (self._paths, self._writer, self._reader, self._owner)
        added = rebuild_library(*parts, settled_s=_SETTLED_S)
        count = max(len({*back, *added}), self._reader.count() - before)
        if count:
            self._tell(
                "folders_without_rows",
                mark("Recordings that were only in their folders are in the list again: {count}."),
                count=count,
            )
        self._open += [
            Finding("take_unreadable", Severity.WARNING, error.message, error.hint)
            for error in problems
        ]
        swept = sum(1 for _each in self._sweep())
        if swept:
            self._tell(
                "leftovers", mark("Unfinished files were cleared away: {count}."), count=swept
            )

    def _sweep(self) -> Iterator[Path]:
        """Delete half-written files nobody writes any more, and folders that hold nothing."""
        busy = self._under_way()
        if not self._paths.recordings.is_dir():
            return
        for folder in sorted(self._paths.recordings.iterdir()):
            if not folder.is_dir() or folder.name in busy:
                continue
            for part in sorted(folder.glob("*.part")):
                with contextlib.suppress(OSError):  # somebody is done with it, or keeps it
                    if time.time() - part.stat().st_mtime > _HOUR_S:
                        part.unlink()
                        yield part
            with contextlib.suppress(OSError):  # it holds something
                if time.time() - folder.stat().st_mtime > _HOUR_S:
                    folder.rmdir()
                    yield folder

    def _under_way(self) -> frozenset[str]:
        """Return the takes that somebody is recording."""
        return frozenset(
            folder.take_id
            for folder in take_folders(self._paths.recordings)
            if self._is_under_way(folder.take_id)
        )

    def _is_under_way(self, recording_id: str) -> bool:
        """Whether somebody is recording this one."""
        folder = TakeFolder(self._paths.recordings / recording_id)
        owner = str((folder.details() or {}).get("owner", ""))
        return folder.journal.exists() and self._owner.is_alive(owner)

    def _rights(self) -> None:
        closed = 0
        left = []
        for path in _all_of(self._paths):
            try:
                mode = path.stat().st_mode
                if mode & 0o077:
                    path.chmod(mode & 0o700)
                    closed += 1
            except FileNotFoundError:
                continue  # somebody was done with it
            except OSError:
                left.append(path)
        if closed:
            self._tell(
                "too_open",
                mark("Files that other people here could open are closed to them now: {count}."),
                count=closed,
            )
        if left:
            self._tell(
                "too_open",
                mark("Other people here can open {files}, and Undertone may not change that."),
                is_open=mark("They are locked or another user’s: make them yours; check again."),
                files=few([str(path) for path in left]),
            )


def few(names: list[str]) -> str:
    """Return some titles, in quotes."""
    return ", ".join(f"“{name}”" for name in names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def _all_of(paths: Paths) -> Iterator[Path]:
    """Yield our folder and all in it that is ours; links are not followed."""
    if not paths.home.is_dir():
        return
    yield paths.home
    for own in own_files(paths, has_models=True):
        if own.is_symlink():
            continue
        yield own
        for folder, folders, files in os.walk(own):
            yield from (
                path for name in (*folders, *files) if not (path := Path(folder, name)).is_symlink()
            )
