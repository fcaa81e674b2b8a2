"""Which recordings the person's rules put away, and what of the bin is due to be erased.

Pure: the clock and the facts are handed in. Nothing is ever put away that is a favourite,
unfinished, in work, still to be packed, or was taken back by the person once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.core.recording import Recording, RecordingKind, RecordingStatus

DAY_S = 86_400.0
TRUSTED_GAP_DAYS = 31  # a clock that moved on further since the last run is asked about
MAX_DAYS = 36_500
_FINISHED = (RecordingStatus.DONE, RecordingStatus.EMPTY)


class Takes(StrEnum):
    """What a rule takes away."""

    ALL = "all"
    SOUND = "sound"  # our copy of the sound; the text stays


@dataclass(frozen=True, slots=True)
class Rule:
    """Put away `takes` of recordings of `kind` that nobody touched for `days`."""

    kind: RecordingKind
    takes: Takes
    days: int


@dataclass(frozen=True, slots=True)
class Due:
    """What the rules put away now: whole recordings, and those that lose their sound only."""

    recordings: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.recordings) + len(self.sounds)


def rules_from(lines: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules that the setting holds; a line that says nothing sensible is no rule.

    Args:
        lines: `kind<TAB>all|sound<TAB>days`, one for each kind; of two the later counts.
    """
    rules: dict[RecordingKind, Rule] = {}
    for line in lines:
        parts = line.split("\t")
        try:
            kind, takes, days = RecordingKind(parts[0]), Takes(parts[1]), int(parts[2])
        except (IndexError, ValueError):
            continue
        if len(parts) == 3 and 0 < days <= MAX_DAYS:
            rules[kind] = Rule(kind, takes, days)
    return tuple(rules.values())


def lines_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return what the setting holds for `rules`."""
    return tuple(f"{rule.kind}\t{rule.takes}\t{rule.days}" for rule in rules)


def with_rule(rules: Iterable[Rule], kind: RecordingKind, rule: Rule | None) -> tuple[Rule, ...]:
    """Return `rules` with another one for `kind`, or none."""
    others = tuple(each for each in rules if each.kind is not kind)
    return others if rule is None else (*others, rule)


def due(
    rules: Iterable[Rule],
    recordings: Iterable[Recording],
    now_s: float,
    *,
    spared: Collection[str] = (),
) -> Due:
    """Return what `rules` put away at `now_s`.

    Args:
        rules: one a kind.
        recordings: of the library, the bin included or not.
        now_s: the wall clock.
        spared: ids of what is in work, not packed yet, or was taken back before.
    """
    by_kind = {rule.kind: rule for rule in rules}
    whole, sounds = [], []
    for recording in recordings:
        rule = by_kind.get(recording.kind)
        if rule is None or recording.recording_id in spared or not _may_go(recording):
            continue
        if now_s - _touched_at(recording) < rule.days * DAY_S:
            continue
        if rule.takes is Takes.ALL:
            whole.append(recording.recording_id)
        elif recording.is_copy and recording.audio_path is not None:
            sounds.append(recording.recording_id)
    return Due(tuple(whole), tuple(sounds))


def expired(binned: Iterable[tuple[str, float]], days: int, now_s: float) -> tuple[str, ...]:
    """Return what has lain in the bin for `days`; nothing for 0 days, which means for ever.

    Args:
        binned: id and time of deletion of each.
        days: how long the bin keeps.
        now_s: the wall clock.
    """
    if days <= 0:
        return ()
    return tuple(key for key, at in binned if now_s - at >= days * DAY_S)


def trusts_clock(last_run_s: float | None, now_s: float) -> bool:
    """Whether the clock moved on plausibly since the rules last ran.

    A first run, a clock set back and one that leapt are no ground to put anything away unasked.
    """
    return last_run_s is not None and 0 <= now_s - last_run_s <= TRUSTED_GAP_DAYS * DAY_S


def is_run_due(last_run_s: float | None, now_s: float) -> bool:
    """Whether a day has gone by since the last run, or the clock was set back."""
    return last_run_s is None or not 0 <= now_s - last_run_s < DAY_S


def _may_go(recording: Recording) -> bool:
    return (
        not recording.is_favourite
        and recording.status in _FINISHED
        and recording.deleted_at is None
        and recording.rerun_of is None
    )


def _touched_at(recording: Recording) -> float:
    """Return when the recording was made or last edited, whichever is later."""
    return max(recording.created_at, recording.edited_at or 0.0)
