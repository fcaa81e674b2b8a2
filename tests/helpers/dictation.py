"""Live recording on a table: a fake microphone, a scripted or real model, a main thread to turn.

`Desk` builds the real pipeline over a home folder of its own; only the machine around it is played.
"""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from app.audio.ballast import Ballast
from app.audio.devices import Device, FakeDevices
from app.audio.microphone import FakeMicrophone
from app.audio.watchdog import Limits
from app.config.paths import Paths, resources
from app.config.settings import Settings
from app.core.dictation import Outcome, Stage, StageChanged
from app.core.events import Event
from app.core.model import Family, Model
from app.engine.base import Hypothesis, Recognizer, StreamResult
from app.engine.host import EngineThread
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.registry import load
from app.engine.scripted import ScriptedRecognizer, ScriptedStream
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.macos.front_app import FakeFrontApps, FrontApp
from app.macos.hotkey import FakeHotkeys, Hotkeys, Post
from app.macos.insert import FakeInserter
from app.macos.permissions import FakePermissions
from app.models.store import ModelStore, open_store
from app.pipeline.breaker import Breaker
from app.pipeline.dictation import DictationMachine, DictationParts
from app.pipeline.main_thread import MainQueue
from app.pipeline.recognition import Recognition, RecognitionParts
from app.pipeline.rig import Rig
from app.pipeline.take import TakeKeeper
from app.pipeline.warm import Warmth

SPEECH = Path(__file__).resolve().parents[1] / "data" / "speech"
RATE = 16_000
EDITOR = FrontApp("org.example.editor", "Editor", 4711)
BIG = Model("big", "Big", Family.SCRIPTED, Path("/"), memory_bytes=300)
SMALL = Model("small", "Small", Family.SCRIPTED, Path("/"), memory_bytes=200)

Samples = npt.NDArray[np.int16]


def speech(name: str = "en-01", *, before_s: float = 0.4, after_s: float = 1.0) -> Samples:
    """Return a spoken clip between two pauses with a little room noise."""
    clip, rate_hz = soundfile.read(SPEECH / f"{name}.flac", dtype="int16")
    assert rate_hz == RATE
    noise = np.random.default_rng(1).integers(-8, 9, len(clip) + int((before_s + after_s) * RATE))
    sound: Samples = noise.astype(np.int16)
    start = int(before_s * RATE)
    sound[start : start + len(clip)] += clip
    return sound


def says(*texts: str, language: str = "en", error: Exception | None = None) -> ScriptedRecognizer:
    """Return a recognizer that hears one of `texts` in each utterance."""
    streams = []
    for text in texts:
        streams.append(ScriptedStream((Hypothesis(),), StreamResult((), language), text, error))
    return ScriptedRecognizer(streams=streams)


@dataclass
class Loads:
    """Gives a recognizer for each model; an exception in its place is raised."""

    by_model: dict[str, ScriptedRecognizer | Exception] = field(default_factory=dict)
    count: int = 0

    def __call__(self, model: Model) -> Generator[None, None, Recognizer]:
        self.count += 1
        yield None
        found = self.by_model[model.model_id]
        if isinstance(found, Exception):
            raise found
        found.model = model
        return found


class ScriptedStore(ModelStore):
    """A store with two models that need no files."""

    def installed(self) -> tuple[Model, ...]:
        return (BIG, SMALL)


