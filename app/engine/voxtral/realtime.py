"""Voxtral Realtime 2602: a causal encoder and a Llama that writes one token for every 80 ms.

A *slot* is 80 ms: 8 mel frames, 4 encoder frames, one audio embedding, one text token. The slot's
audio embedding is added to the embedding of the token written before it. Both networks see a
sliding window only, so what a stream remembers stays flat however long it runs.
Source: Hugging Face transformers `models/voxtral_realtime` (Apache-2.0), held to in `tests/parity`.
"""

from collections.abc import Generator

import mlx.core as mx
import mlx.nn as nn

from app.engine.voxtral.cache import KeyValues
from app.engine.voxtral.config import AudioShape, Shape
from app.engine.voxtral.features import Mel
from app.engine.voxtral.offline import Projector
from app.engine.voxtral.text import Attention, GatedFeedForward, TextModel

_LIGHT = 16  # encoder frames that all layers hear in one step
FRAMES_A_POSITION = 2  # mel frames that make one encoder frame


class _Layer(nn.Module):
    def __init__(self, shape: AudioShape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, shape.norm_eps)
        heads, head_width = shape.heads, shape.head_width
        self.self_attn = Attention(shape.width, heads, heads, head_width, has_bias=True)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.norm_eps)
        self.mlp = GatedFeedForward(shape.width, shape.ffn_width, has_bias=True)

    def __call__(self, x: mx.array, cache: KeyValues) -> mx.array:
        x = x + self.self_attn(self.attention_norm(x), cache)
        return x + self.mlp(self.ffn_norm(x))


class HearingState:
    """What the encoder remembers of one stream: two convolution edges and its caches."""

    def __init__(self, shape: Shape) -> None:
        audio = shape.audio
        self.mel_edge = mx.zeros((1, 2, audio.n_mels))
        self.conv_edge = mx.zeros((1, 1, audio.width))
        self.caches = [
            KeyValues(audio.head_width, audio.rope_base, shape.is_interleaved, audio.window)
            for _ in range(audio.layers)
        ]

    @property
    def arrays(self) -> list[mx.array]:
        """What must be evaluated before a step ends."""
        kept = [array for cache in self.caches for array in cache.arrays]
        return [self.mel_edge, self.conv_edge, *kept]


class AudioTower(nn.Module):
    """The causal encoder; convolutions are padded on the left only, by what came before."""

    def __init__(self, shape: AudioShape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.n_mels, shape.width, 3)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2)
        self.layers = [_Layer(shape) for _ in range(shape.layers)]
        self.norm = nn.RMSNorm(shape.width, shape.norm_eps)

    def encode(self, mel: mx.array, state: HearingState) -> Generator[None, None, mx.array]:
        """Encode the next (1, frames, mels), one layer a step; returns (1, frames / 2, width)."""
        dtype = self.conv1.weight.dtype
        mel = mx.concatenate([state.mel_edge.astype(dtype), mel.astype(dtype)], axis=1)
        state.mel_edge = mel[:, -2:]
        x = nn.gelu(self.conv1(mel))
        x = mx.concatenate([state.conv_edge.astype(dtype), x], axis=1)
        state.conv_edge = x[:, -1:]
        x = nn.gelu(self.conv2(x))
        for layer, cache in zip(self.layers, state.caches, strict=True):
            x = layer(x, cache)
            if x.shape[1] > _LIGHT:
                mx.eval(x, cache.arrays)
                yield
        x = self.norm(x)
        mx.eval(x, state.arrays)
        return x


class VoxtralRealtime(nn.Module):
    """The whole realtime model."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.audio_tower = AudioTower(shape.audio)
        self.multi_modal_projector = Projector(shape)
        self.language_model = TextModel(shape)

    @property
    def frames_a_slot(self) -> int:
        """Mel frames of one slot."""
        return FRAMES_A_POSITION * self.shape.stack

    def hear(self, mel: Mel, state: HearingState) -> Generator[None, None, mx.array]:
        """Turn the next whole slots' mel (frames, mels) into (slots, width), in steps."""
        encoded = yield from self.audio_tower.encode(mx.array(mel)[None], state)
        stacked = encoded.reshape(-1, self.shape.audio.width * self.shape.stack)
        heard = self.multi_modal_projector(stacked)
        mx.eval(heard)
        return heard
