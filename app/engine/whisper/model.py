"""The Whisper network on MLX: an encoder of any length and a decoder over preallocated caches.

Parameter names are those of mlx-whisper's files. Nothing here keeps state between calls: caches are
passed in and handed back, so that MLX can write into them in place.
Source: openai-whisper `model.py` (MIT).
"""

import math
from collections.abc import Generator, Sequence

import mlx.core as mx
import mlx.nn as nn

from app.engine.whisper import kernels
from app.engine.whisper.config import Dimensions

# Operations a second that even a small machine does.
_CPU_SPEED = 5e10
_GPU_SPEED = 3e12

KeysValues = tuple[mx.array, mx.array]


def _sinusoids(length: int, channels: int) -> mx.array:
    step = math.log(10000) / (channels // 2 - 1)
    inverse = mx.exp(-step * mx.arange(channels // 2))
    angles = mx.arange(length)[:, None] * inverse[None, :]
    return mx.concatenate([mx.sin(angles), mx.cos(angles)], axis=1)


def _layers_a_step(length: int, n_state: int) -> int:
    """Return how many encoder layers fit a step of about 30 ms."""
    operations = 24 * length * n_state**2 + 4 * length**2 * n_state
    return max(1, int(0.03 * (_CPU_SPEED if kernels.is_cpu() else _GPU_SPEED) / operations))


class Attention(nn.Module):
    """Multi-head attention whose keys and values are made and attended to in separate calls."""

    def __init__(self, n_state: int, n_head: int) -> None:
        super().__init__()
        self.n_head = n_head
        self.query = nn.Linear(n_state, n_state)
        self.key = nn.Linear(n_state, n_state, bias=False)
        self.value = nn.Linear(n_state, n_state)
        self.out = nn.Linear(n_state, n_state)

    def split(self, x: mx.array) -> mx.array:
        """(rows, length, state) to (rows, heads, length, state of a head)."""
        return x.reshape(*x.shape[:2], self.n_head, -1).transpose(0, 2, 1, 3)

    def merge(self, x: mx.array) -> mx.array:
        """The way back from `split`, through the output layer."""
        merged: mx.array = self.out(x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1))
        return merged

    def keys_values(self, x: mx.array) -> KeysValues:
        return self.split(self.key(x)), self.split(self.value(x))

    def attend(
        self, x: mx.array, keys: mx.array, values: mx.array, mask: mx.array | str | None = None
    ) -> mx.array:
        query = self.split(self.query(x))
        scale = query.shape[-1] ** -0.5
        mixed = mx.fast.scaled_dot_product_attention(query, keys, values, scale=scale, mask=mask)
        return self.merge(mixed)

    def attend_and_look(
        self, x: mx.array, keys: mx.array, values: mx.array
    ) -> tuple[mx.array, mx.array]:
        """Attend without mask, and return the scores before softmax too (float32)."""
        query = self.split(self.query(x)) * (x.shape[-1] // self.n_head) ** -0.5
        scores = (query @ keys.swapaxes(-1, -2)).astype(mx.float32)
        mixed = mx.softmax(scores, axis=-1).astype(values.dtype) @ values
        return self.merge(mixed), scores


class EncoderLayer(nn.Module):
    """One layer of the encoder."""

    def __init__(self, n_state: int, n_head: int) -> None:
        super().__init__()
        self.attn = Attention(n_state, n_head)
        self.attn_ln = nn.LayerNorm(n_state)
        self.mlp1 = nn.Linear(n_state, 4 * n_state)
        self.mlp2 = nn.Linear(4 * n_state, n_state)
        self.mlp_ln = nn.LayerNorm(n_state)

    def look_around(self, x: mx.array) -> mx.array:
        """Add what the rest of the sound says; the first half of the layer."""
        normal = self.attn_ln(x)
        query = self.attn.split(self.attn.query(normal))
        mixed = kernels.attention(query, *self.attn.keys_values(normal))
        return x + self.attn.merge(mixed)

    def feed_forward(self, x: mx.array) -> mx.array:
        result: mx.array = self.mlp2(kernels.gelu(self.mlp1(self.mlp_ln(x))))
        return result


class DecoderLayer(EncoderLayer):
    """One layer of the decoder: an encoder's layer that also looks at the sound."""

    def __init__(self, n_state: int, n_head: int) -> None:
        super().__init__(n_state, n_head)
        self.cross_attn = Attention(n_state, n_head)
        self.cross_attn_ln = nn.LayerNorm(n_state)

    def listen(self, x: mx.array, cross: KeysValues) -> mx.array:
        """Add what the sound says; one sound may serve all rows."""
        normal = self.cross_attn_ln(x)
        rows, length, state = normal.shape
        if cross[0].shape[0] == rows:
            return x + self.cross_attn.attend(normal, *cross)
        flat = self.cross_attn.attend(normal.reshape(1, rows * length, state), *cross)
        return x + flat.reshape(rows, length, state)


class Encoder(nn.Module):
    """Log-mel picture to features."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        n_state = dimensions.n_audio_state
        self.conv1 = nn.Conv1d(dimensions.n_mels, n_state, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(n_state, n_state, kernel_size=3, stride=2, padding=1)
        self._positions = _sinusoids(dimensions.n_audio_ctx, n_state)
        self.blocks = [
            EncoderLayer(n_state, dimensions.n_audio_head) for _ in range(dimensions.n_audio_layer)
        ]
        self.ln_post = nn.LayerNorm(n_state)

    def steps(self, mel: mx.array) -> Generator[None, None, mx.array]:
        """Encode a few layers at a time, everything evaluated at each yield.

        Args:
            mel: (1, n_frames, n_mels); any length up to twice the context.

        Returns:
            (1, n_frames / 2, n_state).
        """
        x = kernels.gelu(self.conv1(mel))
        x = kernels.gelu(self.conv2(x))
        x = x + self._positions[: x.shape[1]].astype(x.dtype)
        mx.eval(x)
        yield
        together = _layers_a_step(*x.shape[1:])
        for number, block in enumerate(self.blocks, start=1):
            x = block.look_around(x)
            if together == 1:  # a heavy layer is two steps
                mx.eval(x)
                yield
            x = x + block.feed_forward(x)
            if number % together == 0:
                mx.eval(x)
                yield
        x = self.ln_post(x)
        mx.eval(x)
        return x


class Decoder(nn.Module):
    """Tokens and features to what may come next."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        n_state = dimensions.n_text_state
        self.token_embedding = nn.Embedding(dimensions.n_vocab, n_state)
        self.positional_embedding = mx.zeros((dimensions.n_text_ctx, n_state))
        self.blocks = [
            DecoderLayer(n_state, dimensions.n_text_head) for _ in range(dimensions.n_text_layer)
        ]
        self.ln = nn.LayerNorm(n_state)

    def cross(self, features: mx.array) -> list[KeysValues]:
        """Return each layer's keys and values of the sound; paid once a window."""
        return [block.cross_attn.keys_values(features) for block in self.blocks]

    def logits(self, hidden: mx.array) -> mx.array:
        """Return (…, n_vocab) float32 scores."""
        return self.token_embedding.as_linear(hidden).astype(mx.float32)

    def prefill(
        self, tokens: mx.array, cross: Sequence[KeysValues]
    ) -> tuple[mx.array, list[KeysValues]]:
        """Read whole prompts at once.

        Args:
            tokens: (rows, length) of int; all rows start at position 0.
            cross: per layer, of as many rows, or of one that serves all.

        Returns:
            (rows, length, n_state) and each layer's keys and values of the prompt.
        """
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        made: list[KeysValues] = []
        for block, sound in zip(self.blocks, cross, strict=True):
            normal = block.attn_ln(x)
            keys, values = block.attn.keys_values(normal)
            made.append((keys, values))
            x = x + block.attn.attend(normal, keys, values, mask="causal")
            x = block.listen(x, sound)
            x = x + block.feed_forward(x)
        return self.ln(x), made

    def look(
        self, tokens: mx.array, cross: Sequence[KeysValues], heads: Sequence[tuple[int, int]]
    ) -> tuple[mx.array, mx.array]:
        """Read whole texts at once and return where the `heads` look.

        Returns:
            (rows, length, n_state) and (rows, heads, length, frames) float32 before softmax.
        """
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        seen: dict[tuple[int, int], mx.array] = {}
        wanted = {layer for layer, _ in heads}
        for index, (block, sound) in enumerate(zip(self.blocks, cross, strict=True)):
            normal = block.attn_ln(x)
            x = x + block.attn.attend(normal, *block.attn.keys_values(normal), mask="causal")
            if index in wanted:
                y, scores = block.cross_attn.attend_and_look(block.cross_attn_ln(x), *sound)
                x = x + y
                seen.update({(at, h): scores[:, h] for at, h in heads if at == index})
            else:
                x = block.listen(x, sound)
            x = x + block.feed_forward(x)
        return self.ln(x), mx.stack([seen[head] for head in heads], axis=1)

    def step(
        self,
        tokens: mx.array,
        positions: mx.array,
        caches: Sequence[KeysValues],
        column: int,
        cross: Sequence[KeysValues],
    ) -> tuple[mx.array, list[KeysValues]]:
        """Read one more token of each row.

        The caches are rings: each row's token goes to the same `column`, and a row of `positions`
        p sees the p + 1 columns that end there. So rows of any age share one slice write.

        Args:
            tokens: (rows,) of int.
            positions: (rows,) of int, the tokens' positions in their rows.
            caches: per layer (rows, heads, columns, state of a head); use them no more.
            column: where this token is written.
            cross: per layer, of as many rows, or of one that serves all.

        Returns:
            (rows, n_state) and the caches.
        """
        columns = caches[0][0].shape[2]
        age = (column - mx.arange(columns)) % columns
        mask = (age[None, :] <= positions[:, None])[:, None, None, :]
        x = (self.token_embedding(tokens) + self.positional_embedding[positions])[:, None]
        updated: list[KeysValues] = []
        for block, (keys, values), sound in zip(self.blocks, caches, cross, strict=True):
            normal = block.attn_ln(x)
            key, value = block.attn.keys_values(normal)
            keys[:, :, column : column + 1] = key
            values[:, :, column : column + 1] = value
            updated.append((keys, values))
            x = x + block.attn.attend(normal, keys, values, mask=mask)
            x = block.listen(x, sound)
            x = x + block.feed_forward(x)
        return self.ln(x)[:, 0], updated


class Whisper(nn.Module):
    """Encoder and decoder of one model."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.encoder = Encoder(dimensions)
        self.decoder = Decoder(dimensions)
