"""One media file to final segments: read ahead on its own thread, decoded on the engine thread.

The same file and model give the same windows, and windows are final in order. So a job that stops
at `done_s` and starts there again writes the same text as one that was never stopped.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

from app.audio.decode import MediaStream
from app.audio.speech import SpeechWindows
from app.core.errors import AppError, DecodeFailed, EngineFailed, mark
from app.core.events import SegmentsFinal
from app.core.job import JobStage
from app.core.model import Model
from app.core.packing import Window
from app.engine.base import CONTEXT_WINDOWS, IDLE, Idle, Options, Recognizer, WindowResult
from app.engine.memory import Residency
from app.engine.registry import is_out_of_memory
from app.engine.word_times import Aligner, WithWordTimes
from app.pipeline.gaps import Reread, fill_gaps

_READ_AHEAD_WINDOWS = 12  # enough for a full batch while the next one is read
_SAME_PLACE_S = 0.01  # times closer than this are one place in the recording

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the file has been read, and how long it is as far as we know."""

    heard_s: float
    total_s: float | None


class WindowFeed(Protocol):
    """A file's windows one after the other, and how far it has been read."""

    @property
    def duration_s(self) -> float | None: ...

    @property
    def heard_s(self) -> float: ...

    def __iter__(self) -> Iterator[Window]: ...

    def close(self) -> None:
        """End it, from any thread; the iteration then stops at once."""


OpenWindows = Callable[[Path, float], WindowFeed]


class FileFeed:
    """A media file as windows of at most `max_speech_s` of speech, joined up to `target_s`.

    Raises:
        AppError: the file cannot be read; from here or while it is iterated.
    """

    def __init__(self, file: Path, max_speech_s: float, target_s: float | None = None) -> None:
        self._stream = MediaStream(file)
        self._speech = SpeechWindows(self._stream, max_speech_s, target_s=target_s)
        self._duration_s: float | None = None

    @property
    def duration_s(self) -> float | None:
        return self._duration_s

    @property
    def heard_s(self) -> float:
        return self._speech.heard_s

    def __iter__(self) -> Iterator[Window]:
        self._duration_s = self._stream.open().duration_s
        return iter(self._speech)

    def close(self) -> None:
        self._stream.close()


