"""How the stages of a take are told to a person: state word, tone, message and buttons.

One table for the overlay, the main window, the menu bar and the screen reader, so that all four
say the same.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.config.translate import tr, tr_phrase
from app.core.dictation import Outcome, Stage, StageChanged
from app.core.errors import AppError

READY_S = 1.0  # for so long "Ready" is read before it becomes "Listening"


class Tone(StrEnum):
    """What colour and icon a state has."""

    QUIET = "quiet"
    RECORDING = "recording"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"


class Act(StrEnum):
    """What can be done about an ended take."""

    UNDO = "undo"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Face:
    """What is told about a take now.

    Attributes:
        state: one or two words.
        message: what there is to say beyond the state: why, and what to do.
        brief: the same without what to do, where there is little room.
        icon: of `resources/icons`; empty while the level is shown instead.
        is_live: whether sound is being recorded at this moment.
        is_busy: whether the app works and the person waits.
        hint: a key and what it does (`Esc`, `cancel`), while it does.
        acts: the buttons to offer.
    """

    state: str
    tone: Tone = Tone.QUIET
    message: str = ""
    brief: str = ""
    icon: str = ""
    is_live: bool = False
    is_busy: bool = False
    hint: tuple[str, str] | None = None
    acts: tuple[Act, ...] = ()


def face_of(now: StageChanged, elapsed_s: float | None = None) -> Face | None:
    """Return what to tell; `None` when there is nothing to tell.

    Args:
        now: the last snapshot.
        elapsed_s: seconds of sound by now, where the snapshot is older.
    """
    if now.stage is Stage.IDLE and now.outcome is None and now.problem is None:
        return None
    face = _ended(now) if now.stage is Stage.IDLE else _running(now, elapsed_s)
    if now.problem is None:
        return face
    brief = " ".join(tr_phrase(now.problem.message).split())
    return replace(face, message=problem_line(now.problem), brief=brief)


def _running(now: StageChanged, elapsed_s: float | None) -> Face:
    escape = (tr("Esc"), tr("cancel"))
    if now.stage is Stage.ARMING:
        return Face(tr("Starting…"), hint=escape)
    if now.stage is Stage.FINISHING:
        return Face(tr("Finishing…"), is_busy=True)
    if now.is_paused:
        return Face(tr("Paused"), icon="pause", hint=escape)
    seconds = now.elapsed_s if elapsed_s is None else elapsed_s
    return Face(
        tr("Ready") if seconds < READY_S else tr("Listening"),
        Tone.RECORDING if now.problem is None else Tone.WARNING,
        is_live=True,
        hint=escape,
    )


def _ended(now: StageChanged) -> Face:
    state, tone, message, icon = _outcomes().get(
        now.outcome or Outcome.FAILED, (tr("Not recorded"), Tone.ERROR, "", "warning")
    )
    return Face(state, tone, message, message, icon, acts=_acts(now))


def _outcomes() -> dict[Outcome, tuple[str, Tone, str, str]]:
    """Return state word, tone, what there is to say, and icon of each end."""
    nothing = tr("No speech was recognized. The sound is kept.")
    later = tr("The sound is kept. It can be transcribed later.")
    return {
        Outcome.INSERTED: (tr("Inserted"), Tone.GOOD, "", "check"),
        Outcome.COPIED: (tr("Copied"), Tone.GOOD, "", "copy"),
        Outcome.SAVED: (tr("Saved"), Tone.GOOD, "", "check"),
        Outcome.NOTHING_HEARD: (tr("Nothing heard"), Tone.QUIET, nothing, "info"),
        Outcome.CANCELLED: (tr("Cancelled"), Tone.QUIET, tr("It is kept in the bin."), "cancel"),
        Outcome.UNTRANSCRIBED: (tr("Not transcribed"), Tone.WARNING, later, "warning"),
    }


def _acts(now: StageChanged) -> tuple[Act, ...]:
    found = []
    if now.can_undo:
        found.append(Act.UNDO)
    if now.can_retry:
        found.append(Act.RETRY)
    return tuple(found)


def act_name(act: Act) -> str:
    """Return the text of a button."""
    return {Act.UNDO: tr("Undo"), Act.RETRY: tr("Retry")}[act]


def problem_line(problem: AppError | None) -> str:
    """Return a problem in one line: what happened, then what to do."""
    if problem is None:
        return ""
    text = f"{tr_phrase(problem.message)} {tr_phrase(problem.hint)}"
    return " ".join(text.split())


def spoken(face: Face, text: str = "") -> str:
    """Return what a screen reader says when a take comes into this state."""
    parts = [face.state.removesuffix("…")]
    if text:
        parts.append(" ".join(text.split()))
    if face.message:
        parts.append(face.message)
    return ". ".join(part.rstrip(".") for part in parts) + "."
