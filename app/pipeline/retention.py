"""Runs the person's rules: old recordings go to the bin, the bin is emptied in time.

A rule never runs on a clock that leapt, nor on what the person once took back; what it moved is
written down before it moves, so that a kill leaves nothing in doubt.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from app.audio.take_folder import take_folders
from app.config.paths import Paths, write_private
from app.config.settings import Settings
from app.core.errors import AppError, DiskFull, mark
from app.core.retention import (
    DAY_S,
    Due,
    Rule,
    due,
    expired,
    is_run_due,
    rules_from,
    trusts_clock,
)
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter
from app.pipeline.removing import remove_expired
from app.pipeline.sound_bin import SoundBin

_log = logging.getLogger(__name__)
_ALL = 10_000_000
_LISTS = ("planned", "moved", "silenced", "spared")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did, and what it left because the clock had leapt (`waiting`, `waiting_bin`)."""

    moved: Due = field(default_factory=Due)
    erased: int = 0
    waiting: Due = field(default_factory=Due)
    waiting_bin: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.moved.count or self.erased or self.waiting.count or self.waiting_bin)


@dataclass(slots=True)
class _Memory:
    """What is remembered between runs."""

    ran_at: float | None = None
    planned: list[str] = field(default_factory=list)  # about to be moved when it was written
    moved: list[str] = field(default_factory=list)  # in the bin by a rule
    silenced: list[str] = field(default_factory=list)  # their sound is in its bin by a rule
    spared: list[str] = field(default_factory=list)  # taken back by the person


