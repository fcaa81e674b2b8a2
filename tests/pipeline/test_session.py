"""What the next start does about copies that were being put in place."""

import json
from pathlib import Path

from app.config.paths import Paths
from app.config.settings import Settings
from app.core.backup import Keeping
from app.library.backing_up import make_backup
from app.library.backups import existing_backups
from app.library.restore import stage_restore
from app.library.work import Work
from app.pipeline.session import open_session
from tests.library.full_library import TAKE, make_library, put_sound, rows_of


def test_a_start_puts_a_checked_backup_and_a_killed_import_in_place(tmp_path: Path) -> None:
    paths, disk = Paths(tmp_path / "home"), tmp_path / "disk"
    disk.mkdir()
    make_library(paths, tmp_path / "elsewhere.mp3")
    rows = rows_of(paths.library, paths.home)
    backup = make_backup(paths, disk, Keeping(), Work())
    stage_restore(paths, existing_backups(disk), backup, Work())
    paths.library.unlink()
    staged = Paths(paths.home / "taking-in")
    staged.home.mkdir()
    put_sound(staged, TAKE, "late.flac", b"sound")
    (staged.home / "plan.json").write_text(json.dumps({"added": [TAKE]}))
    session = open_session(paths, lambda _event: None, Settings)
    try:
        assert rows_of(paths.library, paths.home) == rows
        assert (paths.recordings / TAKE / "late.flac").read_bytes() == b"sound"
        assert session.backups.now.last_at is None  # this folder was not chosen in the settings
    finally:
        session.close()
