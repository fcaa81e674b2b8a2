"""The sounds of a take: it begins, it ends, it is cancelled, something is wrong.

The first is played only when the first real sample has come: what is said after it is recorded.
A sound that cannot be played is no error; nobody records in order to hear it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from PySide6.QtCore import QObject, QUrl

from app.config.paths import resources
from app.core.dictation import Outcome, Stage, StageChanged
from app.ui.ports import Events


class Cue(StrEnum):
    """A sound, by its file in `resources/sounds`."""

    START = "start"
    STOP = "stop"
    CANCEL = "cancel"
    PROBLEM = "problem"


class Player(Protocol):
    """Plays cues. Thread: main."""

    def prepare(self) -> None:
        """Load what takes time, if that has not been done."""

    def play(self, cue: Cue) -> None:
        """Play `cue` now, if there is anything to play it with."""


class QtPlayer:
    """Cues by QtMultimedia, which is loaded with the first take: it costs a quarter of a second."""

    def __init__(self, parent: QObject) -> None:
        self._parent = parent
        self._effects: dict[Cue, QObject] = {}

    def prepare(self) -> None:
        from PySide6.QtMultimedia import QMediaDevices, QSoundEffect

        if self._effects or QMediaDevices.defaultAudioOutput().isNull():
            return
        for cue in Cue:
            effect = QSoundEffect(self._parent)
            effect.setSource(QUrl.fromLocalFile(str(resources() / "sounds" / f"{cue}.wav")))
            self._effects[cue] = effect

    def play(self, cue: Cue) -> None:
        from PySide6.QtMultimedia import QSoundEffect

        self.prepare()
        effect = self._effects.get(cue)
        if isinstance(effect, QSoundEffect):
            effect.play()


class Sounds(QObject):
    """Listens to the stages of takes and plays what belongs to them.

    Args:
        events: the bus.
        player: what plays.
        is_wanted: whether the person wants sounds.
    """

    def __init__(
        self,
        events: Events,
        player: Player,
        is_wanted: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._is_wanted = is_wanted
        self._before = StageChanged()
        events.stage_changed.connect(self._on_stage_changed)

    def _on_stage_changed(self, now: StageChanged) -> None:
        before, self._before = self._before, now
        if not self._is_wanted():
            return
        if now.stage is Stage.ARMING:
            self._player.prepare()
        cue = cue_between(before, now)
        if cue is not None:
            self._player.play(cue)


def cue_between(before: StageChanged, now: StageChanged) -> Cue | None:
    """Return what is heard when a take goes from one snapshot to the next."""
    is_new = now.take_id != before.take_id
    if now.stage is Stage.RECORDING:
        begins = is_new or before.stage in (Stage.IDLE, Stage.ARMING)
        return Cue.START if begins else None
    was_running = before.stage in (Stage.ARMING, Stage.RECORDING)
    if now.stage is Stage.FINISHING:
        return Cue.STOP if was_running else None
    if now.stage is not Stage.IDLE or before.stage is Stage.IDLE:
        return None
    if now.outcome is Outcome.CANCELLED:
        return Cue.CANCEL
    if now.outcome in (Outcome.FAILED, Outcome.UNTRANSCRIBED):
        return Cue.PROBLEM
    return Cue.STOP if was_running else None
