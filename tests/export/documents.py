"""A document with something of everything, and random ones."""

from app.core.transcript import Segment, Transcript, Word
from app.export import ExportDocument

CREATED_AT = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


def timed(text: str, start_s: float, end_s: float, speaker: str | None = None) -> Segment:
    """Return a segment whose words share its time evenly."""
    texts = text.split()
    step = (end_s - start_s) / max(1, len(texts))
    words = tuple(
        Word(word, start_s + place * step, start_s + (place + 1) * step, 0.5)
        for place, word in enumerate(texts)
    )
    return Segment(start_s, end_s, text, words, 0.875, speaker)


ARROWS = "Arrow -->\n\n2\n00:00:01,000 --> 00:00:02,000\nfake"
LONG = (
    "This is a rather long sentence, as people say them when nobody stops them. It goes on, and "
    "on, until at last it is more than two lines of a subtitle can hold, and then it ends."
)

GOLDEN = ExportDocument(
    title="Bud*get* <b>Q&A</b> #1",
    created_at=CREATED_AT,
    duration_s=3_725.5,
    transcript=Transcript(
        (
            timed("Hello & <welcome> to everyone.", 0.0, 2.5, "Ann"),
            timed(LONG, 2.5, 14.125, "Ann"),
            Segment(15.0, 16.0, "  "),
            Segment(16.25, 19.0, ARROWS, (), 0.5, "Bob"),
            Segment(19.0, 19.0, "_under_ `code` [link](http://x) ![i](y) 1. * # C#\x07"),
            Segment(20.0, 24.0, "明日の会議は東京駅で行いますので、" * 3),
            Segment(3_700.0, 3_702.0, "مرحبا بالعالم"),
        ),
        language="en",
        model_id="nano",
    ),
    source="budget.mp4",
)  # fmt: skip
