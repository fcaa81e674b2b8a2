"""The stage machine over the real capture, journal and library, with a scripted model."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from app.audio.journal import scan
from app.audio.microphone import FakeMicrophone
from app.audio.take_folder import TakeFolder, read_segments
from app.config.settings import Settings
from app.core.dictation import Outcome, Stage, StageChanged
from app.core.errors import DeviceLost, EngineFailed, InsertFailed, ModelDamaged, PermissionMissing
from app.core.events import Failed, SegmentsFinal
from app.core.recording import RecordingKind, RecordingStatus
from app.engine.base import Hypothesis, StreamResult
from app.engine.scripted import ScriptedRecognizer, ScriptedStream
from app.macos.front_app import FrontApp
from app.macos.hotkey import Chord, parse_chord
from app.macos.insert_rules import Field
from app.macos.permissions import Grant, Permission
from app.macos.power import FakePower, Heat, PowerEvent
from app.pipeline.dictation import DictationMachine
from tests.helpers.dictation import RATE, Desk, Loads, says, speech

DICTATION, QUICK = RecordingKind.DICTATION, RecordingKind.QUICK
HALF_SECOND = np.zeros(RATE // 2, np.int16)


class MakeDesk(Protocol):
    def __call__(self, *recognizers: ScriptedRecognizer | Exception, **how: object) -> Desk: ...


@pytest.fixture
def desk_of(tmp_path: Path) -> Iterator[MakeDesk]:
    made: list[Desk] = []

    def make(*recognizers: ScriptedRecognizer | Exception, **how: object) -> Desk:
        loads = Loads(dict(zip(("big", "small"), recognizers, strict=False)))
        loads.by_model.setdefault("small", EngineFailed("It is broken.", "Mend it."))
        samples = how.pop("samples", None)
        sound = speech() if samples is None else samples
        desk = Desk(tmp_path / f"home-{len(made)}", sound, loads, **how)  # type: ignore[arg-type]
        made.append(desk)
        return desk

    yield make
    for desk in made:
        desk.close()


def record(desk: Desk, kind: RecordingKind = DICTATION) -> None:
    """Record all the microphone has, and stop."""
    desk.microphone.given = 0
    desk.machine.start(kind)
    desk.play_to_end()
    desk.machine.stop()


def folder(desk: Desk) -> TakeFolder:
    return TakeFolder(desk.paths.recordings / desk.now.take_id)


def status(desk: Desk) -> RecordingStatus | None:
    desk.settle()
    found = desk.reader.recording(desk.now.take_id)
    return found.status if found is not None else None


# The table: every command in every stage.

Command = Callable[[Desk], None]
COMMANDS: dict[str, Command] = {
    "start": lambda d: d.machine.start(DICTATION),
    "stop": lambda d: d.machine.stop(),
    "toggle": lambda d: d.machine.toggle(QUICK),
    "cancel": lambda d: d.machine.cancel(),
    "undo_cancel": lambda d: d.machine.undo_cancel(),
    "pause": lambda d: d.machine.pause(),
    "resume": lambda d: d.machine.resume(),
    "retry": lambda d: d.machine.retry(),
    "hotkey_down": lambda d: d.machine.hotkey_down("dictate", 1.0),
    "hotkey_up": lambda d: d.machine.hotkey_up("dictate", 2.0),
    "hotkey_interrupted": lambda d: d.machine.hotkey_interrupted("dictate", 2.0),
    "unknown hotkey": lambda d: d.machine.hotkey_down("nothing", 1.0),
    "copy_last": lambda d: d.machine.copy_last(),
    "paste_last": lambda d: d.machine.paste_last(),
    "undo_insertion": lambda d: d.machine.undo_insertion(),
    "settings_changed": lambda d: d.machine.settings_changed(),
    "sleep": lambda d: d.machine.on_power(PowerEvent.WILL_SLEEP),
    "wake": lambda d: d.machine.on_power(PowerEvent.DID_WAKE),
}
BEGINS = {"start": Stage.ARMING, "toggle": Stage.ARMING, "hotkey_down": Stage.ARMING}
ENDS = {
    "stop": Stage.FINISHING,
    "toggle": Stage.FINISHING,
    "hotkey_down": Stage.FINISHING,
    "cancel": Stage.IDLE,
}
MOVES = {
    Stage.IDLE: BEGINS,
    Stage.ARMING: ENDS,
    Stage.RECORDING: ENDS,
    Stage.FINISHING: {**BEGINS, "cancel": Stage.IDLE},
}


def desk_in(stage: Stage, desk_of: MakeDesk) -> Desk:
    """Return a desk whose machine stands in `stage` and stays there."""
    samples = np.tile(HALF_SECOND + 3, 4)
    delay_s = 60.0 if stage is Stage.ARMING else 0.0
    microphone = FakeMicrophone(samples, RATE, delay_s=delay_s, loops=True)
    desk = desk_of(says("Hello."), microphone=microphone, has_engine=False)
    if stage is not Stage.IDLE:
        desk.machine.start(QUICK)
    if stage in (Stage.RECORDING, Stage.FINISHING):
        desk.until_stage(Stage.RECORDING)
    if stage is Stage.FINISHING:
        desk.machine.stop()
        desk.until(lambda: desk.now.elapsed_s > 0)
    assert desk.now.stage is stage
    return desk


@pytest.mark.parametrize("stage", list(Stage))
def test_every_command_is_defined_in_every_stage(stage: Stage, desk_of: MakeDesk) -> None:
    assert MOVES.keys() == set(Stage)
    resting = desk_in(stage, desk_of)
    for name in COMMANDS.keys() - MOVES[stage].keys():
        COMMANDS[name](resting)
        assert resting.now.stage is stage, name
    for name, moved in MOVES[stage].items():
        desk = desk_in(stage, desk_of)
        COMMANDS[name](desk)
        assert desk.now.stage is moved, name


# A take from the key press to the text.


def test_a_dictation_is_inserted_once_and_kept_in_the_library(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Um, hello there."))
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.stages == [Stage.ARMING, Stage.RECORDING, Stage.FINISHING, Stage.IDLE]
    assert desk.inserter.text == desk.now.text == "Hello there."
    desk.settle()
    kept = desk.reader.recording(desk.now.recording_id)
    assert kept is not None
    assert (kept.status, kept.kind, kept.language) == (RecordingStatus.DONE, DICTATION, "en")
    assert (kept.model_id, kept.title) == ("big", "Hello there.")
    (segment,) = desk.reader.transcript(desk.now.recording_id).segments
    assert (segment.text, segment.raw) == ("Hello there.", "Um, hello there.")
    assert kept.app_name == "Editor"
    assert kept.duration_s == pytest.approx(len(desk.microphone.samples) / RATE, abs=0.3)


def test_the_folder_of_a_finished_take_holds_all_but_the_journal(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello there."))
    record(desk)
    desk.until_over()
    take = folder(desk)
    desk.until(lambda: not take.journal.exists())
    kept = desk.reader.recording(desk.now.take_id)
    assert kept is not None
    assert (kept.audio_path, kept.is_copy) == (take.flac, True)
    assert take.peaks.stat().st_size > 100
    assert [s.text for s in read_segments(take.segments)] == ["Hello there."]
    details = take.details()
    assert details is not None
    assert (details["status"], details["text"]) == ("done", "Hello there.")
    assert details["front_app"]["id"] == "org.example.editor"
    assert details["sound"]["speech_db"] > -40


def test_the_row_is_there_before_the_engine_hears_a_sample(desk_of: MakeDesk) -> None:
    seen: list[object] = []
    played = ScriptedStream((Hypothesis(),), StreamResult((), "en"))
    heard = ScriptedRecognizer(streams=[played])
    desk = desk_of(heard)
    heard.on_step = lambda window, _step: (
        seen.append(desk.reader.recording(desk.now.take_id)) if window == -1 else None
    )
    record(desk)
    desk.until_over()
    assert seen
    assert all(seen)


def test_quick_record_goes_to_the_library_only(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello there."))
    record(desk, QUICK)
    assert desk.until_over() is Outcome.SAVED
    assert desk.inserter.text == ""
    assert status(desk) is RecordingStatus.DONE


def test_silence_is_said_to_be_nothing_and_kept(desk_of: MakeDesk) -> None:
    desk = desk_of(says(), samples=np.tile(HALF_SECOND + 5, 4))
    record(desk)
    assert desk.until_over() is Outcome.NOTHING_HEARD
    assert status(desk) is RecordingStatus.EMPTY
    desk.until(folder(desk).flac.exists)


def test_two_takes_in_a_second_are_two_texts_in_order(desk_of: MakeDesk) -> None:
    desk = desk_of(says("One.", "Two."), speed=40.0)
    record(desk)
    first = desk.now.take_id
    record(desk)
    assert desk.now.take_id != first
    desk.until_over()
    desk.until(lambda: not desk.machine.is_busy)
    assert desk.inserter.text == "One.Two."
    desk.settle()
    assert desk.reader.count() == 2
    older = TakeFolder(desk.paths.recordings / first)
    desk.until(lambda: older.flac.exists() and not older.journal.exists())


def test_who_went_to_another_program_finds_the_text_on_the_clipboard(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."))
    desk.machine.start(DICTATION)
    desk.play_to_end()
    desk.front.app = FrontApp("org.example.mail", "Mail", 1)
    desk.machine.stop()
    assert desk.until_over() is Outcome.COPIED
    assert desk.inserter.text == ""
    assert desk.inserter.clipboard == {"text/plain": b"Hello."}
    assert "Editor" in str(desk.now.problem)


def test_text_may_always_go_to_the_clipboard(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."), settings=Settings(insertion="copy"))
    record(desk)
    assert desk.until_over() is Outcome.COPIED
    assert desk.now.problem is None


def test_nothing_is_inserted_into_a_password_field(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."))
    desk.inserter.field = Field.SECURE
    record(desk)
    assert desk.until_over() is Outcome.SAVED
    assert isinstance(desk.now.problem, InsertFailed)
    desk.inserter.field = Field.UNKNOWN
    desk.machine.paste_last()
    assert desk.inserter.text == "Hello."


def test_the_last_text_can_be_copied_pasted_and_taken_back(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."))
    record(desk)
    desk.until_over()
    desk.machine.undo_insertion()
    assert desk.inserter.text == ""
    desk.machine.paste_last()
    assert desk.inserter.text == "Hello."
    desk.machine.copy_last()
    assert desk.inserter.clipboard == {"text/plain": b"Hello."}
    desk.machine.undo_insertion()
    desk.machine.undo_insertion()
    assert any(isinstance(event, Failed) for event in desk.events)


# Cancelling, pausing, stopping by itself.


def test_a_cancelled_take_is_kept_and_can_be_brought_back(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello.", "Hello."))  # it may be heard before the cancel, too
    desk.machine.start(DICTATION)
    desk.play_to_end()
    desk.machine.cancel()
    assert (desk.now.stage, desk.now.outcome) == (Stage.IDLE, Outcome.CANCELLED)
    assert desk.now.can_undo
    desk.until(lambda: not desk.machine.is_busy)
    assert status(desk) is RecordingStatus.CANCELLED
    assert desk.reader.count() == 0  # it is in the bin
    assert scan(folder(desk).journal).end_reason == "cancelled"
    assert desk.inserter.text == ""
    desk.machine.undo_cancel()
    assert desk.now.stage is Stage.FINISHING
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == "Hello."
    assert status(desk) is RecordingStatus.DONE
    assert desk.reader.count() == 1


def test_a_cancel_can_be_taken_back_before_the_microphone_has_closed(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello.", "Hello."))
    desk.machine.start(DICTATION)
    desk.play_to_end()
    desk.machine.cancel()
    desk.machine.undo_cancel()
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == "Hello."


def test_a_cancel_before_the_first_sample_leaves_nothing_to_bring_back(desk_of: MakeDesk) -> None:
    microphone = FakeMicrophone(np.tile(HALF_SECOND + 3, 4), RATE, delay_s=60.0)
    desk = desk_of(says("x"), microphone=microphone)
    desk.machine.start(DICTATION)
    desk.machine.cancel()
    desk.until(lambda: not desk.machine.is_busy)
    assert (desk.now.outcome, desk.now.can_undo) == (Outcome.CANCELLED, False)
    desk.machine.undo_cancel()
    assert desk.now.stage is Stage.IDLE
    assert status(desk) is None


def test_escape_is_taken_only_while_recording_and_cancels(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."), loops=True)
    desk.machine.listen()
    assert desk.hotkeys is not None
    escape = Chord("escape")
    assert "cancel" not in desk.hotkeys.bound
    desk.machine.start(DICTATION)
    desk.until_stage(Stage.RECORDING)
    assert desk.hotkeys.bound["cancel"] == escape
    desk.hotkeys.press(escape)
    desk.until(lambda: desk.now.outcome is Outcome.CANCELLED)
    assert "cancel" not in desk.hotkeys.bound


def test_escape_cancels_while_the_hotkey_is_held(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."), loops=True, settings=Settings(dictate_hotkey="ctrl+alt+d"))
    desk.machine.listen()
    assert desk.hotkeys is not None
    held = parse_chord("ctrl+alt+d")
    desk.hotkeys.press(held)
    desk.until_stage(Stage.RECORDING)
    desk.hotkeys.press(Chord("escape", held.modifiers))
    desk.until(lambda: desk.now.outcome is Outcome.CANCELLED)
    desk.hotkeys.release(held)
    assert list(desk.hotkeys.bound) == ["dictate"]


def test_a_hotkey_that_is_held_records_until_it_is_released(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."), settings=Settings(dictate_hotkey="f5"))
    desk.machine.listen()
    assert desk.hotkeys is not None
    desk.hotkeys.press(Chord("f5"), 10.0)
    desk.play_to_end()
    assert desk.now.stage is Stage.RECORDING
    desk.hotkeys.release(Chord("f5"), 12.0)
    assert desk.until_over() is Outcome.INSERTED
    desk.settings = Settings(dictate_hotkey="f6", quick_hotkey="f7")
    desk.machine.settings_changed()
    assert {name: str(chord) for name, chord in desk.hotkeys.bound.items()} == {
        "dictate": "f6",
        "quick": "f7",
    }


def test_a_pause_is_left_out_of_the_take(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello.", "Hello."), loops=True, speed=1.0)
    desk.machine.start(QUICK)
    desk.until(lambda: desk.machine.elapsed_s() > 0.3)
    desk.machine.pause()
    assert desk.now.is_paused
    desk.until(lambda: desk.microphone.open_streams == 0)
    paused_at = desk.machine.elapsed_s()
    assert desk.machine.level_db() == -100
    desk.machine.resume()
    desk.until(lambda: desk.machine.elapsed_s() > paused_at + 0.2)
    assert desk.machine.level_db() > -100
    desk.machine.stop()
    desk.until_over()
    assert desk.microphone.open_streams == 0


def test_silence_ends_a_take_that_shall_stop_by_itself(desk_of: MakeDesk) -> None:
    samples = np.concatenate([speech(), np.tile(HALF_SECOND + 3, 120)])
    desk = desk_of(says("Hello."), samples=samples, settings=Settings(auto_stop_s=2))
    desk.machine.start(DICTATION)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.now.problem is None  # the microphone had not come to its end
    assert desk.now.elapsed_s < len(samples) / RATE


# Bad luck.


def test_a_model_that_fails_twice_is_set_aside_visibly(desk_of: MakeDesk) -> None:
    broken = says("x", "x", error=MemoryError("no room"))
    desk = desk_of(broken, says("From the small one."))
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.now.text == "From the small one."
    told = [e.problem for e in desk.events if isinstance(e, StageChanged) and e.problem]
    assert any("“Big” failed twice" in str(problem) for problem in told)
    desk.settle()
    kept = desk.reader.recording(desk.now.take_id)
    assert kept is not None
    assert kept.model_id == "small"
    desk.microphone.given = 0
    record(desk)  # the next take does not try the big one again
    assert len(broken.opened) == 2


def test_with_no_model_left_the_sound_is_kept_and_a_retry_offered(desk_of: MakeDesk) -> None:
    broken = says("x", "x", "It works again.", error=RuntimeError("bug"))
    desk = desk_of(broken, ModelDamaged("Its files are damaged.", "Fetch it again."))
    record(desk)
    assert desk.until_over() is Outcome.UNTRANSCRIBED
    assert desk.now.can_retry
    assert desk.now.problem is not None
    assert status(desk) is RecordingStatus.FAILED
    assert scan(folder(desk).journal).duration_s > 4
    broken.streams = [ScriptedStream(), ScriptedStream(), says("It works again.").streams[0]]
    desk.machine.retry()
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == "It works again."
    assert status(desk) is RecordingStatus.DONE


def test_what_is_final_is_not_made_again_after_a_failure(desk_of: MakeDesk) -> None:
    good, bad = says("One.").streams[0], ScriptedStream(error=RuntimeError("bug"))
    twice = np.concatenate([speech(), speech("en-02")])
    desk = desk_of(ScriptedRecognizer(streams=[good, bad, says("Two.").streams[0]]), samples=twice)
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == "One. Two."
    desk.settle()
    assert desk.texts() == ["One.", "Two."]


@pytest.mark.parametrize(("said", "meant"), [("New line.", "\n"), ("New paragraph.", "\n\n")])
def test_a_command_alone_is_carried_out(desk_of: MakeDesk, said: str, meant: str) -> None:
    desk = desk_of(says(said))
    record(desk)
    assert desk.until_over() is Outcome.INSERTED
    assert desk.inserter.text == meant
    assert status(desk) is RecordingStatus.DONE


def test_a_filler_alone_is_nothing_to_insert(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Um."))
    record(desk)
    assert desk.until_over() is Outcome.NOTHING_HEARD
    assert desk.inserter.text == ""


def test_a_missing_model_costs_no_sound(desk_of: MakeDesk) -> None:
    desk = desk_of(says("x"), settings=Settings(model_id="gone"))
    record(desk)
    assert desk.until_over() is Outcome.UNTRANSCRIBED
    assert "gone" in str(desk.now.problem)
    desk.until(folder(desk).flac.exists)


def test_a_recognizer_that_never_returns_stops_nothing_else(desk_of: MakeDesk) -> None:
    comes_back = threading.Event()
    stuck = says("x")

    def hang(_window: int, _step: int) -> None:
        comes_back.wait(30)

    stuck.on_step = hang
    desk = desk_of(stuck, loops=True, speed=1.0, hang_s=0.2)
    try:
        desk.machine.start(DICTATION)
        desk.until(lambda: desk.now.needs_relaunch)
        assert desk.now.stage is Stage.RECORDING
        assert isinstance(desk.now.problem, EngineFailed)
        before_s = desk.machine.elapsed_s()
        desk.until(lambda: desk.machine.elapsed_s() > before_s + 0.3)
        asked = time.monotonic()
        desk.machine.stop()
        assert desk.until_over() is Outcome.UNTRANSCRIBED
        assert time.monotonic() - asked < 1.0
        assert desk.microphone.open_streams == 0
        assert desk.now.can_retry
        assert status(desk) is RecordingStatus.FAILED
    finally:
        comes_back.set()


def test_an_unplugged_microphone_ends_the_take_with_its_text(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."))
    desk.machine.start(DICTATION)
    desk.play_to_end()
    desk.devices.present.clear()
    desk.microphone.lost.add("mic")
    assert desk.until_over() is Outcome.INSERTED
    assert isinstance(desk.now.problem, DeviceLost)
    assert desk.inserter.text == "Hello."


@pytest.mark.parametrize("has_device", [True, False])
def test_without_a_microphone_there_is_one_sentence_and_no_row(
    desk_of: MakeDesk, has_device: bool
) -> None:
    desk = desk_of(says("x"))
    if has_device:
        desk.microphone.refuses.add("mic")
    else:
        desk.devices.present.clear()
        desk.devices.refresh()
    desk.machine.start(DICTATION)
    assert desk.until_over() is Outcome.FAILED
    assert desk.now.problem is not None
    take = folder(desk)
    assert status(desk) is None
    assert not take.folder.exists()


def test_a_forbidden_microphone_is_said_and_asked_for(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."))
    desk.permissions.states[Permission.MICROPHONE] = Grant.DENIED
    desk.machine.start(DICTATION)
    assert desk.until_over() is Outcome.FAILED
    assert isinstance(desk.now.problem, PermissionMissing)
    desk.permissions.states[Permission.MICROPHONE] = Grant.NOT_ASKED
    desk.permissions.answers[Permission.MICROPHONE] = Grant.GRANTED
    desk.machine.start(DICTATION)
    desk.until_stage(Stage.RECORDING)


def test_a_disk_without_room_for_a_folder_is_one_sentence(desk_of: MakeDesk) -> None:
    desk = desk_of(says("x"))
    desk.paths.recordings.write_text("in the way")
    desk.machine.start(DICTATION)
    assert desk.until_over() is Outcome.FAILED
    assert desk.now.problem is not None


def test_the_machine_may_sleep_in_the_middle(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello.", "Hello."), loops=True)
    desk.machine.start(QUICK)
    desk.until_stage(Stage.RECORDING)
    desk.machine.on_power(PowerEvent.WILL_SLEEP)
    desk.until(lambda: desk.microphone.open_streams == 0)
    desk.machine.on_power(PowerEvent.DID_WAKE)
    assert not desk.now.is_paused
    desk.until(lambda: desk.microphone.open_streams == 1)


def test_how_hot_the_machine_is_is_told_at_once_and_when_it_changes(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."))
    told: list[Heat] = []
    power = FakePower(desk.machine.on_power)
    parts = replace(
        desk.parts, on_heat=told.append, rig=replace(desk.parts.rig, make_power=lambda _on: power)
    )
    machine = DictationMachine(parts, desk.events.append, lambda: desk.settings)
    machine.listen()
    power.now = Heat.SERIOUS
    machine.on_power(PowerEvent.HEAT_CHANGED)
    assert told == [Heat.NOMINAL, Heat.SERIOUS]
    machine.close()
    assert not power.is_open


def test_quitting_in_the_middle_leaves_a_whole_take(desk_of: MakeDesk) -> None:
    desk = desk_of(says("Hello."), loops=True)
    desk.machine.start(QUICK)
    desk.until(lambda: desk.machine.elapsed_s() > 1)
    desk.machine.close()
    assert desk.microphone.open_streams == 0
    assert scan(folder(desk).journal).end_reason == "stopped"
    kept = desk.reader.recording(desk.now.take_id)
    assert kept is not None
    assert kept.status is RecordingStatus.PENDING


def test_finals_are_told_as_they_come(desk_of: MakeDesk) -> None:
    desk = desk_of(says("One.", "Two."), samples=np.concatenate([speech(), speech("en-02")]))
    record(desk)
    desk.until_over()
    finals = [e for e in desk.events if isinstance(e, SegmentsFinal)]
    assert [s.text for final in finals for s in final.segments] == ["One.", "Two."]
    times = [final.done_s for final in finals]
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(desk.now.elapsed_s, abs=0.05)
