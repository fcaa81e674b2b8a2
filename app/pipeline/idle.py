"""Models leave memory when nobody has used them for as long as the person set, never during a take.

One timer, armed when something ends; while anything works it is put off.
"""

from collections.abc import Callable

from app.core.ids import new_id
from app.core.job import Priority
from app.engine.loop import EngineLoop, Steps
from app.engine.memory import Residency
from app.pipeline.main_thread import MainThread
from app.pipeline.warm import Warmth


class IdleUnloading:
    """Unloads what is not used. Owner: the main thread.

    Args:
        loop: the engine's.
        residency: the loaded models; touched on the engine thread only.
        warmth: forgets what is unloaded.
        main: where the timer lives.
        minutes: the setting, asked each time; 0 is never.
        is_busy: whether a take or a file is being worked on.
    """

    def __init__(
        self,
        loop: EngineLoop,
        residency: Residency,
        warmth: Warmth,
        main: MainThread,
        minutes: Callable[[], int],
        is_busy: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._residency = residency
        self._warmth = warmth
        self._main = main
        self._minutes = minutes
        self._is_busy = is_busy
        self._round = 0

    def arm(self) -> None:
        """Begin to wait anew: something was used just now."""
        self._round += 1
        minutes = self._minutes()
        if minutes:
            mine = self._round
            self._main.after(minutes * 60.0, lambda: self._fire(mine))

    def _fire(self, round_: int) -> None:
        if round_ != self._round:
            return
        if self._is_busy():
            self.arm()
        else:
            self._loop.submit(f"unload-{new_id()}", Priority.SUMMARY, self._unload)

    def _unload(self) -> Steps:
        self._residency.unload_idle()
        self._warmth.forget()
        yield None
