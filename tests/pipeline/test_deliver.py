"""Text goes where it belongs, and whoever waits for it is told once, whatever happens."""

import pytest

from app.core.dictation import Outcome
from app.core.errors import AppError, InsertFailed
from app.macos.front_app import FakeFrontApps, FrontApp
from app.macos.insert import FakeInserter, InsertOutcome, OnDone
from app.macos.insert_rules import Way
from app.pipeline.deliver import Delivery

EDITOR = FrontApp("org.example.editor", "Editor", 4711)


class FailingInserter(FakeInserter):
    """Raises what no inserter should, before or after it has told the outcome."""

    def __init__(self, *, tells_first: bool) -> None:
        super().__init__()
        self._tells_first = tells_first

    def insert(
        self,
        text: str,
        on_done: OnDone,
        way: Way | None = None,
        language: str | None = None,
        fits_caret: bool = True,
    ) -> None:
        if self._tells_first:
            on_done(InsertOutcome(Way.PASTE, text))
        raise ValueError("a bug")

    def copy(self, text: str) -> None:
        raise ValueError("a bug")


def delivered(
    inserter: FakeInserter, *, only_copies: bool
) -> list[tuple[Outcome, AppError | None]]:
    told: list[tuple[Outcome, AppError | None]] = []
    Delivery(inserter, FakeFrontApps(EDITOR)).deliver(
        "Hello.",
        EDITOR,
        lambda outcome, why: told.append((outcome, why)),
        language="en",
        fits_caret=True,
        only_copies=only_copies,
    )
    return told


@pytest.mark.parametrize("only_copies", [False, True])
def test_an_inserter_that_fails_leaves_the_text_in_the_library(only_copies: bool) -> None:
    ((outcome, why),) = delivered(FailingInserter(tells_first=False), only_copies=only_copies)
    assert outcome is Outcome.SAVED
    assert isinstance(why, InsertFailed)


def test_what_fails_after_the_outcome_is_told_does_not_tell_another() -> None:
    told = delivered(FailingInserter(tells_first=True), only_copies=False)
    assert told == [(Outcome.INSERTED, None)]