class WindowReader:
    """Reads a file into windows on its own thread, a bounded number ahead (a `WindowSource`).

    Windows that end before `skip_to_s` were final in an earlier run and are passed over, all but
    the last few, which the recognizer must hear again to know what it knew. `take` is called on the
    engine thread; `close` from anywhere, and it ends the child process that decodes. `on_ready` is
    called, on the reading thread, when there is something new to take.
    """

    def __init__(
        self,
        file: Path,
        max_speech_s: float,
        skip_to_s: float = 0.0,
        on_ready: Callable[[], None] = lambda: None,
        open_windows: OpenWindows = FileFeed,
    ) -> None:
        self._file = file
        self._open_windows = open_windows
        self._on_ready = on_ready
        self._max_speech_s = max_speech_s
        self._skip_to_s = skip_to_s
        self._ready: deque[Window] = deque()
        self._feed: WindowFeed | None = None
        self._context: deque[Window] = deque(maxlen=CONTEXT_WINDOWS)
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_finished = False
        self._error: BaseException | None = None
        self._progress = Progress(0.0, None)
        self._thread = threading.Thread(target=self._read, name="file-reader")

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def take(self) -> Window | None:
        """Return the next window, or `None` when there is none right now.

        Raises:
            AppError: the file could not be read.
        """
        with self._changed:
            if self._ready:
                window = self._ready.popleft()
                self._changed.notify()
                return window
            if self._error is not None:
                raise self._error
            return None

    @property
    def is_finished(self) -> bool:
        with self._changed:
            return self._is_finished and not self._ready and self._error is None

    @property
    def progress(self) -> Progress:
        return self._progress

    def is_known(self, end_s: float) -> bool:
        """Whether a window that ends at `end_s` was final in an earlier run."""
        return end_s <= self._skip_to_s + _SAME_PLACE_S

    def close(self) -> None:
        """Stop reading and wait until the thread and the child process are gone."""
        with self._changed:
            self._is_closed = True
            self._ready.clear()
            self._changed.notify()
            feed = self._feed
        if feed is not None:
            feed.close()
        if self._thread.ident is not None:
            self._thread.join()

    def _read(self) -> None:
        """Read all of it; whatever goes wrong ends the job, never just this thread."""
        try:
            with closing(self._open_windows(self._file, self._max_speech_s)) as feed:
                with self._changed:
                    self._feed = None if self._is_closed else feed
                if self._feed is not None:
                    self._read_all(feed)
        except AppError as error:
            self._fail(error)
        except OSError as error:
            self._fail(_unreadable(self._file, error.strerror or str(error)))
        except Exception as error:  # noqa: BLE001  # nobody else sees it: the job is told
            _log.exception("reading a file failed")
            self._fail(_unreadable(self._file, type(error).__name__))

    def _read_all(self, feed: WindowFeed) -> None:
        for window in feed:
            self._progress = Progress(feed.heard_s, feed.duration_s)
            if self.is_known(window.end_s):
                self._context.append(window)
            elif not all(self._put(each) for each in (*self._context, window)):
                return
            else:
                self._context.clear()
        self._progress = Progress(feed.heard_s, feed.heard_s)
        with self._changed:
            self._is_finished = not self._is_closed
        self._on_ready()

    def _put(self, window: Window) -> bool:
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or len(self._ready) < _READ_AHEAD_WINDOWS
            )
            if not self._is_closed:
                self._ready.append(window)
            is_open = not self._is_closed
        self._on_ready()
        return is_open

    def _fail(self, error: AppError) -> None:
        with self._changed:
            self._error = error
        self._on_ready()


class _InOrder:
    """Passes windows on and gives their results back in the order of the recording.

    A window is kept until its result is there, so that another model can be asked.
    """

    def __init__(self, reader: WindowReader) -> None:
        self._reader = reader
        self._again: deque[Window] = deque()  # taken before, to be taken once more
        self._open: deque[Window] = deque()  # under way, and done but not next in line
        self._results: dict[int, WindowResult] = {}

    def take(self) -> Window | None:
        if self._again:
            return self._again.popleft()
        window = self._reader.take()
        if window is not None:
            self._open.append(window)
        return window

    @property
    def is_finished(self) -> bool:
        return not self._again and self._reader.is_finished

    def add(self, result: WindowResult) -> Iterator[tuple[WindowResult, Window]]:
        """Take a result in and yield each that is now next in line, with its window."""
        self._results[result.index] = result
        while self._open and self._open[0].index in self._results:
            window = self._open[0]
            yield self._results[window.index], window
            # Let go of only now: whoever asked may have run out of memory over it.
            self._open.popleft()
            del self._results[window.index]

    def start_over(self) -> None:
        """Give every window that was not passed back yet out again, in order."""
        self._again = deque(self._open)
        self._results.clear()


@dataclass(frozen=True, slots=True)
class Plan:
    """Which models a job works with.

    Attributes:
        model: writes the text.
        aligner: finds the times of its words, where it does not know them itself.
        fallback: chooses the model that goes on when this one runs out of memory.
        on_fallback: told of the model that ran out of memory and of the one that goes on.
        is_hot: whether the machine is to cool down first; asked between two steps.
    """

    model: Model
    aligner: Model | None = None
    fallback: Callable[[Model], Model | None] = lambda _model: None
    on_fallback: Callable[[Model, Model], None] = lambda _from, _to: None
    is_hot: Callable[[], bool] = lambda: False


