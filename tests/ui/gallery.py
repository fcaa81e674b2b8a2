"""Shows every state of the window with a library in memory, for whoever changes its looks.

    uv run --locked python -m tests.ui.gallery FOLDER [STATE …]

The README's pictures come from the real app: `packaging/screenshots.py`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.config.paths import Paths, sample_recording
from app.core.backup import BackupChanged, BackupStage
from app.core.dictation import Outcome, Stage
from app.core.errors import AudioError, DecodeFailed, mark
from app.core.events import FilesChecked, TakesRecovered
from app.core.job import JobStatus
from app.core.packing import Region
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment, Transcript, Word
from app.library.backup_errors import not_there, sounds_damaged
from app.library.revise import Revision, RevisionKind
from app.macos.hotkey import parse_chord, taken
from app.pipeline.waveform import load_waveform
from app.ui import theme
from app.ui.export_dialog import ExportDialog
from app.ui.library.sidebar import Place
from app.ui.main_window import MainWindow
from app.ui.settings.restore import RestoreDialog
from app.ui.settings.window import SettingsWindow
from tests.helpers import ui_fakes as fakes
from tests.helpers.backup_fakes import backup_line
from tests.helpers.looks import dress

SIZES = ((1080, 720), (760, 480))
APPEARANCES = ("light", "dark")
States = Mapping[str, Callable[[], QWidget]]

INTERVIEW = (
    ("Ada", "Let us begin with the flood itself. Where were you when the water came?"),
    ("Ben", "At home, upstairs. I heard the neighbours shouting, and then I saw that the river "
            "had already taken the footbridge."),
    ("Ben", "My first thought was the shop. We keep the old photographs in the cellar, forty "
            "years of them, and nothing else in that building matters as much."),
    ("Ada", "Could you still get there?"),
    ("Ben", "By bicycle, along the railway. The road under the bridge was a lake by then."),
    ("Ben", "When I arrived, four people I had never spoken to were already carrying boxes up the "
            "stairs. Somebody had told them what was in them."),
    ("Ada", "So the collection was saved by strangers."),
    ("Ben", "By people from the street. They stopped being strangers that night."),
    ("Ada", "What happened in the days after?"),
    ("Ben", "We dried the prints between sheets of newspaper, on every table we could borrow. The "
            "school gave us its gymnasium, and the children turned the sheets every morning."),
    ("Ben", "Of six thousand pictures we lost eleven. I still know which eleven."),
    ("Ada", "And the river?"),
    ("Ben", "The river is where it always was. We built the shelf higher."),
)  # fmt: skip


def interview() -> Transcript:
    """Return the invented interview."""
    parts, start_s = [], 0.0
    for speaker, text in INTERVIEW:
        length_s = len(text) / 15
        parts.append(Segment(start_s, start_s + length_s, text, speaker=speaker))
        start_s += length_s + 0.8
    return Transcript(tuple(parts), "en", "turbo")


def world() -> fakes.World:
    """Return a library as it looks after a week of use."""
    noon = datetime.now().replace(hour=14, minute=2, second=0)
    found = fakes.World()
    rows: list[tuple[str, float, float, str]] = [
        ("Interview with Ben about the flood", 0, 2530, INTERVIEW[1][1]),
        ("Planning meeting", 3.2, 3485, "The budget for next year stands, with two questions."),
        ("Voice memo 12", 5.1, 74, "Remember to ask the printer about the paper samples."),
        ("Lecture 4, tides and rivers", 22, 5012, "Last week we saw why rivers meander."),
        ("Call with the archive", 27, 1264, "The river maps are in the second drawer."),
        ("Dictation draft, chapter two", 29, 611, "The street had changed its name twice."),
        ("Radio piece, rough cut", 51, 402, "Good morning from the bridge."),
        ("Seminar, questions", 75, 2210, "Could you say more about the sources?"),
        ("Walk along the river", 98, 1890, "You can hear the weir from here."),
    ]
    for at, (title, hours, duration_s, line) in enumerate(rows):
        created = (noon - timedelta(hours=hours)).timestamp()
        item = fakes.recording(
            at, title, created_at=created, duration_s=duration_s, first_line=line
        )
        found.library.items.append(item)
        found.library.transcripts[item.recording_id] = Transcript(
            (Segment(0.0, 4.0, line),), "en", "nano"
        )
    found.library.transcripts["r000000"] = interview()
    return found


def change(found: fakes.World, at: int, **changes: object) -> Recording:
    """Change a recording of the library."""
    item = replace(found.library.items[at], **changes)  # type: ignore[arg-type]
    found.library.items[at] = item
    return item


def show(found: fakes.World) -> MainWindow:
    """Open the window."""
    found.commands.settings = found.commands.settings.changed(
        appearance="dark" if theme.is_dark() else "light"
    )
    window = MainWindow(found.ports)
    window.show()
    QTest.qWait(50)
    return window


def empty() -> QWidget:
    return show(fakes.World())


def transcript() -> QWidget:
    return show(world())


def working() -> QWidget:
    found = world()
    change(found, 0, status=RecordingStatus.WORKING)
    change(found, 1, status=RecordingStatus.PENDING, first_line="")
    found.commands.jobs = [
        fakes.running(0, found.library.items[0].title, 1060.0),
        fakes.job(1, found.library.items[1].title, total_s=3485.0),
    ]
    found.commands.jobs[0] = replace(found.commands.jobs[0], total_s=2530.0)
    found.library.transcripts["r000000"] = Transcript(interview().segments[:7], "en", "nano")
    return show(found)


def queue() -> QWidget:
    found = world()
    titles = [item.title for item in found.library.items]
    found.commands.jobs = [
        replace(fakes.running(0, titles[0], 1060.0), total_s=2530.0),
        fakes.job(1, titles[1], total_s=3485.0),
        fakes.job(3, titles[3], total_s=5012.0, done_s=900.0, status=JobStatus.PAUSED),
        fakes.job(
            5,
            titles[5],
            status=JobStatus.FAILED,
            error="“draft.m4a” ends in the middle of a sound block.",
            hint="Copy the file again from where it came from, then retry.",
        ),
    ]
    window = show(found)
    window.parts.sidebar.choose(Place.QUEUE)
    window.parts.queue.list.setCurrentIndex(window.parts.queue.list.model().index(1, 0))
    return window


def search() -> QWidget:
    window = show(world())
    window.parts.toolbar.search_field.search("river")
    window.parts.library.select_row(0)
    return window


def nothing_found() -> QWidget:
    window = show(world())
    window.parts.toolbar.search_field.search("zeppelin")
    return window


def error() -> QWidget:
    found = world()
    change(
        found,
        0,
        status=RecordingStatus.FAILED,
        error="“interview.m4a” ends in the middle of a sound block.",
        hint="Copy the file again from where it came from, then retry.",
        first_line="",
    )
    found.library.transcripts["r000000"] = Transcript()
    window = show(found)
    refused = DecodeFailed(
        mark("“{name}” holds no sound that can be read."),
        mark("Check that it is an audio or video file."),
        name="minutes.pdf",
    )
    found.bus.files_checked.emit(FilesChecked((), ((Path("minutes.pdf"), refused),)))
    return window


def dropping() -> QWidget:
    window = show(world())
    window.parts.overlay.appear()
    return window


def unwritten() -> QWidget:
    window = show(organised())
    window.news.tell_speech_without_text(
        "Interview with the archivist", (Region(65.2, 68.0), Region(125.0, 127.5)), window.close
    )
    return window


def removed() -> QWidget:
    window = show(organised())
    window.remove_selected()
    QTest.qWait(200)
    return window


def organised() -> fakes.World:
    """Return a library with folders, tags, notes and favourites."""
    found = world()
    found.library.shelf = {"f1": "Flood project", "f2": "Teaching"}
    found.library.worn = {"r000000": ["interview", "history"], "r000004": ["history"]}
    change(found, 0, is_favourite=True, folder_id="f1", notes="Ask Ben for the eleven titles.")
    change(found, 2, kind=RecordingKind.QUICK)
    change(found, 3, folder_id="f2", is_favourite=True, doubt=3)
    change(found, 5, kind=RecordingKind.DICTATION, app_name="Pages", doubt=1)
    return found


def editable() -> fakes.World:
    """Return the library with word times, doubtful words, a sound and an older version."""
    found = organised()
    told = []
    for number, segment in enumerate(interview().segments):
        said = segment.text.split()
        step = (segment.end_s - segment.start_s) / len(said)
        words = tuple(
            Word(
                word,
                segment.start_s + at * step,
                segment.start_s + (at + 1) * step,
                0.1 if (number * 7 + at) % 41 == 5 else 0.95,
            )
            for at, word in enumerate(said)
        )
        told.append(replace(segment, words=words))
    found.library.transcripts["r000000"] = Transcript(tuple(told), "en", "turbo")
    change(found, 0, audio_path=sample_recording(), notes="", duration_s=told[-1].end_s + 1)
    old = replace(told[1], text=told[1].text.replace("footbridge", "foot ridge"))
    found.library.kept["r000000"] = [
        (Revision("v0", RevisionKind.RAW, fakes.NOON, None, None, 13), (told[0], old, *told[2:]))
    ]
    return found


def open_editor(found: fakes.World) -> MainWindow:
    window = show(found)
    waves = load_waveform(found.library.items[0], Paths(Path("/nonexistent")))
    window.parts.transcript.editor.bar.show_waves(waves)
    QTest.qWait(100)
    return window


def playing() -> QWidget:
    found = editable()
    window = open_editor(found)
    found.player.play()
    found.player.seek(9.3)
    return window


def editing() -> QWidget:
    window = open_editor(editable())
    editor = window.parts.transcript.editor
    editor.set_editing(True)
    editor.go_to_doubt(1)
    return window


def replacing() -> QWidget:
    window = open_editor(editable())
    editor = window.parts.transcript.editor
    editor.open_find(replaces=True)
    editor.find_bar.find_edit.setText("the")
    editor.find_bar.replace_edit.setText("that")
    return window


def comparing() -> QWidget:
    window = open_editor(editable())
    window.menus.compare.trigger()
    dialog = window.versions.dialog
    assert dialog is not None
    QTest.qWait(100)
    return dialog


def filtered() -> QWidget:
    window = show(organised())
    window.parts.library.filters.set_filter("is_favourite", True, "Favourites")
    window.parts.library.filters.set_filter("language", "en", "Language: English")
    QTest.qWait(100)
    return window


def bin_place() -> QWidget:
    found = organised()
    found.organiser.move_to_bin(["r000006", "r000008"])
    window = show(found)
    window.parts.sidebar.choose(Place.BIN)
    window.parts.library.select_row(0)
    QTest.qWait(100)
    return window


def recording() -> QWidget:
    found = world()
    window = show(found)
    take = found.dictation
    take.level, take.seconds = -24.0, 74.0
    take.tell(Stage.RECORDING, kind=RecordingKind.QUICK, device="Built-in Microphone")
    take.say(" ".join(text for _who, text in INTERVIEW[:5]), "They stopped being")
    QTest.qWait(300)
    return window


def silent() -> QWidget:
    found = world()
    window = show(found)
    problem = AudioError(
        mark("Undertone can't hear the microphone “{name}”. It has been silent for 10 seconds."),
        mark("Check that it is switched on, or use another one."),
        name="AirPods Pro",
    )
    found.dictation.tell(
        Stage.RECORDING, kind=RecordingKind.QUICK, device="AirPods Pro", problem=problem
    )
    return window


def untranscribed() -> QWidget:
    found = world()
    window = show(found)
    found.dictation.tell(Stage.RECORDING, kind=RecordingKind.QUICK)
    found.dictation.tell(Stage.IDLE, outcome=Outcome.UNTRANSCRIBED, can_retry=True)
    found.bus.takes_recovered.emit(TakesRecovered(("r000003", "r000004")))
    return window


def settings(page: int = 0, sheet: int = 0) -> QWidget:
    found = world()
    found.hotkeys.bound["dictate"] = parse_chord("ctrl+alt+space")
    found.commands.change_settings(
        vocabulary=("Qdrant", "Yverdon-les-Bains", "Ada Lovelace"),
        replacements=("my address\tLower Mill Lane 7", "e mail\temail"),
        snippets=("sign off\tKind regards,\nBen", "today’s date\t{{date}}"),
        microphone="yeti\tYeti Nano" if page == 2 else "",
    )
    window = SettingsWindow(found.ports, lambda **_changes: None, None, lambda: None)
    window.choose_page(page)
    window.dictation.sheets.setCurrentIndex(sheet)
    if page == 2:
        found.microphones.level = -22.0
        found.microphones.start_test()
    window.show()
    if page == 1 and sheet == 0:
        refused = taken(parse_chord("ctrl+alt+r"), "Notes")
        found.hotkeys.refused["ctrl+alt+r"] = refused
        window.dictation.keys.quick_field.try_chord(parse_chord("ctrl+alt+r"))
    QTest.qWait(300)
    return window


def backups(has_folder: bool = True, **now: object) -> QWidget:
    found = world()
    folder = str(Path.home() / "Archive disk") if has_folder else ""
    found.commands.change_settings(backup_folder=folder)
    found.backups.now = replace(
        BackupChanged(
            last_at=fakes.NOON if has_folder else None, recordings=312, size_bytes=4_112_000_000
        ),
        **now,  # type: ignore[arg-type]
    )
    window = SettingsWindow(found.ports, lambda **_changes: None)
    window.choose_page(window.pages.indexOf(window.backups))
    window.show()
    QTest.qWait(100)
    return window


def restore(**now: object) -> QWidget:
    found = world()
    found.backups.lines = tuple(backup_line(number, fakes.NOON) for number in range(9))
    found.backups.lines += (backup_line(9, fakes.NOON, is_readable=False),)
    dialog = RestoreDialog(found.backups, found.bus, Path.home() / "Archive disk", lambda: None)
    dialog.show()
    QTest.qWait(50)
    if now:
        dialog.restore()
        found.backups.tell(**now)
    QTest.qWait(100)
    return dialog


def export() -> QWidget:
    dialog = ExportDialog(["Interview with Ben about the flood"], str(Path.home()), "srt")
    dialog.show()
    return dialog


STATES: States = {
    "empty": empty,
    "transcript": transcript,
    "working": working,
    "queue": queue,
    "search": search,
    "nothing-found": nothing_found,
    "error": error,
    "drop": dropping,
    "removed": removed,
    "unwritten": unwritten,
    "filtered": filtered,
    "playing": playing,
    "editing": editing,
    "replacing": replacing,
    "comparing": comparing,
    "bin": bin_place,
    "recording": recording,
    "silent": silent,
    "untranscribed": untranscribed,
    "settings-general": settings,
    "settings-hotkeys": lambda: settings(1),
    "settings-text": lambda: settings(1, 1),
    "settings-vocabulary": lambda: settings(1, 2),
    "settings-snippets": lambda: settings(1, 4),
    "settings-microphone": lambda: settings(2),
    "settings-library": lambda: settings(3),
    "settings-backups": lambda: backups(),
    "settings-backups-none": lambda: backups(has_folder=False),
    "settings-backups-running": lambda: backups(
        stage=BackupStage.BACKING_UP, fraction=0.38, last_at=fakes.NOON
    ),
    "settings-backups-missing": lambda: backups(
        last_at=fakes.NOON - 3e5,
        problem=not_there(Path("/Volumes/Archive")),
    ),
    "settings-backups-restored": lambda: backups(stage=BackupStage.RESTORED),
    "restore": restore,
    "restore-checking": lambda: restore(stage=BackupStage.CHECKING, fraction=0.61),
    "restore-ready": lambda: restore(stage=BackupStage.RESTORED),
    "restore-damaged": lambda: restore(
        problem=sounds_damaged("2026-11-18 14:02", 2, "recordings/0190a/audio.flac"),
        older=backup_line(3, fakes.NOON),
    ),
    "export": export,
}


def take_all(states: States) -> None:
    """Write pictures of the states the command line names, or of all, in both schemes."""
    dress(app := QApplication(["undertone"]))
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for appearance in APPEARANCES:
        theme.use_appearance(appearance)
        for name in sys.argv[2:] or states:
            _take(name, states[name], appearance, folder)
    app.closeAllWindows()


def _take(name: str, state: Callable[[], QWidget], appearance: str, folder: Path) -> None:
    """Write the pictures of one state; a window of its own keeps its size."""
    for width, height in SIZES:
        window = state()
        if isinstance(window, MainWindow):
            window.resize(width, height)
        elif (width, height) != SIZES[0]:
            window.close()
            continue
        window.activateWindow()
        QTest.qWait(150)
        if name == "drop" and isinstance(window, MainWindow):
            window.parts.overlay.appear()
            QTest.qWait(20)
        size = f"-{width}" if (width, height) != SIZES[0] else ""
        window.grab().save(str(folder / f"{name}-{appearance}{size}.png"))
        window.close()
        window.deleteLater()
        QTest.qWait(1)


if __name__ == "__main__":
    take_all(STATES)
