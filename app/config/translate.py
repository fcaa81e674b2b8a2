"""The one way a text for people is translated, with or without Qt.

Source strings are English. Compiled catalogues lie in `resources/locale/<language>/LC_MESSAGES`; a
text without a translation is shown as it is.
"""

import gettext
import locale

from app.config.paths import resources
from app.core.errors import Phrase

_DOMAIN = "undertone"
_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def use_language(language: str | None = None) -> None:
    """Translate into `language` from now on; `None` follows the system."""
    global _catalogue  # one language a process, set once at its start
    chosen = language or (locale.getlocale()[0] or "en")
    _catalogue = gettext.translation(
        _DOMAIN, resources() / "locale", languages=[chosen], fallback=True
    )


def tr(source: str, **args: object) -> str:
    """Return `source` in the person's language, its `{placeholders}` filled from `args`."""
    text = _catalogue.gettext(source)
    return text.format(**args) if args else text


def tr_plural(one: str, many: str, count: int, **args: object) -> str:
    """Return `one` or `many` by `count` in the person's language; `{count}` is filled too."""
    return _catalogue.ngettext(one, many, count).format(count=count, **args)


def tr_phrase(phrase: Phrase) -> str:
    """Return an error's message or hint in the person's language."""
    return tr(phrase.source, **phrase.args)
