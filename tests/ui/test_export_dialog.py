"""The export dialog proposes names that stay inside the folder."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.export import FORMATS, ExportOptions
from app.ui.export_dialog import ExportDialog, formats


def test_one_recording_becomes_a_file(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(["Interview"], str(tmp_path), "srt")
    qtbot.addWidget(dialog)
    assert dialog.target == tmp_path / "Interview.srt"
    dialog.format_box.setCurrentIndex(dialog.format_box.findData("json"))
    assert dialog.target == tmp_path / "Interview.json"


def test_several_go_into_the_folder(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(["One", "Two"], str(tmp_path))
    qtbot.addWidget(dialog)
    assert dialog.target == tmp_path
    assert dialog.export_button.isEnabled()
    assert dialog.template == "{title}"


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b", "..", "", "C:\\x", "\0\n"])
def test_a_hostile_title_stays_inside(qtbot: QtBot, tmp_path: Path, title: str) -> None:
    dialog = ExportDialog([title], str(tmp_path))
    qtbot.addWidget(dialog)
    assert dialog.target.parent == tmp_path
    dialog.name_edit.setText("../up")
    assert dialog.target.parent == tmp_path


@pytest.mark.parametrize(
    "title", ["あ" * 100, "😀" * 120, "é" * 300], ids=["kana", "emoji", "accents"]
)
def test_a_long_title_of_any_script_can_be_written(
    qtbot: QtBot, tmp_path: Path, title: str
) -> None:
    dialog = ExportDialog([title], str(tmp_path))
    qtbot.addWidget(dialog)
    assert not dialog.target.exists()
    dialog.target.write_text("ours")
    dialog.name_edit.setText(title + title)
    assert not dialog.warning.isHidden()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("talk.srt", "talk.srt"),
        ("talk.SRT ", "talk.srt"),
        ("talk", "talk.srt"),
        ("talk.2.srt", "talk.2.srt"),
        ("talk.txt", "talk.txt.srt"),
        (".srt", "srt.srt"),
        ("あ" * 100 + ".srt", "あ" * 66 + ".srt"),
    ],
)
def test_a_suffix_that_is_typed_is_not_doubled(
    qtbot: QtBot, tmp_path: Path, typed: str, name: str
) -> None:
    dialog = ExportDialog(["Interview"], str(tmp_path), "srt")
    qtbot.addWidget(dialog)
    dialog.name_edit.setText(typed)
    assert dialog.target == tmp_path / name


def test_a_folder_that_cannot_be_looked_into_holds_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(["Interview"], str(tmp_path))
    qtbot.addWidget(dialog)
    dialog.set_folder(tmp_path / ("x" * 300))
    assert dialog.warning.isHidden()


def test_an_existing_file_is_announced(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "Interview.txt").write_text("old")
    dialog = ExportDialog(["Interview"], str(tmp_path))
    qtbot.addWidget(dialog)
    assert not dialog.warning.isHidden()
    dialog.name_edit.setText("Another")
    assert dialog.warning.isHidden()


def test_a_name_is_needed(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(["Interview"], str(tmp_path))
    qtbot.addWidget(dialog)
    dialog.name_edit.setText("  ")
    assert not dialog.export_button.isEnabled()


def test_a_folder_that_is_gone_is_not_proposed(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(["Interview"], str(tmp_path / "gone"))
    qtbot.addWidget(dialog)
    assert dialog.folder.is_dir()


def test_the_formats_of_the_issue_are_offered() -> None:
    assert {key for key, _name, _note in formats()} == set(FORMATS)


def test_options_are_shown_where_they_matter_and_previewed(qtbot: QtBot, tmp_path: Path) -> None:
    asked: list[tuple[str, ExportOptions]] = []

    def preview(format_id: str, options: ExportOptions) -> str:
        asked.append((format_id, options))
        return f"lines of {options.line_length}"

    dialog = ExportDialog(["Interview"], str(tmp_path), preview=preview)
    qtbot.addWidget(dialog)
    assert dialog.cue_options.isHidden()
    dialog.format_box.setCurrentIndex(dialog.format_box.findData("srt"))
    assert not dialog.cue_options.isHidden()
    dialog.length_box.setValue(30)
    dialog.speed_box.setValue(17)
    dialog.speakers_check.setChecked(False)
    assert dialog.preview_text.toPlainText() == "lines of 30"
    assert asked[-1] == ("srt", dialog.options)
    assert dialog.options == ExportOptions(False, True, 30, 2, 17.0)
