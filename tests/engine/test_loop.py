"""The scheduler as plain Python: who goes when, and how jobs end."""

import itertools
import logging
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import DecodeFailed, EngineFailed
from app.core.events import Event, JobEnded, SegmentsFinal
from app.core.job import Priority
from app.engine.base import IDLE, Idle
from app.engine.host import EngineThread
from app.engine.loop import PATIENCE_S, EngineLoop, Steps


@dataclass
class World:
    """A loop under a clock that each step moves on."""

    now: float = 0.0
    step_s: float = 0.01
    taken: list[str] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    loop: EngineLoop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = EngineLoop(self.told.append, clock=lambda: self.now)

    def job(self, name: str, steps: int = 3, idles: Callable[[], bool] | None = None) -> None:
        self.submit(name, Priority.FILE, steps, idles)

    def submit(
        self,
        name: str,
        priority: Priority,
        steps: int = 3,
        idles: Callable[[], bool] | None = None,
    ) -> None:
        def work() -> Iterator[Event | Idle | None]:
            try:
                done = 0
                while done < steps:
                    if idles is not None and idles():
                        yield IDLE
                        continue
                    done += 1
                    self.taken.append(name)
                    self.now += self.step_s
                    yield None
            finally:
                self.closed.append(name)

        self.loop.submit(name, priority, work)

    def run_dry(self, limit: int = 10_000) -> None:
        for _ in range(limit):
            if not self.loop.step():
                return
        raise AssertionError("the loop never came to rest")

    @property
    def ends(self) -> list[JobEnded]:
        return [fact for fact in self.told if isinstance(fact, JobEnded)]


@pytest.fixture
def world() -> World:
    return World()


def test_first_come_first_served_among_equals(world: World) -> None:
    world.job("a")
    world.job("b")
    world.run_dry()
    assert world.taken == ["a"] * 3 + ["b"] * 3
    assert world.ends == [JobEnded("a"), JobEnded("b")]


def test_urgent_work_overtakes_between_steps(world: World) -> None:
    world.job("file")
    world.loop.step()
    world.submit("live", Priority.LIVE_FINAL, 2)
    world.submit("call", Priority.API, 1)
    world.run_dry()
    assert world.taken == ["file", "live", "live", "call", "file", "file"]


def test_an_idle_job_hands_its_turn_on_and_gets_it_back(world: World) -> None:
    has_sound = False
    world.submit("live", Priority.LIVE_PARTIAL, 2, idles=lambda: not has_sound)
    world.job("file", 4)
    world.loop.step()
    assert world.taken == ["file"]
    has_sound = True
    world.run_dry()
    assert world.taken == ["file", "live", "live", "file", "file", "file"]


def test_only_idle_jobs_make_the_loop_rest(world: World) -> None:
    world.job("a", idles=lambda: True)
    assert not world.loop.step()
    assert world.loop.busy_for_s() == 0.0


def test_files_are_not_starved_by_live_work(world: World) -> None:
    world.submit("live", Priority.LIVE_PARTIAL, 1000)
    world.job("file", 1000)
    served_s = [0.0]
    while world.now < 5.0:
        world.loop.step()
        if world.taken[-1] == "file":
            served_s.append(world.now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(served_s)]
    assert len(served_s) == 10
    assert max(gaps) <= PATIENCE_S + 2 * world.step_s


def test_live_work_is_not_starved_by_files(world: World) -> None:
    """Patience run out buys one step, not a run of them, and only one background job its turn."""
    world.submit("live", Priority.LIVE_FINAL, 1000)
    for name in ("one", "two", "three"):
        world.job(name, 1000)
    world.submit("summary", Priority.SUMMARY, 1000)
    while world.now < 5.0:
        world.loop.step()
    assert "one" in world.taken
    assert set(world.taken) == {"live", "one"}
    assert "one one" not in " ".join(world.taken)
    assert world.taken.count("live") > 0.97 * len(world.taken)


def test_a_file_that_came_late_does_not_barge_in(world: World) -> None:
    world.submit("live", Priority.LIVE_PARTIAL, 1000)
    while world.now < 2.0:
        world.loop.step()
    world.job("file", 10)
    for _ in range(10):
        world.loop.step()
    assert "file" not in world.taken


def test_cancel_takes_no_further_step_and_closes_on_the_loops_thread(world: World) -> None:
    world.job("a", 100)
    world.loop.step()
    world.loop.cancel("a")
    assert world.closed == []
    assert world.loop.step()
    assert world.taken == ["a"]
    assert world.closed == ["a"]
    assert world.ends == [JobEnded("a", was_cancelled=True)]


def test_cancel_before_the_start_never_starts_it(world: World) -> None:
    def never() -> Steps:
        raise AssertionError("it was started")

    world.loop.submit("a", Priority.FILE, never)
    world.loop.cancel("a")
    world.run_dry()
    assert world.ends == [JobEnded("a", was_cancelled=True)]


def test_cancel_reaches_a_paused_job_and_forgives_an_unknown_one(world: World) -> None:
    world.job("a")
    world.loop.pause("a")
    world.loop.cancel("nobody")
    world.loop.cancel("a")
    world.run_dry()
    assert world.ends == [JobEnded("a", was_cancelled=True)]


def test_a_job_cancelled_from_within_its_step_takes_no_other(world: World) -> None:
    def work() -> Steps:
        world.loop.cancel("a")
        yield None
        raise AssertionError("another step was taken")

    world.loop.submit("a", Priority.FILE, work)
    world.run_dry()
    assert world.ends == [JobEnded("a", was_cancelled=True)]


