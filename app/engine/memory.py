"""What stays loaded: recognizers under one byte budget, the least recently used one leaves first.

Owned by the engine thread; nothing else may call it.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator

from app.core.errors import EngineFailed, mark
from app.core.events import ModelChanged, ModelState
from app.core.model import Model
from app.engine.base import Recognizer

Load = Callable[[Model], Generator[None, None, Recognizer]]


class Residency:
    """The loaded recognizers.

    Args:
        load: makes a recognizer from a model, step by step.
        budget_bytes: what all loaded models together may need.
        emit: told when a model comes or goes.
    """

    def __init__(self, load: Load, budget_bytes: int, emit: Callable[[ModelChanged], None]) -> None:
        self._load = load
        self._budget_bytes = budget_bytes
        self._emit = emit
        self._resident: OrderedDict[str, Recognizer] = OrderedDict()
        self._in_use: dict[str, int] = {}

    def acquire(self, model: Model) -> Generator[None, None, Recognizer]:
        """Load `model` if it is not there, one step at a time, and return its recognizer.

        Each `acquire` is answered by one `release`.

        Raises:
            EngineFailed: it does not fit into the budget beside what is in use.
        """
        if model.model_id not in self._resident:
            self._make_room(model)
            self._emit(ModelChanged(model.model_id, ModelState.LOADING))
            try:
                recognizer = yield from self._load(model)
            except BaseException:
                self._emit(ModelChanged(model.model_id, ModelState.FAILED))
                raise
            self._resident[model.model_id] = recognizer
            self._emit(ModelChanged(model.model_id, ModelState.READY))
        self._resident.move_to_end(model.model_id)
        self._in_use[model.model_id] = self._in_use.get(model.model_id, 0) + 1
        return self._resident[model.model_id]

    def release(self, model: Model) -> None:
        """Say that one user of `model` is done; it stays loaded until room is needed."""
        self._in_use[model.model_id] = max(0, self._in_use.get(model.model_id, 0) - 1)

    def unload_idle(self) -> None:
        """Unload every model nobody uses."""
        for model_id in [m for m in self._resident if not self._in_use.get(m)]:
            self._unload(model_id)

    def close(self) -> None:
        """Unload everything."""
        for model_id in list(self._resident):
            self._unload(model_id)

    @property
    def used_bytes(self) -> int:
        """What the loaded models need together, by their own statement."""
        return sum(r.model.memory_bytes for r in self._resident.values())

    def _make_room(self, model: Model) -> None:
        for model_id in [m for m in self._resident if not self._in_use.get(m)]:
            if self.used_bytes + model.memory_bytes <= self._budget_bytes:
                break
            self._unload(model_id)
        if self.used_bytes + model.memory_bytes > self._budget_bytes:
            raise EngineFailed(
                mark("The model “{model}” does not fit into this Mac's memory."),
                mark("Choose a smaller model; the recording is kept."),
                model=model.title,
            )

    def _unload(self, model_id: str) -> None:
        self._resident.pop(model_id).close()
        self._in_use.pop(model_id, None)
        self._emit(ModelChanged(model_id, ModelState.UNLOADED))
