"""Each stage and each end of a take is told in words a person understands."""

import pytest

from app.core.dictation import Outcome, Stage, StageChanged
from app.core.errors import AudioError, InsertFailed
from app.ui.live.wording import Act, Tone, face_of, spoken

QUIET = AudioError("The microphone is very quiet.", "Move closer.")


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (StageChanged(Stage.ARMING), "Starting…"),
        (StageChanged(Stage.RECORDING), "Ready"),
        (StageChanged(Stage.RECORDING, elapsed_s=2.0), "Listening"),
        (StageChanged(Stage.RECORDING, elapsed_s=2.0, is_paused=True), "Paused"),
        (StageChanged(Stage.FINISHING), "Finishing…"),
        (StageChanged(outcome=Outcome.INSERTED), "Inserted"),
        (StageChanged(outcome=Outcome.COPIED), "Copied"),
        (StageChanged(outcome=Outcome.SAVED), "Saved"),
        (StageChanged(outcome=Outcome.NOTHING_HEARD), "Nothing heard"),
        (StageChanged(outcome=Outcome.CANCELLED), "Cancelled"),
        (StageChanged(outcome=Outcome.UNTRANSCRIBED), "Not transcribed"),
        (StageChanged(outcome=Outcome.FAILED), "Not recorded"),
        (StageChanged(problem=QUIET), "Not recorded"),
    ],
)
def test_every_state_has_its_word(now: StageChanged, word: str) -> None:
    face = face_of(now)
    assert face is not None
    assert face.state == word


def test_every_outcome_has_a_face() -> None:
    for outcome in Outcome:
        face = face_of(StageChanged(outcome=outcome))
        assert face is not None
        assert face.icon
        assert not face.is_live


def test_nothing_is_told_before_the_first_take() -> None:
    assert face_of(StageChanged()) is None


def test_ready_becomes_listening_by_the_clock() -> None:
    now = StageChanged(Stage.RECORDING, elapsed_s=0.1)
    assert [getattr(face_of(now, at), "state", "") for at in (0.2, 3.0)] == ["Ready", "Listening"]


def test_escape_is_offered_only_while_it_cancels() -> None:
    stages = (Stage.ARMING, Stage.RECORDING, Stage.FINISHING)
    hints = [face.hint for at in stages if (face := face_of(StageChanged(at)))]
    assert hints == [("Esc", "cancel"), ("Esc", "cancel"), None]


def test_a_problem_says_what_and_what_to_do() -> None:
    face = face_of(StageChanged(Stage.RECORDING, problem=QUIET))
    assert face is not None
    assert face.tone is Tone.WARNING
    assert face.message == "The microphone is very quiet. Move closer."
    assert face.brief == "The microphone is very quiet."


def test_undo_and_retry_are_offered_when_they_can_be_had() -> None:
    undone = face_of(StageChanged(outcome=Outcome.CANCELLED, can_undo=True))
    retried = face_of(StageChanged(outcome=Outcome.UNTRANSCRIBED, can_retry=True))
    plain = face_of(StageChanged(outcome=Outcome.INSERTED))
    assert undone is not None
    assert retried is not None
    assert plain is not None
    assert (undone.acts, retried.acts, plain.acts) == ((Act.UNDO,), (Act.RETRY,), ())


def test_a_screen_reader_hears_state_text_and_reason() -> None:
    problem = InsertFailed("“{app}” took no text.", "Paste it.", app="Terminal")
    face = face_of(StageChanged(outcome=Outcome.COPIED, problem=problem))
    assert face is not None
    said = spoken(face, "Good\nmorning.")
    assert said == "Copied. Good morning. “Terminal” took no text. Paste it."
