import errno
import os
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.errors import DiskFull, ExportFailed
from app.export import FORMATS, ExportDocument, safe_name, target_for, write_export
from tests.export.documents import GOLDEN


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A plain title", "A plain title"),
        ("12:30 / lunch\\dinner", "12-30 - lunch-dinner"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("~/x", "x"),
        ("a\x00b\nc", "a b c"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ('What? "No" <yes> *', "What No yes"),
        ("e\u0301", "é"),
        ("dots... ", "dots"),
        ("", "Transcript"),
        ("..", "Transcript"),
        ("///", "Transcript"),
        ("👨\u200d👩\u200d👧 family", "👨\u200d👩\u200d👧 family"),
    ],
)
def test_safe_names(title: str, name: str) -> None:
    assert safe_name(title) == name


@given(st.text(max_size=300), st.integers(20, 200))
@example("…" * 300, 200)
@example("\ud800", 200)
@example("a" * 199 + "é", 200)
def test_a_name_is_always_short_plain_and_normal(title: str, max_bytes: int) -> None:
    name = safe_name(title, max_bytes)
    assert 0 < len(name.encode()) <= max_bytes
    assert unicodedata.is_normalized("NFC", name)
    assert not name.startswith((".", "-", " ", "~"))
    assert not name.endswith((".", " "))
    assert not set(name) & set('/\\:<>"|?*\n\r\t\x00')
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)


PARTS = ["..", "/", "\\", "~", ".", "-", "\x00", "\u202e", "a", " ", ":", "\ud800", "é" * 200]
HOSTILE = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PARTS), max_size=10).map("".join),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(HOSTILE)
def test_hostile_titles_stay_in_the_folder(tmp_path: Path, title: str) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir(exist_ok=True)
    document = ExportDocument(title, 0.0, None, GOLDEN.transcript)
    target = target_for(folder, title, "txt")
    written = write_export(document, "txt", target)
    assert written.resolve().parent == folder.resolve()
    assert [file.name for file in tmp_path.iterdir()] == ["chosen"]
    assert written.suffix == ".txt"
    written.unlink()
    assert list(folder.iterdir()) == []


def test_a_taken_name_gets_a_number_or_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("mine")
    target.chmod(0o640)
    assert write_export(GOLDEN, "txt", target) == tmp_path / "a (2).txt"
    assert write_export(GOLDEN, "txt", target) == tmp_path / "a (3).txt"
    assert target.read_text() == "mine"
    assert write_export(GOLDEN, "txt", target, overwrite=True) == target
    assert target.read_text() == (tmp_path / "a (2).txt").read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 3


def test_a_disk_without_hard_links_serves_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOTSUP, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    target = tmp_path / "a.txt"
    assert write_export(GOLDEN, "txt", target) == target
    assert write_export(GOLDEN, "txt", target) == tmp_path / "a (2).txt"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="is not there"):
        write_export(GOLDEN, "txt", tmp_path / "gone" / "a.txt")


def test_a_target_that_is_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(ExportFailed, match="could not be written"):
        write_export(GOLDEN, "txt", tmp_path / "a.txt", overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EACCES, ExportFailed),
        (errno.EROFS, ExportFailed),
        (errno.EIO, ExportFailed),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "write"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_failing_disk_leaves_the_old_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: type[Exception],
    step: str,
    overwrite: bool,
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(code, "the disk")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr("app.export.plain.write_txt", fail)
    with pytest.raises(kind):
        write_export(GOLDEN, "txt", target, overwrite=overwrite)
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_really_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if (
        not sys.platform.startswith("linux")
        or os.geteuid() != 0
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a small disk")
    try:
        target = disk / "a.json"
        target.write_text("old")
        big = ExportDocument("x" * 200_000, 0.0, None, GOLDEN.transcript)
        with pytest.raises(DiskFull):
            write_export(big, "json", target, overwrite=True)
        assert target.read_text() == "old"
        assert not list(disk.glob(".undertone*"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


KILLED = """
import os, sys
from pathlib import Path
from app.export import write_export
from tests.export.documents import GOLDEN
target = Path(sys.argv[1])
print("ready", flush=True)
while True:
    write_export(GOLDEN, "json", target, overwrite=True)
"""


def test_a_killed_export_is_old_or_new(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_export(GOLDEN, "json", target)
    whole = target.read_bytes()
    root = Path(__file__).parents[2]
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(target)], cwd=root, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        child.kill()
        child.wait(timeout=30)
        child.stdout.close()
        assert target.read_bytes() == whole
    for leftover in tmp_path.glob(".undertone*"):
        os.utime(leftover, (0, 0))
    write_export(GOLDEN, "json", target, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_only_the_chosen_writer_is_imported() -> None:
    code = "import sys, app.export; print([m for m in sys.modules if m.startswith('app.export.')])"
    held = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    for each in FORMATS.values():
        assert each.writer.split(":")[0] not in held
