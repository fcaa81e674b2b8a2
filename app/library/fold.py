"""Text to the tokens it can be found by.

List, transcript and search index all use this one function, so what is found is also highlighted.
Folded away: case, accents, width, ligatures, the difference of NFC and NFD, Arabic and Hebrew
vowel points, invisible characters. Scripts written without blanks are split into characters.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_ASCII_WORD = re.compile(r"[0-9a-z]+")
_MAX_TOKEN = 128  # characters; longer runs are no words and would only grow the index

# Letters Unicode does not decompose, as people without that keyboard type them.
_SAME = {
    "ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th",
    "ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه", "ـ": "",
}  # fmt: skip

# Written without blanks between words: kana, Han, Hangul, Thai, Lao, Khmer, Burmese.
_SPLIT_RANGES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007),
    (0x3040, 0x30FF), (0x3131, 0x318E), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA960, 0xA97C), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
_JOINS_BEFORE = re.compile("[\u1160-\u11ff\uff9e\uff9f\u3099\u309a]")  # vowel, final, voicing


@dataclass(frozen=True, slots=True)
class Token:
    """A folded piece of text and where it stands in the original, `[start, end)`.

    `is_split` marks a single character of a script without blanks.
    """

    text: str
    start: int
    end: int
    is_split: bool = False


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` in order."""
    if text.isascii():
        return [
            Token(found[0][:_MAX_TOKEN], found.start(), found.end())
            for found in _ASCII_WORD.finditer(text.lower())
        ]
    found_tokens: list[Token] = []
    word: list[str] = []
    word_start = word_end = 0

    def finish() -> None:
        if word:
            found_tokens.append(Token("".join(word)[:_MAX_TOKEN], word_start, word_end))
            word.clear()

    for start, end in _clusters(text):
        for character in _fold(text[start:end]):
            role = _role(character)
            if role == "word":
                if not word:
                    word_start = start
                word.append(character)
                word_end = end
                continue
            finish()
            if role == "split":
                found_tokens.append(Token(character, start, end, is_split=True))
    finish()
    return found_tokens


def folded(text: str) -> str:
    """Return the tokens of `text` with a blank between; one line, whatever `text` holds."""
    return " ".join(token.text for token in tokens(text))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Return where each character stands together with the marks that belong to it."""
    starts = [
        index
        for index, character in enumerate(text)
        if index == 0 or not _belongs_to_the_one_before(character)
    ]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


@lru_cache(maxsize=65_536)
def _belongs_to_the_one_before(character: str) -> bool:
    return unicodedata.combining(character) != 0 or bool(_JOINS_BEFORE.match(character))


@lru_cache(maxsize=65_536)
def _fold(cluster: str) -> str:
    if len(cluster) == 1 and cluster.isascii():
        return cluster.lower()
    text = unicodedata.normalize("NFKD", cluster).casefold()
    text = unicodedata.normalize("NFKD", text)
    kept = "".join(_SAME.get(character, character) for character in text if not _fades(character))
    return unicodedata.normalize("NFC", kept)


def _fades(character: str) -> bool:
    """Whether a mark or invisible character makes no difference to a search.

    Accents and vowel points go; the vowel signs of Indic and South-East Asian scripts are letters
    to their readers and stay.
    """
    weight = unicodedata.combining(character)
    if weight >= 200 or weight == 1 or 10 <= weight <= 36:
        return True
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


@lru_cache(maxsize=65_536)
def _role(character: str) -> str:
    """Return `word`, `split` (a token by itself) or `gap`."""
    if character.isascii():
        return "word" if character.isalnum() else "gap"
    point = ord(character)
    category = unicodedata.category(character)
    if category[0] not in "LNMS" and category != "Co":
        return "gap"
    if category[0] == "S" or any(low <= point <= high for low, high in _SPLIT_RANGES):
        return "split"
    return "word"
