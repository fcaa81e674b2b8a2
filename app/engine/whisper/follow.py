"""One pass of a live stream: what the sound says after the words that stay.

A pass is forced to repeat the words that stay, so it only ever adds to them, and it stops where the
decoder looks at the end of the sound: what is written there is a guess about what was not heard.
Source: the stop rule is AlignAtt, Papi, Turchi, Negri (2305.11408) and Simul-Whisper (2406.10052),
from the papers.
"""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from app.core.packing import SAMPLE_RATE, Audio
from app.core.transcript import Word
from app.engine.base import Options
from app.engine.whisper.align import cheapest_path, median_filter
from app.engine.whisper.decode import detect_language
from app.engine.whisper.glossary import glossary_prompt, is_leaked
from app.engine.whisper.mel import log_mel
from app.engine.whisper.model import Decoder, KeysValues
from app.engine.whisper.rules import Past, Rules
from app.engine.whisper.transcription import Loaded

GATE_S = 0.4  # nearer to the end of the sound than this, the decoder guesses
_FRAMES_A_SECOND = 50  # of features: two mel frames each
_SAMPLES_A_FRAME = SAMPLE_RATE // _FRAMES_A_SECOND
_BUCKET_FRAMES = 64  # few lengths mean few buffers and kernels
_PAD_FRAMES = 128  # what the fine-tuned checkpoints were given behind the sound
_BUCKET_COLUMNS = 64
_TOKENS_A_STEP = 4
_MOST_TOKENS_A_SECOND = 12.0
_TOKENS_TO_SPARE = 4
_REPEATS = 3
_REPEATED_TOKENS = 3
_SMOOTH_FRAMES = 7
_CLOSING = ".,;:!?…。，、！？"  # belongs to the word before, which stays as it is
_LAST_SOUND_S = 0.35  # how long a word sounds on after the decoder's last look at it

Picture = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A word with the tokens that wrote it; times in seconds of the window."""

    word: Word
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one pass wrote after the words that stay.

    Attributes:
        pieces: whole words in order.
        language: what it was decoded in.
        language_probability: how sure it is of that; 1 when it was told.
        no_speech_probability: the model's own, of the whole window.
        average_log_probability: of the words' tokens.
    """

    pieces: tuple[Piece, ...]
    language: str
    language_probability: float = 1.0
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0


@dataclass(slots=True)
class _Written:
    """What the loop has so far; one entry a token, the last of which may be the end."""

    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    scores: list[npt.NDArray[np.float32]] = field(default_factory=list)  # (heads, frames)
    no_speech_probability: float = 0.0


