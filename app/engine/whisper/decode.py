"""Windows to tokens: a batch of rows decoded together, each row replaced as soon as it is done.

A row holds one window's sound (keys and values of the cross attention) until it is given back, so
a second try or the word times never encode again. Shapes never change while a batch lives, and
tokens reach the host once every few steps only.
Source: openai-whisper `decoding.py` (MIT), greedy and sampling decoders.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np

from app.engine.whisper.kernels import is_cpu, log_sum_exp
from app.engine.whisper.model import KeysValues, Whisper
from app.engine.whisper.rules import Past, Rules

_SEED_STRIDE = 1024  # more than a row can have tokens


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one row said.

    Attributes:
        tokens: all that was sampled, without the end.
        log_probabilities: of each token, and of the end where it was sampled.
        no_speech_probability: the model's own, from the start of the transcript.
        temperature: what it was sampled at.
        is_complete: whether the model ended it, not the length.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    no_speech_probability: float
    temperature: float = 0.0
    is_complete: bool = True

    @property
    def average_log_probability(self) -> float:
        return sum(self.log_probabilities) / (len(self.tokens) + 1)


@dataclass(slots=True)
class _Row:
    prompt_length: int
    limit: int
    temperature: float
    seed: int
    no_speech_probability: float
    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)


def detect_language(
    model: Whisper, sot: int, cross: Sequence[KeysValues], tokens: Sequence[int]
) -> list[float]:
    """Return the probability of each language token in `tokens`, all others left out."""
    hidden, _ = model.decoder.prefill(mx.array([[sot]]), cross)
    scores = model.decoder.logits(hidden[0, 0])[mx.array(list(tokens))]
    probabilities: list[float] = np.array(mx.softmax(scores)).tolist()
    return probabilities


class Rows:
    """A batch being decoded. Owner: one transcription on the engine thread.

    Args:
        model: what decodes.
        rules: what may be written.
        sot: the token that starts a transcript.
        size: how many rows are decoded at once.
        prompt_length: the longest prompt a row will be given.
    """

    def __init__(
        self, model: Whisper, rules: Rules, sot: int, size: int, prompt_length: int
    ) -> None:
        self._model = model
        self._rules = rules
        self._sot = sot
        dimensions = model.dimensions
        self._n_text_ctx = dimensions.n_text_ctx
        self._sample_limit = dimensions.n_text_ctx // 2
        columns = min(self._n_text_ctx, prompt_length + self._sample_limit)
        state = dimensions.n_text_state // dimensions.n_text_head
        shape = (size, dimensions.n_text_head, columns, state)
        dtype = model.decoder.positional_embedding.dtype
        self._caches = [(mx.zeros(shape, dtype), mx.zeros(shape, dtype)) for _ in self._layers]
        mx.eval(self._caches)
        self._columns = columns
        self._column = 0
        self._cross: list[KeysValues] = []
        self._rows: list[_Row | None] = [None] * size
        self._steps_done = 0

    @property
    def _layers(self) -> range:
        return range(self._model.dimensions.n_text_layer)

    def free(self) -> int | None:
        """Return a row without work, or `None`."""
        return next((at for at, row in enumerate(self._rows) if row is None), None)

    @property
    def is_idle(self) -> bool:
        return all(row is None for row in self._rows)

    def hear(self, at: int, cross: Sequence[KeysValues]) -> None:
        """Give row `at` the sound of a window; every window has as many frames."""
        if not self._cross:
            size = len(self._rows)
            self._cross = [
                (mx.zeros((size, *k.shape[1:]), k.dtype), mx.zeros((size, *v.shape[1:]), v.dtype))
                for k, v in cross
            ]
        for (keys, values), (new_keys, new_values) in zip(self._cross, cross, strict=True):
            keys[at : at + 1] = new_keys
            values[at : at + 1] = new_values
        mx.eval(self._cross)

    def heard(self, at: int) -> list[KeysValues]:
        """Return the sound of row `at`."""
        return [(keys[at : at + 1], values[at : at + 1]) for keys, values in self._cross]

    def start(
        self, at: int, prompt: Sequence[int], temperature: float = 0.0, seed: int = 0
    ) -> None:
        """Begin decoding row `at`, whose sound is there, after `prompt`."""
        length = len(prompt)
        decoder = self._model.decoder
        hidden, made = decoder.prefill(mx.array([list(prompt)]), self.heard(at))
        wanted = mx.array([list(prompt).index(self._sot), length - 1])
        logits = decoder.logits(hidden[0][wanted])
        silence = mx.softmax(logits[:1], axis=-1)
        masked = self._rules.first(logits[1:])
        if temperature > 0:
            chosen = mx.argmax(masked / temperature + _noise(seed, 0, masked.shape), axis=-1)
        else:
            chosen = mx.argmax(masked, axis=-1)
        sure = mx.take_along_axis(masked, chosen[:, None], axis=-1)[:, 0]
        sure = sure - log_sum_exp(masked)
        self._write(at, made, length)
        mx.eval(chosen, sure, silence, self._caches)
        limit = min(self._sample_limit, self._n_text_ctx + 1 - length)
        no_speech = float(np.array(silence)[0, self._rules.no_speech])
        row = _Row(length, limit, temperature, seed, no_speech)
        row.tokens.append(int(np.array(chosen)[0]))
        row.log_probabilities.append(float(np.array(sure)[0]))
        self._rows[at] = row

    def release(self, at: int) -> None:
        """Take row `at` out of the batch."""
        self._rows[at] = None

    def advance(self, steps: int) -> list[tuple[int, Decoded]]:
        """Decode up to `steps` more tokens of each row, and return the rows that are done.

        A row that is done stays, with its sound, until `release` or `start`.
        """
        done = self._collect()
        if done:
            return done
        active = [row for row in self._rows if row is not None]
        chosen, sure = self._run(min(steps, max(r.limit - len(r.tokens) for r in active)))
        for at, row in enumerate(self._rows):
            if row is None:
                continue
            for token, log_probability in zip(chosen[at], sure[at], strict=True):
                if self._is_done(row):
                    break
                row.tokens.append(int(token))
                row.log_probabilities.append(float(log_probability))
        return self._collect()

    def _is_done(self, row: _Row) -> bool:
        return row.tokens[-1] == self._rules.eot or len(row.tokens) >= row.limit

    def _collect(self) -> list[tuple[int, Decoded]]:
        rows = enumerate(self._rows)
        return [(at, self._decoded(r)) for at, r in rows if r is not None and self._is_done(r)]

    def _decoded(self, row: _Row) -> Decoded:
        is_complete = row.tokens[-1] == self._rules.eot
        return Decoded(
            tokens=tuple(row.tokens[:-1] if is_complete else row.tokens),
            log_probabilities=tuple(row.log_probabilities),
            no_speech_probability=row.no_speech_probability,
            temperature=row.temperature,
            is_complete=is_complete,
        )

    def _write(self, at: int, made: Sequence[KeysValues], length: int) -> None:
        """Put a prompt's keys and values into the columns that end before the next one."""
        start = (self._column - length) % self._columns
        first = min(length, self._columns - start)
        for (keys, values), (new_keys, new_values) in zip(self._caches, made, strict=True):
            keys[at : at + 1, :, start : start + first] = new_keys[:, :, :first]
            values[at : at + 1, :, start : start + first] = new_values[:, :, :first]
            if first < length:
                keys[at : at + 1, :, : length - first] = new_keys[:, :, first:]
                values[at : at + 1, :, : length - first] = new_values[:, :, first:]

    def _past(self) -> tuple[mx.array, Past]:
        begin, eot = self._rules.begin, self._rules.eot
        positions, last, before, stamp = [], [], [], []
        for row in self._rows:
            tokens = row.tokens if row is not None else [eot]
            positions.append(row.prompt_length + len(tokens) - 1 if row is not None else 0)
            last.append(tokens[-1])
            before.append(tokens[-2] if len(tokens) > 1 else begin)
            stamp.append(next((t for t in reversed(tokens) if t >= begin), -1))
        past = Past(*(mx.array(part, dtype=mx.int32) for part in (last, before, stamp)))
        return mx.array(positions, dtype=mx.int32), past

    def _run(self, steps: int) -> tuple[list[list[int]], list[list[float]]]:
        positions, past = self._past()
        decoder = self._model.decoder
        all_chosen, all_sure = [], []
        is_sampling = any(row is not None and row.temperature > 0 for row in self._rows)
        for step in range(steps):
            hidden, self._caches = decoder.step(
                past.last,
                mx.minimum(positions, self._n_text_ctx - 1),
                self._caches,
                self._column,
                self._cross,
            )
            logits = decoder.logits(hidden)
            if is_sampling:
                chosen, sure = self._sample(logits, past, step)
            else:
                chosen, sure = self._rules.choose(logits, past)
            is_over = past.last == self._rules.eot
            chosen = mx.where(is_over, self._rules.eot, chosen)
            all_chosen.append(chosen)
            all_sure.append(mx.where(is_over, 0.0, sure))
            past = past.then(chosen, self._rules.begin)
            positions = positions + 1
            self._column = (self._column + 1) % self._columns
            # The GPU works while the next step is prepared. On a CPU a step in flight would keep
            # the caches from being written in place.
            if not is_cpu():
                mx.async_eval(chosen)
        tokens, scores = mx.stack(all_chosen, axis=1), mx.stack(all_sure, axis=1)
        mx.eval(tokens, scores, self._caches)
        return np.array(tokens).tolist(), np.array(scores).tolist()

    def _sample(self, logits: mx.array, past: Past, step: int) -> tuple[mx.array, mx.array]:
        masked = self._rules.filtered(logits, past)
        scores = []
        for at, row in enumerate(self._rows):
            line = masked[at]
            if row is not None and row.temperature > 0:
                noise = _noise(row.seed, len(row.tokens) + step, line.shape)
                line = line / row.temperature + noise
            scores.append(line)
        chosen = mx.argmax(mx.stack(scores), axis=-1).astype(mx.int32)
        sure = mx.take_along_axis(masked, chosen[:, None], axis=-1)[:, 0]
        return chosen, sure - log_sum_exp(masked)


def _noise(seed: int, position: int, shape: Sequence[int]) -> mx.array:
    """Gumbel noise that depends on window and position only, never on the rest of the batch."""
    key = mx.random.key(seed * _SEED_STRIDE + position)
    return mx.random.gumbel(shape=list(shape), key=key)