def transcribe_file(
    job_id: str,
    reader: WindowReader,
    plan: Plan,
    options: Options,
    residency: Residency,
    on_stage: Callable[[JobStage], None],
) -> Generator[SegmentsFinal | Idle | None, None, None]:
    """Transcribe the windows of `reader` as a job of the engine loop. Thread: engine.

    Each `SegmentsFinal` ends at a window's end, in order; the last one reaches the end of the file.
    A model that runs out of memory goes on with one window at a time, then a smaller one does; no
    window is lost.
    """
    reader.start()
    windows = _InOrder(reader)
    model: Model | None = plan.model
    last: EngineFailed | None = None
    language = options.language
    try:
        while model is not None:
            on_stage(JobStage.LOADING_MODEL)
            try:
                facts = _finals(windows, model, plan, options, residency, on_stage)
                with closing(facts):
                    for fact in facts:
                        if fact is None or isinstance(fact, Idle):
                            yield fact
                            continue
                        whole, end_s, language = fact
                        if not reader.is_known(end_s):
                            yield SegmentsFinal(
                                job_id, whole.segments, end_s, language, whole.missing
                            )
                yield SegmentsFinal(job_id, (), reader.progress.heard_s, language)
                return
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                last = _out_of_memory(model)
            windows.start_over()
            model, options = _next_rung(model, plan, options)
    finally:
        reader.close()
    if last is not None:
        raise last


_Final = tuple[Reread, float, str]  # a window's text, its end, its language


def _finals(
    windows: _InOrder,
    model: Model,
    plan: Plan,
    options: Options,
    residency: Residency,
    on_stage: Callable[[JobStage], None],
) -> Generator[_Final | Idle | None, None, None]:
    """Yield each window's text in order, its gaps filled, and the steps between them."""
    recognizer: Recognizer = yield from residency.acquire(model)
    aligner: Aligner | None = None
    is_out = False
    try:
        if plan.aligner is not None and options.wants_words and not model.has_word_times:
            aligner = yield from _acquire_aligner(plan.aligner, residency)
        if aligner is not None:
            recognizer = WithWordTimes(recognizer, aligner)
        on_stage(JobStage.TRANSCRIBING)
        for result in recognizer.transcribe(windows, options):
            yield from _cooled(plan, on_stage)
            if not isinstance(result, WindowResult):
                yield result
                continue
            for final, window in windows.add(result):
                whole = yield from fill_gaps(recognizer, window, final, options)
                yield whole, window.end_s, final.language
    except (MemoryError, RuntimeError) as error:
        is_out = is_out_of_memory(error)
        raise
    finally:
        residency.release(model)
        if aligner is not None and plan.aligner is not None:
            residency.release(plan.aligner)
        if is_out:
            residency.unload_idle()


def _cooled(plan: Plan, on_stage: Callable[[JobStage], None]) -> Generator[Idle, None, None]:
    """Wait until the machine is not hot."""
    if not plan.is_hot():
        return
    on_stage(JobStage.COOLING)
    while plan.is_hot():
        yield IDLE
    on_stage(JobStage.TRANSCRIBING)


def _acquire_aligner(model: Model, residency: Residency) -> Generator[None, None, Aligner | None]:
    """Load the model that finds words; without it segments keep the times of their speech."""
    try:
        found = yield from residency.acquire(model)
    except AppError as error:
        _log.warning("no word times: %s", error)
        return None
    return cast(Aligner, found)


def _next_rung(model: Model, plan: Plan, options: Options) -> tuple[Model | None, Options]:
    """Return what goes on after `model` ran out of memory: it alone, then a smaller one."""
    if options.batch_size > 1:
        return model, replace(options, batch_size=1)
    smaller = plan.fallback(model)
    if smaller is not None:
        plan.on_fallback(model, smaller)
    return smaller, options


def _out_of_memory(model: Model) -> EngineFailed:
    return EngineFailed(
        mark("The model “{model}” ran out of memory."),
        mark("Close other apps or choose a smaller model, then try again. What is done is kept."),
        model=model.title,
    )


def _unreadable(file: Path, reason: str) -> DecodeFailed:
    return DecodeFailed(
        mark("“{name}” could not be read: {reason}."),
        mark("Check that the file is still there and that you may open it, then try again."),
        name=file.name,
        reason=reason,
    )
