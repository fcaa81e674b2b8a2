"""What is done to dictated text after recognition: fillers, vocabulary, replacements, snippets.

Every step is a pure function of text and rules; the raw text is kept by whoever calls. A step that
depends on a language does nothing when the language is unknown.
"""

import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.agreement import normal_form
from app.core.spoken import apply_commands

# Sounds that mean nothing. A sound that is a word in its language ("er" in German) is not here.
FILLERS: Mapping[str, frozenset[str]] = {
    "en": frozenset({"um", "umm", "uh", "uhh", "uhm", "erm", "er", "hmm", "mhm"}),
    "de": frozenset({"äh", "ähm", "öh", "öhm", "hm", "hmm", "mhm"}),
    "fr": frozenset({"euh", "heu", "hum", "hmm"}),
    "es": frozenset({"eh", "ehm", "em", "hmm", "mmm"}),
}

_LONGEST_TERM_WORDS = 4
_SHORTEST_FUZZY = 5  # letters; shorter terms must match exactly
_ALIKE = 0.82  # difflib ratio from which a misheard word counts as the term
_WORD = re.compile(r"\w+(?:['’.-]\w+)*")


@dataclass(frozen=True, slots=True)
class TextRules:
    """What a person wants done to dictated text.

    Attributes:
        removes_fillers: whether "um" and its like go.
        spoken_commands: whether "new line" and its like are carried out.
        vocabulary: names and terms in their right spelling.
        replacements: (heard, written) pairs, whole words, case ignored.
        snippets: (spoken, text) pairs; `{{date}}` and `{{time}}` in the text are filled in.
    """

    removes_fillers: bool = True
    spoken_commands: bool = True
    vocabulary: tuple[str, ...] = ()
    replacements: tuple[tuple[str, str], ...] = ()
    snippets: tuple[tuple[str, str], ...] = ()


def clean(text: str, language: str | None, rules: TextRules, now: datetime) -> str:
    """Return `text` as the person wants it written."""
    if rules.removes_fillers:
        text = remove_fillers(text, language)
    text = apply_vocabulary(text, rules.vocabulary)
    text = apply_replacements(text, rules.replacements)
    text = apply_snippets(text, rules.snippets, now)
    if rules.spoken_commands and language:
        text = apply_commands(text, language)
    return text


def remove_fillers(text: str, language: str | None) -> str:
    """Return `text` without the fillers of `language`; unchanged when it is unknown."""
    fillers = FILLERS.get(language or "")
    if not fillers:
        return text
    sounds = "|".join(sorted(fillers, key=len, reverse=True))
    filler = re.compile(rf"(?<![\w'’-])(?:{sounds})(?![\w'’-])[,.…]*", re.IGNORECASE)
    if not filler.search(text):
        return text
    starts_capital = text.lstrip()[:1].isupper()
    kept = filler.sub("", text)
    kept = re.sub(r"(,\s*)+,", ",", re.sub(r"\s+([,.;:!?])", r"\1", kept))
    kept = re.sub(r"[ \t]{2,}", " ", kept).strip().lstrip(",.… ")
    return kept[:1].upper() + kept[1:] if starts_capital else kept


def apply_replacements(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Return `text` with each whole-word `heard` replaced; longer ones go first, once each."""
    spoken = _longest_first(pairs)
    if not spoken:
        return text
    pattern = re.compile(_phrases(spoken), re.IGNORECASE)
    return pattern.sub(lambda match: _written(match, spoken), text)


def apply_snippets(text: str, pairs: Sequence[tuple[str, str]], now: datetime) -> str:
    """Return `text` with each spoken trigger, and marks the model set behind it, expanded."""
    spoken = _longest_first(pairs)
    if not spoken:
        return text

    def expand(match: "re.Match[str]") -> str:
        written = _written(match, spoken).replace("{{date}}", now.strftime("%x"))
        return written.replace("{{time}}", now.strftime("%H:%M"))

    pattern = re.compile(rf"{_phrases(spoken)}[.,]?", re.IGNORECASE)
    return pattern.sub(expand, text)


def apply_vocabulary(text: str, terms: Sequence[str]) -> str:
    """Return `text` with words that sound like a term written as the term is.

    Terms may have any characters. A run of up to four words is compared with each term by its
    letters and digits alone; short terms must match exactly, so a bad list cannot ruin a text.
    """
    wanted = {normal_form(term): term for term in terms if normal_form(term)}
    if not wanted:
        return text
    words = list(_WORD.finditer(text))
    pieces: list[str] = []
    position = i = 0
    while i < len(words):
        found = _best_term(text, words[i : i + _LONGEST_TERM_WORDS], wanted)
        if found is None:
            i += 1
            continue
        term, n_words = found
        pieces += [text[position : words[i].start()], term]
        position = words[i + n_words - 1].end()
        i += n_words
    return "".join([*pieces, text[position:]])


def _best_term(
    text: str, words: "Sequence[re.Match[str]]", wanted: Mapping[str, str]
) -> tuple[str, int] | None:
    """Return the term that a run of `words` from the first on is, and the run's length."""
    for n in range(len(words), 0, -1):
        if any(text[a.end() : b.start()].strip(" -") for a, b in itertools.pairwise(words[:n])):
            continue  # a mark between them: not one name
        heard = normal_form(text[words[0].start() : words[n - 1].end()])
        if heard in wanted:
            return wanted[heard], n
        for form, term in wanted.items():
            if len(term.split()) == n and _is_misheard(heard, form):
                return term, n
    return None


def _is_misheard(heard: str, form: str) -> bool:
    if len(form) < _SHORTEST_FUZZY or heard[:1] != form[:1] or abs(len(heard) - len(form)) > 2:
        return False
    return difflib.SequenceMatcher(None, heard, form).ratio() >= _ALIKE


def _longest_first(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs whose phrase is not empty; of two with the same one, the later."""
    kept = {_spoken_form(spoken): (spoken, written) for spoken, written in pairs if spoken.strip()}
    return sorted(kept.values(), key=lambda pair: len(pair[0]), reverse=True)


def _spoken_form(phrase: str) -> str:
    return " ".join(phrase.casefold().replace("’", "'").split())


def _phrases(pairs: Sequence[tuple[str, str]]) -> str:
    """Return a pattern with one group a pair: the one that matched says which pair it is.

    Looking the matched text up would not: "İ" is an "i" to `re.IGNORECASE` but not to `casefold`.
    """
    alternatives = "|".join(
        "(" + r"\s+".join(_either_apostrophe(word) for word in spoken.split()) + ")"
        for spoken, _written in pairs
    )
    return rf"(?<!\w)(?:{alternatives})(?!\w)"


def _either_apostrophe(word: str) -> str:
    return re.escape(word.replace("’", "'")).replace("'", "['’]")


def _written(match: "re.Match[str]", pairs: Sequence[tuple[str, str]]) -> str:
    return pairs[(match.lastindex or 1) - 1][1]
