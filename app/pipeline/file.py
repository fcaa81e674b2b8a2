"""One media file to final segments: read ahead on a thread of its own, decoded on the engine thread.

The same file and model give the same windows, and windows are final in order. So a job that stops at
`done_s` and starts there again writes the same text as one that was never stopped.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.audio.decode import open_media
from app.audio.speech import SpeechWindows
from app.core.errors import AppError, DecodeFailed, mark
from app.core.events import SegmentsFinal
from app.core.model import Model
from app.core.packing import Window
from app.engine.base import IDLE, Idle, Options, WindowResult
from app.engine.memory import Residency

_READ_AHEAD_WINDOWS = 12  # enough for a full batch while the next one is read
_SAME_PLACE_S = 0.01  # times closer than this are one place in the recording


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the file has been read, and how long it is as far as we know."""

    heard_s: float
    total_s: float | None


class WindowReader:
    """Reads a file into windows on its own thread, a bounded number ahead (a `WindowSource`).

    Windows that end before `skip_to_s` were final in an earlier run and are passed over. `take` is called
    on the engine thread; `close` from anywhere, and it ends the child process that decodes.
    """

    def __init__(self, file: Path, max_speech_s: float, skip_to_s: float = 0.0) -> None:
        self._file = file
        self._max_speech_s = max_speech_s
        self._skip_to_s = skip_to_s
        self._ready: deque[Window] = deque()
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

    def close(self) -> None:
        """Stop reading and wait until the thread and the child process are gone."""
        with self._changed:
            self._is_closed = True
            self._ready.clear()
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _read(self) -> None:
        try:
            with open_media(self._file) as stream:
                speech = SpeechWindows(stream, self._max_speech_s)
                self._progress = Progress(0.0, stream.info.duration_s)
                for window in speech:
                    self._progress = Progress(speech.heard_s, stream.info.duration_s)
                    if window.end_s <= self._skip_to_s + _SAME_PLACE_S:
                        continue
                    if not self._put(window):
                        return
                self._progress = Progress(speech.heard_s, speech.heard_s)
        except AppError as error:
            self._fail(error)
        except OSError as error:
            self._fail(_unreadable(self._file, error))
        else:
            with self._changed:
                self._is_finished = True

    def _put(self, window: Window) -> bool:
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or len(self._ready) < _READ_AHEAD_WINDOWS
            )
            if not self._is_closed:
                self._ready.append(window)
            return not self._is_closed

    def _fail(self, error: AppError) -> None:
        with self._changed:
            self._error = error


def transcribe_file(
    job_id: str,
    reader: WindowReader,
    model: Model,
    options: Options,
    residency: Residency,
    on_stage: Callable[[bool], None] = lambda is_loading: None,
) -> Iterator[SegmentsFinal | Idle | None]:
    """Transcribe the windows of `reader` as a job of the engine loop. Thread: engine.

    Each `SegmentsFinal` ends at a window's end, in order; the last one reaches the end of the file.
    """
    reader.start()
    try:
        on_stage(True)
        recognizer = yield from residency.acquire(model)
        try:
            on_stage(False)
            language = None
            for item in _in_order(recognizer.transcribe(reader, options), reader):
                if isinstance(item, _Final):
                    language = item.result.language or language
                    yield SegmentsFinal(job_id, item.result.segments, item.end_s, language)
                else:
                    yield item
            yield SegmentsFinal(job_id, (), reader.progress.heard_s, language)
        finally:
            residency.release(model)
    finally:
        reader.close()
