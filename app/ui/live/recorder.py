"""Recording from the main window: its button, its menu, its pane, and what is told of the end.

Asks the stage machine and renders what it says; starts and ends nothing by itself.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from app.config.translate import tr, tr_plural
from app.core.dictation import Outcome, Stage, StageChanged
from app.core.errors import AudioError, EngineHung
from app.core.events import PartialChanged, SegmentsFinal, TakesRecovered
from app.core.recording import RecordingKind
from app.ui.live.pane import LivePane
from app.ui.live.wording import Act, Face, act_name, face_of
from app.ui.live.words import LiveWords
from app.ui.ports import Ports
from app.ui.widgets.banner import Banner, BannerStack

_Offers = tuple[tuple[str, Callable[[], None]], ...]  # buttons
_NOTICED = {Outcome.NOTHING_HEARD, Outcome.CANCELLED}
_WARNED = {Outcome.UNTRANSCRIBED, Outcome.FAILED}


class RecordActions:
    """The menu's actions for a take, connected to the stage machine by `Recorder`."""

    def __init__(self, record: QAction, pause: QAction, cancel: QAction) -> None:
        self.record = record
        self.pause = pause
        self.cancel = cancel


class Recorder(QObject):
    """The main window's side of a take."""

    recording_ended = Signal(str)  # recording id of a quick record that has something to show

    def __init__(
        self,
        ports: Ports,
        *,
        pane: LivePane,
        actions: RecordActions,
        above: BannerStack,
        below: BannerStack,
        set_recording: Callable[[bool], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        dictation, events = ports.dictation, ports.events
        assert dictation is not None
        self._dictation = dictation
        self._commands = ports.commands
        self._microphones = ports.microphones
        self._relaunch = ports.relaunch
        self._pane = pane
        self._actions = actions
        self._above = above
        self._below = below
        self._set_recording = set_recording
        self._words = LiveWords()
        self._now = StageChanged()
        actions.record.triggered.connect(lambda _checked=False: self.toggle())
        actions.pause.triggered.connect(lambda _checked=False: self._toggle_pause())
        actions.cancel.triggered.connect(lambda _checked=False: dictation.cancel())
        pane.pause_requested.connect(dictation.pause)
        pane.resume_requested.connect(dictation.resume)
        pane.stop_requested.connect(dictation.stop)
        pane.cancel_requested.connect(dictation.cancel)
        events.stage_changed.connect(self._on_stage_changed)
        events.partial_changed.connect(self._on_partial_changed)
        events.segments_final.connect(self._on_segments_final)
        events.takes_recovered.connect(self._on_takes_recovered)
        self._on_stage_changed(dictation.now)

    def toggle(self) -> None:
        """Start a quick record, or stop whatever runs."""
        if self._now.stage is Stage.IDLE:
            self._dictation.start(RecordingKind.QUICK)
        else:
            self._dictation.stop()

    # Events

    def _on_stage_changed(self, now: StageChanged) -> None:
        before, self._now = self._now, now
        if now.take_id != self._words.take_id:
            self._words.begin(now.take_id)
            self._pane.text.clear_words()
        self._render_actions(now)
        if now.stage is not Stage.IDLE:
            self._above.close_banner("take")
            self._below.close_banner("take")
            self._pane.offer(*self._offers(now))
        self._pane.show_stage(now)
        if now.stage is Stage.IDLE and before.stage is not Stage.IDLE:
            self._tell_end(now)
        elif now.stage is Stage.IDLE and not (now.can_undo or now.can_retry):
            self._below.close_banner("take")

    def _on_partial_changed(self, event: PartialChanged) -> None:
        if self._words.take_partial(event):
            self._pane.show_words(self._words)

    def _on_segments_final(self, event: SegmentsFinal) -> None:
        if self._words.take_final(event):
            self._pane.show_words(self._words)

    def _on_takes_recovered(self, event: TakesRecovered) -> None:
        """Offer takes that were found after the app had ended without finishing them."""
        recording_ids = event.recording_ids
        if not recording_ids:
            return
        count = len(recording_ids)
        message = tr_plural(
            "{count} recording was found that had not been finished. Its sound is complete "
            "up to the last moment before Undertone ended.",
            "{count} recordings were found that had not been finished. Their sound is complete "
            "up to the last moment before Undertone ended.",
            count,
        )

        def transcribe() -> None:
            self._above.close_banner("recovered")
            for recording_id in recording_ids:
                self._commands.retry(recording_id)

        action = (tr("Transcribe"), transcribe)
        self._above.show_banner("recovered", Banner(message, actions=[action]))

    # Rendering

    def _render_actions(self, now: StageChanged) -> None:
        is_idle = now.stage is Stage.IDLE
        self._actions.record.setText(tr("&New Recording") if is_idle else tr("&Stop Recording"))
        self._actions.record.setEnabled(now.stage is not Stage.FINISHING)
        self._actions.pause.setText(
            tr("Resume R&ecording") if now.is_paused else tr("Pause R&ecording")
        )
        self._actions.pause.setEnabled(now.stage is Stage.RECORDING)
        self._actions.cancel.setEnabled(now.stage in (Stage.ARMING, Stage.RECORDING))
        self._set_recording(now.stage in (Stage.ARMING, Stage.RECORDING))

    def _offers(self, now: StageChanged) -> _Offers:
        """Return what a person can do about the problem of a take."""
        if isinstance(now.problem, EngineHung) and self._relaunch is not None:
            return ((tr("Start Undertone Again"), self._relaunch),)
        if now.stage is Stage.IDLE:
            return ()
        if not isinstance(now.problem, AudioError) or self._microphones is None:
            return ()
        others = [
            choice
            for choice in self._microphones.choices
            if choice.is_builtin and choice.name != now.device
        ]
        if not others:
            return ()
        builtin = others[0]

        def switch() -> None:
            self._commands.change_settings(microphone=f"{builtin.uid}\t{builtin.name}")

        return ((tr("Use Built-in Microphone"), switch),)

    def _tell_end(self, now: StageChanged) -> None:
        face = face_of(now)
        if now.outcome in _WARNED or (face is not None and now.problem is not None):
            tone = "error" if face is None or not face.acts else "warning"
            self._show_end(self._above, face, tone, self._offers(now))
        elif now.outcome in _NOTICED:
            self._show_end(self._below, face, "info")
        is_quick = now.kind is RecordingKind.QUICK
        if is_quick and now.recording_id and now.outcome is not Outcome.CANCELLED:
            self.recording_ended.emit(now.recording_id)

    def _show_end(
        self, stack: BannerStack, face: Face | None, tone: str, offers: _Offers = ()
    ) -> None:
        if face is None:
            return
        calls = {Act.UNDO: self._dictation.undo_cancel, Act.RETRY: self._dictation.retry}

        def closing(act: Act) -> Callable[[], None]:
            def call() -> None:
                stack.close_banner("take")
                calls[act]()

            return call

        actions = [*((act_name(act), closing(act)) for act in face.acts), *offers]
        lines = [face.message] if face.message else []
        stack.show_banner("take", Banner(face.state, tone=tone, lines=lines, actions=actions))

    def _toggle_pause(self) -> None:
        if self._now.is_paused:
            self._dictation.resume()
        else:
            self._dictation.pause()
