"""Python's search for cycles, made by the main thread alone and seldom.

Python looks for cycles in whichever thread allocates, and a cycle may hold Qt objects, which must
not die in a thread that is not theirs. So nobody looks by himself here; a timer of the main thread
does, by Python's own counts and thresholds.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 500


def calm_collector() -> None:
    """Have Python look for cycles less often: it does so in the middle of an edit of 20,000 words.

    What is imported stays for good, and most of what comes and goes are frozen values.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class Collector(QObject):
    """Collects in the main thread from its making until `close`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect the oldest generation that is due."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return

    def close(self) -> None:
        """Leave collecting to Python again."""
        self._timer.stop()
        gc.enable()
