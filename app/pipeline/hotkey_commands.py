"""What presses of the hotkeys make the stage machine do."""

from collections.abc import Callable

from app.core.dictation import Dictation
from app.core.recording import RecordingKind
from app.macos.hotkey import HotkeyEvent, HotkeyMoment
from app.pipeline.gestures import DOUBLE_S, Gesture, Wish
from app.pipeline.hotkeys import CANCELS, DICTATE, QUICK

_KINDS = {DICTATE: RecordingKind.DICTATION, QUICK: RecordingKind.QUICK}


class HotkeyCommands:
    """Turns presses and releases into commands. Thread: main.

    Args:
        dictation: is given the commands.
        is_recording: whether a take is live at this moment.
        after: calls something that many seconds later.
    """

    def __init__(
        self,
        dictation: Dictation,
        is_recording: Callable[[], bool],
        after: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._dictation = dictation
        self._is_recording = is_recording
        self._after = after
        self._gestures = {name: Gesture() for name in _KINDS}

    @property
    def is_held(self) -> bool:
        """Whether a key that records while it is down is down."""
        return any(gesture.is_held for gesture in self._gestures.values())

    def use(self, way: str) -> None:
        """Understand presses as the setting `dictate_way` says from now on."""
        for gesture in self._gestures.values():
            gesture.way = way

    def take(self, event: HotkeyEvent) -> None:
        """Do what `event` means."""
        if event.moment is HotkeyMoment.PRESSED:
            self.pressed(event.name, event.at_s)
        elif event.moment is HotkeyMoment.RELEASED:
            self.released(event.name, event.at_s)
        else:
            self.interrupted(event.name)

    def pressed(self, name: str, at_s: float) -> None:
        if name in CANCELS:
            self._dictation.cancel()
        elif name in self._gestures:
            self._do(name, self._gestures[name].pressed(at_s, is_recording=self._is_recording()))

    def released(self, name: str, at_s: float) -> None:
        if name in self._gestures:
            self._do(name, self._gestures[name].released(at_s, is_recording=self._is_recording()))

    def interrupted(self, name: str) -> None:
        if name in self._gestures:
            self._do(name, self._gestures[name].interrupted(is_recording=self._is_recording()))

    def _do(self, name: str, wish: Wish) -> None:
        if wish is Wish.START:
            self._dictation.start(_KINDS[name])
        elif wish is Wish.STOP:
            self._dictation.stop()
        elif wish is Wish.DISCARD:
            self._dictation.cancel()
        elif wish is Wish.WAIT:
            self._after(DOUBLE_S, lambda: self._do(name, self._gestures[name].decide()))
