"""The engine's thread in the app: a QThread whose whole body is `run_engine`.

It has no event loop and no slots: calls go to the loop it hosts, facts come up through the bus.
"""

from collections.abc import Callable

from PySide6.QtCore import QDeadlineTimer, QObject, QThread

from app.engine.host import run_engine
from app.engine.loop import EngineLoop

_STACK_BYTES = 16 * 1024 * 1024  # macOS gives 512 KB, too little for Python above MLX


class EngineThread(QThread):
    """Hosts `loop`; `release` lets go of the loaded models on this thread at its end."""

    def __init__(
        self,
        loop: EngineLoop,
        release: Callable[[], None] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("engine")
        self.setStackSize(_STACK_BYTES)
        self._loop = loop
        self._release = release

    def run(self) -> None:
        """Run the engine. Thread: engine; called by Qt."""
        run_engine(self._loop, self._release)

    def stop(self, timeout_s: float | None = None) -> bool:
        """Stop the loop and wait for the thread to end; `False` when it has not in time.

        Must come before the app's end; after `False` only a hard end of the process is left.
        """
        self._loop.stop()
        if timeout_s is None:
            return self.wait()
        return self.wait(QDeadlineTimer(round(timeout_s * 1000)))
