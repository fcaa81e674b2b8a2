"""The rules of insertion, without any system: which ways to try, what fits at the caret, and what
becomes of the clipboard.

The rule above all others: text is never inserted twice, and never lost. A way that may have worked
is not followed by another; where none worked, the text is on the clipboard and the person is told.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

QUIET_S = 0.2
"""So long after the last read the clipboard is given back."""
HOLD_S = 1.0
"""So long after the key it is kept at least where nobody says who read it: the first to read may be
a clipboard program, and a slow program in front would paste what was there before. Longer, and
whoever pastes something of their own right away gets the dictation once more."""
PASTE_TIMEOUT_S = 8.0
"""A program that has not read the clipboard by then will not do so."""


class Way(StrEnum):
    """How text came, or did not come, into the front app."""

    ACCESSIBILITY = "accessibility"
    PASTE = "paste"
    TYPED = "typed"
    CLIPBOARD = "clipboard"
    REFUSED = "refused"


class Field(Enum):
    """What kind of place has the focus, as far as can be known."""

    TEXT = auto()
    WEB = auto()
    SECURE = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Scene:
    """All that decides about an insertion.

    Attributes:
        field: what has the focus.
        is_trusted: the system lets Undertone act in other programs.
        is_input_secure: some program keeps the keyboard to itself.
        is_verifiable: the field's text can be read back through accessibility.
        preferred: the way the person has chosen, `None` for the best one.
        has_newline: the text has more than one line.
    """

    field: Field
    is_trusted: bool = True
    is_input_secure: bool = False
    is_verifiable: bool = False
    preferred: Way | None = None
    has_newline: bool = False


def ways_to_try(scene: Scene) -> tuple[Way, ...]:
    """Return the ways in order; the last one always succeeds.

    Accessibility is only tried where its effect can be read back: web views and Electron answer
    “done” and do nothing. Lines are never typed, since Return sends the message in a chat.
    """
    if scene.field is Field.SECURE:
        return (Way.REFUSED,)
    if not scene.is_trusted or scene.preferred is Way.CLIPBOARD:
        return (Way.CLIPBOARD,)
    if scene.is_input_secure and scene.field is Field.UNKNOWN:
        return (Way.CLIPBOARD,)
    ways = [Way.PASTE]
    if scene.field is Field.TEXT and scene.is_verifiable:
        ways.insert(0, Way.ACCESSIBILITY)
    if not scene.has_newline:
        ways.append(Way.TYPED)
    if scene.preferred in ways:
        ways.remove(scene.preferred)
        ways.insert(0, scene.preferred)
    return (*ways, Way.CLIPBOARD)


class PasteStep(Enum):
    """What to do with the clipboard now."""

    WAIT = auto()
    RESTORE = auto()
    LEAVE = auto()
    YIELD = auto()


class PasteWatch:
    """One paste, from the moment its key was sent; times are on the `time.monotonic` clock."""

    def __init__(
        self, sent_at_s: float, timeout_s: float = PASTE_TIMEOUT_S, hold_s: float = 0.0
    ) -> None:
        self._sent_at_s = sent_at_s
        self._timeout_s = timeout_s
        self._hold_s = hold_s
        self._read_at_s: float | None = None

    @property
    def was_read(self) -> bool:
        return self._read_at_s is not None

    def reader_seen(self, at_s: float) -> None:
        """Take in that the text was fetched; reads before the key are somebody else's."""
        if at_s >= self._sent_at_s:
            self._read_at_s = at_s

    def decide(self, now_s: float, is_ours: bool) -> PasteStep:
        """Return the next step.

        `YIELD` means that another program has copied something meanwhile: it wins, nothing is put
        back. `LEAVE` means that nobody fetched the text: it stays on the clipboard.
        """
        if not is_ours:
            return PasteStep.YIELD
        if self._read_at_s is not None:
            free_at_s = max(self._read_at_s + QUIET_S, self._sent_at_s + self._hold_s)
            return PasteStep.RESTORE if now_s >= free_at_s else PasteStep.WAIT
        is_late = now_s - self._sent_at_s >= self._timeout_s
        return PasteStep.LEAVE if is_late else PasteStep.WAIT


@dataclass(frozen=True, slots=True)
class CaretContext:
    """The text around the caret (or the selection that will be replaced)."""

    before: str
    after: str = ""


