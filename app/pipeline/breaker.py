"""Which model works when one fails: twice in ten minutes, and the next smaller one takes over.

A model that was set aside stays so until the app starts again or the person asks for a retry.
"""

import time
from collections.abc import Callable, Sequence

from app.core.model import Model

FAILURES = 2
WITHIN_S = 600.0


class Breaker:
    """Counts the failures of each model. Owner: the main thread.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, list[float]] = {}
        self._set_aside: set[str] = set()

    def failed(self, model_id: str) -> bool:
        """Take in a failure (memory, error, deadline); return whether the model is now set aside.

        Thread: main.
        """
        now = self._clock()
        recent = [at for at in self._failures.get(model_id, []) if now - at < WITHIN_S]
        self._failures[model_id] = [*recent, now]
        if len(recent) + 1 >= FAILURES:
            self._set_aside.add(model_id)
        return model_id in self._set_aside

    def set_aside(self, model_id: str) -> None:
        """Count on the model no more: its files are missing or damaged."""
        self._set_aside.add(model_id)

    def is_set_aside(self, model_id: str) -> bool:
        return model_id in self._set_aside

    def forgive(self) -> None:
        """Let every model have another try."""
        self._failures.clear()
        self._set_aside.clear()

    def choose(self, wanted: Model, installed: Sequence[Model], language: str = "") -> Model | None:
        """Return `wanted`, or the largest smaller model that can do its work; `None` when none can.

        The demonstration model, which knows few words, takes over from nobody.
        """
        if not self.is_set_aside(wanted.model_id):
            return wanted
        smaller = [
            model
            for model in installed
            if model.memory_bytes < wanted.memory_bytes
            and not self.is_set_aside(model.model_id)
            and not model.is_demo
            and (not language or not model.languages or language in model.languages)
        ]
        return max(smaller, key=lambda model: model.memory_bytes, default=None)
