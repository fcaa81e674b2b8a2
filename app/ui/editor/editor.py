"""A transcript that is listened to and worked on: text, player, find bar and one undo stack.

Joins the parts; each of them knows nothing of the others. Thread: main.
"""

import contextlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QInputDialog, QWidget

from app.config.translate import tr, tr_plural
from app.core import edit
from app.core.doubt import count_doubtful, limit_of
from app.core.edit import Splice
from app.core.find import Hit, Wanted, find, place_behind, replace_all, replace_hit
from app.core.recording import Recording
from app.core.transcript import Segment
from app.ui.editor.find_bar import FindBar
from app.ui.editor.keys import EditorKeys
from app.ui.editor.marks import WordMarks
from app.ui.editor.player import Pauses
from app.ui.editor.player_bar import PlayerBar
from app.ui.editor.review import doubtful_places, next_place, selected_place
from app.ui.editor.session import EditSession
from app.ui.editor.strip import ToolStrip
from app.ui.editor.text_menu import fill_text_menu
from app.ui.ports import LoadWaves, Organiser, Player, Waves
from app.ui.transcript.text import TranscriptText
from app.ui.units import place_of, select
from app.ui.widgets.announce import Announcer

_FOLLOW_MARGIN = 48  # px from the edges within which the spoken word is brought to the middle

_MANY = 400  # segments of an edit whose doubtful words and matches are counted afterwards


