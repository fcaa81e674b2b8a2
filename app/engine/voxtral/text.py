"""The Llama that writes Voxtral's text: attention with a cache, rotary positions, gated layers.

Our own hundred lines instead of `mlx_lm.models.llama`: importing that pulls in `transformers`
(about 3 s at start and 60 MB in the bundle), and the realtime model needs a sliding window and
layers that know the delay, which it does not have. Held to Hugging Face's in `tests/parity`.
"""

import math
from collections.abc import Generator, Sequence

import mlx.core as mx
import mlx.nn as nn

from app.engine.voxtral.cache import KeyValues
from app.engine.voxtral.config import Shape, TextShape


class Attention(nn.Module):
    """Attention with rotary positions over a cache; `has_bias` is the realtime encoder's."""

    def __init__(
        self, width: int, heads: int, kv_heads: int, head_width: int, has_bias: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads
        self.q_proj = nn.Linear(width, heads * head_width, bias=has_bias)
        self.k_proj = nn.Linear(width, kv_heads * head_width, bias=False)
        self.v_proj = nn.Linear(width, kv_heads * head_width, bias=has_bias)
        self.o_proj = nn.Linear(heads * head_width, width, bias=has_bias)

    def __call__(self, x: mx.array, cache: KeyValues) -> mx.array:
        rows, length, _ = x.shape
        q = self.q_proj(x).reshape(rows, length, self.heads, -1).swapaxes(1, 2)
        k = self.k_proj(x).reshape(rows, length, self.kv_heads, -1).swapaxes(1, 2)
        v = self.v_proj(x).reshape(rows, length, self.kv_heads, -1).swapaxes(1, 2)
        q = cache.rotated(q)
        k, v = cache.append(cache.rotated(k), v)
        scale = 1 / math.sqrt(q.shape[-1])
        out = mx.fast.scaled_dot_product_attention(q, k, v, scale=scale, mask=cache.mask(length))
        return self.o_proj(out.swapaxes(1, 2).reshape(rows, length, -1))


class GatedFeedForward(nn.Module):
    """SwiGLU; `has_bias` is the realtime encoder's."""

    def __init__(self, width: int, inner: int, has_bias: bool = False) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=has_bias)

    def __call__(self, x: mx.array) -> mx.array:
        return self.down_proj(nn.silu(self.gate_proj(x)) * self.up_proj(x))


class DelayNorm(nn.Module):
    """How much the delay scales each channel before the feed-forward (Ada RMSNorm)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, inner, bias=False)
        self.linear2 = nn.Linear(inner, width, bias=False)

    def __call__(self, delay: mx.array) -> mx.array:
        return 1 + self.linear2(nn.gelu(self.linear1(delay)))


class TextLayer(nn.Module):
    """One layer of the language model."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, shape.norm_eps)
        self.self_attn = Attention(shape.width, shape.heads, shape.kv_heads, shape.head_width)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.norm_eps)
        self.mlp = GatedFeedForward(shape.width, shape.ffn_width)
        if shape.delay_width is not None:
            self.delay_norm = DelayNorm(shape.width, shape.delay_width)

    def __call__(self, x: mx.array, cache: KeyValues, scale: mx.array | None) -> mx.array:
        x = x + self.self_attn(self.attention_norm(x), cache)
        normed = self.ffn_norm(x)
        return x + self.mlp(normed if scale is None else normed * scale)


class TextModel(nn.Module):
    """Embeddings in, logits out."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape.text
        self.is_interleaved = shape.is_interleaved
        self.embed_tokens = nn.Embedding(self.shape.vocabulary, self.shape.width)
        self.layers = [TextLayer(self.shape) for _ in range(self.shape.layers)]
        self.norm = nn.RMSNorm(self.shape.width, self.shape.norm_eps)
        if not self.shape.is_tied:
            self.lm_head = nn.Linear(self.shape.width, self.shape.vocabulary, bias=False)

    def caches(self) -> list[KeyValues]:
        """Return an empty cache for each layer."""
        shape = self.shape
        return [
            KeyValues(shape.head_width, shape.rope_base, self.is_interleaved, shape.window)
            for _ in self.layers
        ]

    def delay_scales(self, delay_slots: int) -> list[mx.array]:
        """Return each layer's scale for a delay; it is the same for a whole stream.

        Source: Hugging Face `VoxtralRealtimeTimeEmbedding`: a sinusoid of the delay in slots.
        """
        half = self.shape.width // 2
        angles = delay_slots * mx.exp(-math.log(10_000) * mx.arange(half) / half)
        delay = mx.concatenate([mx.cos(angles), mx.sin(angles)])
        delay = delay.astype(self.norm.weight.dtype)
        scales = [layer.delay_norm(delay) for layer in self.layers]
        mx.eval(scales)
        return scales

    def run(
        self,
        x: mx.array,
        caches: Sequence[KeyValues],
        scales: Sequence[mx.array] | None = None,
    ) -> mx.array:
        """Return the hidden states (rows, length, width) of the embeddings `x`."""
        for place, (layer, cache) in enumerate(zip(self.layers, caches, strict=True)):
            x = layer(x, cache, scales[place] if scales else None)
        return self.norm(x)

    def prefill(
        self,
        x: mx.array,
        caches: Sequence[KeyValues],
        scales: Sequence[mx.array] | None = None,
    ) -> Generator[None, None, mx.array]:
        """Do what `run` does, one layer a step, with nothing left lazy between steps."""
        for place, (layer, cache) in enumerate(zip(self.layers, caches, strict=True)):
            x = layer(x, cache, scales[place] if scales else None)
            mx.eval(x, cache.arrays)
            yield
        return self.norm(x)

    def logits(self, hidden: mx.array) -> mx.array:
        """Return (…, vocabulary) for hidden states (…, width)."""
        if self.shape.is_tied:
            return self.embed_tokens.as_linear(hidden)
        return self.lm_head(hidden)
