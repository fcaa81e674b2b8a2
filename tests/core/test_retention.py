"""The rules put away what they say and never anything else, whatever the clock says."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.retention import (
    DAY_S,
    TRUSTED_GAP_DAYS,
    Rule,
    Takes,
    due,
    expired,
    is_run_due,
    lines_of,
    rules_from,
    trusts_clock,
    with_rule,
)
from tests.library.builders import make_recording

NOW = 1_795_000_000.0

RULES = st.lists(
    st.builds(Rule, st.sampled_from(RecordingKind), st.sampled_from(Takes), st.integers(1, 1000)),
    max_size=3,
    unique_by=lambda rule: rule.kind,
)


@st.composite
def recordings(draw: st.DrawFn) -> list[Recording]:
    made = []
    for at in range(draw(st.integers(0, 8))):
        age = draw(st.floats(-10, 2000))
        made.append(
            make_recording(
                f"r{at}",
                kind=draw(st.sampled_from(RecordingKind)),
                status=draw(st.sampled_from(RecordingStatus)),
                created_at=NOW - age * DAY_S,
                edited_at=draw(st.none() | st.floats(NOW - 900 * DAY_S, NOW)),
                deleted_at=draw(st.none() | st.just(NOW - DAY_S)),
                is_favourite=draw(st.booleans()),
                is_copy=draw(st.booleans()),
                audio_path=draw(st.sampled_from([None, __file__])),
                rerun_of=draw(st.none() | st.just("r0")),
            )
        )
    return made


@settings(max_examples=20)
@given(RULES, recordings(), st.sets(st.sampled_from([f"r{at}" for at in range(12)])))
def test_only_what_a_rule_names_is_put_away(
    rules: list[Rule], found: list[Recording], spared: set[str]
) -> None:
    by_kind = {rule.kind: rule for rule in rules}
    result = due(rules, found, NOW, spared=spared)
    assert not set(result.recordings) & set(result.sounds)
    for recording in found:
        rule = by_kind.get(recording.kind)
        is_due = (
            rule is not None
            and NOW - recording.created_at >= rule.days * DAY_S
            and NOW - (recording.edited_at or 0) >= rule.days * DAY_S
            and not recording.is_favourite
            and recording.recording_id not in spared
            and recording.deleted_at is None
            and recording.rerun_of is None
            and recording.status in (RecordingStatus.DONE, RecordingStatus.EMPTY)
        )
        is_whole = rule is not None and rule.takes is Takes.ALL
        has_ours = recording.is_copy and recording.audio_path is not None
        assert (recording.recording_id in result.recordings) == (is_due and is_whole)
        assert (recording.recording_id in result.sounds) == (is_due and not is_whole and has_ours)


@settings(max_examples=12)
@given(RULES, recordings(), st.floats(0, 500), st.floats(0, 500))
def test_what_is_due_stays_due(
    rules: list[Rule], found: list[Recording], first: float, more: float
) -> None:
    early = due(rules, found, NOW + first * DAY_S)
    late = due(rules, found, NOW + (first + more) * DAY_S)
    assert set(early.recordings) <= set(late.recordings)
    assert set(early.sounds) <= set(late.sounds)


@settings(max_examples=20)
@given(RULES)
def test_the_setting_holds_the_rules(rules: list[Rule]) -> None:
    assert list(rules_from(lines_of(rules))) == rules


@settings(max_examples=20)
@given(st.lists(st.text(max_size=30) | st.sampled_from(["file\tall\t0", "file\tall\t1e3"])))
def test_nonsense_in_the_setting_is_no_rule(lines: list[str]) -> None:
    assert all(rule.days > 0 for rule in rules_from(lines))
    assert rules_from(["quick\tall\t-1", "quick\tall", "quick\tnone\t3", "x\tall\t3"]) == ()


def test_a_kind_has_one_rule() -> None:
    file = Rule(RecordingKind.FILE, Takes.ALL, 30)
    other = Rule(RecordingKind.QUICK, Takes.SOUND, 7)
    assert with_rule((file, other), RecordingKind.FILE, None) == (other,)
    shorter = replace(file, days=7)
    assert set(with_rule((file, other), RecordingKind.FILE, shorter)) == {shorter, other}


def test_the_bin_is_emptied_in_time() -> None:
    binned = [("old", NOW - 31 * DAY_S), ("new", NOW - 29 * DAY_S), ("ahead", NOW + DAY_S)]
    assert expired(binned, 30, NOW) == ("old",)
    assert expired(binned, 0, NOW) == ()


@settings(max_examples=20)
@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_a_clock_that_leaps_is_not_trusted(last: float, now: float) -> None:
    assert trusts_clock(last, now) == (last <= now <= last + TRUSTED_GAP_DAYS * DAY_S)
    assert not trusts_clock(None, now)
    if not is_run_due(last, now):
        assert 0 <= now - last < DAY_S
