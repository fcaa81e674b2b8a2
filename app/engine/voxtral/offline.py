"""Voxtral 2507: Whisper's encoder, a projector that makes 12.5 audio tokens a second, and a Llama.

One window is one chunk of 30 s, padded with silence: 375 audio tokens, however short the speech, so
the prompts of all windows have one length and can be decoded side by side without padding.
Source: Hugging Face transformers `models/voxtral` (Apache-2.0), held to in `tests/parity`.
"""

import math
from collections.abc import Generator, Sequence

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from app.engine.voxtral.config import AudioShape, Shape
from app.engine.voxtral.features import Mel
from app.engine.voxtral.text import TextModel


def sinusoids(length: int, width: int) -> mx.array:
    """Return Whisper's table of positions (length, width)."""
    half = width // 2
    steps = np.exp(-math.log(10_000) / (half - 1) * np.arange(half))
    angles = np.arange(length)[:, None] * steps[None, :]
    return mx.array(np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32))


class _Attention(nn.Module):
    """Full attention within the window."""

    def __init__(self, shape: AudioShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width)
        self.o_proj = nn.Linear(shape.width, shape.width)

    def __call__(self, x: mx.array) -> mx.array:
        rows, length, width = x.shape
        q, k, v = (
            project(x).reshape(rows, length, self.heads, -1).swapaxes(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        scale = 1 / math.sqrt(q.shape[-1])
        out = mx.fast.scaled_dot_product_attention(q, k, v, scale=scale)
        return self.o_proj(out.swapaxes(1, 2).reshape(rows, length, width))


class _FeedForward(nn.Module):
    def __init__(self, shape: AudioShape) -> None:
        super().__init__()
        self.fc1 = nn.Linear(shape.width, shape.ffn_width)
        self.fc2 = nn.Linear(shape.ffn_width, shape.width)

    def __call__(self, x: mx.array) -> mx.array:
        return self.fc2(nn.gelu(self.fc1(x)))


class _Layer(nn.Module):
    def __init__(self, shape: AudioShape) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.width)
        self.self_attn = _Attention(shape)
        self.ffn_norm = nn.LayerNorm(shape.width)
        self.mlp = _FeedForward(shape)

    def __call__(self, x: mx.array) -> mx.array:
        x = x + self.self_attn(self.attention_norm(x))
        return x + self.mlp(self.ffn_norm(x))


class AudioTower(nn.Module):
    """Whisper's encoder."""

    def __init__(self, shape: AudioShape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.n_mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.positions = mx.zeros((shape.positions, shape.width))
        self.layers = [_Layer(shape) for _ in range(shape.layers)]
        self.norm = nn.LayerNorm(shape.width)

    def encode(self, mel: mx.array) -> Generator[None, None, mx.array]:
        """Encode (1, frames, mels), one layer a step, to (1, positions, width)."""
        x = nn.gelu(self.conv1(mel.astype(self.conv1.weight.dtype)))
        x = nn.gelu(self.conv2(x)) + self.positions
        mx.eval(x)
        yield
        for layer in self.layers:
            x = layer(x)
            mx.eval(x)
            yield
        return self.norm(x)


class Projector(nn.Module):
    """Stacked encoder frames to the language model's width."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(shape.audio.width * shape.stack, shape.text.width, bias=False)
        self.linear_2 = nn.Linear(shape.text.width, shape.text.width, bias=False)

    def __call__(self, x: mx.array) -> mx.array:
        return self.linear_2(nn.gelu(self.linear_1(x)))


class Voxtral(nn.Module):
    """The whole 2507 model."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.audio_tower = AudioTower(shape.audio)
        self.multi_modal_projector = Projector(shape)
        self.language_model = TextModel(shape)

    @property
    def frames(self) -> int:
        """Mel frames of one window."""
        return 2 * self.shape.audio.positions

    @property
    def audio_tokens(self) -> int:
        """Audio tokens of one window."""
        return self.shape.audio.positions // self.shape.stack

    def hear(self, mel: Mel) -> Generator[None, None, mx.array]:
        """Turn one window's mel (frames, mels) into its (audio tokens, width), in steps."""
        encoded = yield from self.audio_tower.encode(mx.array(mel)[None])
        stacked = encoded.reshape(-1, self.shape.audio.width * self.shape.stack)
        heard = self.multi_modal_projector(stacked)
        mx.eval(heard)
        return heard

    def embed(self, prompt: Sequence[int], audio_token: int, heard: Sequence[mx.array]) -> mx.array:
        """Return (rows, length, width): the prompt with each row's audio in place of its marks."""
        tokens = np.asarray(prompt)
        places = np.flatnonzero(tokens == audio_token)
        first, count = int(places[0]), len(places)
        text = self.language_model.embed_tokens(mx.array(tokens))
        rows = [mx.concatenate([text[:first], sound, text[first + count :]]) for sound in heard]
        return mx.stack(rows)
