"""Beam search over one window: slower than greedy, and a little more often right.

The beams share one window's sound and differ in their caches only. Candidates, ties and the final
ranking are the reference's, patience included.
Source: openai-whisper `decoding.py` (MIT), BeamSearchDecoder and MaximumLikelihoodRanker.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from time import perf_counter

import mlx.core as mx
import numpy as np

from app.engine.whisper.decode import Decoded
from app.engine.whisper.kernels import log_sum_exp
from app.engine.whisper.model import KeysValues, Whisper
from app.engine.whisper.rules import Past, Rules

_STEP_S = 0.045
_START = np.float32(0.0)


@dataclass(frozen=True, slots=True)
class _Beam:
    tokens: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    score: np.float32 = _START
    source: int = 0


class BeamSearch:
    """The search over one window. Thread: engine.

    Args:
        model: what decodes.
        rules: what may be written.
        cross: the window's sound, of one row.
        prompt: what comes before the first token.
        beam_size: how many beams are followed.
        patience: how many finished texts are waited for, in beams.
    """

    def __init__(
        self,
        model: Whisper,
        rules: Rules,
        cross: Sequence[KeysValues],
        prompt: Sequence[int],
        beam_size: int,
        patience: float = 1.0,
    ) -> None:
        self._model = model
        self._rules = rules
        self._cross = cross
        self._prompt = list(prompt)
        self._size = beam_size
        self._wanted = max(1, round(beam_size * patience))
        self._finished: dict[tuple[int, ...], _Beam] = {}
        self._beams = [_Beam() for _ in range(beam_size)]
        self._caches: list[KeysValues] = []

    def steps(self, sot: int) -> Generator[None, None, Decoded]:
        """Search, yielding every few tokens; the generator returns the best text."""
        dimensions = self._model.dimensions
        limit = min(dimensions.n_text_ctx // 2, dimensions.n_text_ctx + 1 - len(self._prompt))
        logits, no_speech = self._read_prompt(sot, limit)
        begin = perf_counter()
        for length in range(limit):
            if length:
                logits = self._read_tokens(length)
            self._choose(logits)
            if len(self._finished) >= self._wanted:
                break
            if perf_counter() - begin > _STEP_S:
                mx.eval(self._caches)
                yield
                begin = perf_counter()
        best, is_complete = self._best()
        return Decoded(best.tokens, best.log_probabilities, no_speech, is_complete=is_complete)

    def _read_prompt(self, sot: int, limit: int) -> tuple[mx.array, float]:
        decoder = self._model.decoder
        hidden, made = decoder.prefill(mx.array([self._prompt]), self._cross)
        length = len(self._prompt)
        wanted = mx.array([self._prompt.index(sot), length - 1])
        logits = decoder.logits(hidden[0][wanted])
        silence = np.array(mx.softmax(logits[0], axis=-1))[self._rules.no_speech]
        for keys, values in made:
            room = (self._size, keys.shape[1], length + limit, keys.shape[3])
            cache = (mx.zeros(room, keys.dtype), mx.zeros(room, keys.dtype))
            cache[0][:, :, :length] = keys
            cache[1][:, :, :length] = values
            self._caches.append(cache)
        masked = self._rules.first(logits[1:])
        return mx.repeat(masked, self._size, axis=0), float(silence)

    def _read_tokens(self, length: int) -> mx.array:
        position = len(self._prompt) + length - 1
        begin = self._rules.begin
        rows = [beam.tokens for beam in self._beams]
        last = mx.array([row[-1] for row in rows], dtype=mx.int32)
        before = [row[-2] if len(row) > 1 else begin for row in rows]
        stamps = [next((t for t in reversed(row) if t >= begin), -1) for row in rows]
        past = Past(last, mx.array(before, dtype=mx.int32), mx.array(stamps, dtype=mx.int32))
        hidden, self._caches = self._model.decoder.step(
            last, mx.full((self._size,), position, mx.int32), self._caches, position, self._cross
        )
        return self._rules.filtered(self._model.decoder.logits(hidden), past)

    def _choose(self, masked: mx.array) -> None:
        scores = masked - log_sum_exp(masked)[:, None]
        count = self._size + 1
        ids = mx.argpartition(-scores, kth=count, axis=-1)[:, :count]
        top = np.array(mx.take_along_axis(scores, ids, axis=-1))
        tokens = np.array(ids)
        candidates: dict[tuple[int, ...], _Beam] = {}
        for source, beam in enumerate(self._beams):
            for at in np.argsort(-top[source], kind="stable"):
                token, log_probability = int(tokens[source, at]), top[source, at]
                written = (*beam.tokens, token)
                candidates[written] = _Beam(
                    written,
                    (*beam.log_probabilities, float(log_probability)),
                    beam.score + log_probability,
                    source,
                )
        following: list[_Beam] = []
        ended: list[_Beam] = []
        for beam in sorted(candidates.values(), key=lambda beam: beam.score, reverse=True):
            if beam.tokens[-1] == self._rules.eot:
                ended.append(beam)
                continue
            following.append(beam)
            if len(following) == self._size:
                break
        for beam in ended:
            if len(self._finished) < self._wanted:
                self._finished[beam.tokens] = beam
        self._beams = following
        self._reorder([beam.source for beam in following])

    def _reorder(self, sources: list[int]) -> None:
        if sources == list(range(self._size)):
            return
        rows = mx.array(sources)
        self._caches = [(keys[rows], values[rows]) for keys, values in self._caches]

    def _best(self) -> tuple[_Beam, bool]:
        found = dict(self._finished)
        order = np.argsort(np.array([beam.score for beam in self._beams]))[::-1]
        for at in order if len(found) < self._size else ():
            beam = self._beams[at]
            found[(*beam.tokens, self._rules.eot)] = beam
            if len(found) >= self._size:
                break
        eot = self._rules.eot
        bare = [tokens[: tokens.index(eot)] for tokens in found]
        beams = list(found.values())
        scores = [beam.score / len(part) for part, beam in zip(bare, beams, strict=True)]
        best = int(np.argmax(scores))
        beam = beams[best]
        is_complete = bool(beam.tokens) and beam.tokens[-1] == eot
        return _Beam(bare[best], beam.log_probabilities, beam.score), is_complete
