"""The context menu of a transcript."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from app.config.translate import tr
from app.core import edit
from app.core.spans import tidied
from app.ui.actions import connect
from app.ui.units import place_in

if TYPE_CHECKING:
    from app.ui.editor.editor import TranscriptEditor


def fill_text_menu(editor: "TranscriptEditor", parent: QWidget, point: QPoint) -> QMenu:
    """Return the menu for what is selected, or for what lies at `point`."""
    menu = QMenu(parent)
    text, session = editor.text, editor.session
    here = text.cursorForPosition(point)
    if not text.textCursor().hasSelection():
        text.setTextCursor(here)
    copy = menu.addAction(tr("Copy"))
    copy.setEnabled(text.textCursor().hasSelection())
    connect(copy, text.copy)
    at = here.blockNumber()
    if at >= len(session.segments):
        return menu
    place = place_in(here.block(), here.position())
    word = editor.marks.word_at(at, place)
    segment = session.segments[at]
    start_s = segment.words[word].start_s if word is not None else segment.start_s
    connect(menu.addAction(tr("Listen from Here")), lambda: _listen(editor, start_s))
    menu.addSeparator()
    if not editor.keys.is_allowed:
        return menu
    if word is not None and word in editor.marks.doubtful(at):
        connect(
            menu.addAction(tr("This Word Is Right")),
            lambda: editor.do(edit.confirm(session.segments, at, word)),
        )
    first, count = editor.chosen_segments()
    offset = tidied(here.block().text(), place)
    connect(
        menu.addAction(tr("Split Here")),
        lambda: editor.do(edit.split(session.segments, at, offset)),
    )
    merge = menu.addAction(tr("Join to the One Before"))
    merge.setEnabled(at > 0)
    connect(merge, lambda: editor.do(edit.merge(session.segments, at)))
    connect(
        menu.addAction(tr("Delete Segments") if count > 1 else tr("Delete Segment")),
        lambda: editor.do(edit.delete(session.segments, first, count)),
    )
    menu.addSeparator()
    connect(menu.addAction(tr("Transcribe Again…")), editor.retake_requested.emit)
    menu.addSeparator()
    _add_speakers(menu, editor, first, count)
    connect(menu.addAction(tr("Shift Times…")), lambda: editor.ask_shift(first, count))
    connect(
        menu.addAction(tr("Shift Times from Here On…")),
        lambda: editor.ask_shift(first, len(session.segments) - first),
    )
    return menu


def _add_speakers(menu: QMenu, editor: "TranscriptEditor", first: int, count: int) -> None:
    segments = editor.session.segments
    part = menu.addMenu(tr("Speaker"))
    names = sorted({each.speaker for each in segments if each.speaker})
    for name in names:
        action = part.addAction(name.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(all(each.speaker == name for each in segments[first : first + count]))
        action.triggered.connect(lambda _on, name=name: editor.assign_speaker(first, count, name))
    part.addSeparator()
    connect(part.addAction(tr("Someone New…")), lambda: editor.ask_speaker(first, count))
    connect(
        part.addAction(tr("Nobody")),
        lambda: editor.assign_speaker(first, count, None),
    )
    here = segments[first].speaker
    if here:
        connect(
            part.addAction(tr("Rename “{name}”…", name=here.replace("&", "&&"))),
            lambda: editor.ask_rename(here),
        )


def _listen(editor: "TranscriptEditor", time_s: float) -> None:
    editor.hear(time_s)
    if not editor.bar.player.is_playing:
        editor.bar.toggle()
