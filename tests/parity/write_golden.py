"""Write what openai-whisper says of the tiny random models, for the everyday tests.

Run inside the parity environment: `python -m tests.parity.write_golden`.
"""

import json
from pathlib import Path
from typing import Any

import whisper

from tests.engine.whisper import random_model as tiny
from tests.parity.whisper_oracle import for_oracle, random_oracle

TARGET = Path(__file__).resolve().parents[1] / "data" / "parity" / "whisper.json"
CASES = (("small", 0), ("small", 1), ("english", 2), ("turbo", 3))
PROMPT = (1044, 2368, 11, 7215)
TEXT = ' And so, my fellow (quiet) Americans: ask "not" what – Öl, naïve.'


def entry(result: Any) -> dict[str, Any]:
    return {
        "tokens": result.tokens,
        "average_log_probability": round(result.avg_logprob, 6),
        "no_speech_probability": result.no_speech_prob,
    }


def case(name: str, seed: int) -> dict[str, Any]:
    shape = tiny.SHAPES[name]
    reference = random_oracle(seed, shape)
    mels = for_oracle(tiny.random_mels(seed, 2, shape))
    found: dict[str, Any] = {"shape": name, "seed": seed, "prompt": PROMPT, "text": TEXT}
    for timestamps in (True, False):
        for label, extra in (
            ("greedy", {}),
            ("prompted", {"prompt": list(PROMPT)}),
            ("beams", {"beam_size": 3, "patience": 2.0}),
        ):
            options = whisper.DecodingOptions(
                language="en", without_timestamps=not timestamps, fp16=False, **extra
            )
            # One at a time: the reference's beam search fails on two.
            results = [whisper.decode(reference, mel, options) for mel in mels]
            found[f"{label}-{timestamps}"] = [entry(result) for result in results]
    if reference.is_multilingual:
        _, languages = whisper.detect_language(reference, mels)
        found["languages"] = [
            dict(sorted(one.items(), key=lambda item: -item[1])[:5]) for one in languages
        ]
    tokenizer = whisper.tokenizer.get_tokenizer(
        reference.is_multilingual, num_languages=reference.num_languages, language="en"
    )
    text = tokenizer.encode(TEXT)
    timings = whisper.timing.find_alignment(reference, tokenizer, text, mels[0], 151)
    found["words"] = [
        [one.word, float(one.start), float(one.end), round(float(one.probability), 7)]
        for one in timings
    ]
    return found


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    cases = [case(name, seed) for name, seed in CASES]
    lines = ",\n".join(json.dumps(one) for one in cases)
    TARGET.write_text(f"[\n{lines}\n]\n")
