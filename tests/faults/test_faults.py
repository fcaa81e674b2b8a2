"""The fault scripts in their everyday length."""

import pytest

from tests.faults import kill_job


@pytest.mark.serial
def test_a_killed_job_loses_nothing_and_ends_with_the_same_text() -> None:
    seen = kill_job.run(10, repeats=2)

    assert seen.kills == 10
    assert seen.most_segments_kept > 0
