"""What a person means by pressing a hotkey: hold to talk, tap to start and stop, tap twice.

Pure rules: presses and releases in, wishes out; the caller brings the time and knows whether a take
runs. A press always starts at once, so that no first word waits for the gesture to be understood.
"""

from dataclasses import dataclass
from enum import StrEnum

TAP_S = 0.35  # a shorter press is a tap, a longer one a hold
DOUBLE_S = 0.4  # a second press so soon after a tap belongs to it


class Wish(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    START = "start"
    STOP = "stop"
    DISCARD = "discard"  # what was started by mistake leaves no trace
    WAIT = "wait"  # ask `decide` again after `DOUBLE_S`


@dataclass(slots=True)
class Gesture:
    """One hotkey's presses. Owner: the stage machine.

    `way` is a setting and may change at any time: `hold` records while the key is down and, after
    two quick taps, until the next press; `toggle` starts and stops at each press; `both` tells a
    hold from a tap by its length.
    """

    way: str = "both"
    _down_s: float | None = None
    _started_here: bool = False  # by the press that is down now
    _tap_s: float | None = None  # when the last tap ended whose meaning is still open
    _is_hands_free: bool = False

    @property
    def is_held(self) -> bool:
        """Whether the key that records while it is down is down."""
        return self._down_s is not None and self._started_here and self.way != "toggle"

    def pressed(self, at_s: float, *, is_recording: bool) -> Wish:
        """Take in a press; a key that repeats itself counts once."""
        if self._down_s is not None:
            return Wish.NOTHING
        self._down_s = at_s
        self._started_here = False
        tap_s, self._tap_s = self._tap_s, None
        if not is_recording:
            self._started_here = True
            self._is_hands_free = False
            return Wish.START
        if self.way != "toggle" and tap_s is not None and at_s - tap_s <= DOUBLE_S:
            self._is_hands_free = True  # the second of two taps: go on without a hand
            return Wish.NOTHING
        self._is_hands_free = False
        return Wish.STOP

    def released(self, at_s: float, *, is_recording: bool) -> Wish:
        """Take in a release."""
        down_s, self._down_s = self._down_s, None
        started_here, self._started_here = self._started_here, False
        if down_s is None or not started_here or not is_recording or self.way == "toggle":
            return Wish.NOTHING
        if at_s - down_s >= TAP_S:
            return Wish.STOP
        self._tap_s = at_s
        return Wish.WAIT if self.way == "hold" else Wish.NOTHING

    def interrupted(self, *, is_recording: bool) -> Wish:
        """Take in that the key was part of another program's shortcut."""
        started_here, self._started_here = self._started_here, False
        self._down_s = self._tap_s = None
        return Wish.DISCARD if started_here and is_recording else Wish.NOTHING

    def decide(self) -> Wish:
        """Say what a tap meant, now that no second one came."""
        tap_s, self._tap_s = self._tap_s, None
        if tap_s is None or self._is_hands_free or self.way != "hold":
            return Wish.NOTHING
        return Wish.STOP
