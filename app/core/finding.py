"""What an examination found: one fault, or one thing worth knowing, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import Phrase


class Severity(StrEnum):
    """How much a finding matters."""

    NOTE = "note"  # worth knowing; nothing is broken
    WARNING = "warning"  # works now, may not later
    ERROR = "error"  # something does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `kind` is a stable name for programs."""

    kind: str
    severity: Severity
    message: Phrase
    hint: Phrase
