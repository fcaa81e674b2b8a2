"""What Whisper may write next: the reference's suppression and timestamp rules on the device.

All rows are handled at once from four numbers a row, so no token has to reach the host in between.
`choose` never builds the masked vocabulary; it equals the argmax over `filtered`.
Source: openai-whisper `decoding.py` (MIT), SuppressBlank, SuppressTokens, ApplyTimestampRules.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from app.engine.whisper.config import Dimensions
from app.engine.whisper.kernels import log_sum_exp
from app.engine.whisper.tokens import Tokens

_CHUNK_S = 30
_LATEST_FIRST_TIMESTAMP_S = 1.0


@dataclass(frozen=True, slots=True)
class Past:
    """What the rules must know of each row; every field is (rows,) int32.

    Attributes:
        last: the token sampled last.
        before: the one before it; a timestamp where there is none, as the reference has it.
        stamp: the last timestamp sampled; -1 where there is none.
    """

    last: mx.array
    before: mx.array
    stamp: mx.array

    def then(self, chosen: mx.array, timestamp_begin: int) -> "Past":
        """Return the past after `chosen` was sampled too."""
        stamp = mx.where(chosen >= timestamp_begin, chosen, self.stamp)
        return Past(last=chosen, before=self.last, stamp=stamp)


class Rules:
    """The rules of one way to decode; immutable.

    Args:
        tokens: the model's vocabulary.
        dimensions: the model's shape.
        timestamps: whether timestamps are wanted.
        suppressed: tokens never to write beyond the reference's own.
    """

    def __init__(
        self,
        tokens: Tokens,
        dimensions: Dimensions,
        *,
        timestamps: bool,
        suppressed: Iterable[int] = (),
    ) -> None:
        self.timestamps = timestamps
        self.eot = tokens.eot
        self.begin = tokens.timestamp_begin
        self.no_speech = tokens.no_speech
        self._n_vocab = dimensions.n_vocab
        mask = np.zeros(dimensions.n_vocab, np.float32)
        mask[list(tokens.never_written())] = -np.inf
        mask[[t for t in suppressed if t != tokens.eot and t < tokens.timestamp_begin]] = -np.inf
        if timestamps:
            mask[tokens.no_timestamps] = -np.inf
        first = mask.copy()
        first[list(tokens.blank)] = -np.inf
        if timestamps:
            precision = _CHUNK_S / dimensions.n_audio_ctx
            latest = round(_LATEST_FIRST_TIMESTAMP_S / precision)
            first[: tokens.timestamp_begin] = -np.inf
            first[tokens.timestamp_begin + latest + 1 :] = -np.inf
        self._mask = mx.array(mask)
        self._first = mx.array(first)
        self._stamps = mx.arange(self.begin, dimensions.n_vocab)
        mx.eval(self._mask, self._first, self._stamps)

    def first(self, logits: mx.array) -> mx.array:
        """Return the masked scores for the first token: (rows, n_vocab) float32."""
        return logits + self._first

    def filtered(self, logits: mx.array, past: Past) -> mx.array:
        """Return the masked scores for any later token: (rows, n_vocab) float32."""
        logits = logits + self._mask
        if not self.timestamps:
            return logits
        ids = mx.arange(self._n_vocab)[None, :]
        no_stamps, no_text, floor = self._bans(past)
        banned = (ids < self.eot) & no_text[:, None]
        banned = banned | ((ids >= self.begin) & ((ids < floor[:, None]) | no_stamps[:, None]))
        logits = mx.where(banned, -mx.inf, logits)
        stamps = log_sum_exp(logits[:, self.begin :])
        only_stamps = stamps > mx.max(logits[:, : self.begin], axis=-1)
        return mx.where((ids < self.begin) & only_stamps[:, None], -mx.inf, logits)

    def choose(self, logits: mx.array, past: Past) -> tuple[mx.array, mx.array]:
        """Return each row's most probable allowed token and its log-probability.

        Args:
            logits: (rows, n_vocab) float32.
            past: what each row has sampled; no row is at its first token.

        Returns:
            (rows,) int32 and (rows,) float32.
        """
        if not self.timestamps:
            masked = logits + self._mask
            chosen = mx.argmax(masked, axis=-1)
            best = mx.max(masked, axis=-1)
            return chosen.astype(mx.int32), best - log_sum_exp(masked)
        no_stamps, no_text, floor = self._bans(past)
        text = logits[:, : self.eot] + self._mask[: self.eot]
        signs = logits[:, self.eot : self.begin] + self._mask[self.eot : self.begin]
        banned = (self._stamps[None, :] < floor[:, None]) | no_stamps[:, None]
        stamps = mx.where(banned, -mx.inf, logits[:, self.begin :])

        best_text = mx.where(no_text, -mx.inf, mx.max(text, axis=-1))
        best_sign = mx.max(signs, axis=-1)
        sum_text = mx.where(no_text, -mx.inf, log_sum_exp(text))
        sum_stamps = log_sum_exp(stamps)
        best_written = mx.maximum(best_text, best_sign)
        only_stamps = sum_stamps > best_written

        at_text = mx.argmax(text, axis=-1)
        at_sign = mx.argmax(signs, axis=-1) + self.eot
        at_stamp = mx.argmax(stamps, axis=-1) + self.begin
        written = mx.where(best_text >= best_sign, at_text, at_sign)
        chosen = mx.where(only_stamps, at_stamp, written).astype(mx.int32)

        total = mx.logaddexp(mx.logaddexp(sum_text, log_sum_exp(signs)), sum_stamps)
        best = mx.where(only_stamps, mx.max(stamps, axis=-1), best_written)
        return chosen, best - mx.where(only_stamps, sum_stamps, total)

    def _bans(self, past: Past) -> tuple[mx.array, mx.array, mx.array]:
        """Return whether timestamps and text are banned, and the least timestamp allowed."""
        last_is_stamp = past.last >= self.begin
        before_is_stamp = past.before >= self.begin
        no_stamps = last_is_stamp & before_is_stamp
        no_text = last_is_stamp & ~before_is_stamp
        # A segment has a length: only the stamp that closes one may be repeated, to open the next.
        floor = mx.where(no_text, past.stamp, past.stamp + 1)
        return no_stamps, no_text, mx.where(past.stamp < 0, self.begin, floor)
