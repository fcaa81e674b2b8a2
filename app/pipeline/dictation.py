"""The stage machine of live recording: idle, arming, recording, finishing.

It lives in the main thread alone; what happens elsewhere is posted to it. Every command is defined
in every stage. A take goes its way to the end even when the next one has begun: the snapshot is
about the newest, the older one's text is still kept and inserted, in order.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from app.audio.ballast import Ballast
from app.audio.capture import Capture, EndReason
from app.audio.capture_events import (
    HintsChanged,
    MicrophoneReady,
    SoundReturned,
    TakeEnded,
    TakeEvent,
)
from app.audio.devices import Choice
from app.audio.take_folder import TakeFolder
from app.config.paths import Paths
from app.config.settings import Settings
from app.core.dictation import Outcome, Stage, StageChanged
from app.core.errors import AppError, InsertFailed, mark
from app.core.events import Event, Failed, SegmentsFinal
from app.core.ids import new_id
from app.core.recording import RecordingKind, RecordingStatus
from app.library.reader import LibraryReader
from app.macos.awake import Need
from app.macos.hotkey import HotkeyEvent
from app.macos.permissions import Grant, Permission
from app.macos.power import Heat, Power, PowerEvent
from app.pipeline import problems
from app.pipeline.deliver import Delivery
from app.pipeline.hotkey_commands import HotkeyCommands
from app.pipeline.hotkeys import HotkeyBindings
from app.pipeline.last_text import LastText
from app.pipeline.main_thread import MainThread
from app.pipeline.recognition import Recognition
from app.pipeline.rig import Rig
from app.pipeline.take import Take, TakeKeeper

_QUIET_DB = -100.0


@dataclass(frozen=True, slots=True)
class DictationParts:
    """What the stage machine works with; all but the rig outlives it."""

    rig: Rig
    main: MainThread
    keeper: TakeKeeper
    recognition: Recognition
    reader: LibraryReader
    paths: Paths
    ballast: Ballast
    on_heat: Callable[[Heat], None] = lambda _heat: None
    wall_s: Callable[[], float] = time.time


class DictationMachine:
    """Implements `core.dictation.Dictation`. Thread: main.

    Args:
        parts: what it works with.
        emit: told of every change.
        settings: asked whenever a choice of the person matters.
    """

    def __init__(
        self,
        parts: DictationParts,
        emit: Callable[[Event], None],
        settings: Callable[[], Settings],
    ) -> None:
        self._parts = parts
        self._rig = parts.rig
        self._main = parts.main
        self._keeper = parts.keeper
        self._recognition = parts.recognition
        self._emit = emit
        self._settings = settings
        self._delivery = Delivery(parts.rig.inserter, parts.rig.front_apps)
        self._last = LastText(parts.rig.inserter, parts.reader, emit)
        self._hotkeys = HotkeyCommands(self, lambda: self._is_live, parts.main.after)
        self._take: Take | None = None  # the newest
        self._open: list[Take] = []  # takes that have not come to their end, oldest first
        self._holds: dict[str, ExitStack] = {}
        self._now = StageChanged()
        self._is_closed = False
        self._slept_in: Take | None = None
        self._keys: HotkeyBindings | None = None
        self._power: Power | None = None
        parts.recognition.attach(self._on_final, self._on_recognised, self._on_silence, self._show)

    # What a person may ask for. None of these waits.

    @property
    def now(self) -> StageChanged:
        return self._now

    @property
    def keys(self) -> HotkeyBindings | None:
        """What the hotkeys are bound to; `None` before `listen`, and without a desktop."""
        return self._keys

    @property
    def is_busy(self) -> bool:
        """Whether any take is under way."""
        return bool(self._open)

    def listen(self) -> None:
        """Begin to listen to the global hotkeys and to the machine's sleep."""
        if self._rig.make_hotkeys is not None:
            self._keys = HotkeyBindings(
                self._rig.make_hotkeys,
                lambda event: self._main.post(lambda: self._on_hotkey(event)),
                lambda error: self._emit(Failed(error)),
            )
        if self._rig.make_power is not None:
            self._power = self._rig.make_power(self.on_power)
            self._parts.on_heat(self._power.heat())
        self.settings_changed()

    def settings_changed(self) -> None:
        """Use what the person changed in the settings."""
        settings = self._settings()
        self._hotkeys.use(settings.dictate_way)
        if self._keys is not None:
            self._keys.apply(settings)
        if self._take is not None and self._take.capture is not None and self._take.is_live:
            self._take.capture.use(_choice(settings))

    def elapsed_s(self) -> float:
        return self._take.duration_s if self._take is not None else 0.0

    def level_db(self) -> float:
        take = self._take
        if take is None or take.capture is None or take.is_paused or not take.is_live:
            return _QUIET_DB
        return max(take.capture.level.rms_db, _QUIET_DB)

    def start(self, kind: RecordingKind) -> None:
        if self._is_closed or (self._take is not None and self._take.is_live):
            return
        if self._asks_for_microphone(kind):
            return
        if self._take is not None and self._take not in self._open:
            self._keeper.let_go(self._take)
        take_id = new_id()
        folder = TakeFolder(self._parts.paths.recordings / take_id)
        take = Take(take_id, kind, folder, self._parts.wall_s(), self._delivery.front())
        self._take = take
        self._open.append(take)
        begun = self._keeper.begin(take, lambda folder: self._capture(take, folder))
        begun.add_done_callback(
            lambda done: self._main.post(lambda: self._on_begun(take, done.exception()))
        )
        hold = ExitStack()
        hold.enter_context(self._rig.awake.hold(Need.CAPTURE, "Recording"))
        self._holds[take_id] = hold
        self._recognition.start(take)
        self._show(take)

    def stop(self) -> None:
        if self._take is not None and self._take.is_live:
            self._end(self._take, EndReason.STOPPED)

    def toggle(self, kind: RecordingKind) -> None:
        if self._take is not None and self._take.is_live:
            self.stop()
        else:
            self.start(kind)

    def cancel(self) -> None:
        take = self._take
        if take is None or take.stage is Stage.IDLE or take.is_concluding:
            return
        was_live = take.is_live
        self._recognition.cancel(take)
        take.outcome = Outcome.CANCELLED
        take.problem = None
        if was_live:
            self._end(take, EndReason.CANCELLED)
        if take.ended is not None:
            self._close_cancelled(take)
        self._show(take, stage=Stage.IDLE)

    def undo_cancel(self) -> None:
        take = self._take
        if take is not None and take.can_undo:
            self._again(take)

    def pause(self) -> None:
        take = self._take
        if take is not None and take.is_live and not take.is_paused:
            take.is_paused = True
            if take.capture is not None:
                take.capture.pause()
            self._show(take)

    def resume(self) -> None:
        take = self._take
        if take is not None and take.is_live and take.is_paused:
            take.is_paused = False
            if take.capture is not None:
                take.capture.resume()
            self._show(take)

    def retry(self) -> None:
        take = self._take
        if take is not None and take.can_retry:
            self._recognition.give_another_try(take)
            self._again(take)

    def hotkey_down(self, name: str, at_s: float) -> None:
        self._hotkeys.pressed(name, at_s)

    def hotkey_up(self, name: str, at_s: float) -> None:
        self._hotkeys.released(name, at_s)

    def hotkey_interrupted(self, name: str, at_s: float) -> None:  # noqa: ARG002
        self._hotkeys.interrupted(name)

    def copy_last(self) -> None:
        self._last.copy()

    def paste_last(self) -> None:
        self._last.paste()

    def undo_insertion(self) -> None:
        self._last.undo_insertion()

    def on_power(self, event: PowerEvent) -> None:
        """Close the microphone before the machine sleeps and open it again after; tell its heat."""
        take = self._take
        if event is PowerEvent.WILL_SLEEP and take is not None and take.is_live:
            if not take.is_paused:
                self._slept_in = take
                self.pause()
        elif event is PowerEvent.DID_WAKE:
            if self._slept_in is not None and self._slept_in is take:
                self.resume()
            self._slept_in = None
        elif event is PowerEvent.HEAT_CHANGED and self._power is not None:
            self._parts.on_heat(self._power.heat())

    def close(self) -> None:
        """End what runs; what has no text yet is offered at the next start."""
        self._is_closed = True
        if self._keys is not None:
            self._keys.close()
        if self._power is not None:
            self._power.close()
        for take in self._open:
            self._recognition.cancel(take)
        self._keeper.run(self._stop_captures)
        self._keeper.close()
        for hold in self._holds.values():
            hold.close()
        self._holds.clear()
        self._rig.close()

    # The life of a take.

    @property
    def _is_live(self) -> bool:
        return self._take is not None and self._take.is_live

    def _asks_for_microphone(self, kind: RecordingKind) -> bool:
        """Return whether the system's permission is in the way; asks for it where it may."""
        permissions = self._rig.permissions
        state = permissions.state(Permission.MICROPHONE)
        if state is Grant.NOT_ASKED:
            permissions.request(
                Permission.MICROPHONE,
                lambda grant: self._main.post(
                    lambda: self.start(kind) if grant is Grant.GRANTED else self._refuse(kind)
                ),
            )
            return True
        if state is Grant.DENIED:
            self._refuse(kind)
            return True
        return False

    def _refuse(self, kind: RecordingKind) -> None:
        problem = problems.microphone_forbidden()
        self._tell(StageChanged(kind=kind, outcome=Outcome.FAILED, problem=problem))

    def _capture(self, take: Take, folder: TakeFolder) -> Capture:
        """Make the capture of `take`. Thread: take-disk."""
        return Capture(
            folder,
            self._rig.microphone,
            self._rig.devices,
            lambda event: self._main.post(lambda: self._on_capture(take, event)),
            choice=_choice(self._settings()),
            ballast=self._parts.ballast,
            limits=self._rig.limits,
        )

    def _on_begun(self, take: Take, error: BaseException | None) -> None:
        if take.capture is None:
            problem = error if isinstance(error, AppError) else _not_begun()
            self._recognition.cancel(take)
            take.problem = problem
            self._over(take, Outcome.FAILED)
            self._keeper.forget(take)
            return
        if take.is_stopping:  # asked for before there was anything to stop
            is_cancelled = take.outcome is Outcome.CANCELLED
            take.capture.stop(EndReason.CANCELLED if is_cancelled else EndReason.STOPPED)
        elif take.is_paused:
            take.capture.pause()

    def _end(self, take: Take, reason: EndReason) -> None:
        take.is_stopping = True
        take.is_paused = False
        if take.capture is not None:
            take.capture.stop(reason)
        self._show(take, stage=Stage.FINISHING)

    def _on_capture(self, take: Take, event: TakeEvent) -> None:
        if self._is_closed:
            return
        if isinstance(event, TakeEnded):
            self._on_ended(take, event)
            return
        if isinstance(event, MicrophoneReady):
            is_other = take.device not in ("", event.device.name)
            take.device = event.device.name
            changed = problems.other_microphone(take.device) if is_other else None
            take.problem = changed or self._recognition.problem(take)
            if take.stage is Stage.ARMING and not take.is_stopping:
                take.stage = Stage.RECORDING
        elif isinstance(event, HintsChanged):
            take.problem = problems.problem_of_hints(event.hints) or self._recognition.problem(take)
        elif isinstance(event, SoundReturned):
            take.problem = self._recognition.problem(take)
        else:
            take.problem = problems.problem_of(event) or take.problem
        if take.is_live:
            self._show(take)

    def _on_ended(self, take: Take, event: TakeEnded) -> None:
        take.ended = event
        take.is_stopping = True
        take.is_paused = False
        self._holds.pop(take.take_id, ExitStack()).close()
        if take.capture is not None:
            take.capture.join(0.5)  # it has said its last word
        if event.error is not None:
            take.problem = event.error
        if event.duration_s <= 0:
            self._recognition.cancel(take)
            self._over(take, self._empty_outcome(take))
            self._keeper.forget(take)
        elif take.outcome is Outcome.CANCELLED:
            self._close_cancelled(take)
            self._show(take)
        else:
            self._show(take, stage=Stage.FINISHING)
            self._conclude_if_ready(take)

    @staticmethod
    def _empty_outcome(take: Take) -> Outcome:
        if take.outcome is Outcome.CANCELLED:
            return Outcome.CANCELLED
        return Outcome.FAILED if take.problem is not None else Outcome.NOTHING_HEARD

    def _close_cancelled(self, take: Take) -> None:
        take.stage = Stage.IDLE
        self._leave(take)
        self._keeper.set_status(take, RecordingStatus.CANCELLED)
        self._keeper.bin(take, is_in=True)
        self._keeper.pack(take, drops_journal=False)

    def _again(self, take: Take) -> None:
        """Make text of the last take after all."""
        take.outcome = take.problem = take.error = None
        take.is_given_up = take.is_recognised = take.is_concluding = False
        take.front = self._delivery.front()
        if take not in self._open:
            self._open.append(take)
        self._keeper.set_status(take, RecordingStatus.WORKING)
        self._keeper.bin(take, is_in=False)
        self._show(take, stage=Stage.FINISHING)
        self._recognition.start(take)

    def _on_final(self, take: Take, final: SegmentsFinal) -> None:
        take.segments.extend(final.segments)
        take.language = final.language or take.language

    def _on_recognised(self, take: Take) -> None:
        """Take in that there will be no more text, or none at all."""
        if self._is_closed or take.outcome is not None:
            return
        if take.ended is None:
            self._show(take)
        else:
            self._conclude_if_ready(take)

    def _on_silence(self, take: Take) -> None:
        if take is self._take and take.is_live and not self._hotkeys.is_held:
            self.stop()

    def _conclude_if_ready(self, take: Take) -> None:
        is_ready = take.is_recognised or take.is_given_up
        if take.ended is None or not is_ready or take.is_concluding:
            return
        take.is_concluding = True
        if take.is_given_up:
            status = RecordingStatus.FAILED
        else:
            status = RecordingStatus.DONE if take.segments else RecordingStatus.EMPTY
        self._keeper.conclude(
            take, status, lambda text: self._main.post(lambda: self._on_concluded(take, text))
        )

    def _on_concluded(self, take: Take, text: str) -> None:
        if self._is_closed:
            return
        take.text = text
        if take.is_given_up:
            take.problem = take.error
            self._over(take, Outcome.UNTRANSCRIBED)
            self._keeper.pack(take, drops_journal=False)
            return
        self._keeper.pack(take, drops_journal=True)
        if not text:  # a line break is a text, too: it was asked for
            self._over(take, Outcome.NOTHING_HEARD)
            return
        self._last.remember(text)
        if take.kind is not RecordingKind.DICTATION:
            self._over(take, Outcome.SAVED)
            return
        settings = self._settings()
        self._delivery.deliver(
            text,
            take.front,
            lambda outcome, why: self._main.post(lambda: self._on_delivered(take, outcome, why)),
            language=take.language,
            fits_caret=settings.smart_spacing,
            only_copies=settings.insertion == "copy",
        )

    def _on_delivered(self, take: Take, outcome: Outcome, reason: AppError | None) -> None:
        take.problem = reason or take.problem
        self._over(take, outcome)
        if reason is not None and take is not self._take:
            self._emit(Failed(reason))  # its snapshot is not shown any more

    def _over(self, take: Take, outcome: Outcome) -> None:
        take.outcome = outcome
        take.stage = Stage.IDLE
        self._holds.pop(take.take_id, ExitStack()).close()
        self._leave(take)
        if take is not self._take:
            self._keeper.let_go(take)
        self._show(take)

    def _leave(self, take: Take) -> None:
        if take in self._open:
            self._open.remove(take)
        self._recognition.forget(take)

    def _stop_captures(self) -> None:
        """Close every microphone and put all on disk. Thread: take-disk."""
        for take in self._open:
            if take.capture is not None:
                take.capture.stop()
                take.capture.join(5.0)

    # What is shown.

    def _show(self, take: Take, stage: Stage | None = None) -> None:
        """Tell how `take` stands, if it is the newest; `stage` moves it first."""
        if stage is not None:
            take.stage = stage
        if take is not self._take or self._is_closed:
            return
        if self._keys is not None:
            self._keys.hold_escape(is_wanted=take.is_live)
        self._tell(
            StageChanged(
                stage=take.stage,
                take_id=take.take_id,
                kind=take.kind,
                is_paused=take.is_paused,
                elapsed_s=take.duration_s,
                device=take.device,
                outcome=take.outcome if take.stage is Stage.IDLE else None,
                problem=take.problem,
                text=take.text,
                can_undo=take.can_undo,
                can_retry=take.can_retry,
                recording_id=take.take_id if take.is_known else "",
                needs_relaunch=take.needs_relaunch,
            )
        )

    def _tell(self, snapshot: StageChanged) -> None:
        if snapshot != self._now:
            self._now = snapshot
            self._emit(snapshot)

    def _on_hotkey(self, event: HotkeyEvent) -> None:
        if not self._is_closed:
            self._hotkeys.take(event)


def _not_begun() -> InsertFailed:
    return InsertFailed(
        mark("The recording could not be begun."),
        mark("Try again; if it happens again, please report it with the log file."),
    )


def _choice(settings: Settings) -> Choice:
    uid, _, name = settings.microphone.partition("\t")
    return Choice(uid, name, settings.builtin_while_bluetooth)
