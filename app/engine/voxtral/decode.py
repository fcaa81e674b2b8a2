"""Greedy decoding of several windows at once, one token of each a step.

All rows have the same prompt length, so no row is padded; a row that is done leaves the batch and
costs nothing more. A row ends by the model's own mark, by a loop, or by its budget, and says which.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from enum import Enum

import mlx.core as mx
import numpy as np

from app.engine.voxtral.guards import loop_period
from app.engine.voxtral.offline import Voxtral

_LOOK_EVERY = 8  # tokens between two looks for a loop


class End(Enum):
    """How a row ended."""

    SAID = "said"
    LOOPED = "looped"
    RAN_OUT = "ran out"


@dataclass(slots=True)
class Decoded:
    """What was decoded of one row, without the ending mark."""

    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    end: End = End.RAN_OUT


def decode_steps(
    network: Voxtral, prompt: mx.array, budgets: Sequence[int], ends: Sequence[int]
) -> Generator[None, None, list[Decoded]]:
    """Decode all rows, yielding after each layer of the prompt and after each token.

    Args:
        network: the model.
        prompt: (rows, length, width), the embedded prompts with their audio.
        budgets: how many tokens each row may have.
        ends: the marks that end a row.
    """
    language_model = network.language_model
    caches = language_model.caches()
    hidden = yield from language_model.prefill(prompt, caches)
    rows = [Decoded() for _ in budgets]
    active = list(range(len(rows)))
    tokens, log_probabilities = _choose(language_model.logits(hidden[:, -1]))
    while True:
        staying = []
        for place, row in enumerate(active):
            if _take(rows[row], int(tokens[place]), log_probabilities[place], budgets[row], ends):
                staying.append(place)
        if not staying:
            return rows
        if len(staying) < len(active):
            kept = mx.array(staying)
            for cache in caches:
                cache.keep(kept)
            active = [active[place] for place in staying]
        yield
        following = mx.array(tokens[staying])
        hidden = language_model.run(language_model.embed_tokens(following)[:, None], caches)
        tokens, log_probabilities = _choose(language_model.logits(hidden[:, -1]))
        mx.eval([array for cache in caches for array in cache.arrays])


def _choose(logits: mx.array) -> tuple[np.ndarray, np.ndarray]:
    """Return the likeliest token of each row and its log probability, evaluated."""
    logits = logits.astype(mx.float32)
    tokens = mx.argmax(logits, axis=-1)
    log_probabilities = mx.max(logits, axis=-1) - mx.logsumexp(logits, axis=-1)
    mx.eval(tokens, log_probabilities)
    return np.array(tokens), np.array(log_probabilities)


def _take(
    row: Decoded, token: int, log_probability: float, budget: int, ends: Sequence[int]
) -> bool:
    """Add `token` to `row`; return whether the row goes on."""
    if token in ends:
        row.end = End.SAID
        return False
    if len(row.tokens) >= budget:
        return False
    row.tokens.append(token)
    row.log_probabilities.append(float(log_probability))
    if len(row.tokens) % _LOOK_EVERY == 0 and loop_period(row.tokens):
        row.end = End.LOOPED
        return False
    return True