class TranscriptEditor(QObject):
    """Everything a person does in an open transcript."""

    changed = Signal()  # what undo and redo would do, or the mode
    failed = Signal(object)  # AppError
    compare_requested = Signal()
    retake_requested = Signal()
    record_requested = Signal()
    left = Signal()  # what was asked about the recording that was open is void
    _waves_came = Signal(object)

    def __init__(
        self,
        text: TranscriptText,
        organiser: Organiser | None,
        player: Player,
        load_waves: LoadWaves | None,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._widget = parent
        self.text = text
        self._load_waves = load_waves
        self._recording: Recording | None = None
        self._hits: list[Hit] = []
        self._hit: int | None = None
        self._follows = True
        self._doubt_count = 0
        self._recount = QTimer(self)  # after an edit of many segments, which is shown first
        self._recount.setSingleShot(True)
        self._recount.timeout.connect(self._count_again)
        self.question: QInputDialog | None = None
        self._announcer = Announcer(parent)
        self.session = EditSession(organiser, self)
        self.marks = WordMarks(text)
        self.keys = EditorKeys(text, self.marks, self.session)
        self.bar = PlayerBar(player, parent)
        self.find_bar = FindBar(parent)
        self.strip = ToolStrip(parent)
        self.bar.hide()
        self._connect()

    def _connect(self) -> None:
        keys, bar, find_bar, strip = self.keys, self.bar, self.find_bar, self.strip
        self.session.spliced.connect(self._on_spliced)
        self.session.changed.connect(self._on_changed)
        self.session.failed.connect(self.failed)
        keys.mode_changed.connect(self._on_mode)
        keys.seek_requested.connect(self.hear)
        keys.toggle_requested.connect(bar.toggle)
        keys.step_requested.connect(bar.step)
        keys.word_requested.connect(self.step_word)
        keys.speed_requested.connect(bar.change_speed)
        keys.doubt_requested.connect(self.go_to_doubt)
        keys.confirm_requested.connect(self.confirm_doubt)
        keys.record_requested.connect(self.record_requested)
        bar.moved.connect(self._on_moved)
        bar.failed.connect(self.failed)
        find_bar.wanted_changed.connect(self._on_wanted)
        find_bar.next_requested.connect(self.go_to_hit)
        find_bar.replace_requested.connect(self._replace)
        find_bar.replace_all_requested.connect(self._replace_all)
        find_bar.closed.connect(self._on_find_closed)
        strip.edit_requested.connect(lambda: self.set_editing(not self.is_editing))
        strip.find_requested.connect(lambda: self.open_find(replaces=True))
        strip.doubt_requested.connect(lambda: self.go_to_doubt(1))
        strip.compare_requested.connect(self.compare_requested)
        self.text.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.text.customContextMenuRequested.connect(self._show_menu)
        self.text.viewport().installEventFilter(self)
        self.text.verticalScrollBar().sliderMoved.connect(lambda _at: self._stop_following())
        self._waves_came.connect(self._on_waves)

    # What is open

    @property
    def is_editing(self) -> bool:
        return self.keys.is_editing

    def open(self, recording: Recording, segments: Sequence[Segment]) -> None:
        """Show a recording with its segments as the library has them."""
        is_new = self._recording is None or (self._recording.recording_id != recording.recording_id)
        self._recording = recording
        if is_new:
            self.left.emit()
            self.set_editing(False)
            self.find_bar.hide()
            self._end_find()
            self.marks.show_spoken(None)
            self._open_sound(recording)
        if is_new or list(segments) != list(self.session.segments):
            self.session.open(recording.recording_id, segments)
            segments = tuple(self.session.segments)
            self.text.show_segments(segments)
            self.marks.limit = limit_of(segments)
            self._doubt_count = count_doubtful(segments, self.marks.limit)
            self._find_again()
        self._on_changed()

    def close(self) -> None:
        """Nothing is open any more: save, and be silent."""
        self.left.emit()
        self.set_editing(False)
        self.session.open("", ())
        self._recording = None
        self.bar.show_sound(None, 0.0)

    def append(self, segments: Sequence[Segment]) -> None:
        """Show segments that became final."""
        if segments:
            self.session.append(segments)
            self.text.append_segments(segments)
            self.marks.limit = limit_of(self.session.segments)
            self._doubt_count = count_doubtful(self.session.segments, self.marks.limit)
            self._find_again()
            self._on_changed()

    def is_source_of(self, recording_id: str) -> bool:
        """Whether the library follows what is edited here, so that its text need not be read."""
        return self.session.recording_id == recording_id and self.session.has_edits

    def set_allowed(self, is_allowed: bool) -> None:
        """Whether the text can be changed now."""
        self.keys.is_allowed = is_allowed
        if not is_allowed:
            self.set_editing(False)
        self.find_bar.set_writable(is_allowed)
        self.strip.set_writable(is_allowed)

    def set_editing(self, is_editing: bool) -> None:
        self.keys.set_editing(is_editing)
        if is_editing:
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def finish(self) -> None:
        """Save what is not saved and be silent; before the window closes."""
        self.session.finish()
        self.bar.player.open(None)

    def refresh_colors(self) -> None:
        for part in (self.bar, self.find_bar, self.strip):
            part.refresh_colors()

    # Edits

    def undo(self) -> bool:
        """Take the last edit back; whether there was one."""
        return self._walk(self.session.undo())

    def redo(self) -> bool:
        return self._walk(self.session.redo())

    def do(self, change: edit.Edit | None) -> bool:
        """Do an edit that comes from a menu or a button."""
        self.session.end_run()
        done = self.session.do(change)
        self.session.end_run()
        return done

    def restore(self, segments: Sequence[Segment]) -> bool:
        """Put another text in place of this one, as one step."""
        return self.do(edit.between(self.session.segments, segments, "restore"))

    # Listening

    def hear(self, time_s: float) -> None:
        """Go on from here, playing or not."""
        self._follows = True
        self.bar.seek(time_s)

    def step_word(self, by: int) -> None:
        """Go to the next word or the one before."""
        segments = self.session.segments
        place = self.marks.spoken_at(self.bar.player.position_s)
        if place is None:
            return
        at, word = place[0], place[1] + by
        if word < 0 and at > 0:
            at -= 1
            word = max(0, len(segments[at].words) - 1)
        elif word >= max(1, len(segments[at].words)) and at + 1 < len(segments):
            at, word = at + 1, 0
        words = segments[at].words
        self.hear(words[word].start_s if 0 <= word < len(words) else segments[at].start_s)

    def go_to_doubt(self, by: int) -> None:
        """Select the next doubtful word and play a second around it."""
        segments = self.session.segments
        places = doubtful_places(self.marks, len(segments))
        if not places:
            self._announcer.say(tr("No doubtful words"))
            return
        number = next_place(self.marks, places, self.text.textCursor(), by)
        at, word = places[number]
        span = self.marks.span(at, word)
        if span is not None:
            self._select(at, *span)
        said = segments[at].words[word]
        self._announcer.say(
            tr(
                "Doubtful: {word}, {number} of {count}",
                word=said.text.strip(),
                number=number + 1,
                count=len(places),
            )
        )
        self._follows = False
        if self._recording is not None and self._recording.audio_path is not None:
            self.bar.play_around(said.start_s, said.end_s)

    def confirm_doubt(self) -> None:
        """Say that the doubtful word at the cursor is right, and go to the next one."""
        segments = self.session.segments
        places = doubtful_places(self.marks, len(segments))
        place = selected_place(self.marks, places, self.text.textCursor())
        if place is not None and self.keys.is_allowed:
            end = self.marks.span(*place)
            self.do(edit.confirm(segments, *place))
            if end is not None:
                self._select(place[0], end[1], end[1])
        self.go_to_doubt(1)

    # Finding

    def open_find(self, *, replaces: bool = False) -> None:
        """Open the find bar with what is selected."""
        chosen = self.text.textCursor().selectedText()
        self.find_bar.open(
            chosen if "\u2029" not in chosen else "", replaces=replaces and self.keys.is_allowed
        )

    def go_to_hit(self, by: int) -> None:
        """Select the next match."""
        if not self._hits:
            return
        if self._hit is None:
            cursor = self.text.textCursor()
            here = place_of(self.text.document(), cursor.selectionStart())
            self._show_hit(self._first_hit_from(here) - (by < 0))
        else:
            self._show_hit(self._hit + by)

    def _first_hit_from(self, place: tuple[int, int]) -> int:
        """Return the number of the first match that begins at a (segment, character) or later."""
        return bisect_left(self._hits, place)

    def _show_hit(self, number: int) -> None:
        """Select a match; behind the last comes the first."""
        self._hit = number % len(self._hits)
        hit = self._hits[self._hit]
        self._select(hit.at, hit.start, hit.end)
        self.find_bar.show_count(self._hit, len(self._hits))

    def _replace(self, text: str) -> None:
        if not self.keys.is_allowed:
            return
        if self._hit is None:
            self.go_to_hit(1)
            return
        segments, hit = self.session.segments, self._hits[self._hit]
        behind = place_behind(segments, hit, text)
        self.do(replace_hit(segments, hit, text))
        if self._hits:
            self._show_hit(self._first_hit_from(behind))

    def _replace_all(self, text: str) -> None:
        count = len(find(self.session.segments, self.find_bar.wanted))
        change = replace_all(self.session.segments, self.find_bar.wanted, text)
        if self.keys.is_allowed and self.do(change):
            self._announcer.say(
                tr_plural("{count} match replaced", "{count} matches replaced", count)
            )

    def _on_wanted(self, _wanted: Wanted) -> None:
        self._hit = None
        self._find_again()
        self.go_to_hit(1)

    def _find_again(self) -> None:
        """Look for what is wanted in the text as it is now; the chosen match stays chosen."""
        if self.find_bar.isHidden():
            return
        chosen = self._hits[self._hit] if self._hit is not None else None
        self._hits = find(self.session.segments, self.find_bar.wanted)
        self._hit = None
        if chosen is not None:
            number = self._first_hit_from((chosen.at, chosen.start))
            self._hit = number if chosen in self._hits[number : number + 1] else None
        self.text.set_hits(self._hits)
        self.find_bar.show_count(self._hit, len(self._hits))

    def _on_find_closed(self) -> None:
        self._end_find()
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _forget_hits(self) -> None:
        self._hits, self._hit = [], None
        if not self.find_bar.isHidden():
            self.text.set_hits([])

    def _end_find(self) -> None:
        self._hits, self._hit = [], None
        self.text.clear_hits()

    # Inside

    def _walk(self, edits: Sequence[edit.Edit]) -> bool:
        if not edits:
            return False
        splice = edits[-1].splice
        if splice.new and len(splice.new) == 1:
            block = self.text.block_at(splice.first)
            cursor = QTextCursor(block)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
            self.text.setTextCursor(cursor)
        self.text.ensureCursorVisible()
        return True

    def _on_spliced(self, splice: Splice) -> None:
        is_typed = (
            self.is_editing
            and not self.text.is_applying
            and len(splice.old) == len(splice.new) == 1
            and self.text.block_at(splice.first).text().split() == splice.new[0].text.split()
        )
        self.text.apply(splice, keeps_text=is_typed)
        if len(splice.new) + len(splice.old) > _MANY:
            self._recount.start()
            self._forget_hits()
        else:
            limit = self.marks.limit
            self._doubt_count += count_doubtful(splice.new, limit)
            self._doubt_count -= count_doubtful(splice.old, limit)
            self._find_again()
        self.bar.pauses = Pauses([(each.start_s, each.end_s) for each in self.session.segments])

    def _count_again(self) -> None:
        self._doubt_count = count_doubtful(self.session.segments, self.marks.limit)
        self._find_again()
        self._on_changed()

    def _on_changed(self) -> None:
        self.strip.show_state(
            is_editing=self.is_editing,
            is_saved=self.session.is_saved,
            doubt=self._doubt_count,
        )
        self.changed.emit()

    def _on_mode(self, is_editing: bool) -> None:
        self._announcer.say(tr("Editing") if is_editing else tr("Reading"))
        self._on_changed()

    def _open_sound(self, recording: Recording) -> None:
        path = recording.audio_path
        has_sound = path is not None and Path(path).is_file()
        self.bar.show_sound(path if has_sound else None, recording.duration_s or 0.0)
        if has_sound and self._load_waves is not None:
            key = recording.recording_id
            future = self._load_waves(recording)
            future.add_done_callback(lambda done: self._tell_waves(key, done))

    def _tell_waves(self, key: str, future: "Future[Waves | None]") -> None:
        """Bring the waveform to the main thread. Thread: io pool."""
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._waves_came.emit((key, future))

    def _on_waves(self, answer: "tuple[str, Future[Waves | None]]") -> None:
        key, future = answer
        if self._recording is not None and key == self._recording.recording_id:
            if not future.cancelled() and future.exception() is None:
                self.bar.show_waves(future.result())
            self.bar.pauses = Pauses([(each.start_s, each.end_s) for each in self.session.segments])

    def _on_moved(self, time_s: float) -> None:
        place = self.marks.spoken_at(time_s) if time_s > 0 or self.bar.player.is_playing else None
        if place == self.marks.spoken:
            return
        self.marks.show_spoken(place)
        if place is not None and self._follows:
            self._keep_in_view(place)

    def _keep_in_view(self, place: tuple[int, int]) -> None:
        rects = self.marks.rects(*place)
        if not rects:
            return
        top, height = rects[0].top(), self.text.viewport().height()
        if not _FOLLOW_MARGIN <= top <= height - _FOLLOW_MARGIN:
            bar = self.text.verticalScrollBar()
            bar.setValue(int(bar.value() + top - height / 3))

    def _select(self, at: int, start: int, end: int) -> None:
        self.text.fill_all()
        block = self.text.block_at(at)
        cursor = QTextCursor(block)
        select(cursor, block, start, end)
        self.text.setTextCursor(cursor)
        self.text.ensureCursorVisible()

    def _stop_following(self) -> None:
        """Respect that the person scrolled; hearing another place follows again."""
        self._follows = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Wheel:
            self._stop_following()
        return super().eventFilter(watched, event)

    # The menu

    def _show_menu(self, point: QPoint) -> None:
        menu = fill_text_menu(self, self._widget, point)
        menu.aboutToHide.connect(menu.deleteLater)
        self.left.connect(menu.close)
        menu.popup(self.text.viewport().mapToGlobal(point))

    def chosen_segments(self) -> tuple[int, int]:
        """Return the first of the chosen segments and how many there are."""
        cursor = self.text.textCursor()
        document = self.text.document()
        first = document.findBlock(cursor.selectionStart()).blockNumber()
        last = document.findBlock(cursor.selectionEnd()).blockNumber()
        return first, last - first + 1

    def assign_speaker(self, first: int, count: int, name: str | None) -> bool:
        """Say who speaks in some segments."""
        return self.do(edit.assign(self.session.segments, first, count, name))

    def ask_speaker(self, first: int, count: int) -> None:
        """Ask who speaks in some segments."""
        self._ask_name(
            tr("Speaker"),
            lambda name: self.assign_speaker(first, count, name),
        )

    def ask_rename(self, name: str) -> None:
        """Ask for a new name of a speaker."""
        self._ask_name(
            tr("Rename “{name}”", name=name),
            lambda new: self.do(edit.rename_speaker(self.session.segments, name, new)),
            name,
        )

    def ask_shift(self, first: int, count: int) -> None:
        """Ask by how much to move segments in time."""
        dialog = QInputDialog(self._widget)
        dialog.setWindowTitle(tr("Shift Times"))
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setLabelText(tr("Seconds; less than nothing is earlier:"))
        dialog.setDoubleRange(-86_400.0, 86_400.0)
        dialog.setDoubleDecimals(2)
        is_here = self._still_here()
        dialog.doubleValueSelected.connect(
            lambda by_s: (
                self.do(edit.shift(self.session.segments, first, count, by_s))
                if is_here()
                else None
            )
        )
        self._ask(dialog)

    def _ask_name(self, title: str, use: Callable[[str], object], text: str = "") -> None:
        dialog = QInputDialog(self._widget)
        dialog.setWindowTitle(title)
        dialog.setLabelText(tr("Name:"))
        dialog.setTextValue(text)
        is_here = self._still_here()
        dialog.textValueSelected.connect(
            lambda name: use(name) if name.strip() and is_here() else None
        )
        self._ask(dialog)

    def _still_here(self) -> Callable[[], bool]:
        """Return what says whether the recording that is open now still is."""
        key = self.session.recording_id
        return lambda: key == self.session.recording_id

    def _ask(self, dialog: QInputDialog) -> None:
        """Open a question about the open recording; it goes with it."""
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.finished.connect(dialog.deleteLater)
        self.left.connect(dialog.reject)
        self.question = dialog
        dialog.open()
