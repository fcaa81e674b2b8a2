from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from app.core.errors import EngineFailed, ModelDamaged
from app.core.events import ModelChanged, ModelState
from app.core.model import Family, Model
from app.engine.base import Recognizer
from app.engine.memory import Residency


class Loaded:
    """A recognizer that only remembers whether it was closed."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.is_closed = False

    def transcribe(self, windows: object, options: object) -> Iterator[None]:
        yield None

    def open_stream(self, options: object, start_s: float) -> None: ...

    def close(self) -> None:
        self.is_closed = True


def _model(model_id: str, need: int) -> Model:
    return Model(model_id, model_id, Family.SCRIPTED, Path("/"), memory_bytes=need)


def _load(model: Model) -> Generator[None, None, Recognizer]:
    yield None
    return Loaded(model)  # type: ignore[return-value]  # as much of one as is needed


def _acquire(residency: Residency, model: Model) -> Recognizer:
    steps = residency.acquire(model)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def events() -> list[ModelChanged]:
    return []


@pytest.fixture
def residency(events: list[ModelChanged]) -> Residency:
    return Residency(_load, 100, events.append)


def test_a_model_is_loaded_once(residency: Residency, events: list[ModelChanged]) -> None:
    model = _model("a", 60)

    first = _acquire(residency, model)
    residency.release(model)

    assert _acquire(residency, model) is first
    assert [e.state for e in events] == [ModelState.LOADING, ModelState.READY]


def test_the_least_recently_used_model_makes_room(residency: Residency) -> None:
    a, b, c = _model("a", 40), _model("b", 40), _model("c", 40)
    loaded = {m.model_id: _acquire(residency, m) for m in (a, b)}
    for model in (a, b):
        residency.release(model)
    _acquire(residency, a)
    residency.release(a)

    _acquire(residency, c)

    assert loaded["b"].is_closed  # type: ignore[attr-defined]
    assert not loaded["a"].is_closed  # type: ignore[attr-defined]
    assert residency.used_bytes == 80


def test_a_model_in_use_is_never_unloaded(residency: Residency) -> None:
    a = _model("a", 80)
    loaded = _acquire(residency, a)

    with pytest.raises(EngineFailed, match="does not fit"):
        _acquire(residency, _model("b", 30))
    assert not loaded.is_closed  # type: ignore[attr-defined]

    residency.release(a)
    _acquire(residency, _model("b", 30))
    assert loaded.is_closed  # type: ignore[attr-defined]


def test_a_model_that_fails_to_load_is_told_and_leaves_nothing(
    events: list[ModelChanged],
) -> None:
    def broken(model: Model) -> Generator[None, None, Recognizer]:
        yield None
        raise ModelDamaged("“{model}” is damaged.", model=model.title)

    residency = Residency(broken, 100, events.append)
    with pytest.raises(ModelDamaged):
        _acquire(residency, _model("a", 10))

    assert events[-1].state is ModelState.FAILED
    assert residency.used_bytes == 0


def test_closing_and_idling_unload(residency: Residency, events: list[ModelChanged]) -> None:
    a, b = _model("a", 10), _model("b", 10)
    _acquire(residency, a)
    _acquire(residency, b)
    residency.release(a)

    residency.unload_idle()
    assert [e.model_id for e in events if e.state is ModelState.UNLOADED] == ["a"]

    residency.close()
    assert [e.model_id for e in events if e.state is ModelState.UNLOADED] == ["a", "b"]


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def _resident(
    events: list[ModelChanged],
    clock: Clock,
    idle_after_s: float | None = 600.0,
    pressed: list[bool] | None = None,
    installed: tuple[Model, ...] = (),
) -> Residency:
    return Residency(
        _load,
        100,
        events.append,
        idle_after_s=lambda: idle_after_s,
        is_pressed=lambda: bool(pressed and pressed[0]),
        installed=lambda: installed,
        clock=clock,
    )


def test_an_unused_model_leaves_after_its_time(events: list[ModelChanged]) -> None:
    clock, model = Clock(), _model("a", 10)
    residency = _resident(events, clock)
    loaded = _acquire(residency, model)
    clock.now_s = 10_000.0
    residency.look()
    assert not loaded.is_closed  # type: ignore[attr-defined]  # it is in use
    residency.release(model)
    clock.now_s += 599.0
    assert residency.look() is not None
    assert not loaded.is_closed  # type: ignore[attr-defined]
    clock.now_s += 6.0
    assert residency.look() is None
    assert loaded.is_closed  # type: ignore[attr-defined]


def test_never_means_never(events: list[ModelChanged]) -> None:
    clock, model = Clock(), _model("a", 10)
    residency = _resident(events, clock, idle_after_s=None)
    loaded = _acquire(residency, model)
    residency.release(model)
    clock.now_s = 1e6
    residency.look()
    assert not loaded.is_closed  # type: ignore[attr-defined]


def test_memory_pressure_shortens_the_time_and_can_be_told(events: list[ModelChanged]) -> None:
    clock, pressed = Clock(), [True]
    residency = _resident(events, clock, None, pressed)
    a, b = _model("a", 10), _model("b", 10)
    first, second = _acquire(residency, a), _acquire(residency, b)
    residency.release(a)
    clock.now_s = 31.0
    residency.look()
    assert first.is_closed  # type: ignore[attr-defined]
    pressed[0] = False
    residency.release(b)
    residency.look()
    assert not second.is_closed  # type: ignore[attr-defined]
    residency.relieve()
    residency.look()
    assert second.is_closed  # type: ignore[attr-defined]


def test_a_pinned_model_stays_whatever_comes(events: list[ModelChanged]) -> None:
    clock, live = Clock(), _model("live", 60)
    residency = _resident(events, clock, 1.0, [True])
    residency.pin(live)
    loaded = _acquire(residency, live)
    residency.release(live)
    clock.now_s = 1e6
    residency.relieve()
    residency.look()
    residency.unload_idle()
    with pytest.raises(EngineFailed):
        _acquire(residency, _model("other", 60))
    assert not loaded.is_closed  # type: ignore[attr-defined]

    residency.unpin(live)
    _acquire(residency, _model("other", 60))
    assert loaded.is_closed  # type: ignore[attr-defined]


def test_what_does_not_fit_names_a_smaller_model(events: list[ModelChanged]) -> None:
    small, large = _model("small", 30), _model("large", 200)
    demo = Model("demo", "demo", Family.SCRIPTED, Path("/"), memory_bytes=99, is_demo=True)
    residency = _resident(events, Clock(), installed=(demo, _model("tiny", 5), small, large))
    with pytest.raises(EngineFailed, match="does not fit") as raised:
        _acquire(residency, large)
    assert "“small”" in str(raised.value.hint)
    assert residency.smaller(small) == _model("tiny", 5)
    assert residency.smaller(_model("tiny", 5)) is None


def test_a_model_changed_in_the_middle_ends_as_it_began(events: list[ModelChanged]) -> None:
    """The new choice is loaded beside the old one if there is room; the old one is never taken."""
    residency = _resident(events, Clock())
    old, new = _model("old", 40), _model("new", 40)
    running = _acquire(residency, old)
    other = _acquire(residency, new)
    assert not running.is_closed  # type: ignore[attr-defined]
    residency.release(old)
    residency.discard(old)
    residency.discard(new)
    assert running.is_closed  # type: ignore[attr-defined]
    assert not other.is_closed  # type: ignore[attr-defined]  # still in use


def test_a_model_that_was_put_elsewhere_is_loaded_anew(events: list[ModelChanged]) -> None:
    residency = _resident(events, Clock())
    first = _acquire(residency, _model("a", 10))
    residency.release(_model("a", 10))
    moved = Model("a", "a", Family.SCRIPTED, Path("/elsewhere"), memory_bytes=10)
    assert _acquire(residency, moved) is not first
    assert first.is_closed  # type: ignore[attr-defined]
