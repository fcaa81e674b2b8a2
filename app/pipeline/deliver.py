"""The final text goes where the person was when the take began, or onto the clipboard.

It is in the library before any of this begins. Focus is never moved: a person who went elsewhere
meanwhile finds the text on the clipboard and is told.
"""

import logging
from collections.abc import Callable

from app.core.dictation import Outcome
from app.core.errors import AppError
from app.macos.front_app import FrontApp, FrontApps
from app.macos.insert import Inserter, InsertOutcome, Way
from app.pipeline.problems import not_delivered, switched_away

OnDelivered = Callable[[Outcome, AppError | None], None]

_log = logging.getLogger(__name__)


class Delivery:
    """Puts text into the front app. Thread: main; `on_done` may come from any thread."""

    def __init__(self, inserter: Inserter, front_apps: FrontApps) -> None:
        self._inserter = inserter
        self._front_apps = front_apps

    def front(self) -> FrontApp | None:
        """Return the program in front."""
        return self._front_apps.now()

    def deliver(
        self,
        text: str,
        front: FrontApp | None,
        on_done: OnDelivered,
        *,
        language: str | None,
        fits_caret: bool,
        only_copies: bool,
    ) -> None:
        """Insert `text` if `front` is still in front, else copy it.

        Args:
            text: what to insert.
            front: the program that was in front when the take began; `None` when unknown.
            on_done: is told the outcome, once.
            language: of the text.
            fits_caret: whether spaces and capitals follow what stands around the caret.
            only_copies: whether the person wants text on the clipboard only.
        """
        told = _Once(on_done)
        try:
            self._deliver(text, front, told, language, fits_caret, only_copies)
        except Exception:  # noqa: BLE001  # a take must come to its end, whatever an inserter does
            _log.exception("delivering a text failed")
            told(Outcome.SAVED, not_delivered())

    def _deliver(
        self,
        text: str,
        front: FrontApp | None,
        on_done: OnDelivered,
        language: str | None,
        fits_caret: bool,
        only_copies: bool,
    ) -> None:
        now = self._front_apps.now()
        has_left = (
            front is not None
            and now is not None
            and (now.id, now.pid)
            != (
                front.id,
                front.pid,
            )
        )
        if only_copies or has_left:
            reason = None if only_copies or front is None else switched_away(front.name)
            self._copy(text, reason, on_done)
            return
        self._inserter.insert(
            text,
            lambda outcome: on_done(*_told(outcome)),
            language=language,
            fits_caret=fits_caret,
        )

    def _copy(self, text: str, reason: AppError | None, on_done: OnDelivered) -> None:
        try:
            self._inserter.copy(text)
        except AppError as error:
            on_done(Outcome.SAVED, error)
        else:
            on_done(Outcome.COPIED, reason)


class _Once:
    """Passes on the first outcome it is told, and no other."""

    def __init__(self, on_done: OnDelivered) -> None:
        self._on_done = on_done
        self._was_told = False

    def __call__(self, outcome: Outcome, reason: AppError | None) -> None:
        if not self._was_told:
            self._was_told = True
            self._on_done(outcome, reason)


def _told(outcome: InsertOutcome) -> tuple[Outcome, AppError | None]:
    if outcome.was_inserted:
        return Outcome.INSERTED, outcome.reason
    if outcome.way is Way.CLIPBOARD:
        return Outcome.COPIED, outcome.reason
    return Outcome.SAVED, outcome.reason
