"""A stage machine, microphones and hotkeys that a test plays itself."""

from dataclasses import replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from app.core.dictation import Stage, StageChanged
from app.core.errors import AppError
from app.core.events import PartialChanged
from app.core.recording import RecordingKind
from app.macos.hotkey import Chord
from app.ui.ports import MicrophoneChoice


class TakeSignals(Protocol):
    """As much of the bus as a take tells."""

    @property
    def stage_changed(self) -> SignalInstance: ...

    @property
    def partial_changed(self) -> SignalInstance: ...


class FakeDictation:
    """Writes down what it is asked; `tell` lets the stage machine say something.

    Attributes:
        level: what the meter shows, in dBFS.
        seconds: how long the take is.
    """

    def __init__(self, bus: TakeSignals) -> None:
        self._bus = bus
        self.now = StageChanged()
        self.level = -100.0
        self.seconds = 0.0
        self.calls: list[tuple[object, ...]] = []
        self.polls = 0

    def tell(self, stage: Stage, **changes: object) -> StageChanged:
        """Let the stage machine be in `stage`; what is not named is as it was."""
        kept = {"outcome": None, "problem": None, "can_undo": False, "can_retry": False}
        wanted: dict[str, Any] = {
            **kept,
            "take_id": self.now.take_id or "t1",
            **changes,
            "stage": stage,
        }
        self.now = replace(self.now, **wanted)
        self._bus.stage_changed.emit(self.now)
        return self.now

    def say(self, committed: str, tail: str = "", start_s: float = 0.0) -> None:
        """Let words arrive."""
        partial = PartialChanged(self.now.take_id, committed, tail, start_s)
        self._bus.partial_changed.emit(partial)

    def names(self) -> list[object]:
        return [call[0] for call in self.calls]

    def elapsed_s(self) -> float:
        return self.seconds

    def level_db(self) -> float:
        self.polls += 1
        return self.level

    def start(self, kind: RecordingKind) -> None:
        self.calls.append(("start", kind))

    def stop(self) -> None:
        self.calls.append(("stop",))

    def toggle(self, kind: RecordingKind) -> None:
        self.calls.append(("toggle", kind))

    def cancel(self) -> None:
        self.calls.append(("cancel",))

    def undo_cancel(self) -> None:
        self.calls.append(("undo_cancel",))

    def pause(self) -> None:
        self.calls.append(("pause",))

    def resume(self) -> None:
        self.calls.append(("resume",))

    def retry(self) -> None:
        self.calls.append(("retry",))

    def hotkey_down(self, name: str, at_s: float) -> None:
        self.calls.append(("hotkey_down", name, at_s))

    def hotkey_up(self, name: str, at_s: float) -> None:
        self.calls.append(("hotkey_up", name, at_s))

    def hotkey_interrupted(self, name: str, at_s: float) -> None:
        self.calls.append(("hotkey_interrupted", name, at_s))

    def copy_last(self) -> None:
        self.calls.append(("copy_last",))

    def paste_last(self) -> None:
        self.calls.append(("paste_last",))

    def undo_insertion(self) -> None:
        self.calls.append(("undo_insertion",))


class FakeMicrophones(QObject):
    """Microphones a test lists itself."""

    changed = Signal()

    def __init__(self, *choices: MicrophoneChoice) -> None:
        super().__init__()
        self.choices = list(choices)
        self.problem: AppError | None = None
        self.is_testing = False
        self.level = -100.0
        self.looks = 0

    def look_again(self) -> None:
        self.looks += 1

    def start_test(self) -> None:
        self.is_testing = True
        self.changed.emit()

    def stop_test(self) -> None:
        self.is_testing = False
        self.changed.emit()

    def test_level_db(self) -> float:
        return self.level


class FakeHotkeyKeys:
    """Hotkeys that refuse what is in `refused`."""

    def __init__(self) -> None:
        self.bound: dict[str, Chord | None] = {}
        self.refused: dict[str, AppError] = {}
        self.trouble: AppError | None = None
        self.is_resting = False

    def trial(self, name: str, chord: Chord | None) -> AppError | None:
        refusal = self.refused.get(str(chord))
        if refusal is None:
            self.bound[name] = chord
        return refusal

    def shown(self, name: str) -> str:
        chord = self.bound.get(name)
        return chord.shown() if chord else ""

    def problem(self, name: str) -> AppError | None:
        return self.trouble

    def rest(self, is_resting: bool) -> None:
        self.is_resting = is_resting


BUILT_IN = MicrophoneChoice("builtin", "Built-in Microphone", is_default=True, is_builtin=True)
AIRPODS = MicrophoneChoice("airpods", "AirPods Pro", is_bluetooth=True)
