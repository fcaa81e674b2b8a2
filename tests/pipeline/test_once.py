"""Runs that keep nothing leave nothing, whatever ends them."""

from pathlib import Path

from app.pipeline.once import once_paths, sweep_once


def test_nothing_stays_of_a_run_that_ends(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with once_paths(home) as paths:
        assert paths.home.parent == home
        assert paths.home.stat().st_mode & 0o777 == 0o700
        paths.recordings.mkdir()
        paths.library.write_text("what was said")
    assert list(home.iterdir()) == []


def test_what_a_killed_run_left_is_swept_and_who_lives_is_left_alone(tmp_path: Path) -> None:
    killed, early = tmp_path / ".once-killed", tmp_path / ".once-early"
    for folder in (killed / "recordings", early):  # the one before it could lock anything
        folder.mkdir(parents=True)
    (killed / "alive.lock").touch()
    (killed / "library.sqlite").write_text("what was said")
    mine = tmp_path / "recordings"
    mine.mkdir()
    with once_paths(tmp_path) as first:
        assert not killed.exists()  # swept by the next run already
        killed.mkdir()
        with once_paths(tmp_path) as second:
            sweep_once(tmp_path)
            assert {*tmp_path.iterdir()} == {first.home, second.home, mine}
    assert list(tmp_path.iterdir()) == [mine]


def test_what_cannot_be_swept_holds_up_nobody(tmp_path: Path) -> None:
    (tmp_path / ".once-file").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / ".once-link").symlink_to(tmp_path / "elsewhere")
    sweep_once(tmp_path)
    sweep_once(tmp_path / "not there")
    assert (tmp_path / "elsewhere" / "file").exists()
