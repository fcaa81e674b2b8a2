"""One realtime stream: sound in, a token for every 80 ms out, for as long as it lasts.

What a session remembers is bounded by the model's two windows: sound, mel frames and embeddings are
let go as soon as they were used, and tokens when they are taken. Which tokens come out does not
depend on how the sound was cut into pieces. Nothing ends a session but its own end: an ending mark
written while there is still sound counts as a pause.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from app.core.packing import SAMPLE_RATE, Audio
from app.engine.voxtral.cache import KeyValues
from app.engine.voxtral.features import Mel, MelStream
from app.engine.voxtral.prompt import SLOT_MS, Marks, Pacing
from app.engine.voxtral.realtime import HearingState, VoxtralRealtime

SLOT_SAMPLES = SAMPLE_RATE * SLOT_MS // 1000
_AT_ONCE = (16, 8, 4, 2, 1)  # slots heard together: few sizes, so that the device reuses memory
_LIGHT = 4  # slots that are heard in one step
_FURTHEST = 1 << 16  # positions; beyond, single precision blurs the rotary angles


@dataclass(frozen=True, slots=True)
class Written:
    """A token and the slot of the sound (not counting the left silence) it was written at."""

    slot: int
    token: int
    log_probability: float


class Session:
    """A stream of one realtime model.

    Args:
        network: the model.
        marks: its tokenizer's marks.
        pacing: how far the text follows behind the sound.
        scales: the language model's `delay_scales` of that pacing.
        furthest: after how many positions counting starts again.
    """

    def __init__(
        self,
        network: VoxtralRealtime,
        marks: Marks,
        pacing: Pacing,
        scales: list[mx.array],
        furthest: int = _FURTHEST,
    ) -> None:
        self._network, self._marks, self._pacing = network, marks, pacing
        self._scales, self._furthest = scales, furthest
        self._mel = MelStream(network.shape.audio.n_mels)
        self._hearing = HearingState(network.shape)
        self._caches = network.language_model.caches()
        self._prompt = pacing.prompt(marks)
        left = np.zeros(pacing.left_silence * SLOT_SAMPLES, np.float32)
        self._pending: deque[Audio] = deque([left])
        self._frames: list[Mel] = []
        self._n_frames = 0
        self._n_samples = 0
        self._slot = 0  # the next one to be heard by the language model, left silence included
        self._last = marks.pad
        self._end_slot: int | None = None  # where there is no more sound, once that is known
        self._is_over = False
        self._written: list[Written] = []

    @property
    def is_over(self) -> bool:
        """Whether everything has been written."""
        return self._is_over

    def feed(self, audio: Audio) -> None:
        """Take in (n_samples,) float32, 16 kHz mono."""
        if self._end_slot is not None:
            raise ValueError("the stream has ended")
        size = _AT_ONCE[0] * SLOT_SAMPLES
        for first in range(0, len(audio), size):
            self._pending.append(np.array(audio[first : first + size], np.float32))
        self._n_samples += len(audio)

    def end(self) -> None:
        """Say that no more sound comes; silence is added in which the last words are written."""
        if self._end_slot is not None:
            return
        slots = math.ceil(self._n_samples / SLOT_SAMPLES)
        rest = slots * SLOT_SAMPLES - self._n_samples
        silence = rest + self._pacing.right_silence * SLOT_SAMPLES
        self._pending.append(np.zeros(silence, np.float32))
        self._end_slot = self._pacing.left_silence + slots

    def take(self) -> list[Written]:
        """Return what was written since the last time."""
        written, self._written = self._written, []
        return written

    def steps(self) -> Iterator[None]:
        """Do all that can be done with the sound so far, a short step at a time."""
        self._look()
        size = self._network.frames_a_slot
        while self._n_frames >= size and not self._is_over:
            count = next(n for n in _AT_ONCE if n * size <= self._n_frames)
            heard = yield from self._network.hear(self._next_frames(count * size), self._hearing)
            self._recount(self._hearing.caches)
            yield from self._read(heard)
            self._look()
        if self._end_slot is not None and not self._n_frames and not self._pending:
            self._is_over = True

    def _look(self) -> None:
        """Turn as much waiting sound into mel frames as is heard together."""
        while self._pending and self._n_frames < _AT_ONCE[0] * self._network.frames_a_slot:
            self._keep(self._mel.feed(self._pending.popleft()))
            if self._end_slot is not None and not self._pending:
                self._keep(self._mel.end())

    def _keep(self, frames: Mel) -> None:
        if len(frames):
            self._frames.append(frames)
            self._n_frames += len(frames)

    def _next_frames(self, count: int) -> Mel:
        together = np.concatenate(self._frames)
        rest = together[count:]
        self._frames = [rest.copy()] if len(rest) else []
        self._n_frames = len(rest)
        return together[:count]

    def _read(self, heard: mx.array) -> Iterator[None]:
        """Let the language model hear the next slots (slots, width) and write."""
        language_model = self._network.language_model
        total = heard.shape[0]
        asked = self._prompt[self._slot : self._slot + total]
        first = len(asked)
        if first:
            x = language_model.embed_tokens(mx.array(asked)) + heard[:first]
            if first > _LIGHT:
                hidden = yield from language_model.prefill(x[None], self._caches, self._scales)
            else:
                hidden = language_model.run(x[None], self._caches, self._scales)
            self._slot += first
            if self._slot == len(self._prompt):
                self._write(hidden)
            else:
                mx.eval(hidden, [array for cache in self._caches for array in cache.arrays])
            yield
        for place in range(first, total):
            if self._is_over:
                return
            x = language_model.embed_tokens(mx.array([self._last])) + heard[place : place + 1]
            hidden = language_model.run(x[None], self._caches, self._scales)
            self._slot += 1
            self._write(hidden)
            yield

    def _write(self, hidden: mx.array) -> None:
        """Choose the token that follows the last slot heard."""
        logits = self._network.language_model.logits(hidden[0, -1]).astype(mx.float32)
        chosen = mx.argmax(logits)
        probability = mx.max(logits) - mx.logsumexp(logits)
        mx.eval(chosen, probability, [array for cache in self._caches for array in cache.arrays])
        self._recount(self._caches)
        token, slot = int(np.array(chosen)), self._slot - 1
        if token == self._marks.end:
            if self._end_slot is not None and slot >= self._end_slot:
                self._is_over = True
                return
            token = self._marks.pad
        self._last = token
        sounding = slot - self._pacing.left_silence
        self._written.append(Written(sounding, token, float(np.array(probability))))

    def _recount(self, caches: list[KeyValues]) -> None:
        if caches and caches[0].offset >= self._furthest:
            for cache in caches:
                cache.move_to(cache.remembered)
            mx.eval([array for cache in caches for array in cache.arrays])