_OPENERS = frozenset("([{<“‘«„‚¿¡/\\@#$€£-–—_'\"=~`|*")
_CLOSERS = frozenset(",.;:!?…)]}>”’»%‰")
_SENTENCE_ENDS = frozenset(".!?…。！？")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that open a sentence and are no names: only these lose their capital mid-sentence.
_COMMON: dict[str, frozenset[str]] = {
    "en": _words(
        """a about after again all also although an and another any are as at be because been before
        both but by can could did do does each either every few finally first for from had has have
        he her here his how however if in instead is it it's its just last later let like many maybe
        me more most much my neither never next no nor not now of often on once one only or other
        our over perhaps please several she should since so some sometimes soon still such than that
        that's the their them then there there's therefore these they they're this those though
        through thus to today together tomorrow too under unless until up very was we we're well
        were what when where whether which while who whose why will with without would yes yesterday
        yet you you're your"""
    ),
    "de": _words(
        """aber alle allein alles als also am an andere auch auf aus bei beide bevor bis bitte da
        dabei dadurch dafür dagegen daher damit danach dann daran darauf darum das dass dein den
        denn der deren des deshalb dessen die dies diese dieser dieses doch dort du durch ein eine
        einem einen einer eines einige er erst es etwas euch falls für gegen gestern hat hatte heute
        hier hinter ich ihm ihn ihnen ihr ihre im immer in ist ja jede jeder jedes jedoch jetzt kann
        kein keine könnte man manche mehr mein meine mit morgen nach nachdem nein nicht nichts nie
        noch nun nur ob obwohl oder oft ohne schon sehr sein seine seit sich sie sind so sobald
        sogar solche sollte sondern sonst trotzdem über um und uns unser unter viel viele vielleicht
        vom von vor wann war warum was weil weiter welche wenn wer werden wie wieder wir wird wo
        wurde während zu zuerst zum zur zwischen"""
    ),
    "fr": _words(
        """à ainsi alors après au aucun aujourd'hui aussi autre aux avant avec beaucoup bien car ce
        cela ces cet cette chaque comme comment d'abord dans de demain depuis des donc du elle elles
        en encore enfin ensuite est et eux hier il ils j'ai je jusque la le les leur leurs lorsque
        lui ma mais malgré me même mes moi moins mon ne ni non nos notre nous on or ou où par parce
        pas pendant peut-être plus plusieurs pour pourquoi pourtant puis puisque quand que quel
        quelle quelque qui quoi sa sans se selon ses si son sont souvent sous sur ta tandis tant te
        tes toi ton toujours tous tout toute toutefois très tu un une vers voici voilà vos votre
        vous y"""
    ),
    "es": _words(
        """a además ahora al algo algunas algunos allí ante antes aquel aquí así aun aunque ayer
        bajo bien cada casi como cómo con contra cual cuando de del desde después donde durante e el
        él ella ellas ellos en entonces entre era es esa ese eso esta está este esto fue ha hacia
        han hasta hay hoy incluso la las le les lo los luego mañana más me mi mientras mis mucho
        muchos muy nada ni no nos nosotros nuestra nuestro nunca o otra otro para pero poco por
        porque primero pues que qué quien quizás se según ser si sí siempre sin sino sobre solo son
        su sus también tampoco tan tanto te todavía todo todos tras tu tú un una unas uno unos
        usted y ya yo"""
    ),
}


def fit_to_caret(text: str, context: CaretContext, language: str | None = None) -> str:
    """Return `text` with the spaces and the first letter that fit where it goes.

    Args:
        text: what was said.
        context: what stands around the caret.
        language: its code; decides which words may lose their capital.
    """
    text = text.strip(" ")
    if not text:
        return text
    text = _fit_first_letter(text, context.before, language)
    text = _fit_last_stop(text, context.after)
    if _needs_space(context.before, text):
        text = " " + text
    if _needs_space(text, context.after):
        text += " "
    return text


def _needs_space(before: str, after: str) -> bool:
    """Return whether a space belongs between two pieces of text."""
    if not before or not after:
        return False
    left, right = before[-1], after[0]
    if left.isspace() or right.isspace() or right in _CLOSERS or left in _OPENERS:
        return False
    return not (_joins_without_space(left) or _joins_without_space(right))


def _joins_without_space(character: str) -> bool:
    """Return whether the character's script is written without spaces (CJK, kana, Thai, …)."""
    code = ord(character)
    return (
        0x0E00 <= code <= 0x0EFF
        or 0x1000 <= code <= 0x109F
        or 0x1780 <= code <= 0x17FF
        or 0x3000 <= code <= 0x30FF
        or 0x31F0 <= code <= 0x31FF
        or 0x3400 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF00 <= code <= 0xFF60
        or 0x20000 <= code <= 0x3FFFF
    )


def _fit_first_letter(text: str, before: str, language: str | None) -> str:
    settled = before.rstrip(" \t")
    if settled.endswith(":"):
        return text
    is_new = not settled or settled.endswith("\n")
    if is_new or settled.rstrip("”’»\")'")[-1:] in _SENTENCE_ENDS:
        return text[0].upper() + text[1:]
    word = (text.split(maxsplit=1) or [""])[0].rstrip(",.;:!?…").replace("’", "'")
    known = _COMMON.get((language or "").split("-")[0].lower(), frozenset())
    if word != word.lower() and word.lower() in known:
        return text[0].lower() + text[1:]
    return text


def _fit_last_stop(text: str, after: str) -> str:
    """Drop the full stop of a phrase that lands in the middle of a sentence."""
    rest = after.lstrip(" ")
    goes_on = bool(rest) and (rest[0].islower() or rest[0] in ",;.!?…")
    phrase = text[:-1].rstrip(" ")
    if goes_on and phrase and text.endswith(".") and not phrase.endswith("."):
        return phrase
    return text
