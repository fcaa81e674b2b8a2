"""The engine thread's first and last statements.

MLX gives its streams back only when asked on the thread that used them; a process that ends without
asking may abort. So whoever hosts a loop calls `run_engine` as the whole body of its thread.
"""

import sys
import threading
from collections.abc import Callable

from app.engine.loop import EngineLoop


def run_engine(loop: EngineLoop, release: Callable[[], None] | None = None) -> None:
    """Run `loop` until it is stopped, then give everything back.

    Args:
        loop: what to run.
        release: lets go of the loaded models; called on this thread after the last step.

    Thread: engine, as the whole body of the thread.
    """
    try:
        loop.run()
    finally:
        try:
            if release is not None:
                release()
        finally:
            _leave_mlx()


def _leave_mlx() -> None:
    if "mlx.core" not in sys.modules:
        return
    import mlx.core as mx

    mx.clear_cache()
    mx.clear_streams()


class EngineThread(threading.Thread):
    """A plain engine thread for the command line; join it before the process ends."""

    def __init__(self, loop: EngineLoop, release: Callable[[], None] | None = None) -> None:
        super().__init__(name="engine", daemon=False)
        self._loop = loop
        self._release = release

    def run(self) -> None:
        run_engine(self._loop, self._release)

    def stop(self, timeout_s: float | None = None) -> bool:
        """Stop the loop and wait for the thread to end; `False` when it has not in time."""
        self._loop.stop()
        if self.is_alive():
            self.join(timeout_s)
        return not self.is_alive()
