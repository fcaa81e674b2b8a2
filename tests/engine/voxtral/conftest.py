"""Tiny checkpoints, written once a run, and the recognizers loaded from them."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

from app.core.model import Family, Model
from app.engine.voxtral.realtime_recognizer import VoxtralRealtimeRecognizer
from app.engine.voxtral.recognizer import VoxtralRecognizer
from tests.engine.voxtral.golden import LONG, NARROW, SHORT
from tests.helpers.voxtral_checkpoints import Tiny, write_checkpoint

T = TypeVar("T")
LoadOffline = Callable[[Path], VoxtralRecognizer]


def drain(steps: Generator[None, None, T]) -> T:
    """Run `steps` to the end and return what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def model_in(folder: Path, is_realtime: bool) -> Model:
    family = Family.VOXTRAL_REALTIME if is_realtime else Family.VOXTRAL
    return Model("tiny", "Tiny", family, folder, has_word_times=is_realtime)


def load_offline(folder: Path) -> VoxtralRecognizer:
    return drain(VoxtralRecognizer.load(model_in(folder, False)))


def load_realtime(folder: Path, delay_ms: int | None = None) -> VoxtralRealtimeRecognizer:
    return drain(VoxtralRealtimeRecognizer.load(model_in(folder, True), delay_ms))


def _written(factory: pytest.TempPathFactory, name: str, tiny: Tiny) -> Path:
    return write_checkpoint(factory.mktemp("voxtral") / name, tiny)


@pytest.fixture(scope="session")
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "short", SHORT)


@pytest.fixture(scope="session")
def long_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "long", LONG)


@pytest.fixture(scope="session")
def narrow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "narrow", NARROW)


@pytest.fixture(scope="module")
def offline(short_folder: Path) -> VoxtralRecognizer:
    return load_offline(short_folder)


@pytest.fixture(scope="module")
def realtime(long_folder: Path) -> VoxtralRealtimeRecognizer:
    return load_realtime(long_folder)


@pytest.fixture(scope="module")
def narrow(narrow_folder: Path) -> VoxtralRealtimeRecognizer:
    return load_realtime(narrow_folder)
