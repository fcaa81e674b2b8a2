"""`--self-test` works in the source tree too, and tells when something does not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.pipeline.self_test import try_parts


@pytest.mark.serial
def test_everything_works_here(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "--self-test", "--cpu"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["ok"]
    assert not report["is_frozen"]
    found = {check["name"]: check["detail"] for check in report["checks"]}
    assert list(found) == [
        *("imports", "media", "library", "engine"),
        *("transcription", "search", "close", "windows"),
    ]
    for kind in ("wav", "m4a", "mp3", "mp4", "webm", "amr", "wma", "opus", "mkv"):
        assert kind in found["media"].split()
    assert "budget" in found["transcription"]
    assert list(tmp_path.iterdir()) == []  # nothing is left in the person's home


def test_a_part_that_fails_hides_no_other() -> None:
    def broken() -> str:
        raise LookupError("gone")

    checks = list(try_parts([("first", broken), ("second", lambda: "fine")]))
    assert [(check.name, check.is_ok, check.detail) for check in checks] == [
        ("first", False, "LookupError: gone"),
        ("second", True, "fine"),
    ]
