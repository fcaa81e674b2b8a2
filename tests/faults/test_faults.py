"""The fault scripts in their everyday length."""

import sys

import pytest

from tests.faults import full_disk, kill_job, kill_take, long_take, quiet_hours

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="needs /proc, tmpfs and mount name spaces"
)


def test_a_killed_job_loses_nothing_and_ends_with_the_same_text() -> None:
    seen = kill_job.run(10, repeats=2)

    assert seen.kills == 10
    assert seen.most_segments_kept > 0


@pytest.mark.serial
def test_a_killed_take_loses_half_a_second_at_most() -> None:
    assert "12 kills" in kill_take.run(12, 0.3)


@linux_only
def test_a_take_on_a_full_disk_is_closed_cleanly_and_packed_later() -> None:
    seen = full_disk.run(4)
    assert seen.count("packed with room") == 2
    assert "in the library once there was room" in seen


@linux_only
@pytest.mark.serial
def test_a_long_take_needs_no_more_memory_than_a_short_one() -> None:
    assert "scan" in long_take.run(0.05)


def test_nothing_is_invented_where_nobody_speaks() -> None:
    assert "zeros 0" in quiet_hours.run(1)
