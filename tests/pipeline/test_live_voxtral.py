"""A live take with a tiny Voxtral of each kind: from the microphone to finals in the library."""

from itertools import pairwise
from pathlib import Path

import pytest

from app.config.settings import Settings
from app.core.dictation import Outcome
from app.core.events import ModelChanged, PartialChanged
from app.core.recording import RecordingKind
from tests.helpers.dictation import Desk, speech
from tests.helpers.voxtral_checkpoints import Tiny, write_checkpoint


@pytest.mark.parametrize("is_realtime", [False, True], ids=["2507", "realtime"])
def test_a_take_becomes_text(tmp_path: Path, is_realtime: bool) -> None:
    home = tmp_path / "home"
    write_checkpoint(home / "models" / "tiny", Tiny(is_realtime=is_realtime), seed=1)
    desk = Desk(home, speech(), settings=Settings(model_id="tiny"), speed=4.0)
    try:
        desk.machine.start(RecordingKind.QUICK)
        desk.play_to_end()
        desk.machine.stop()
        outcome = desk.until_over()
        desk.settle()
        loaded = [e.model_id for e in desk.events if isinstance(e, ModelChanged)]
        assert set(loaded) == {"tiny"}
        assert outcome in (Outcome.SAVED, Outcome.INSERTED, Outcome.COPIED), desk.now
        transcript = desk.reader.transcript(desk.now.recording_id)
        assert transcript.segments
        partials = [e for e in desk.events if isinstance(e, PartialChanged) and e.committed]
        assert partials
        if not is_realtime:  # it writes an utterance when it is over
            assert len(partials) == 1
        for before, after in pairwise(partials):
            if before.start_s == after.start_s:  # what stands in an utterance never changes
                assert after.committed.startswith(before.committed)
    finally:
        desk.close()
