"""Spoken numbers as digits: "twenty-three" becomes 23, by the library text2num.

Only in languages the library knows; everything else is as it was.
"""

LANGUAGES = frozenset({"en", "de", "fr", "es", "it", "nl", "pt", "da"})


def with_digits(text: str, language: str | None) -> str:
    """Return `text` with its numbers as digits; unchanged when the language is not known."""
    if language not in LANGUAGES or not text.strip():
        return text
    import text_to_num

    try:
        converted: str = text_to_num.alpha2digit(text, language)
    except ValueError:  # a number it begins to read and cannot finish
        return text
    return converted
