"""Decoding whole batches of pictures in one call, for tests."""

from app.engine.whisper.beam import BeamSearch
from app.engine.whisper.decode import Decoded, Rows
from app.engine.whisper.rules import Rules
from app.engine.whisper.transcription import Loaded
from tests.engine.whisper.random_model import Array, encode
from tests.engine.whisper.speech import drive


def full_prompt(
    loaded: Loaded, prompt: tuple[int, ...], *, timestamps: bool, translate: bool = False
) -> tuple[int, ...]:
    """Return all tokens before the first sampled one."""
    tokens = loaded.tokens
    start = tokens.start("en", translate=translate, timestamps=timestamps)
    return (tokens.sot_prev, *prompt, *start) if prompt else start


def decode(
    loaded: Loaded,
    mels: Array,
    prompt: tuple[int, ...],
    *,
    batch: int,
    timestamps: bool,
    translate: bool = False,
) -> list[Decoded]:
    """Decode all pictures through `batch` rows, replacing rows as they finish."""
    rules = Rules(loaded.tokens, loaded.model.dimensions, timestamps=timestamps)
    full = full_prompt(loaded, prompt, timestamps=timestamps, translate=translate)
    rows = Rows(loaded.model, rules, loaded.tokens.sot, batch, len(full))
    waiting = list(range(len(mels)))
    at_row: dict[int, int] = {}
    results: dict[int, Decoded] = {}
    while len(results) < len(mels):
        while waiting and (at := rows.free()) is not None:
            at_row[at] = waiting.pop(0)
            rows.hear(at, loaded.model.decoder.cross(encode(loaded, mels[at_row[at]])))
            rows.start(at, full)
        for at, decoded in rows.advance(5):
            results[at_row[at]] = decoded
            rows.release(at)
    return [results[index] for index in range(len(mels))]


def decode_with_beams(
    loaded: Loaded, mel: Array, *, size: int, patience: float, timestamps: bool
) -> Decoded:
    """Decode one picture with beam search."""
    rules = Rules(loaded.tokens, loaded.model.dimensions, timestamps=timestamps)
    cross = loaded.model.decoder.cross(encode(loaded, mel))
    prompt = full_prompt(loaded, (), timestamps=timestamps)
    search = BeamSearch(loaded.model, rules, cross, prompt, size, patience)
    return drive(search.steps(loaded.tokens.sot))
