"""What stays loaded: recognizers under one byte budget, the least recently used one leaves first.

Owned by the engine thread; nothing else may call it, but for `relieve`. A model in use or pinned is
never unloaded, whatever else happens; so a model that is changed in the middle of a job or a take
ends that job or take as it is, and the new one counts from the next.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence

from app.core.errors import EngineFailed, mark
from app.core.events import ModelChanged, ModelState
from app.core.model import Model
from app.engine.base import Recognizer

PRESSED_IDLE_S = 30.0  # how long an unused model stays while the system is short of memory
_LOOK_EVERY_S = 5.0

Load = Callable[[Model], Generator[None, None, Recognizer]]


def _never() -> float | None:
    return None


def _calm() -> bool:
    return False


def _none() -> Sequence[Model]:
    return ()


class Residency:
    """The loaded recognizers.

    Args:
        load: makes a recognizer from a model, step by step.
        budget_bytes: what all loaded models together may need.
        emit: told when a model comes or goes.
        idle_after_s: how long an unused model stays loaded; `None` for as long as there is room.
        is_pressed: whether the system is short of memory right now.
        installed: the models that could be used instead of one that does not fit.
        clock: seconds, only ever more.
    """

    def __init__(
        self,
        load: Load,
        budget_bytes: int,
        emit: Callable[[ModelChanged], None],
        *,
        idle_after_s: Callable[[], float | None] = _never,
        is_pressed: Callable[[], bool] = _calm,
        installed: Callable[[], Sequence[Model]] = _none,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._budget_bytes = budget_bytes
        self._emit = emit
        self._idle_after_s = idle_after_s
        self._is_pressed = is_pressed
        self._installed = installed
        self._clock = clock
        self._resident: OrderedDict[str, Recognizer] = OrderedDict()
        self._in_use: dict[str, int] = {}
        self._pinned: set[str] = set()
        self._left_s: dict[str, float] = {}  # when the last user of a model let it go
        self._looked_s = float("-inf")
        self._was_asked = False

    @property
    def budget_bytes(self) -> int:
        return self._budget_bytes

    @property
    def used_bytes(self) -> int:
        """What the loaded models need together, by their own statement."""
        return sum(r.model.memory_bytes for r in self._resident.values())

    def acquire(self, model: Model) -> Generator[None, None, Recognizer]:
        """Load `model` if it is not there, one step at a time, and return its recognizer.

        Each `acquire` is answered by one `release`.

        Raises:
            EngineFailed: it does not fit into the budget beside what is in use; says which smaller
                model would.
        """
        if not self._is_current(model):
            self._make_room(model)
            self._emit(ModelChanged(model.model_id, ModelState.LOADING))
            try:
                recognizer = yield from self._load(model)
            except BaseException:
                self._emit(ModelChanged(model.model_id, ModelState.FAILED))
                raise
            self._keep(model, recognizer)
        self._resident.move_to_end(model.model_id)
        self._in_use[model.model_id] = self._in_use.get(model.model_id, 0) + 1
        return self._resident[model.model_id]

    def release(self, model: Model) -> None:
        """Say that one user of `model` is done; it stays loaded until room is needed."""
        self._in_use[model.model_id] = max(0, self._in_use.get(model.model_id, 0) - 1)
        self._left_s[model.model_id] = self._clock()

    def pin(self, model: Model) -> None:
        """Keep `model`, loaded or to be loaded, whoever uses it: a take is open."""
        self._pinned.add(model.model_id)

    def unpin(self, model: Model) -> None:
        """Treat `model` like any other again."""
        self._pinned.discard(model.model_id)
        self._left_s[model.model_id] = self._clock()

    def discard(self, model: Model) -> None:
        """Unload `model` now if nobody uses it: its files are gone, or it ran out of memory."""
        if model.model_id in self._resident and not self._is_kept(model.model_id):
            self._unload(model.model_id)

    def unload_idle(self) -> None:
        """Unload every model nobody uses."""
        for model_id in self._idle():
            self._unload(model_id)

    def relieve(self) -> None:
        """Ask for everything idle to be unloaded at the next look. Thread: any."""
        self._was_asked = True

    def look(self) -> float | None:
        """Unload what was idle for too long; return in how many seconds to look again.

        The engine loop calls it between steps and before it sleeps. It costs nothing when it was
        called less than a few seconds ago.
        """
        now = self._clock()
        if self._was_asked:
            self._was_asked = False
            self.unload_idle()
        elif now - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now
            self._unload_left(now)
        return _LOOK_EVERY_S if self._idle() else None

    def smaller(self, model: Model, room_bytes: int | None = None) -> Model | None:
        """Return the largest installed model that needs less than `model` and hears as much.

        Args:
            model: the one that is too large.
            room_bytes: what there is for it; nothing for the whole budget.
        """
        room = self._budget_bytes if room_bytes is None else room_bytes
        fitting = [
            one
            for one in self._installed()
            if one.memory_bytes < model.memory_bytes
            and one.memory_bytes <= room
            and one.max_speech_s >= model.max_speech_s
            and not one.is_demo
        ]
        return max(fitting, key=lambda one: one.memory_bytes, default=None)

    def close(self) -> None:
        """Unload everything."""
        for model_id in list(self._resident):
            self._unload(model_id)

    def _is_current(self, model: Model) -> bool:
        """Whether `model` is loaded, from the folder it lies in now."""
        found = self._resident.get(model.model_id)
        if found is None:
            return False
        if found.model.folder == model.folder or self._is_kept(model.model_id):
            return True
        self._unload(model.model_id)
        return False

    def _keep(self, model: Model, recognizer: Recognizer) -> None:
        if model.model_id in self._resident:  # another job loaded it between two of our steps
            recognizer.close()
            return
        self._resident[model.model_id] = recognizer
        self._emit(ModelChanged(model.model_id, ModelState.READY))

    def _is_kept(self, model_id: str) -> bool:
        return bool(self._in_use.get(model_id)) or model_id in self._pinned

    def _idle(self) -> list[str]:
        return [model_id for model_id in self._resident if not self._is_kept(model_id)]

    def _unload_left(self, now: float) -> None:
        longest_s = self._idle_after_s()
        if self._is_pressed():
            longest_s = PRESSED_IDLE_S if longest_s is None else min(longest_s, PRESSED_IDLE_S)
        if longest_s is None:
            return
        for model_id in self._idle():
            if now - self._left_s.get(model_id, now) >= longest_s:
                self._unload(model_id)

    def _make_room(self, model: Model) -> None:
        for model_id in self._idle():
            if self.used_bytes + model.memory_bytes <= self._budget_bytes:
                break
            self._unload(model_id)
        if self.used_bytes + model.memory_bytes > self._budget_bytes:
            raise self._too_large(model)

    def _too_large(self, model: Model) -> EngineFailed:
        room = self._budget_bytes - self.used_bytes
        smaller = self.smaller(model, room)
        hint = (
            mark("Choose the smaller model “{smaller}”; the recording is kept.")
            if smaller
            else mark("Get a smaller model in Models; the recording is kept.")
        )
        message = mark(
            "The model “{model}” does not fit into this Mac's memory: it needs {need}, and "
            "{room} is free for models."
        )
        return EngineFailed(
            message,
            hint,
            model=model.title,
            smaller=smaller.title if smaller else "",
            need=_gigabytes(model.memory_bytes),
            room=_gigabytes(max(0, room)),
        )

    def _unload(self, model_id: str) -> None:
        self._resident.pop(model_id).close()
        self._in_use.pop(model_id, None)
        self._left_s.pop(model_id, None)
        self._emit(ModelChanged(model_id, ModelState.UNLOADED))


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
