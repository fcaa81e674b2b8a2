"""The glossary in the prompt, and keeping it out of the text.

A prompt is a hint that Whisper may also read aloud where there is nothing to hear: what is only the
glossary again is not speech.
"""

import re
from collections.abc import Callable

_MOST_TOKENS = 100
_LEAST_LEAKED_WORDS = 4


def glossary_prompt(glossary: str, encode: Callable[[str], list[int]]) -> tuple[int, ...]:
    """Return the tokens of `glossary`, whole terms only, at most 100 of them, as one sentence."""
    sentence = " ".join(glossary.split())
    if not sentence:
        return ()
    tokens = encode(" " + sentence)
    if len(tokens) <= _MOST_TOKENS:
        return tuple(tokens)
    terms = re.split(r"(?<=[,;])\s+|\s+" if "," not in sentence else r"(?<=[,;])\s+", sentence)
    kept: list[int] = []
    for count in range(1, len(terms) + 1):
        shorter = " ".join(terms[:count]).rstrip(" ,;.") + "."
        tokens = encode(" " + shorter)
        if len(tokens) > _MOST_TOKENS:
            break
        kept = tokens
    return tuple(kept)


def is_leaked(text: str, glossary: str) -> bool:
    """Whether `text` is nothing but the glossary, or a long run of it, once or repeated."""
    said, given = _words(text), _words(glossary)
    if not said or not given:
        return False
    run = min(len(given), max(_LEAST_LEAKED_WORDS, (len(given) + 1) // 2))
    if len(said) < run:
        return False
    twice = given + given
    for start in range(len(given)):
        if all(word == twice[(start + at) % len(given)] for at, word in enumerate(said)):
            return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