class Follower:
    """Runs passes over the sound of one stream; keeps nothing between them. Thread: engine.

    Args:
        loaded: the model.
        options: how to transcribe.
        short_context: whether the model may be shown less than its 30 s.
    """

    def __init__(self, loaded: Loaded, options: Options, *, short_context: bool) -> None:
        self._loaded = loaded
        self._options = options
        self._short_context = short_context
        model, self._tokens = loaded.model, loaded.tokens
        self._decoder: Decoder = model.decoder
        self._dimensions = model.dimensions
        self._heads = loaded.heads
        self._rules = Rules(
            self._tokens, model.dimensions, timestamps=False, suppressed=loaded.suppressed
        )
        self._glossary = glossary_prompt(options.glossary, self._tokens.encode)

    @property
    def given_language(self) -> str | None:
        """The language that needs no detecting."""
        languages = self._tokens.languages
        if not languages:
            return "en"
        return self._options.language if self._options.language in languages else None

    def follow(
        self, audio: Audio, kept: Sequence[Piece], language: str | None
    ) -> Generator[None, None, Heard]:
        """Decode what `audio` says after `kept`, one short step at a time.

        Args:
            audio: (n_samples,) float32, 16 kHz mono; the window so far.
            kept: the words of this window that stay.
            language: `None` to detect it.
        """
        n_frames = min(self._dimensions.n_audio_ctx, -(-len(audio) // _SAMPLES_A_FRAME))
        cross = yield from self._encode(audio, n_frames)
        sure = 1.0
        if language is None:
            language, sure = self._detect(cross)
            yield
        after_s = kept[-1].word.end_s if kept else 0.0
        tail_s = n_frames / _FRAMES_A_SECOND - after_s
        limit = _TOKENS_TO_SPARE + math.ceil(_MOST_TOKENS_A_SECOND * tail_s)
        prefix = [token for piece in kept for token in piece.tokens]
        prompt = self._prompt(language, prefix)
        written = yield from self._write(cross, prompt, len(prefix), n_frames, limit)
        pieces = self._pieces(written, len(prefix), language, after_s, n_frames)
        if is_leaked(" ".join(p.word.text for p in (*kept, *pieces)), self._options.glossary):
            pieces = ()
        likely = written.log_probabilities[: sum(len(piece.tokens) for piece in pieces)]
        return Heard(
            pieces=pieces,
            language=language,
            language_probability=sure,
            no_speech_probability=written.no_speech_probability,
            average_log_probability=float(np.mean(likely)) if likely else 0.0,
        )

    def _encode(self, audio: Audio, n_frames: int) -> Generator[None, None, list[KeysValues]]:
        length = self._dimensions.n_audio_ctx
        if self._short_context:
            wanted = n_frames + _PAD_FRAMES
            length = min(length, -(-wanted // _BUCKET_FRAMES) * _BUCKET_FRAMES)
        picture = log_mel(audio, self._dimensions.n_mels, 2 * length, is_live=True)
        yield
        dtype = self._decoder.positional_embedding.dtype
        mel = mx.array(picture)[None].astype(dtype)
        features = yield from self._loaded.model.encoder.steps(mel)
        cross = self._decoder.cross(features)
        mx.eval(cross)
        yield
        return cross

    def _detect(self, cross: Sequence[KeysValues]) -> tuple[str, float]:
        languages = self._tokens.languages
        codes = [code for code in self._options.languages if code in languages] or list(languages)
        ids = [languages[code] for code in codes]
        probabilities = detect_language(self._loaded.model, self._tokens.sot, cross, ids)
        best = int(np.argmax(probabilities))
        return codes[best], probabilities[best]

    def _prompt(self, language: str, prefix: Sequence[int]) -> list[int]:
        tokens = self._tokens
        start = tokens.start(language, translate=self._options.translate, timestamps=False)
        before = (tokens.sot_prev, *self._glossary) if self._glossary else ()
        return [*before, *start, *prefix]

    def _write(
        self,
        cross: Sequence[KeysValues],
        prompt: list[int],
        n_prefix: int,
        n_frames: int,
        limit: int,
    ) -> Generator[None, None, _Written]:
        """Write tokens greedily until one of the stop rules says so."""
        limit = min(limit, self._dimensions.n_text_ctx - len(prompt))
        row = _Row(self._decoder, cross, self._heads, len(prompt) + max(limit, 0))
        hidden, scores = row.read(mx.array([prompt]))
        sot = prompt.index(self._tokens.sot)
        logits = self._decoder.logits(hidden[0][mx.array([sot, len(prompt) - 1])])
        silence = mx.softmax(logits[0])[self._tokens.no_speech]
        eot = self._tokens.eot
        # The reads that wrote the prefix tell where each of its tokens looked.
        scores = scores[0, :, len(prompt) - 1 - n_prefix :]
        chosen, sure = self._choose(logits[1:], is_first=n_prefix == 0)
        mx.eval(chosen, sure, scores, silence, row.caches)
        written = _Written(no_speech_probability=float(np.array(silence)))
        written.scores.extend(np.array(scores[..., :n_frames]).swapaxes(0, 1)[:-1])
        pending = [(chosen, sure, scores[:, -1:])]
        last = n_frames - round(GATE_S * _FRAMES_A_SECOND)
        while True:
            mx.eval(pending, row.caches)
            for token, log_probability, look in pending:
                _add(written, token, log_probability, look, n_frames)
                if self._is_over(written, eot, last) or len(written.tokens) >= limit:
                    return written
            yield
            pending = []
            for _ in range(_TOKENS_A_STEP):
                if row.length >= row.columns:
                    break
                hidden, scores = row.read(chosen[None])
                chosen, sure = self._choose(self._decoder.logits(hidden[0]))
                pending.append((chosen, sure, scores[0]))
            if not pending:
                return written

    def _choose(self, logits: mx.array, *, is_first: bool = False) -> tuple[mx.array, mx.array]:
        if not is_first:
            zero = mx.zeros(1, mx.int32)
            return self._rules.choose(logits, Past(zero, zero, zero))
        masked = self._rules.first(logits)
        chosen = mx.argmax(masked, axis=-1).astype(mx.int32)
        return chosen, mx.max(masked, axis=-1) - mx.logsumexp(masked, axis=-1)

    def _is_over(self, written: _Written, eot: int, last_frame: int) -> bool:
        tokens = written.tokens
        if tokens[-1] >= eot or written.peaks[-1] >= last_frame:
            return True
        at = repetition(tokens)
        if at is None:
            return False
        del tokens[at + 1 :]  # the first of what would come again stays as the one to stop at
        return True

    def _pieces(
        self, written: _Written, n_prefix: int, language: str, after_s: float, n_frames: int
    ) -> tuple[Piece, ...]:
        """Return the whole words of what was written, and where they lie.

        The last token was the one to stop at: a word that it would have gone on with is not whole.
        """
        if len(written.tokens) < 2:
            return ()
        _, parts = self._tokens.split_words(list(written.tokens), language)
        groups = _with_marks([tuple(part) for part in parts[:-1]], self._tokens.decode)
        if not groups:
            return ()
        first_frame = min(round(after_s * _FRAMES_A_SECOND), n_frames - 1)
        starts = self._starts(written, n_prefix, first_frame)
        pieces: list[Piece] = []
        at = 0
        for tokens in groups:
            end = at + len(tokens)
            peak_s = max(written.peaks[at:end]) / _FRAMES_A_SECOND
            start_s = float(starts[at])
            next_s = float(starts[end]) if end < len(starts) else n_frames / _FRAMES_A_SECOND
            end_s = max(start_s, min(next_s, max(peak_s, start_s) + _LAST_SOUND_S))
            probability = float(np.exp(np.mean(written.log_probabilities[at:end])))
            text = self._tokens.decode(tokens).strip().lstrip(_CLOSING).strip()
            pieces.append(Piece(Word(text, start_s, end_s, probability), tokens))
            at = end
        return tuple(pieces)

    def _starts(self, written: _Written, n_prefix: int, first_frame: int) -> Picture:
        """Return when each written token begins, in seconds; the last one's is the end's."""
        count = n_prefix + len(written.tokens)
        picture = attention_picture(np.stack(written.scores[:count], axis=1))
        row, column = cheapest_path(-picture[n_prefix:, first_frame:])
        jumps = np.pad(np.diff(row), (1, 0), constant_values=1).astype(bool)
        starts: Picture = (column[jumps] + first_frame) / np.float32(_FRAMES_A_SECOND)
        return starts


class _Row:
    """One text being read over one sound, with a record of where the decoder looks."""

    def __init__(
        self,
        decoder: Decoder,
        cross: Sequence[KeysValues],
        heads: Sequence[tuple[int, int]],
        most_tokens: int,
    ) -> None:
        self._decoder = decoder
        self._cross = cross
        self._heads = heads
        self._wanted = {layer for layer, _ in heads}
        room = len(decoder.positional_embedding)
        self.columns = min(room, -(-most_tokens // _BUCKET_COLUMNS) * _BUCKET_COLUMNS)
        self.length = 0
        first = decoder.blocks[0].attn
        state = decoder.positional_embedding.shape[1]
        shape = (1, first.n_head, self.columns, state // first.n_head)
        dtype = decoder.positional_embedding.dtype
        self.caches = [(mx.zeros(shape, dtype), mx.zeros(shape, dtype)) for _ in decoder.blocks]

    def read(self, tokens: mx.array) -> tuple[mx.array, mx.array]:
        """Read (1, n) more tokens.

        Returns:
            (1, n, n_state) and where the heads look, (1, heads, n, frames) before softmax.
        """
        decoder, begin = self._decoder, self.length
        end = begin + tokens.shape[1]
        x = decoder.token_embedding(tokens) + decoder.positional_embedding[begin:end]
        mask = (mx.arange(self.columns)[None] <= mx.arange(begin, end)[:, None])[None, None]
        seen: dict[tuple[int, int], mx.array] = {}
        for index, (block, sound) in enumerate(zip(decoder.blocks, self._cross, strict=True)):
            keys, values = self.caches[index]
            normal = block.attn_ln(x)
            key, value = block.attn.keys_values(normal)
            keys[:, :, begin:end] = key
            values[:, :, begin:end] = value
            self.caches[index] = (keys, values)
            x = x + block.attn.attend(normal, keys, values, mask=mask)
            if index in self._wanted:
                y, scores = block.cross_attn.attend_and_look(block.cross_attn_ln(x), *sound)
                x = x + y
                seen.update({(at, h): scores[:, h] for at, h in self._heads if at == index})
            else:
                x = block.listen(x, sound)
            x = x + block.feed_forward(x)
        self.length = end
        return decoder.ln(x), mx.stack([seen[head] for head in self._heads], axis=1)


def _add(
    written: _Written, token: mx.array, log_probability: mx.array, look: mx.array, n_frames: int
) -> None:
    scores = np.array(look)[:, 0]
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    written.tokens.append(int(np.array(token)[0]))
    written.log_probabilities.append(float(np.array(log_probability)[0]))
    written.peaks.append(int(weights.mean(axis=0).argmax()))
    written.scores.append(scores[:, :n_frames])


def repetition(tokens: Sequence[int]) -> int | None:
    """Return where the second of three equal runs at the end of `tokens` begins, if there are."""
    size = _REPEATED_TOKENS
    if len(tokens) < size * _REPEATS:
        return None
    last = tuple(tokens[-size:])
    places = [at for at in range(len(tokens) - size + 1) if tuple(tokens[at : at + size]) == last]
    apart: list[int] = []
    for at in places:
        if not apart or at >= apart[-1] + size:
            apart.append(at)
    return apart[1] if len(apart) >= _REPEATS else None


def attention_picture(scores: Picture) -> Picture:
    """Return (tokens, frames) of how much more than others each token looks at each frame.

    Args:
        scores: (heads, tokens, frames) before softmax.
    """
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    deviation = np.maximum(weights.std(axis=-2, keepdims=True), 1e-10)
    weights = (weights - weights.mean(axis=-2, keepdims=True)) / deviation
    picture: Picture = median_filter(weights, _SMOOTH_FRAMES).mean(axis=0)
    return picture


def _with_marks(
    parts: Sequence[tuple[int, ...]], decode: Callable[[Sequence[int]], str]
) -> list[tuple[int, ...]]:
    """Join marks that stand alone to the word before them, or to the one they open."""
    groups: list[tuple[int, ...]] = []
    opening: tuple[int, ...] = ()
    for part in parts:
        text = decode(part)
        is_mark = not any(c.isalnum() for c in text)
        if is_mark and (text.startswith(" ") or not groups):
            opening += part
        elif is_mark:
            groups[-1] += part
        else:
            groups.append(opening + part)
            opening = ()
    return groups
