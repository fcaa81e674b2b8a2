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
