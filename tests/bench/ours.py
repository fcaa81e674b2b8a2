"""Our recognizer as a child process, asked like the peer; its stages are timed where they are run.

Also `load_nano`, the built-in model for every bench.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.audio.decode import MediaStream
from app.audio.speech import SpeechWindows
from app.config.paths import resources
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.base import Options, WindowResult
from app.engine.whisper.decode import Decoded
from app.engine.whisper.recognizer import WhisperRecognizer
from app.engine.whisper.segments import Cut
from app.engine.whisper.transcription import Loaded, Transcription, _Work
from app.engine.whisper.words import TimedCut
from tests.bench.child import Stored, serve

NANO = Model(
    "nano", "Demonstration", Family.WHISPER, resources() / "models" / "nano", max_speech_s=9.0
)


def load_nano() -> WhisperRecognizer:
    """Return the built-in model, loaded."""
    return load_model(NANO)


def load_model(model: Model) -> WhisperRecognizer:
    """Return a Whisper model, loaded."""
    steps = WhisperRecognizer.load(model)
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
class PassingSource:
    """A `WindowSource` over a stream of windows of which only every n-th is taken."""

    windows: Iterator[Window]
    every: int
    passed: int = 0
    is_finished: bool = False

    def take(self) -> Window | None:
        for window in self.windows:
            self.passed += 1
            if (self.passed - 1) % self.every == 0:
                return window
        self.is_finished = True
        return None


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

    def _timed(
        self, at: int, work: _Work, cuts: list[Cut], decoded: Decoded, duration_s: float
    ) -> list[TimedCut]:
        began = time.process_time()
        timed = super()._timed(at, work, cuts, decoded, duration_s)
        self.stages.add("words", began)
        return timed


class Forced(Clocked):
    """A job whose every window has `count` tokens and no timestamps, whatever the model says."""

    def __init__(self, loaded: Loaded, source: StoredSource, options: Options, count: int) -> None:
        endless = replace(loaded, suppressed=(*loaded.suppressed, loaded.tokens.eot))
        super().__init__(endless, source, options, timestamps=False)
        self._rows._sample_limit = count


class Ours:
    """Transcribes stored windows and counts."""

    def __init__(self, stored: Stored, model: Model) -> None:
        self._stored = stored
        self._recognizer = load_model(model)

    def __call__(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if "file" in wanted:
            return self._whole_file(Path(wanted["file"]), wanted["every"])
        options = Options(
            language="en",
            wants_words=wanted["words"],
            temperatures=(0.0,),
            batch_size=wanted.get("batch", 4),
        )
        source = StoredSource(self._stored, self._stored.spans[: wanted.get("most")])
        stages = Stages()
        began, began_cpu = time.perf_counter(), time.process_time()
        if wanted.get("forced"):
            forced = Forced(self._recognizer.loaded, source, options, wanted["forced"])
            forced.stages = stages
            facts = forced.run()
        elif wanted.get("stages"):
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

    def _whole_file(self, file: Path, every: int) -> dict[str, Any]:
        """Read all of a file, as the app does, and decode every n-th of its windows."""
        began = time.process_time()
        options = Options(language="en", wants_words=False, temperatures=(0.0,))
        with MediaStream(file) as stream:
            windows = SpeechWindows(stream, NANO.max_speech_s)
            source = PassingSource(iter(windows), every)
            facts = self._recognizer.transcribe(source, options)
            results = [fact for fact in facts if isinstance(fact, WindowResult)]
        cpu_s = time.process_time() - began
        return {"cpu_s": cpu_s, "passes": len(results), "windows": source.passed}


if __name__ == "__main__":
    model = NANO if len(sys.argv) < 3 else replace(NANO, folder=Path(sys.argv[2]))
    serve(Ours(Stored(Path(sys.argv[1])), replace(model, max_speech_s=30.0)))
