"""Shows a take over whatever program is in front, and takes nothing from it.

Renders the last snapshot; keeps only the words that came and when to hide. Nothing ticks unless
something is recorded and seen.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect, QTimer, SignalInstance
from PySide6.QtGui import QGuiApplication, QScreen

from app.core.dictation import Dictation, Outcome, Stage, StageChanged
from app.core.events import PartialChanged, SegmentsFinal
from app.core.recording import RecordingKind
from app.macos.panel import Panels
from app.ui.live.wording import Act, Face, face_of, spoken
from app.ui.live.words import LiveWords
from app.ui.overlay.buttons import OverlayButtons
from app.ui.overlay.pill import Pill, PillContent
from app.ui.overlay.place import bottom_centre, screen_area
from app.ui.ports import Events
from app.ui.widgets.announce import Announcer
from app.ui.widgets.level import CALM_TICK_MS, TICK_MS

_STAY_MS = {
    Outcome.INSERTED: 1_600,
    Outcome.SAVED: 2_500,
    Outcome.NOTHING_HEARD: 4_000,
    Outcome.COPIED: 5_000,
    Outcome.CANCELLED: 6_000,
    Outcome.UNTRANSCRIBED: 10_000,
    Outcome.FAILED: 8_000,
}
_FOLLOW_TICKS = 10  # so many ticks between two looks for the pointer's screen


class Overlay(QObject):
    """The pill, its buttons, and when they are seen.

    Args:
        dictation: polled for level and length, asked for what a button does.
        events: the bus.
        panels: the system's touches on overlay windows.
        is_wanted: whether the person wants the overlay at all.
        is_calm: whether nothing should move that need not.
    """

    def __init__(
        self,
        dictation: Dictation,
        events: Events,
        panels: Panels,
        *,
        is_wanted: Callable[[], bool],
        is_calm: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._dictation = dictation
        self._panels = panels
        self._is_wanted = is_wanted
        self._now = dictation.now
        self._words = LiveWords()
        self._ticks = 0
        self._area: QRect | None = None
        self.pill = Pill(is_calm=is_calm)
        self.buttons = OverlayButtons()
        self.announcer = Announcer(self.pill)
        self._announced = ""
        self.ticker = QTimer(self)
        self.ticker.setInterval(CALM_TICK_MS if is_calm else TICK_MS)
        self.ticker.timeout.connect(self._on_tick)
        self._hide_later = QTimer(self)
        self._hide_later.setSingleShot(True)
        self._hide_later.timeout.connect(self._on_time_over)
        self.buttons.chosen.connect(self._on_chosen)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        self._connected: list[tuple[SignalInstance, Callable[..., None]]] = [
            (events.stage_changed, self._on_stage_changed),
            (events.partial_changed, self._on_partial_changed),
            (events.segments_final, self._on_segments_final),
            (app.screenAdded, self._on_screens_changed),
            (app.screenRemoved, self._on_screens_changed),
            (app.primaryScreenChanged, self._on_screens_changed),
            (app.focusWindowChanged, self._on_focus_window_changed),
        ]
        for signal, slot in self._connected:
            signal.connect(slot)

    @property
    def is_shown(self) -> bool:
        return self.pill.isVisible()

    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        self.pill.update()
        self.buttons.update()

    def close(self) -> None:
        """Take the overlay away for good."""
        self.ticker.stop()
        self._hide_later.stop()
        for signal, slot in self._connected:
            signal.disconnect(slot)
        self._connected.clear()
        for window in (self.pill, self.buttons):
            window.close()
            window.deleteLater()

    # Events

    def _on_stage_changed(self, now: StageChanged) -> None:
        before, self._now = self._now, now
        is_new = now.take_id != self._words.take_id
        if is_new:
            self._words.begin(now.take_id)
            self.pill.restart()
        self._render()
        self._announce(now)
        if now.stage is not Stage.IDLE:
            self._hide_later.stop()
        elif now.outcome is not None or now.problem is not None:
            if before != now:
                self._hide_later.start(_STAY_MS.get(now.outcome or Outcome.FAILED, 8_000))
        else:
            self._hide()

    def _on_partial_changed(self, event: PartialChanged) -> None:
        if self._words.take_partial(event) and self._is_running:
            self._render()

    def _on_segments_final(self, event: SegmentsFinal) -> None:
        if self._words.take_final(event) and self._is_running:
            self._render()

    def _on_screens_changed(self, _screen: QScreen | None = None) -> None:
        self._area = None
        if self.is_shown:
            self._place()

    def _on_focus_window_changed(self, _window: object) -> None:
        if self._is_running:
            self._render()

    # Rendering

    def _render(self) -> None:
        face = face_of(self._now, self._dictation.elapsed_s() if self._is_running else None)
        if face is None or not self._may_show:
            self._hide()
            return
        self.buttons.set_acts(face.acts)
        self.pill.buttons_width = float(self.buttons.wanted_width)
        self.pill.show_content(self._content(face))
        if not self.is_shown:
            self._show()
        self._place_buttons()
        is_moving = face.is_live or face.is_busy
        if is_moving and not self.ticker.isActive():
            self.ticker.start()
        elif not is_moving:
            self.ticker.stop()

    def _content(self, face: Face) -> PillContent:
        if not self._is_running:
            return PillContent(face, text=self._now.text)
        has_time = self._now.stage is not Stage.ARMING
        seconds = int(self._dictation.elapsed_s()) if has_time else None
        return PillContent(face, self._words.committed, self._words.tail, seconds)

    @property
    def _may_show(self) -> bool:
        """Whether the overlay has something to say that our own window does not say already."""
        if not self._is_wanted():
            return False
        is_ours_in_front = QGuiApplication.focusWindow() is not None
        return not (is_ours_in_front and self._now.kind is RecordingKind.QUICK)

    @property
    def _is_running(self) -> bool:
        return self._now.stage is not Stage.IDLE

    def _show(self) -> None:
        self._area = None
        if not self._place():
            return
        self.pill.show()
        self.pill.raise_()
        self._panels.make_overlay(int(self.pill.winId()))

    def _hide(self) -> None:
        self.ticker.stop()
        self._hide_later.stop()
        self.pill.hide()
        self.buttons.hide()

    def _place(self) -> bool:
        """Go to the screen with the pointer, if there is one, and it is another or has changed."""
        area = screen_area()
        if area is None:
            self.pill.hide()
            self.buttons.hide()
        elif area != self._area:
            self.pill.move(bottom_centre(self.pill.size(), area))
            self._place_buttons()
        self._area = area
        return area is not None

    def _place_buttons(self) -> None:
        if not self.buttons.buttons or not self.is_shown:
            self.buttons.hide()
            return
        was_shown = self.buttons.isVisible()
        self.buttons.show_at(self.pill.mapToGlobal(self.pill.buttons_slot.topLeft()))
        if not was_shown:
            self._panels.make_overlay(int(self.buttons.winId()))

    def _on_tick(self) -> None:
        self._ticks += 1
        if self._ticks % _FOLLOW_TICKS == 0:
            self._place()
        self.pill.beat(self._dictation.level_db())
        content = self.pill.content
        if content is not None and content.seconds != int(self._dictation.elapsed_s()):
            self._render()

    # What the person does, and what is said to them

    def _on_chosen(self, act: Act) -> None:
        {Act.UNDO: self._dictation.undo_cancel, Act.RETRY: self._dictation.retry}[act]()

    def _on_time_over(self) -> None:
        if self.buttons.is_pointed_at:
            self._hide_later.start(1_000)
        else:
            self._hide()

    def _announce(self, now: StageChanged) -> None:
        face = face_of(now)
        if face is None or now.stage is Stage.ARMING:
            self._announced = ""
            return
        said = spoken(face, now.text if now.stage is Stage.IDLE else "")
        if said != self._announced:
            self._announced = said
            self.announcer.say(said)