class Retention:
    """Runs and previews the rules. Thread: io; one run at a time.

    Args:
        paths: where things lie.
        writer: changes the library.
        reader: reads it.
        settings: the rules as they now stand.
        now_s: the wall clock.
    """

    def __init__(
        self,
        paths: Paths,
        writer: LibraryWriter,
        reader: LibraryReader,
        settings: Callable[[], Settings],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._paths = paths
        self._writer = writer
        self._reader = reader
        self._settings = settings
        self._now_s = now_s
        self._sounds = SoundBin(paths, writer, reader)
        self._turn = threading.Lock()

    def preview(self, rules: Sequence[Rule]) -> Due:
        """Return what `rules` would put away now."""
        with self._turn:
            return self._due(rules, self._reconciled())

    def preview_bin(self, days: int) -> int:
        """Return how much of the bin would be erased now if it kept for `days`."""
        return sum(map(len, self._expired(days)))

    def is_due(self) -> bool:
        """Whether the rules have not run for a day. Quick."""
        return is_run_due(self._read().ran_at, self._now_s())

    def run(self, *, is_confirmed: bool = False) -> Ran:
        """Put away what is due and erase what is due in the bin.

        Args:
            is_confirmed: the person has seen the count; else a clock that cannot be trusted, and
                the very first run, put nothing away.

        Raises:
            LibraryError, DiskFull: it could not be done, or not with all; the rest stays done.
        """
        with self._turn:
            self._sounds.tidy()
            memory = self._reconciled()
            settings = self._settings()
            found = self._due(rules_from(settings.retention), memory)
            old, old_sounds = self._expired(settings.bin_keeps_days)
            if not is_confirmed and not trusts_clock(memory.ran_at, self._now_s()):
                return self._hold(memory, found, len(old) + len(old_sounds))
            problems: list[AppError] = []
            moved = self._move(found, memory, problems)
            before = self._now_s() - settings.bin_keeps_days * DAY_S
            erased = self._erase(old, old_sounds, before, problems)
            memory.ran_at = self._now_s()
            self._save(memory)
            if problems:
                raise problems[0]
            return Ran(moved, erased)

    def undo(self, moved: Due) -> None:
        """Take back what a run put away; no rule will touch it again."""
        with self._turn:
            self._writer.restore(moved.recordings).result()
            self._sounds.restore(moved.sounds)
            self._save(self._reconciled())

    def _hold(self, memory: _Memory, found: Due, in_bin: int) -> Ran:
        """Do nothing; with nothing to ask about, the clock counts from here."""
        is_first = memory.ran_at is None
        if is_first or not (found.count or in_bin):
            memory.ran_at = self._now_s()
            self._save(memory)
        return Ran() if is_first else Ran(waiting=found, waiting_bin=in_bin)

    def _due(self, rules: Sequence[Rule], memory: _Memory) -> Due:
        now_s = self._now_s()
        spared = self._in_work() | set(memory.spared)
        found = [
            recording
            for rule in rules
            for recording in self._reader.recordings(
                ListQuery(kind=rule.kind, is_favourite=False, before=now_s - rule.days * DAY_S + 1),
                limit=_ALL,
            )
        ]
        return due(rules, found, now_s, spared=spared)

    def _in_work(self) -> set[str]:
        """Return what a job or a take still works on, and what is not packed yet."""
        working = {job.recording_id for job in self._reader.unfinished_jobs()}
        unpacked = {
            folder.take_id
            for folder in take_folders(self._paths.recordings)
            if folder.journal.exists()
        }
        return working | unpacked

    def _expired(self, days: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what is due in the bin: recordings, and sounds of recordings that live."""
        if days <= 0:
            return (), ()
        now_s = self._now_s()
        spared = self._in_work()
        binned = [
            (recording.recording_id, recording.deleted_at)
            for recording in self._reader.recordings(ListQuery(is_binned=True), limit=_ALL)
            if recording.deleted_at is not None
            and not recording.is_favourite
            and recording.recording_id not in spared
        ]
        sounds = [(entry.recording_id, entry.at) for entry in self._sounds.entries()]
        whole = expired(binned, days, now_s)
        gone = set(whole)
        return whole, tuple(key for key in expired(sounds, days, now_s) if key not in gone)

    def _move(self, found: Due, memory: _Memory, problems: list[AppError]) -> Due:
        memory.planned = [*found.recordings, *found.sounds]
        self._save(memory)
        at = self._now_s()
        whole = self._writer.move_to_bin(found.recordings, at).result() if found.recordings else ()
        sounds: tuple[str, ...] = ()
        try:
            sounds = self._sounds.put(found.sounds, at)
        except AppError as error:
            problems.append(error)
            there = {entry.recording_id for entry in self._sounds.entries()}
            sounds = tuple(key for key in found.sounds if key in there)
        memory.planned = []
        memory.moved += whole
        memory.silenced += sounds
        if whole or sounds:
            _log.info("retention: %d to the bin, %d lost their sound", len(whole), len(sounds))
        return Due(tuple(whole), sounds)

    def _erase(
        self,
        recordings: Sequence[str],
        sounds: Sequence[str],
        before: float,
        problems: list[AppError],
    ) -> int:
        """Erase what has lain in the bin since `before`; return how much that still was."""
        count = 0
        for erase, ids in (
            (partial(remove_expired, self._writer, self._paths), recordings),
            (self._sounds.erase, sounds),
        ):
            try:
                count += len(erase(ids, before)) if ids else 0
            except AppError as error:
                problems.append(error)
        if count:
            _log.info("bin: %d erased", count)
        return count

    # What is remembered

    def _reconciled(self) -> _Memory:
        """Return the memory, with what the person took back since."""
        memory = self._read()
        if not (memory.planned or memory.moved or memory.silenced or memory.spared):
            return memory
        found = {
            key: recording
            for key in {*memory.planned, *memory.moved, *memory.silenced, *memory.spared}
            if (recording := self._reader.recording(key)) is not None
        }
        binned = {key for key, recording in found.items() if recording.deleted_at is not None}
        sounds = {entry.recording_id for entry in self._sounds.entries()}
        back = [key for key in memory.moved if key in found and key not in binned]
        back += [k for k in memory.silenced if k in found and found[k].audio_path is not None]
        cut_short = set(memory.planned)
        return _Memory(
            memory.ran_at,
            [],
            _each(memory.moved, cut_short, binned),
            _each(memory.silenced, cut_short, sounds),
            _each([*memory.spared, *back], (), found),
        )

    def _read(self) -> _Memory:
        try:
            held = json.loads(self._paths.retention.read_text(encoding="utf-8"))
            return _Memory(
                None if held["ran_at"] is None else float(held["ran_at"]),
                *([str(key) for key in held[name]] for name in _LISTS),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return _Memory()

    def _save(self, memory: _Memory) -> None:
        content = {
            "version": 1,
            "ran_at": memory.ran_at,
            **{name: getattr(memory, name) for name in _LISTS},
        }
        try:
            write_private(self._paths.retention, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise DiskFull(
                mark("The retention rules could not run: {reason}."),
                mark("Free some disk space. Nothing was moved."),
                reason=error.strerror or str(error),
            ) from error


def _each(first: Iterable[str], more: Iterable[str], within: Container[str]) -> list[str]:
    """Return the ids of both that are in `within`, once each."""
    return [key for key in dict.fromkeys([*first, *more]) if key in within]