def test_pause_and_resume_lose_no_step(world: World) -> None:
    world.job("a", 4)
    world.job("b", 1)
    world.loop.step()
    world.loop.pause("a")
    world.run_dry()
    assert world.taken == ["a", "b"]
    world.loop.resume("a")
    world.run_dry()
    assert world.taken == ["a", "b", "a", "a", "a"]


def test_facts_are_told_in_order(world: World) -> None:
    facts = [SegmentsFinal("a", (), float(number)) for number in range(3)]
    world.loop.submit("a", Priority.FILE, lambda: iter([facts[0], None, *facts[1:]]))
    world.run_dry()
    assert world.told == [*facts, JobEnded("a")]


def test_a_readable_error_passes_as_it_is(world: World) -> None:
    error = DecodeFailed("This file holds no sound.", "Choose another.")

    def work() -> Steps:
        yield None
        raise error

    world.loop.submit("a", Priority.FILE, work)
    world.job("b", 1)
    world.run_dry()
    assert world.ends == [JobEnded("a", error), JobEnded("b")]


def test_a_bug_becomes_a_sentence_and_a_log_entry(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> Steps:
        yield None
        raise ZeroDivisionError

    world.loop.submit("a", Priority.FILE, work)
    with caplog.at_level(logging.ERROR):
        world.run_dry()
    (end,) = world.ends
    assert isinstance(end.error, EngineFailed)
    assert str(end.error).endswith("job.")
    assert str(end.error.hint)
    assert "ZeroDivisionError" in caplog.text
    assert str(pickle.loads(pickle.dumps(end)).error) == str(end.error)


def test_a_job_that_cannot_start_fails_alone(world: World) -> None:
    def broken() -> Steps:
        raise DecodeFailed("This file is missing.")

    world.loop.submit("a", Priority.FILE, broken)
    world.job("b", 1)
    world.run_dry()
    assert [end.job_id for end in world.ends] == ["a", "b"]
    assert isinstance(world.ends[0].error, DecodeFailed)


def test_trouble_while_closing_is_logged_and_survived(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> Steps:
        try:
            yield None
        finally:
            raise OSError("closing failed")

    world.loop.submit("a", Priority.FILE, work)
    world.job("b", 1)
    world.loop.step()
    world.loop.cancel("a")
    world.run_dry()
    assert "closing failed" in caplog.text
    assert world.taken == ["b"]


def test_one_id_one_job(world: World) -> None:
    world.job("a")
    with pytest.raises(ValueError, match="here already"):
        world.job("a")
    world.run_dry()
    world.job("a")
    world.run_dry()
    assert world.taken == ["a"] * 6


def test_stop_closes_all_and_tells_no_end(world: World) -> None:
    world.job("a", 100)
    world.job("b", 100)
    world.loop.step()
    world.loop.stop()
    assert not world.loop.step()
    assert world.closed == ["a"]
    assert world.told == []
    world.job("late")
    assert not world.loop.step()


def test_the_watchdog_sees_a_long_step(world: World) -> None:
    seen = []

    def work() -> Steps:
        world.now += 30.0
        seen.append(world.loop.busy_for_s())
        yield None

    world.loop.submit("a", Priority.FILE, work)
    world.run_dry()
    assert seen == [30.0]
    assert world.loop.busy_for_s() == 0.0


def test_the_thread_wakes_for_work_and_ends_when_stopped() -> None:
    ended = threading.Event()
    names = []
    released = []

    def tell(event: Event) -> None:
        if event == JobEnded("two"):
            ended.set()

    def work() -> Steps:
        names.append(threading.current_thread().name)
        yield None

    loop = EngineLoop(tell)
    thread = EngineThread(loop, release=lambda: released.append(True))
    thread.start()
    loop.submit("one", Priority.FILE, work)
    loop.submit("two", Priority.FILE, work)
    assert ended.wait(5)
    thread.stop()
    assert names == ["engine", "engine"]
    assert released == [True]
    assert not thread.is_alive()


def test_wake_asks_an_idle_job_again() -> None:
    has_come = threading.Event()
    ended = threading.Event()

    def work() -> Steps:
        while not has_come.is_set():
            yield IDLE

    loop = EngineLoop(lambda event: ended.set())
    thread = EngineThread(loop)
    thread.start()
    loop.submit("a", Priority.LIVE_FINAL, work)
    has_come.set()
    loop.wake()
    assert ended.wait(5)
    thread.stop()


def test_a_look_that_fails_ends_neither_the_thread_nor_a_job() -> None:
    has_failed = threading.Event()
    ended: list[Event] = []
    is_over = threading.Event()

    def look() -> float | None:
        has_failed.set()
        raise RuntimeError("a recognizer that cannot be closed")

    def tell(event: Event) -> None:
        ended.append(event)
        is_over.set()

    loop = EngineLoop(tell)
    loop.look_after(look)
    thread = EngineThread(loop)
    thread.start()
    assert has_failed.wait(5)
    loop.submit("a", Priority.LIVE_FINAL, lambda: iter([None, None]))
    assert is_over.wait(5)
    assert ended == [JobEnded("a")]
    assert thread.stop(5)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Priority)), st.integers(1, 6), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_every_job_takes_each_of_its_steps_once_and_ends_once(
    jobs: list[tuple[Priority, int, bool]],
) -> None:
    world = World(step_s=0.06)
    for number, (priority, steps, stutters) in enumerate(jobs):
        turns = iter([True, False] * steps)
        idles = (lambda turns=turns: next(turns, False)) if stutters else None
        world.submit(str(number), priority, steps, idles)
    for _ in range(500):
        world.loop.step()
    for number, (_, steps, _) in enumerate(jobs):
        assert world.taken.count(str(number)) == steps
    assert sorted(end.job_id for end in world.ends) == [str(n) for n in range(len(jobs))]
    assert all(end.error is None and not end.was_cancelled for end in world.ends)
