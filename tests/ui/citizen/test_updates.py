"""Updates are looked for once a week, only after a yes, and never offline."""

from concurrent.futures import Future
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.config.settings import Settings
from app.core.errors import DownloadFailed
from app.models.updates import Release
from app.ui.citizen.updates import WEEK_S, UpdateCheck

NEW = Release("99.0", "https://example.org/new")
OLD = Release("0.0.1", "https://example.org/old")


class Weeks:
    """A check with a clock, a server and settings that a test moves."""

    def __init__(self, answer: Any = NEW, **settings: Any) -> None:
        self.settings: Settings = Settings().changed(**settings)
        self.now = 10.0 * WEEK_S
        self.answer = answer
        self.asked = 0
        self.check = UpdateCheck(
            self._ask,
            self._submit,
            lambda: self.settings,
            self._change,
            now=lambda: self.now,
        )

    def _ask(self) -> Release:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, Release)
        return self.answer

    def _submit(self, work: Any) -> "Future[Release]":
        done: Future[Release] = Future()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001  # as an executor does
            done.set_exception(error)
        return done

    def _change(self, **changes: object) -> None:
        self.settings = self.settings.changed(**changes)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"checks_updates": True, "offline": True},
        {"checks_updates": True, "updates_checked_at": 10 * WEEK_S - 3600},
    ],
)
def test_it_asks_nothing_by_itself(qtbot: QtBot, settings: dict[str, Any]) -> None:
    weeks = Weeks(**settings)
    weeks.check.tick()
    assert weeks.asked == 0


def test_it_asks_once_a_week_after_a_yes(qtbot: QtBot) -> None:
    weeks = Weeks(checks_updates=True)
    with qtbot.waitSignal(weeks.check.found, timeout=5_000) as found:
        weeks.check.tick()
    assert found.args == [NEW]
    assert weeks.settings.updates_checked_at == int(weeks.now)
    weeks.now += WEEK_S - 60
    weeks.check.tick()
    assert weeks.asked == 1
    weeks.now += 120
    weeks.check.tick()
    assert weeks.asked == 2


def test_a_clock_that_was_set_back_does_not_stop_it(qtbot: QtBot) -> None:
    weeks = Weeks(checks_updates=True, updates_checked_at=20 * WEEK_S)
    assert weeks.check.is_due


def test_a_failure_is_silent_and_tried_again_the_next_day(qtbot: QtBot) -> None:
    weeks = Weeks(DownloadFailed("no answer"), checks_updates=True)
    with qtbot.assertNotEmitted(weeks.check.failed, wait=50):
        weeks.check.tick()
    assert weeks.settings.updates_checked_at == 0
    weeks.now += 3600
    weeks.check.tick()
    assert weeks.asked == 1
    weeks.now += 24 * 3600
    weeks.check.tick()
    assert weeks.asked == 2


def test_asked_for_it_answers_in_any_case(qtbot: QtBot) -> None:
    weeks = Weeks(OLD)
    with qtbot.waitSignal(weeks.check.is_newest, timeout=5_000):
        weeks.check.check_now()
    weeks.answer = NEW
    with qtbot.waitSignal(weeks.check.found, timeout=5_000):
        weeks.check.check_now()
    weeks.answer = DownloadFailed("no answer")
    with qtbot.waitSignal(weeks.check.failed, timeout=5_000):
        weeks.check.check_now()


def test_offline_it_says_so_and_asks_nobody(qtbot: QtBot) -> None:
    weeks = Weeks(offline=True)
    with qtbot.waitSignal(weeks.check.failed, timeout=5_000) as failed:
        weeks.check.check_now()
    assert weeks.asked == 0
    assert failed.args is not None
    assert "offline" in str(failed.args[0])
