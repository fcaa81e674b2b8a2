"""Which backups stay, and when the next one is due."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.backup import Keeping, is_due, kept

_MOMENTS = st.lists(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)), max_size=25
)
_KEEPINGS = st.builds(
    Keeping, st.integers(0, 9), st.integers(0, 9), st.integers(0, 14)
)  # fmt: skip


@settings(max_examples=20)
@given(_MOMENTS, _KEEPINGS)
def test_the_newest_stays_and_never_more_than_was_asked_for(
    moments: list[datetime], keeping: Keeping
) -> None:
    stays = kept(moments, keeping)
    assert stays <= set(moments)
    if moments:
        assert max(moments) in stays
    assert len(stays) <= max(1, keeping.days + keeping.weeks + keeping.months)


@settings(max_examples=20)
@given(_MOMENTS, _KEEPINGS)
def test_thinning_twice_is_thinning_once(moments: list[datetime], keeping: Keeping) -> None:
    once = kept(moments, keeping)
    assert kept(once, keeping) == once


@settings(max_examples=20)
@given(_MOMENTS, _KEEPINGS)
def test_each_of_the_newest_days_weeks_and_months_keeps_its_newest(
    moments: list[datetime], keeping: Keeping
) -> None:
    stays = kept(moments, keeping)
    days = sorted({moment.date() for moment in moments}, reverse=True)[: keeping.days]
    for day in days:
        assert max(each for each in moments if each.date() == day) in stays
    months = sorted({(each.year, each.month) for each in moments}, reverse=True)
    for month in months[: keeping.months]:
        assert max(each for each in moments if (each.year, each.month) == month) in stays


@settings(max_examples=20)
@given(_MOMENTS, st.datetimes(datetime(2041, 1, 1), datetime(2090, 1, 1)), _KEEPINGS)
def test_a_clock_far_ahead_thins_out_one_day_at_most(
    moments: list[datetime], ahead: datetime, keeping: Keeping
) -> None:
    gone = kept(moments, keeping) - kept([*moments, ahead], keeping)
    assert len(gone) <= 3  # the oldest day, week and month make room


def test_two_years_of_daily_backups_end_as_a_week_a_month_and_a_year() -> None:
    held: list[datetime] = []
    day = datetime(2024, 11, 21, 14, 30)
    for number in range(730):
        held = sorted(kept([*held, day + timedelta(days=number)], Keeping()))
    newest = held[-1]
    assert [newest - timedelta(days=back) for back in range(7)] == held[::-1][:7]
    months = {(each.year, each.month) for each in held}
    assert len(months) == 12
    assert newest - held[0] > timedelta(days=300)
    assert len(held) <= 23
    weeks = [newest.date() - each.date() for each in held]
    assert sum(timedelta(days=7) <= age < timedelta(days=28) for age in weeks) >= 2


def test_it_is_due_once_a_day_and_after_a_clock_was_set_back() -> None:
    noon = 1_795_000_000.0
    assert is_due(None, noon)
    assert not is_due(noon, noon + 3600)
    assert not is_due(noon, noon - 60)
    assert is_due(noon, noon + 23 * 3600)
    assert is_due(noon, noon - 86_400)
