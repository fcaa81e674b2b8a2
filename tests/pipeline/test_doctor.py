"""What the doctor finds on the disk beside the library itself: backups that do not come."""

import time
from pathlib import Path

import pytest

from app.config.paths import Paths
from app.config.settings import Settings, save_settings
from app.core.finding import Severity
from app.library.backup_state import load_state, save_state
from app.pipeline.doctor import examine

DAY = 86_400.0


def found(paths: Paths) -> dict[str, str]:
    return {
        finding.kind: str(finding.message)
        for finding in examine(paths)
        if finding.kind.startswith("backup_") and finding.severity is Severity.WARNING
    }


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "home")
    save_settings(Settings(backup_folder="/Volumes/Archive"), paths.settings)
    return paths


def test_who_wants_no_backups_hears_nothing_of_them(tmp_path: Path) -> None:
    assert found(Paths(tmp_path / "home")) == {}


def test_backups_that_were_never_made_are_told(paths: Paths) -> None:
    assert found(paths) == {
        "backup_missing": "No backup has been made yet in “/Volumes/Archive”.",
    }


@pytest.mark.parametrize(("days", "is_told"), [(0, False), (7, False), (8, True), (400, True)])
def test_a_last_backup_of_long_ago_is_told(paths: Paths, days: int, is_told: bool) -> None:
    state = load_state(paths).changed(last_at=time.time() - (days + 0.5) * DAY)
    save_state(paths, state)
    told = {"backup_old": f"The last backup is {days} days old."}
    assert found(paths) == (told if is_told else {})


def test_settings_that_cannot_be_read_are_another_finding(paths: Paths) -> None:
    paths.settings.write_text("[1]")
    assert found(paths) == {}
    assert "settings_unreadable" in {finding.kind for finding in examine(paths)}
