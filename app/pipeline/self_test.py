"""Tries every part of an installed program, and tells what works and what does not.

Meant for a bundle on a machine without Python, sources or network: everything it needs ships with
the app, and all it writes lies in a temporary folder. A part that fails never hides the next one.
"""

import importlib
import pkgutil
import queue
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import app
from app.audio.decode import open_media
from app.config.paths import Paths, resources
from app.config.settings import Settings
from app.core.errors import AppError
from app.core.events import Event, Failed, FilesChecked, JobChanged, JobEnded
from app.core.ids import new_id
from app.core.job import Job, JobStatus, Priority
from app.core.packing import SAMPLE_RATE
from app.library.search import ListQuery

if TYPE_CHECKING:
    from app.pipeline.session import Session

SPOKEN = "budget"  # in the spoken clip, as the built-in model hears it
_PATIENCE_S = 300.0
_SELF_STARTED = "__main__"
# Imported by the app inside functions, or by name.
_OUTSIDE = ("av", "numpy", "soundfile", "soxr", "sqlite_utils", "tiktoken", "platformdirs")
_OUTSIDE_ON = {
    "darwin": (
        *("AppKit", "ApplicationServices", "AVFoundation", "Foundation", "objc", "Quartz"),
        *("ServiceManagement", "UserNotifications", "sounddevice"),
    ),
    "linux": ("Xlib",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one part; `detail` is for whoever reads the report, not for the person."""

    name: str
    is_ok: bool
    took_s: float
    detail: str


Part = tuple[str, Callable[[], str]]


def try_parts(parts: Sequence[Part]) -> Iterator[Check]:
    """Try each part and yield what came of it; a part returns its detail or raises."""
    for name, part in parts:
        start_s = time.perf_counter()
        try:
            detail, is_ok = part(), True
        except Exception as error:  # noqa: BLE001  # whatever a part raises is the finding
            detail, is_ok = f"{type(error).__name__}: {error}", False
        yield Check(name, is_ok, round(time.perf_counter() - start_s, 3), detail)


def self_test(*, on_cpu: bool = False) -> list[Check]:
    """Try everything below the windows and return one check a part."""
    with tempfile.TemporaryDirectory(prefix="undertone-self-test-") as place:
        return list(_checks(Paths(Path(place) / "home"), on_cpu=on_cpu))


def _checks(paths: Paths, *, on_cpu: bool) -> Iterator[Check]:
    yield from try_parts([("imports", import_everything), ("media", decode_every_kind)])
    trial = _Trial(paths)
    yield from try_parts([("library", trial.open)])
    if trial.session is None:
        return
    try:
        yield from try_parts(
            [
                ("engine", lambda: trial.try_engine(on_cpu=on_cpu)),
                ("transcription", trial.transcribe),
                ("search", trial.search),
            ]
        )
    finally:
        yield from try_parts([("close", trial.close)])


def import_everything() -> str:
    """Import every module outside the engine (which imports itself on its own thread)."""
    count = 0
    for module in pkgutil.walk_packages(app.__path__, "app."):
        is_entrance = module.name.rpartition(".")[2] == _SELF_STARTED
        if not is_entrance and not module.name.startswith("app.engine."):
            importlib.import_module(module.name)
            count += 1
    outside = (*_OUTSIDE, *_OUTSIDE_ON.get(sys.platform, ()))
    for name in outside:
        importlib.import_module(name)
    if not count:
        raise ImportError("no module of the app was found")
    return f"{count} modules of the app, {len(outside)} libraries"


def decode_every_kind() -> str:
    """Decode one second of every kind of file that ships for this, each in a child process."""
    clips = sorted((resources() / "self_test").glob("tone.*"))
    if not clips:
        raise FileNotFoundError("no clips ship with this build")
    with ThreadPoolExecutor(2, thread_name_prefix="self-test") as pool:
        return " ".join(pool.map(_decode, clips))


def _decode(clip: Path) -> str:
    with open_media(clip) as stream:
        sound = np.concatenate(list(stream))
    seconds = len(sound) / SAMPLE_RATE
    loudness = float(np.sqrt(np.mean(sound**2)))
    if not 0.8 <= seconds <= 1.3 or loudness < 0.01:
        raise ValueError(f"{clip.name}: {seconds:.2f} s at {loudness:.4f}")
    return clip.suffix[1:]


class _Trial:
    """One session on an empty library: engine, transcription and search by the real parts."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.session: Session | None = None

    def open(self) -> str:
        from app.pipeline.session import open_session

        settings = Settings()
        self.session = open_session(self._paths, self._events.put, lambda: settings)
        return f"{self.session.reader.count()} recordings"

    def try_engine(self, *, on_cpu: bool) -> str:
        from app.engine.check import engine_steps

        found: dict[str, str] = {}
        job_id = new_id()
        session = self._opened()
        session.loop.submit(job_id, Priority.API, lambda: engine_steps(found, on_cpu=on_cpu))
        for event in self._until_quiet():
            if isinstance(event, JobEnded) and event.job_id == job_id:
                if event.error is not None:
                    raise event.error
                return ", ".join(f"{name} {value}" for name, value in found.items())
        raise TimeoutError("the engine did not answer")

    def transcribe(self) -> str:
        session = self._opened()
        clip = resources() / "self_test" / "speech.flac"
        checked = session.queue.add_files([clip], "auto", "en")
        for event in self._until_quiet():
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, FilesChecked) and event.rejected:
                raise event.rejected[0][1]
            if isinstance(event, JobChanged) and event.job.status.is_over:
                checked.result(timeout=_PATIENCE_S)
                return self._text_of(event.job)
        raise TimeoutError("the transcription did not end")

    def search(self) -> str:
        hits = self._opened().reader.search(ListQuery(SPOKEN))
        if not hits:
            raise LookupError(f"“{SPOKEN}” was not found")
        return "".join(piece.text for piece in hits[0].snippet)

    def close(self) -> str:
        self._opened().close()
        return "closed"

    def _text_of(self, job: Job) -> str:
        if job.status is not JobStatus.DONE:
            raise AppError(job.error or str(job.status), job.hint or "")
        text = self._opened().reader.transcript(job.recording_id).text
        if SPOKEN not in text:
            raise ValueError(f"heard “{text}”")
        return " ".join(text.split())

    def _opened(self) -> "Session":
        assert self.session is not None
        return self.session

    def _until_quiet(self) -> Iterator[Event]:
        """Yield events as they come, until none has come for too long."""
        while True:
            try:
                yield self._events.get(timeout=_PATIENCE_S)
            except queue.Empty:
                return
