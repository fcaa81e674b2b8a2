"""What Voxtral is asked with, as tokens.

2507: `<s>[INST][BEGIN_AUDIO][AUDIO]…[/INST]lang:xx[TRANSCRIBE]`; without `lang:xx` it finds the
language itself. Realtime: `<s>` and one pad for each slot of left silence and of the delay.
The numbers are the published models'; a tokenizer that names other ones wins.
Source: mistral-common `instruct.py`, `audio.py` (Apache-2.0).
"""

from dataclasses import dataclass

from app.engine.voxtral.tekken import Tekken

SLOT_MS = 80
_LONG_DELAYS = (15, 30)  # of delays above 1.2 s only 2.4 s was trained (the model's card)
_LONGEST_WORD_SLOTS = 10  # a word is written when it is over: room for a long one at the end


@dataclass(frozen=True, slots=True)
class Marks:
    """The tokens that are no text."""

    begin: int
    end: int
    instruction: int
    end_instruction: int
    begin_audio: int
    audio: int
    transcribe: int
    pad: int
    word: int
    ends: tuple[int, ...]


def marks_of(tekken: Tekken) -> Marks:
    """Return the marks of a tokenizer."""
    end, padding = tekken.mark("</s>", 2), tekken.mark("<pad>", 11)
    end_instruction = tekken.mark("[/INST]", 4)
    return Marks(
        begin=tekken.mark("<s>", 1),
        end=end,
        instruction=tekken.mark("[INST]", 3),
        end_instruction=end_instruction,
        begin_audio=tekken.mark("[BEGIN_AUDIO]", 25),
        audio=tekken.mark("[AUDIO]", 24),
        transcribe=tekken.mark("[TRANSCRIBE]", 34),
        pad=tekken.mark("[STREAMING_PAD]", 32),
        word=tekken.mark("[STREAMING_WORD]", 33),
        ends=(end, end_instruction, padding),
    )


def transcription_prompt(tekken: Tekken, audio_tokens: int, language: str | None) -> list[int]:
    """Return 2507's prompt for one window, in `language` or in whatever is spoken."""
    marks = marks_of(tekken)
    spoken = tekken.encode(f"lang:{language}") if language else []
    return [
        *(marks.begin, marks.instruction, marks.begin_audio),
        *([marks.audio] * audio_tokens),
        *(marks.end_instruction, *spoken, marks.transcribe),
    ]


@dataclass(frozen=True, slots=True)
class Pacing:
    """How the realtime model's text follows its sound, in slots."""

    left_silence: int
    delay: int

    @property
    def prompt_length(self) -> int:
        """Slots that are heard before the first token is written."""
        return 1 + self.left_silence + self.delay

    @property
    def right_silence(self) -> int:
        """Slots of silence after the sound, in which the last words are written."""
        return self.delay + 1 + _LONGEST_WORD_SLOTS

    def prompt(self, marks: Marks) -> list[int]:
        return [marks.begin] + [marks.pad] * (self.left_silence + self.delay)


def pacing_of(tekken: Tekken, delay_ms: int | None) -> Pacing:
    """Return the pacing for a delay of 80…2400 ms; `None` is what the model comes with."""
    wanted_ms = float(delay_ms or tekken.audio.get("transcription_delay_ms") or 480)
    delay = max(round(wanted_ms / SLOT_MS), 1)
    if delay > _LONG_DELAYS[0]:
        delay = min(_LONG_DELAYS, key=lambda known: abs(known - delay))
    silence = tekken.audio.get("streaming_n_left_pad_tokens")
    return Pacing(32 if silence is None else int(silence), delay)
