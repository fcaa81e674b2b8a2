"""Tells of a newer version: once a week when the person said yes, or when asked for.

Off until a person switches it on; with the offline switch on nothing is asked, whatever else is
chosen. A weekly look that fails says nothing and is tried again the next day.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.config.settings import Settings
from app.core.errors import AppError, mark
from app.models.updates import Release, is_newer

WEEK_S = 7 * 24 * 3600
_DAY_S = 24 * 3600
_TICK_MS = 3600 * 1000
_FIRST_MS = 30_000  # after the start, when everything else is done


class UpdateCheck(QObject):
    """Signals: `found(Release)`, and after `check_now` also `is_newest` or `failed(AppError)`.

    Args:
        ask: asks for the newest release, on the pool.
        submit: runs something on the pool.
        settings: as they are now.
        change_settings: keeps when it was last asked.
        now: the wall clock.
    """

    found = Signal(object)
    is_newest = Signal()
    failed = Signal(object)
    _answered = Signal(object, bool)

    def __init__(
        self,
        ask: Callable[[], Release],
        submit: Callable[[Callable[[], Release]], "Future[Release]"],
        settings: Callable[[], Settings],
        change_settings: Callable[..., None],
        parent: QObject | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._ask = ask
        self._submit = submit
        self._settings = settings
        self._change_settings = change_settings
        self._now = now
        self._failed_at = 0.0
        self._is_asking = False
        self._answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)

    def begin(self) -> None:
        """Look once a while after the start, and each hour whether a week is over."""
        self._timer.start()
        QTimer.singleShot(_FIRST_MS, self, self.tick)

    def close(self) -> None:
        self._timer.stop()

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask by itself."""
        settings = self._settings()
        if not settings.checks_updates or settings.offline:
            return False
        now = self._now()
        since = now - settings.updates_checked_at
        is_over = since >= WEEK_S or since < 0  # the clock was set back
        return is_over and now - self._failed_at >= _DAY_S

    def tick(self) -> None:
        """Ask, if it is time."""
        if self.is_due:
            self._begin(is_wanted=False)

    def check_now(self) -> None:
        """Ask because the person wants to know; the answer is told in any case."""
        if self._settings().offline:
            self.failed.emit(
                AppError(
                    mark("Undertone is set to stay offline."),
                    mark("Switch that off in Settings under Privacy to look for a newer version."),
                )
            )
            return
        self._begin(is_wanted=True)

    def _begin(self, *, is_wanted: bool) -> None:
        if self._is_asking:
            return
        self._is_asking = True
        future = self._submit(self._ask)
        future.add_done_callback(lambda done: self._answered.emit(done, is_wanted))

    def _on_answered(self, done: "Future[Release]", is_wanted: bool) -> None:
        self._is_asking = False
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self._failed_at = self._now()
            if is_wanted and isinstance(error, AppError):
                self.failed.emit(error)
            elif not isinstance(error, AppError):
                raise error
            return
        self._change_settings(updates_checked_at=int(self._now()))
        release = done.result()
        if is_newer(release):
            self.found.emit(release)
        elif is_wanted:
            self.is_newest.emit()
