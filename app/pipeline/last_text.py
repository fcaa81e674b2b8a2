"""The last text once more: copied, inserted again, or its insertion taken back."""

from collections.abc import Callable

from app.core.errors import AppError
from app.core.events import Event, Failed
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.macos.insert import Inserter, InsertOutcome
from app.pipeline.spoken_text import joined


class LastText:
    """What was said last, in this session or before. Thread: main.

    Args:
        inserter: puts text where the caret is.
        reader: knows what was said before this session.
        emit: is told what did not work.
    """

    def __init__(
        self, inserter: Inserter, reader: LibraryReader, emit: Callable[[Event], None]
    ) -> None:
        self._inserter = inserter
        self._reader = reader
        self._emit = emit
        self._text = ""

    def remember(self, text: str) -> None:
        """Take `text` for the last one."""
        self._text = text

    def copy(self) -> None:
        """Put it on the clipboard."""
        text = self._find()
        if text:
            self._try(lambda: self._inserter.copy(text))

    def paste(self) -> None:
        """Insert it into the front app again."""
        text = self._find()
        if text:
            self._try(lambda: self._inserter.insert(text, self._on_pasted))

    def undo_insertion(self) -> None:
        """Take the last insertion back."""
        self._try(lambda: self._inserter.undo_last(self._on_undone))

    def _find(self) -> str:
        if self._text:
            return self._text
        try:
            newest = self._reader.recordings(ListQuery(), 0, 1)
            if not newest:
                return ""
            found = self._reader.transcript(newest[0].recording_id)
        except AppError as error:
            self._emit(Failed(error))
            return ""
        return joined([segment.text for segment in found.segments])

    def _on_pasted(self, outcome: InsertOutcome) -> None:
        if outcome.reason is not None:
            self._emit(Failed(outcome.reason))

    def _on_undone(self, reason: AppError | None) -> None:
        if reason is not None:
            self._emit(Failed(reason))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except AppError as error:
            self._emit(Failed(error))