class Desk:
    """The pipeline of live recording over `home`.

    Attributes:
        events: all that was told, in order.
    """

    def __init__(
        self,
        home: Path,
        samples: Samples,
        loads: Loads | None = None,
        *,
        settings: Settings | None = None,
        speed: float = 25.0,
        loops: bool = False,
        hang_s: float = 20.0,
        microphone: FakeMicrophone | None = None,
        has_engine: bool = True,
        limits: Limits | None = None,
        ballast_bytes: int = 0,
    ) -> None:
        self.paths = Paths(home)
        self.settings = settings or Settings()
        self.events: list[Event] = []
        self.main = MainQueue()
        self.microphone = microphone or FakeMicrophone(
            samples, RATE, speed=speed, block_samples=RATE // 50, loops=loops
        )
        self.devices = FakeDevices(Device("mic", "Mic", RATE, is_default=True))
        self.inserter = FakeInserter()
        self.front = FakeFrontApps(EDITOR)
        self.permissions = FakePermissions()
        self.hotkeys: FakeHotkeys | None = None
        self.writer = LibraryWriter(self.paths.library, self.events.append, watch_s=None)
        self.reader = LibraryReader(self.paths.library)
        self.owner = Owner.take(self.paths)
        self.pool = ThreadPoolExecutor(2)
        self.loop = EngineLoop(self.events.append)
        self.residency = Residency(loads or load, 1 << 30, self.events.append)
        self.engine = EngineThread(self.loop, self.residency.close)
        if has_engine:
            self.engine.start()
        self.breaker = Breaker()
        self.ballast = Ballast(self.paths.recordings / ".ballast", ballast_bytes)
        self.limits = limits or replace(
            Limits(), tick_s=0.01, drain_s=0.01, post_roll_s=0.02, give_up_s=0.3
        )
        self.store: ModelStore = open_store(self.paths.models, resources())
        if loads is not None:
            self.store = ScriptedStore(self.paths.models, self.paths.models, ())
        self._build(hang_s)

    def _build(self, hang_s: float) -> None:
        self.keeper = TakeKeeper(
            self.paths,
            self.writer,
            self.reader,
            self.owner,
            self.pool,
            self.events.append,
            lambda: self.settings,
        )
        parts = RecognitionParts(
            self.loop, self.residency, Warmth(), self.store, self.keeper, self.main
        )
        recognition = Recognition(parts, lambda: self.settings, breaker=self.breaker, hang_s=hang_s)
        rig = Rig(
            self.microphone,
            self.devices,
            self.inserter,
            self.front,
            self.permissions,
            make_hotkeys=self._make_hotkeys,
            limits=self.limits,
        )
        self.parts = DictationParts(
            rig,
            self.main,
            self.keeper,
            recognition,
            self.reader,
            self.paths,
            self.ballast,
        )
        self.machine = DictationMachine(self.parts, self.events.append, lambda: self.settings)

    def _make_hotkeys(self, post: Post) -> Hotkeys:
        self.hotkeys = FakeHotkeys(post)
        return self.hotkeys

    @property
    def now(self) -> StageChanged:
        return self.machine.now

    @property
    def stages(self) -> list[Stage]:
        """Every stage told, without repeats."""
        told = [event.stage for event in self.events if isinstance(event, StageChanged)]
        return [s for n, s in enumerate(told) if n == 0 or told[n - 1] is not s]

    def until(self, is_so: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Turn the main thread until `is_so`."""
        assert self.main.run_until(is_so, timeout_s), f"never came true; now {self.now}"

    def until_stage(self, stage: Stage) -> None:
        self.until(lambda: self.now.stage is stage)

    def until_over(self) -> Outcome:
        """Turn the main thread until the take has ended; return how."""
        self.until(lambda: self.now.outcome is not None)
        assert self.now.outcome is not None
        return self.now.outcome

    def play_to_end(self) -> None:
        """Let the microphone play all it has."""
        total = len(self.microphone.samples)
        self.until(lambda: self.microphone.given >= total)

    def settle(self) -> None:
        """Let what was asked for in the background come to its end."""
        self.pool.submit(lambda: None).result()
        written = threading.Event()
        self.keeper.run(written.set)
        assert written.wait(10)
        self.writer.remove_jobs([]).result(10)

    def texts(self) -> list[str]:
        recording_id = self.now.recording_id
        return [s.text for s in self.reader.transcript(recording_id).segments]

    def close(self) -> None:
        self.machine.close()
        self.pool.shutdown()
        self.engine.stop()
        self.writer.close()
        self.reader.close()
        self.owner.release()
