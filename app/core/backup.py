"""When a backup is due, which ones are kept, and what windows are told of them: pure values.

Which backups go depends on their own dates alone, never on the clock: a clock that jumps ten years
thins nothing out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.errors import AppError

_DAY_S = 24 * 3600.0
_EARLY_S = 2 * 3600.0  # a daily backup does not move to a later hour each day
_CLOCK_SLACK_S = 3600.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many backups are kept: the newest of as many days, weeks and months that have one."""

    days: int = 7
    weeks: int = 4
    months: int = 12


def kept(moments: Iterable[datetime], keeping: Keeping) -> frozenset[datetime]:
    """Return which of `moments` stay; the newest always does.

    Days, weeks and months without a backup are not counted, so a long pause thins nothing out.
    """
    newest_first = sorted(set(moments), reverse=True)
    stays = set(newest_first[:1])
    for count, period_of in (
        (keeping.days, _day),
        (keeping.weeks, _week),
        (keeping.months, _month),
    ):
        stays |= _newest_of_each(newest_first, period_of, count)
    return frozenset(stays)


def is_due(last_at: float | None, now: float) -> bool:
    """Return whether it is time again: once a day, and after a clock was set back."""
    if last_at is None:
        return True
    return now - last_at >= _DAY_S - _EARLY_S or now < last_at - _CLOCK_SLACK_S


def _newest_of_each(
    newest_first: list[datetime], period_of: Callable[[datetime], tuple[int, ...]], count: int
) -> set[datetime]:
    found: dict[tuple[int, ...], datetime] = {}
    for moment in newest_first:
        if len(found) >= count and period_of(moment) not in found:
            break
        found.setdefault(period_of(moment), moment)
    return set(found.values())


def _day(moment: datetime) -> tuple[int, ...]:
    return (moment.year, moment.month, moment.day)


def _week(moment: datetime) -> tuple[int, ...]:
    return tuple(moment.isocalendar()[:2])


def _month(moment: datetime) -> tuple[int, ...]:
    return (moment.year, moment.month)


class BackupStage(StrEnum):
    """What is done with the copies of the library just now."""

    IDLE = "idle"
    WAITING = "waiting"  # until nobody records
    BACKING_UP = "backing_up"
    CHECKING = "checking"  # a backup, before it is put in place
    RESTORED = "restored"  # all is checked; it is put in place at the next start
    ARCHIVING = "archiving"
    UNARCHIVING = "unarchiving"


@dataclass(frozen=True, slots=True)
class BackupChanged:
    """How backups stand.

    Attributes:
        fraction: how much of the work is done, 0…1; `None` where that is not known.
        last_at: when the last backup was made, seconds since 1970; `None` when never.
        recordings: how many recordings the last one holds.
        size_bytes: how much sound and text it holds.
        left_out: how many files of the library could not be read for it.
        problem: why the last try came to nothing.
        done: what has just been done.
        older: after a damaged backup, the newest older one that is whole.
    """

    stage: BackupStage = BackupStage.IDLE
    fraction: float | None = None
    last_at: float | None = None
    recordings: int = 0
    size_bytes: int = 0
    left_out: int = 0
    problem: AppError | None = None
    done: "Archived | Merged | None" = None
    older: "BackupLine | None" = None


@dataclass(frozen=True, slots=True)
class BackupLine:
    """One backup in a list.

    `is_readable` is false where not even what it holds can be said: it is damaged, or `is_newer`,
    made by a newer Undertone.
    """

    name: str
    made_at: float
    recordings: int = 0
    size_bytes: int = 0
    left_out: int = 0
    is_readable: bool = True
    is_newer: bool = False


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive was written: how many recordings it holds, and how many files it could not."""

    name: str
    recordings: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """An archive was taken in.

    Attributes:
        added: recordings that were not here.
        completed: recordings that were here and got something: another text, a tag, their sound.
        unchanged: recordings that were here as they are.
        conflicts: recordings whose text differed; the archive's is kept among their versions.
    """

    added: int = 0
    completed: int = 0
    unchanged: int = 0
    conflicts: int = 0
