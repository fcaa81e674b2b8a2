"""Our recognizer as a child process, asked like the peer; its stages are timed where they are run.

Also `load_nano`, the built-in model for every bench.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.config.paths import resources
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.base import Options, WindowResult
from app.engine.whisper.decode import Decoded
from app.engine.whisper.recognizer import WhisperRecognizer
from app.engine.whisper.segments import Cut
from app.engine.whisper.transcription import Transcription, _Work
from app.engine.whisper.words import TimedCut
from tests.bench.child import Stored, serve

NANO = Model(
    "nano", "Demonstration", Family.WHISPER, resources() / "models" / "nano", max_speech_s=9.0
)


def load_nano() -> WhisperRecognizer:
    """Return the built-in model, loaded."""
    steps = WhisperRecognizer.load(NANO)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            recognizer: WhisperRecognizer = stop.value
            return recognizer


@dataclass
class StoredSource:
    """A `WindowSource` that reads a window when it is taken."""

    stored: Stored
    spans: list[tuple[int, int, float]]
    taken: int = 0

    def take(self) -> Window | None:
        if self.is_finished:
            return None
        span = self.spans[self.taken]
        audio, start_s = self.stored.read(span), span[2]
        speech = (Region(start_s, start_s + len(audio) / SAMPLE_RATE),)
        self.taken += 1
        return Window(self.taken - 1, start_s, audio, speech)

    @property
    def is_finished(self) -> bool:
        return self.taken >= len(self.spans)


@dataclass
class Stages:
    """Processor seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, since: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - since


class Clocked(Transcription):
    """A job that notes how long its stages take."""

    stages: Stages

    def _fill(self) -> Iterator[WindowResult | None]:
        steps = super()._fill()
        while True:
            began = time.process_time()
            try:
                step = next(steps)
            except StopIteration:
                return
            finally:
                self.stages.add("encode", began)
            yield step

    def _advance(self) -> list[tuple[int, Decoded]]:
        began = time.process_time()
        done = super()._advance()
        self.stages.add("decode", began)
        return done

    def _timed(self, at: int, work: _Work, cuts: list[Cut], duration: float) -> list[TimedCut]:
        began = time.process_time()
        timed = super()._timed(at, work, cuts, duration)
        self.stages.add("words", began)
        return timed


class Ours:
    """Transcribes stored windows and counts."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._recognizer = load_nano()

    def __call__(self, wanted: dict[str, Any]) -> dict[str, Any]:
        options = Options(
            language="en",
            wants_words=wanted["words"],
            temperatures=(0.0,),
            batch_size=wanted.get("batch", 4),
        )
        source = StoredSource(self._stored, self._stored.spans[: wanted.get("most")])
        stages = Stages()
        began, began_cpu = time.perf_counter(), time.process_time()
        if wanted.get("stages"):
            job = Clocked(self._recognizer.loaded, source, options)
            job.stages = stages
            facts = job.run()
        else:
            facts = self._recognizer.transcribe(source, options)
        results = [fact for fact in facts if isinstance(fact, WindowResult)]
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
        results.sort(key=lambda result: result.index)
        return {
            "seconds": seconds,
            "cpu_s": cpu_s,
            "passes": len(results),
            "tokens": sum(result.tokens for result in results),
            "texts": [" ".join(s.text for s in result.segments) for result in results],
            "stages": stages.seconds,
        }


if __name__ == "__main__":
    serve(Ours(Stored(Path(sys.argv[1]))))
