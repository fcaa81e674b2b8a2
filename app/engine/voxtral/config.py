"""What shape a Voxtral model has, from whichever config file it came with.

Four spellings exist in the wild and all give the same `Shape`: Hugging Face's of transformers 4 and
5 (`config.json`), Mistral's own (`params.json`), and the two of MLX conversions, which keep
Mistral's names. A name that is not there falls back to what the published models use, never to a
library's default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.files import damaged, read_json

_LARGEST_SIZE = 1 << 20

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AudioShape:
    """The encoder. `window` and RoPE are the realtime model's; 2507 has learned positions."""

    n_mels: int
    width: int
    layers: int
    heads: int
    head_width: int
    ffn_width: int
    positions: int = 1500
    window: int = 750
    rope_base: float = 1e6
    norm_eps: float = 1e-5


@dataclass(frozen=True, slots=True)
class TextShape:
    """The language model. `window` and `delay_width` are the realtime model's, else `None`."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    ffn_width: int
    rope_base: float
    norm_eps: float = 1e-5
    is_tied: bool = False
    window: int | None = None
    delay_width: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole model.

    Attributes:
        stack: how many encoder frames make one audio token.
        is_realtime: whether it streams (2602) or hears whole windows (2507).
        is_interleaved: whether its rotary weights pair neighbours (Mistral's layout) or halves
            (Hugging Face's).
    """

    audio: AudioShape
    text: TextShape
    stack: int
    is_realtime: bool
    is_interleaved: bool


def read_shape(folder: Path) -> Shape:
    """Return the shape of the model in `folder`.

    Raises:
        ModelMissing: there is no config.
        ModelDamaged: the config makes no sense.
    """
    name = "config.json" if (folder / "config.json").is_file() else "params.json"
    raw = read_json(folder / name)
    try:
        shape = _shape_of(raw)
        _check(shape)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise damaged(folder) from None
    return shape


def _shape_of(raw: Raw) -> Shape:
    if "audio_config" in raw:
        return _hugging_face(raw)
    if "multimodal" in raw:
        model = raw["multimodal"]["whisper_model_args"]
        audio, text = model["encoder_args"], raw
        stack = int(model.get("downsample_args", {}).get("downsample_factor", 4))
    else:
        audio, text = raw["encoder_args"], raw["decoder"]
        stack = int(audio.get("downsample_factor", 4))
    return _mistral(audio, text, stack, raw)


def _hugging_face(raw: Raw) -> Shape:
    is_realtime = raw.get("model_type") == "voxtral_realtime"
    audio, text = raw["audio_config"], raw["text_config"]
    width = int(_first(audio, "hidden_size", "d_model"))
    heads = int(_first(audio, "num_attention_heads", "encoder_attention_heads"))
    ffn_width = int(_first(audio, "intermediate_size", "encoder_ffn_dim"))
    text_width, text_heads = int(text.get("hidden_size", 3072)), text.get("num_attention_heads", 32)
    is_tied = text.get("tie_word_embeddings", raw.get("tie_word_embeddings", is_realtime))
    return Shape(
        AudioShape(
            n_mels=int(audio.get("num_mel_bins", 128)),
            width=width,
            layers=int(_first(audio, "num_hidden_layers", "encoder_layers")),
            heads=heads,
            head_width=int(audio.get("head_dim") or 64) if is_realtime else width // heads,
            ffn_width=ffn_width,
            positions=int(audio.get("max_source_positions", 1500)),
            window=int(audio.get("sliding_window") or 750),
            rope_base=_rope_base(audio, 1e6),
            norm_eps=float(audio.get("rms_norm_eps", 1e-5)),
        ),
        TextShape(
            vocabulary=int(text.get("vocab_size", 131072)),
            width=text_width,
            layers=int(text.get("num_hidden_layers", 26 if is_realtime else 30)),
            heads=int(text_heads),
            kv_heads=int(text.get("num_key_value_heads", 8)),
            head_width=int(text.get("head_dim") or 128),
            ffn_width=int(text.get("intermediate_size", 9216 if is_realtime else 8192)),
            rope_base=_rope_base(text, 1e6 if is_realtime else 1e8),
            norm_eps=float(text.get("rms_norm_eps", 1e-5)),
            is_tied=bool(is_tied),
            window=int(text.get("sliding_window") or 8192) if is_realtime else None,
            delay_width=32 if is_realtime else None,
        ),
        stack=int(raw.get("downsample_factor", 4)) if is_realtime else ffn_width // width,
        is_realtime=is_realtime,
        is_interleaved=False,
    )


def _mistral(audio: Raw, text: Raw, stack: int, raw: Raw) -> Shape:
    is_realtime = bool(
        raw.get("model_type") == "voxtral_realtime"
        or text.get("ada_rms_norm_t_cond")
        or audio.get("causal")
    )
    encoding = audio.get("audio_encoding_args") or raw.get("audio_encoding_args") or {}
    return Shape(
        AudioShape(
            n_mels=int(encoding.get("num_mel_bins", 128)),
            width=int(audio["dim"]),
            layers=int(audio["n_layers"]),
            heads=int(audio["n_heads"]),
            head_width=int(audio.get("head_dim") or audio["dim"] // audio["n_heads"]),
            ffn_width=int(audio["hidden_dim"]),
            positions=int(audio.get("max_source_positions") or 1500),
            window=int(audio.get("sliding_window") or 750),
            rope_base=float(audio.get("rope_theta") or 1e6),
            norm_eps=float(audio.get("norm_eps") or 1e-5),
        ),
        TextShape(
            vocabulary=int(text["vocab_size"]),
            width=int(text["dim"]),
            layers=int(text["n_layers"]),
            heads=int(text["n_heads"]),
            kv_heads=int(text["n_kv_heads"]),
            head_width=int(text["head_dim"]),
            ffn_width=int(text["hidden_dim"]),
            rope_base=float(text.get("rope_theta") or (1e6 if is_realtime else 1e8)),
            norm_eps=float(text.get("norm_eps", 1e-5)),
            is_tied=bool(text.get("tied_embeddings", is_realtime)),
            window=int(text.get("sliding_window") or 8192) if is_realtime else None,
            delay_width=int(text.get("ada_rms_norm_t_cond_dim") or 32) if is_realtime else None,
        ),
        stack=stack,
        is_realtime=is_realtime,
        is_interleaved=True,
    )


def _first(raw: Raw, *names: str) -> Any:
    for name in names:
        if name in raw:
            return raw[name]
    raise KeyError(names[0])


def _rope_base(raw: Raw, published: float) -> float:
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        raise ValueError("scaled rotary positions")
    return float(rope.get("rope_theta") or raw.get("rope_theta") or published)


def _check(shape: Shape) -> None:
    audio, text = shape.audio, shape.text
    sizes = [
        *(audio.n_mels, audio.width, audio.layers, audio.heads, audio.head_width, audio.ffn_width),
        *(audio.positions, audio.window, shape.stack),
        *(text.vocabulary, text.width, text.layers, text.heads, text.kv_heads, text.head_width),
        *(text.ffn_width, text.window or 1, text.delay_width or 1),
    ]
    if not all(0 < size <= _LARGEST_SIZE for size in sizes):
        raise ValueError("a size out of range")
    if text.heads % text.kv_heads or audio.head_width % 2 or text.head_width % 2:
        raise ValueError("heads that do not fit")
    if not shape.is_realtime and (audio.heads * audio.head_width != audio.width):
        raise ValueError("heads that do not fit")
    if not shape.is_realtime and audio.positions % shape.stack:
        raise ValueError("a window that is no whole number of tokens")
