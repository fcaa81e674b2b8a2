"""What was said: words in segments in a transcript.

Times are seconds from the start of the recording. A segment never changes in place: an edit makes a
new one.
"""

from dataclasses import dataclass


@dataclass(slots=True, unsafe_hash=True)
class Word:
    """One word with its place in the recording; never changed once it is made.

    It is not `frozen` only because making a frozen one takes three times as long, and an edit of a
    whole transcript makes twenty thousand.

    `probability` is how probable it is that it is right (0…1); a person's word has 1. Whisper's is
    calibrated (`core/confidence`), Voxtral's is what the model says.
    """

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text with start and end.

    `words` is empty when the model gives no word times. `confidence` is the mean probability of its
    tokens (0…1), `None` when unknown. `raw` is what the model wrote where cleaning changed it.
    """

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    speaker: str | None = None
    raw: str | None = None

    def shifted(self, by_s: float) -> "Segment":
        """Return the segment moved by `by_s` seconds, words included."""
        words = tuple(
            Word(word.text, word.start_s + by_s, word.end_s + by_s, word.probability)
            for word in self.words
        )
        start_s, end_s = self.start_s + by_s, self.end_s + by_s
        return Segment(  # `replace` takes three times as long, which counts for a whole transcript
            start_s, end_s, self.text, words, self.confidence, self.speaker, self.raw
        )


@dataclass(frozen=True, slots=True)
class Transcript:
    """Ordered segments, the language they are in and the model that wrote them."""

    segments: tuple[Segment, ...] = ()
    language: str | None = None
    model_id: str | None = None

    @property
    def text(self) -> str:
        """The segments' texts, one a line."""
        return "\n".join(segment.text for segment in self.segments)

    @property
    def duration_s(self) -> float:
        """Where the last segment ends; 0 when there is none."""
        return max((segment.end_s for segment in self.segments), default=0.0)
