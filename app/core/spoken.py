"""Spoken punctuation and commands: "new line", "full stop" and their like, in four languages.

A phrase that means nothing else is always a command. A word that is also an everyday word
("period", "Punkt") is one only where the model heard a pause around it, that is, beside a mark it
wrote itself or at the end of what was said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_PAUSE = ".,;:!?…"


@dataclass(frozen=True, slots=True)
class Command:
    """What is written instead of a spoken phrase.

    Attributes:
        text: the mark, or line breaks.
        glues_left: no blank between the word before and `text`.
        glues_right: no blank between `text` and the word after.
        ends_sentence: the next word begins with a capital.
        is_everyday_word: the phrase is an ordinary word too.
    """

    text: str
    glues_left: bool = True
    glues_right: bool = False
    ends_sentence: bool = False
    is_everyday_word: bool = False


_STOP = Command(".", ends_sentence=True)
_QUESTION = Command("?", ends_sentence=True)
_EXCLAMATION = Command("!", ends_sentence=True)
_COMMA, _COLON, _SEMICOLON = Command(","), Command(":"), Command(";")
_DASH = Command("–", glues_left=False)
_ELLIPSIS = Command("…")
_LINE = Command("\n", glues_right=True, ends_sentence=True)
_PARAGRAPH = Command("\n\n", glues_right=True, ends_sentence=True)
_OPEN, _CLOSE = Command("(", glues_left=False, glues_right=True), Command(")")


def _everyday(command: Command) -> Command:
    return Command(
        command.text,
        command.glues_left,
        command.glues_right,
        command.ends_sentence,
        is_everyday_word=True,
    )


def _quotes(left: str, right: str) -> tuple[Command, Command]:
    return Command(left, glues_left=False, glues_right=True), Command(right)


_EN_OPEN, _EN_CLOSE = _quotes("“", "”")
_DE_OPEN, _DE_CLOSE = _quotes("„", "“")
_FR_OPEN, _FR_CLOSE = _quotes("« ", " »")
_ES_OPEN, _ES_CLOSE = _quotes("«", "»")

COMMANDS: Mapping[str, Mapping[str, Command]] = {
    "en": {
        "new line": _LINE, "new paragraph": _PARAGRAPH, "full stop": _STOP,
        "period": _everyday(_STOP), "comma": _everyday(_COMMA), "colon": _everyday(_COLON),
        "semicolon": _SEMICOLON, "question mark": _QUESTION, "exclamation mark": _EXCLAMATION,
        "exclamation point": _EXCLAMATION, "dash": _everyday(_DASH), "ellipsis": _ELLIPSIS,
        "open quote": _EN_OPEN, "close quote": _EN_CLOSE, "open bracket": _OPEN,
        "close bracket": _CLOSE, "open parenthesis": _OPEN, "close parenthesis": _CLOSE,
    },
    "de": {
        "neue zeile": _LINE, "neuer absatz": _PARAGRAPH, "punkt": _everyday(_STOP),
        "komma": _everyday(_COMMA), "doppelpunkt": _COLON, "semikolon": _SEMICOLON,
        "strichpunkt": _SEMICOLON, "fragezeichen": _QUESTION, "ausrufezeichen": _EXCLAMATION,
        "gedankenstrich": _DASH, "anführungszeichen auf": _DE_OPEN,
        "anführungszeichen zu": _DE_CLOSE, "klammer auf": _OPEN, "klammer zu": _CLOSE,
    },
    "fr": {
        "à la ligne": _LINE, "nouvelle ligne": _LINE, "nouveau paragraphe": _PARAGRAPH,
        "point final": _STOP, "point": _everyday(_STOP), "virgule": _everyday(_COMMA),
        "deux points": _everyday(Command(" :")), "point virgule": Command(" ;"),
        "point d'interrogation": Command(" ?", ends_sentence=True),
        "point d'exclamation": Command(" !", ends_sentence=True), "tiret": _everyday(_DASH),
        "points de suspension": _ELLIPSIS, "ouvrez les guillemets": _FR_OPEN,
        "fermez les guillemets": _FR_CLOSE, "ouvrez la parenthèse": _OPEN,
        "fermez la parenthèse": _CLOSE,
    },
    "es": {
        "nueva línea": _LINE, "nuevo párrafo": _PARAGRAPH, "punto y aparte": Command(
            ".\n\n", glues_right=True, ends_sentence=True
        ),
        "punto y seguido": _STOP, "punto final": _STOP, "punto": _everyday(_STOP),
        "coma": _everyday(_COMMA), "dos puntos": _everyday(_COLON), "punto y coma": _SEMICOLON,
        "signo de interrogación": _QUESTION, "signo de exclamación": _EXCLAMATION,
        "guion": _everyday(_DASH), "puntos suspensivos": _ELLIPSIS, "abrir comillas": _ES_OPEN,
        "cerrar comillas": _ES_CLOSE, "abrir paréntesis": _OPEN, "cerrar paréntesis": _CLOSE,
    },
}  # fmt: skip


def apply_commands(text: str, language: str) -> str:
    """Return `text` with spoken commands of `language` carried out; other languages are left."""
    if language not in COMMANDS:
        return text
    commands, pattern = _commands(language)
    written = ""
    position = 0
    capital = False
    for match in pattern.finditer(text):
        command = commands[(match.lastindex or 1) - 1]
        if command.is_everyday_word and not _has_pause(match, text):
            continue
        before = text[position : match.start()]
        written = _join(written, before, capital)
        weaker = "," if command.text.startswith("\n") else _PAUSE  # marks this one replaces
        written = written.rstrip(" " + weaker) if command.glues_left else written.rstrip() + " "
        written = (written.lstrip() if not written.strip() else written) + command.text
        position = match.end()
        capital = command.ends_sentence
        if not command.glues_right:
            written += " "
    return _join(written, text[position:], capital).strip(" ")


def _join(written: str, part: str, capital: bool) -> str:
    part = part.lstrip(" ") if not written or written[-1] in " \n(“„«" else part
    if capital and part:
        part = part[0].upper() + part[1:]
    return written + part


def _has_pause(match: "re.Match[str]", text: str) -> bool:
    before = text[: match.start()].rstrip()
    after = text[match.end() :]
    marked = match.end(match.lastindex or 0) < match.end() or before[-1:] in tuple(_PAUSE)
    return marked or not after.strip()


@lru_cache(maxsize=8)
def _commands(language: str) -> tuple[list[Command], "re.Pattern[str]"]:
    """Return the commands and a pattern with one group for each; its marks stand behind it.

    The group that matched says which command it is. Looking the matched text up would not: "İ" is
    an "i" to `re.IGNORECASE` but not to `casefold`.
    """
    phrases = sorted(COMMANDS[language], key=len, reverse=True)
    spoken = "|".join(
        "("
        + r"[\s,.-]+".join(re.escape(word).replace("'", "['’]") for word in phrase.split())
        + ")"
        for phrase in phrases
    )
    pattern = re.compile(rf"(?<!\w)(?:{spoken})(?!\w)[{_PAUSE}]*", re.IGNORECASE)
    return [COMMANDS[language][phrase] for phrase in phrases], pattern
