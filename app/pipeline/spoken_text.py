"""From what was recognised to what is written: one text of many pieces, cleaned as one likes it.

The raw segments are kept as they are; this only makes the text that is inserted and copied.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.config.settings import Settings
from app.core.text import TextRules, clean
from app.core.transcript import Segment
from app.pipeline.digits import with_digits

_TITLE_LENGTH = 60
# Chinese, Japanese, Thai, Lao, Khmer, Burmese and their marks: written without blanks.
_NO_BLANKS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff65"
)
_BLANK_BETWEEN = re.compile(rf"(?<=[{_NO_BLANKS}]) (?=[{_NO_BLANKS}])")


def joined(pieces: Sequence[str]) -> str:
    """Return pieces of text as one, with blanks where the script has them."""
    text = " ".join(stripped for piece in pieces if (stripped := piece.strip()))
    return _BLANK_BETWEEN.sub("", text)


def rules_of(settings: Settings) -> TextRules:
    """Return what the person wants done to dictated text."""
    return TextRules(
        removes_fillers=settings.removes_fillers,
        spoken_commands=settings.spoken_commands,
        vocabulary=settings.vocabulary,
        replacements=_pairs(settings.replacements),
        snippets=_pairs(settings.snippets),
    )


def glossary_of(settings: Settings) -> str:
    """Return the vocabulary as the sentence a model is told beforehand."""
    terms = [term.strip() for term in settings.vocabulary if term.strip()]
    return ", ".join(terms) + "." if terms else ""


def written(
    segments: Sequence[Segment], language: str | None, settings: Settings, now: datetime
) -> str:
    """Return the text of `segments` as the person wants it written."""
    text = joined([segment.raw or segment.text for segment in segments])
    if settings.numbers_as_digits:
        text = with_digits(text, language)
    return clean(text, language, rules_of(settings), now)


def cleaned(segment: Segment, language: str | None, rules: TextRules, now: datetime) -> Segment:
    """Return `segment` as the library shows it; what the model wrote stays as its `raw`."""
    text = " ".join(clean(segment.text, language, rules, now).split())
    if not text or text == segment.text:
        return segment
    return replace(segment, text=text, raw=segment.text)


def title_of(text: str) -> str:
    """Return the first words of `text`, short enough for a list; empty when there are none."""
    line = " ".join(text.split())
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line[:_TITLE_LENGTH].rsplit(" ", 1)[0]
    return cut.rstrip(" ,;:-–") + "…"


def _pairs(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    halves = (line.partition("\t") for line in lines)
    return tuple((spoken, text) for spoken, tab, text in halves if tab and spoken.strip())
