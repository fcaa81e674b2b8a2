"""The words of the running take, as they come.

What was final stays; a partial is replaced whole. A partial that another one follows before its
final came is kept until that final replaces it, so that no word is ever seen to vanish.
"""

from dataclasses import dataclass, field

from app.core.events import PartialChanged, SegmentsFinal


@dataclass(slots=True)
class LiveWords:
    """Collects the words of one take.

    Attributes:
        take_id: whose words they are; those of other takes are not taken in.
    """

    take_id: str = ""
    _settled: dict[float, str] = field(default_factory=dict)  # by start; ends before the partial
    _open: dict[float, str] = field(default_factory=dict)  # seen, not final yet
    _partial: PartialChanged | None = None

    def begin(self, take_id: str) -> None:
        """Forget everything; listen to another take."""
        self.take_id = take_id
        self._settled.clear()
        self._open.clear()
        self._partial = None

    def take_partial(self, event: PartialChanged) -> bool:
        """Take in a new hypothesis; whether it is of this take."""
        if event.take_id != self.take_id:
            return False
        last = self._partial
        if last is not None and event.start_s > last.start_s:
            self._open[last.start_s] = _joined(last.committed, last.tail)
        self._partial = event
        return True

    def take_final(self, event: SegmentsFinal) -> bool:
        """Take in segments that will not change; whether they are of this take."""
        if event.job_id != self.take_id:
            return False
        for segment in event.segments:
            self._settled[segment.start_s] = " ".join(segment.text.split())
        self._open = {at: text for at, text in self._open.items() if at >= event.done_s}
        if self._partial is not None and self._partial.start_s < event.done_s:
            self._partial = None
        return True

    @property
    def committed(self) -> str:
        """The words that stay."""
        parts = [text for _at, text in sorted({**self._open, **self._settled}.items())]
        if self._partial is not None:
            parts.append(" ".join(self._partial.committed.split()))
        return _joined(*parts)

    @property
    def tail(self) -> str:
        """The words that may still change."""
        return " ".join(self._partial.tail.split()) if self._partial is not None else ""


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
