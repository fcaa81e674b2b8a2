"""One conversion of a model on the engine thread, and what came of it for the thread that waits.

Only the engine thread may use MLX; whoever waits does so on a thread that may wait.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from app.core.ids import new_id
from app.core.job import Priority
from app.engine.loop import EngineLoop
from app.engine.memory import Residency

_ASK_AGAIN_S = 0.2


class Conversion:
    """One conversion on the engine thread, and what came of it for the thread that waits."""

    def __init__(
        self, source: Path, target: Path, bits: int, tell: Callable[[float], None]
    ) -> None:
        self._source, self._target, self._bits, self._tell = source, target, bits, tell
        self.is_over = threading.Event()
        self.has_begun = False
        self.is_done = False
        self.error: Exception | None = None

    def wait(self, loop: EngineLoop, residency: Residency, should_stop: Callable[[], bool]) -> bool:
        """Convert and wait for the end; return whether it was reached. Thread: one that may wait.

        Raises:
            AppError: it failed.
        """
        job_id = f"convert-{new_id()}"
        loop.submit(job_id, Priority.SUMMARY, lambda: self.steps(residency))
        while not self.is_over.wait(_ASK_AGAIN_S):
            if should_stop():
                loop.cancel(job_id)
                if not self.has_begun:
                    return False
        if self.error is not None:
            raise self.error
        return self.is_done

    def steps(self, residency: Residency) -> Iterator[None]:
        """Convert, a step at a time. Thread: engine."""
        self.has_begun = True
        try:
            from app.engine.convert import convert_steps

            residency.unload_idle()
            for done in convert_steps(self._source, self._target, self._bits):
                self._tell(done)
                yield None
            self.is_done = True
        except Exception as error:
            self.error = error
            raise
        finally:
            self.is_over.set()
