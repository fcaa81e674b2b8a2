"""Out of memory in the middle of a file: the same sound, a smaller model, and nothing lost."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import AppError, EngineFailed
from app.core.events import SegmentsFinal
from app.core.job import JobStage
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Region, Window
from app.core.transcript import Segment
from app.engine.base import IDLE, Idle, Options, Recognizer, WindowResult, WindowSource
from app.engine.memory import Residency
from app.engine.registry import is_out_of_memory
from app.pipeline.file import Plan, WindowFeed, WindowReader, transcribe_file

WINDOWS = 6


def model(name: str, need: int, *, words: bool = True) -> Model:
    return Model(
        name, name, Family.SCRIPTED, Path("/"), max_speech_s=2.0, memory_bytes=need,
        has_word_times=words,
    )  # fmt: skip


LARGE, MIDDLE, SMALL = model("large", 60), model("middle", 30), model("small", 10)


@dataclass
class Feed:
    heard_s: float = 0.0
    duration_s: float = WINDOWS * 2.0

    def __iter__(self) -> Iterator[Window]:
        for at in range(WINDOWS):
            self.heard_s = (at + 1) * 2.0
            audio = np.zeros(2 * SAMPLE_RATE, np.float32)
            yield Window(at, at * 2.0, audio, (Region(at * 2.0, at * 2.0 + 1.5),))

    def close(self) -> None: ...


class Greedy:
    """A recognizer that decodes in batches and runs out of memory at some window."""

    def __init__(self, model: Model, fails: Callable[[Model, int, int], bool]) -> None:
        self.model = model
        self._fails = fails
        self.is_closed = False

    def transcribe(
        self, windows: WindowSource, options: Options
    ) -> Iterator[WindowResult | Idle | None]:
        while True:
            batch: list[Window] = []
            while len(batch) < options.batch_size and (window := windows.take()) is not None:
                batch.append(window)
            if not batch:
                if windows.is_finished:
                    return
                yield IDLE
                continue
            yield None
            for window in batch:
                if self._fails(self.model, window.index, options.batch_size):
                    raise RuntimeError("[metal::malloc] Unable to allocate 9 bytes.")
            for window in reversed(batch):
                segment = _segment(window.index, self.model.model_id)
                yield WindowResult(window.index, (segment,), "en")

    def open_stream(self, options: object, start_s: float) -> None: ...

    def close(self) -> None:
        self.is_closed = True


def _segment(index: int, name: str) -> Segment:
    return Segment(index * 2.0, index * 2.0 + 1.5, f"{index} {name}")


class Run:
    """One file through `transcribe_file`, step by step."""

    def __init__(
        self,
        fails: Callable[[Model, int, int], bool],
        first: Model = LARGE,
        aligner: Model | None = None,
    ) -> None:
        self.loaded: list[Greedy] = []
        self.fallbacks: list[tuple[str, str]] = []
        self.stages: list[JobStage] = []
        self.finals: list[SegmentsFinal] = []
        self._fails = fails
        self.residency = Residency(
            self._load, 100, lambda _event: None, installed=lambda: (LARGE, MIDDLE, SMALL)
        )
        self._plan = Plan(
            first,
            fallback=self.residency.smaller,
            on_fallback=lambda a, b: self.fallbacks.append((a.model_id, b.model_id)),
            aligner=aligner,
        )

    def _load(self, model: Model) -> Generator[None, None, Recognizer]:
        yield None
        self.loaded.append(Greedy(model, self._fails))
        return self.loaded[-1]  # type: ignore[return-value]  # as much of one as is needed

    def to_end(self, options: Options | None = None) -> list[str]:
        feed: Callable[[Path, float], WindowFeed] = lambda _file, _most: Feed()  # noqa: E731
        reader = WindowReader(Path("/talk.wav"), 2.0, open_windows=feed)
        chosen = options or Options(batch_size=3, wants_words=False)
        job = transcribe_file("j", reader, self._plan, chosen, self.residency, self.stages.append)
        for fact in job:
            if isinstance(fact, SegmentsFinal):
                self.finals.append(fact)
        return [segment.text for final in self.finals for segment in final.segments]


def test_first_it_goes_on_with_one_window_at_a_time() -> None:
    run = Run(lambda _model, index, batch: batch > 1 and index >= 3)

    assert run.to_end() == [f"{index} large" for index in range(WINDOWS)]
    assert run.fallbacks == []
    assert [final.done_s for final in run.finals] == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 12.0]


def test_then_a_smaller_model_goes_on_and_says_so() -> None:
    run = Run(lambda model, index, _batch: model is LARGE and index >= 3)

    assert run.to_end() == ["0 large", "1 large", "2 large", "3 middle", "4 middle", "5 middle"]
    assert run.fallbacks == [("large", "middle")]
    assert run.loaded[0].is_closed
    assert run.stages.count(JobStage.LOADING_MODEL) == 3


def test_down_to_the_last_rung() -> None:
    run = Run(lambda model, index, _batch: model is not SMALL and index >= 1)

    assert run.to_end() == ["0 large", *(f"{index} small" for index in range(1, WINDOWS))]
    assert run.fallbacks == [("large", "middle"), ("middle", "small")]


def test_at_the_end_of_the_ladder_what_is_done_is_kept() -> None:
    run = Run(lambda _model, index, _batch: index >= 2)

    with pytest.raises(EngineFailed, match="ran out of memory"):
        run.to_end()
    assert [final.done_s for final in run.finals] == [2.0, 4.0]
    assert all(one.is_closed for one in run.loaded)


def test_other_failures_are_not_mistaken_for_it() -> None:
    class Broken(Greedy):
        def transcribe(self, windows: WindowSource, options: Options) -> Iterator[None]:
            yield None
            raise RuntimeError("shapes do not match")

    run = Run(lambda *_: False)
    run.residency._load = lambda model: _made(Broken(model, lambda *_: False))
    with pytest.raises(RuntimeError, match="shapes"):
        run.to_end()
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("[METAL] Command buffer execution failed: OutOfMemory"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def _made(recognizer: Greedy) -> Generator[None, None, Recognizer]:
    yield None
    return recognizer  # type: ignore[return-value]


def test_without_room_for_the_aligner_segments_keep_their_times() -> None:
    plain = model("plain", 60, words=False)
    whisper = Model("whisper", "whisper", Family.WHISPER, Path("/"), memory_bytes=90)
    run = Run(lambda *_: False, first=plain, aligner=whisper)

    assert run.to_end(Options(batch_size=3, wants_words=True)) == [
        f"{index} plain" for index in range(WINDOWS)
    ]


def test_a_job_that_is_left_lets_its_model_go() -> None:
    run = Run(lambda *_: False)
    reader = WindowReader(Path("/talk.wav"), 2.0, open_windows=lambda _file, _most: Feed())
    job = transcribe_file(
        "j", reader, Plan(LARGE), Options(batch_size=1), run.residency, lambda _stage: None
    )
    while not isinstance(next(job), SegmentsFinal):
        pass
    job.close()
    run.residency.unload_idle()
    assert run.loaded[0].is_closed


def test_errors_of_ours_end_the_job_as_before() -> None:
    def refuse(model: Model) -> Generator[None, None, Recognizer]:
        yield None
        raise AppError("No.", "Never.")

    run = Run(lambda *_: False)
    run.residency._load = refuse
    with pytest.raises(AppError, match="No"):
        run.to_end()
