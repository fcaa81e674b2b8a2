"""The fault scripts in their everyday length."""

import sys

import pytest

from tests.faults import (
    full_disk,
    kill_download,
    kill_job,
    kill_take,
    long_take,
    offline,
    quiet_hours,
)

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="needs /proc, tmpfs and mount name spaces"
)


def test_a_killed_job_loses_nothing_and_ends_with_the_same_text() -> None:
    seen = kill_job.run(10, repeats=2)

    assert seen.kills == 10
    assert seen.most_segments_kept > 0


@pytest.mark.serial
def test_a_killed_take_loses_half_a_second_at_most() -> None:
    assert "20 kills" in kill_take.run(20, 0.3)


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


def test_a_killed_download_leaves_a_verified_model_or_none() -> None:
    seen = kill_download.run(3, size=12_000_000)

    assert seen.kills == 3
    assert seen.models >= 1
    assert seen.resumed_bytes > 0


def test_addresses_beyond_this_machine_are_found_in_a_trace() -> None:
    # As strace writes it.
    trace = """
1 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("10.1.2.3")}, 16) = 0
1 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
1 connect(3, {sa_family=AF_UNIX, sun_path="/tmp/.X11-unix/X0"}, 20) = 0
1 connect(3, {sa_family=AF_INET6, inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = -1
1 sendto(4, "x", 1, 0, {sa_family=AF_INET, sin_addr=inet_addr("9.9.9.9")}, 16) = 1
"""
    assert len(offline.outside(trace)) == 3
