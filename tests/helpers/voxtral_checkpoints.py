"""Tiny Voxtral checkpoints with random weights, in every file layout that exists.

NumPy only and seeded, so that the oracle's environment, the app's and a download test all get the
same numbers. The weights mean nothing; the ending mark and the pad are made likely, so that
decoding ends and streams fall silent now and then.
"""

import base64
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Layout = Literal["hugging_face", "hugging_face_4", "mistral", "mlx"]

SPECIAL = 40
SIZE = 512
PAD, WORD, END = 12.0, 8.0, 6.0  # how much likelier these marks are than chance
_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_MARKS = {
    0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 5: "[AVAILABLE_TOOLS]",
    6: "[/AVAILABLE_TOOLS]", 7: "[TOOL_RESULTS]", 8: "[/TOOL_RESULTS]", 9: "[TOOL_CALLS]",
    10: "[IMG]", 11: "<pad>", 12: "[IMG_BREAK]", 13: "[IMG_END]", 14: "[PREFIX]", 15: "[MIDDLE]",
    16: "[SUFFIX]", 17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]", 19: "[TOOL_CONTENT]",
    24: "[AUDIO]", 25: "[BEGIN_AUDIO]",
}  # fmt: skip
_OFFLINE_MARKS = {32: "[ARGS]", 33: "[CALL_ID]", 34: "[TRANSCRIBE]"}
_REALTIME_MARKS = {32: "[STREAMING_PAD]", 33: "[STREAMING_WORD]", 35: "[ARGS]", 36: "[CALL_ID]"}
_LETTERS = "etaoinshrdlucmfwypvbgk"


@dataclass(frozen=True, slots=True)
class Tiny:
    """The shape of a tiny checkpoint.

    `positions` is the window of 2507 in encoder frames; a model that does not end never writes its
    ending mark.
    """

    is_realtime: bool = False
    width: int = 32
    audio_layers: int = 2
    audio_heads: int = 2
    audio_head_width: int = 16
    text_width: int = 48
    text_layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 16
    text_ffn: int = 96
    positions: int = 1500
    audio_window: int = 750
    text_window: int = 8192
    n_mels: int = 128
    rope_base: float = 1e6
    does_end: bool = True

    @property
    def audio_ffn(self) -> int:
        return 4 * self.width

    @property
    def text_rope_base(self) -> float:
        return self.rope_base if self.is_realtime else 1e8


def write_tekken(folder: Path, is_realtime: bool) -> None:
    """Write a tiny `tekken.json`: bytes, and pairs of common letters."""
    pieces = [bytes([byte]) for byte in range(256)]
    pairs = [f"{a}{b}".encode() for a in " " + _LETTERS for b in _LETTERS]
    pieces += pairs[: SIZE - SPECIAL - 256]
    marks = _MARKS | (_REALTIME_MARKS if is_realtime else _OFFLINE_MARKS)
    audio: dict[str, Any] = {
        "sampling_rate": 16000,
        "frame_rate": 12.5,
        "audio_encoding_config": {"num_mel_bins": 128, "hop_length": 160, "window_size": 400},
    }
    if is_realtime:
        audio |= {
            "chunk_length_s": None,
            "transcription_format": "streaming",
            "transcription_delay_ms": 480,
            "streaming_look_ahead_ms": 2.5,
            "streaming_look_back_ms": 52.5,
            "streaming_n_left_pad_tokens": 32,
        }
    else:
        audio["chunk_length_s"] = 30.0
    content = {
        "config": {
            "pattern": _PATTERN,
            "num_vocab_tokens": len(pieces),
            "default_vocab_size": SIZE,
            "default_num_special_tokens": SPECIAL,
            "version": "v13" if is_realtime else "v11",
        },
        "vocab": [
            {
                "rank": rank,
                "token_bytes": base64.b64encode(piece).decode(),
                "token_str": piece.decode("utf-8", errors="replace"),
            }
            for rank, piece in enumerate(pieces)
        ],
        "special_tokens": [
            {"rank": rank, "token_str": marks.get(rank, f"<SPECIAL_{rank}>"), "is_control": True}
            for rank in range(SPECIAL)
        ],
        "audio": audio,
    }
    (folder / "tekken.json").write_text(json.dumps(content), encoding="utf-8")


def weights(tiny: Tiny, seed: int = 0) -> dict[str, Array]:
    """Return random weights under Hugging Face's names."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}

    def matrix(name: str, *shape: int, bias: bool = False) -> None:
        # Sharp attention and loud audio: what comes out depends on what was heard.
        gain = next((g for end, g in _GAINS.items() if name.endswith(end)), 0.9)
        scale = gain / np.sqrt(np.prod(shape[1:]))
        arrays[f"{name}.weight"] = rng.normal(0, scale, shape).astype(np.float32)
        if bias:
            arrays[f"{name}.bias"] = rng.normal(0, 0.1, shape[0]).astype(np.float32)

    def norm(name: str, width: int, bias: bool = False) -> None:
        arrays[f"{name}.weight"] = rng.normal(1, 0.1, width).astype(np.float32)
        if bias:
            arrays[f"{name}.bias"] = rng.normal(0, 0.1, width).astype(np.float32)

    (_realtime_tower if tiny.is_realtime else _whisper_tower)(tiny, matrix, norm)
    if not tiny.is_realtime:
        positions = rng.normal(0, 0.3, (tiny.positions, tiny.width)).astype(np.float32)
        arrays["audio_tower.embed_positions.weight"] = positions
    matrix("multi_modal_projector.linear_1", tiny.text_width, tiny.width * 4)
    matrix("multi_modal_projector.linear_2", tiny.text_width, tiny.text_width)
    _text_model(tiny, matrix, norm)
    embedding = rng.normal(0, 0.4, (SIZE, tiny.text_width)).astype(np.float32)
    rare = [n for n in range(SPECIAL + 256) if not SPECIAL + 32 <= n < SPECIAL + 127]
    if tiny.is_realtime:
        embedding[rare] *= 0.3
        embedding[32] *= PAD  # which is also its own row of the tied head
        embedding[33] *= WORD
    else:
        head = rng.normal(0, 0.5, (SIZE, tiny.text_width)).astype(np.float32)
        head[rare] *= 0.3
        head[2] *= END
        if not tiny.does_end:
            head[[2, 4, 11]] = 0
        arrays["language_model.lm_head.weight"] = head
    arrays["language_model.model.embed_tokens.weight"] = embedding
    return arrays


_GAINS = {
    ".q_proj": 2.0,
    ".k_proj": 2.0,
    "conv1": 3.0,
    "conv2": 3.0,
    "linear_1": 3.0,
    "linear_2": 3.0,
}
_Put = Callable[..., None]
_Rules = list[tuple[str, str]]


def _whisper_tower(tiny: Tiny, matrix: _Put, norm: _Put) -> None:
    width = tiny.width
    matrix("audio_tower.conv1", width, tiny.n_mels, 3, bias=True)
    matrix("audio_tower.conv2", width, width, 3, bias=True)
    for n in range(tiny.audio_layers):
        layer = f"audio_tower.layers.{n}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            matrix(f"{layer}.self_attn.{part}", width, width, bias=part != "k_proj")
        norm(f"{layer}.self_attn_layer_norm", width, bias=True)
        norm(f"{layer}.final_layer_norm", width, bias=True)
        matrix(f"{layer}.fc1", tiny.audio_ffn, width, bias=True)
        matrix(f"{layer}.fc2", width, tiny.audio_ffn, bias=True)
    norm("audio_tower.layer_norm", width, bias=True)


def _realtime_tower(tiny: Tiny, matrix: _Put, norm: _Put) -> None:
    width, inner = tiny.width, tiny.audio_heads * tiny.audio_head_width
    matrix("audio_tower.embedder.conv1", width, tiny.n_mels, 3, bias=True)
    matrix("audio_tower.embedder.conv2", width, width, 3, bias=True)
    for n in range(tiny.audio_layers):
        layer = f"audio_tower.layers.{n}"
        matrix(f"{layer}.self_attn.q_proj", inner, width, bias=True)
        matrix(f"{layer}.self_attn.k_proj", inner, width)
        matrix(f"{layer}.self_attn.v_proj", inner, width, bias=True)
        matrix(f"{layer}.self_attn.o_proj", width, inner, bias=True)
        norm(f"{layer}.self_attn_layer_norm", width)
        norm(f"{layer}.final_layer_norm", width)
        matrix(f"{layer}.mlp.gate_proj", tiny.audio_ffn, width)
        matrix(f"{layer}.mlp.up_proj", tiny.audio_ffn, width)
        matrix(f"{layer}.mlp.down_proj", width, tiny.audio_ffn, bias=True)
    norm("audio_tower.norm", width)


def _text_model(tiny: Tiny, matrix: _Put, norm: _Put) -> None:
    width = tiny.text_width
    for n in range(tiny.text_layers):
        layer = f"language_model.model.layers.{n}"
        matrix(f"{layer}.self_attn.q_proj", tiny.heads * tiny.head_width, width)
        matrix(f"{layer}.self_attn.k_proj", tiny.kv_heads * tiny.head_width, width)
        matrix(f"{layer}.self_attn.v_proj", tiny.kv_heads * tiny.head_width, width)
        matrix(f"{layer}.self_attn.o_proj", width, tiny.heads * tiny.head_width)
        norm(f"{layer}.input_layernorm", width)
        norm(f"{layer}.post_attention_layernorm", width)
        matrix(f"{layer}.mlp.gate_proj", tiny.text_ffn, width)
        matrix(f"{layer}.mlp.up_proj", tiny.text_ffn, width)
        matrix(f"{layer}.mlp.down_proj", width, tiny.text_ffn)
        if tiny.is_realtime:
            matrix(f"{layer}.ada_rms_norm.linear1", 32, width)
            matrix(f"{layer}.ada_rms_norm.linear2", width, 32)
    norm("language_model.model.norm", width)


def config(tiny: Tiny, layout: Layout) -> dict[str, Any]:
    """Return the config file's content in a layout."""
    if layout in ("mistral", "mlx"):
        return _mistral_config(tiny, layout)
    is_old = layout == "hugging_face_4"

    def rope(base: float) -> dict[str, Any]:
        if is_old:
            return {"rope_theta": base}
        return {"rope_parameters": {"rope_type": "default", "rope_theta": base}}

    text: dict[str, Any] = {
        "vocab_size": SIZE,
        "hidden_size": tiny.text_width,
        "intermediate_size": tiny.text_ffn,
        "num_hidden_layers": tiny.text_layers,
        "num_attention_heads": tiny.heads,
        "num_key_value_heads": tiny.kv_heads,
        "head_dim": tiny.head_width,
        "rms_norm_eps": 1e-5,
        **rope(tiny.text_rope_base),
    }
    audio: dict[str, Any] = {
        "d_model" if is_old else "hidden_size": tiny.width,
        "encoder_ffn_dim" if is_old else "intermediate_size": tiny.audio_ffn,
        "encoder_layers" if is_old else "num_hidden_layers": tiny.audio_layers,
        "encoder_attention_heads" if is_old else "num_attention_heads": tiny.audio_heads,
        "num_mel_bins": tiny.n_mels,
    }
    if tiny.is_realtime:
        text |= {"model_type": "voxtral_realtime_text", "sliding_window": tiny.text_window}
        text["tie_word_embeddings"] = True
        audio |= {
            "model_type": "voxtral_realtime_encoder",
            "head_dim": tiny.audio_head_width,
            "sliding_window": tiny.audio_window,
            **rope(tiny.rope_base),
        }
        name = "VoxtralRealtimeForConditionalGeneration"
        top: dict[str, Any] = {"model_type": "voxtral_realtime", "tie_word_embeddings": True}
    else:
        text |= {"model_type": "llama", "tie_word_embeddings": False}
        audio |= {"model_type": "voxtral_encoder", "max_source_positions": tiny.positions}
        name = "VoxtralForConditionalGeneration"
        top = {"model_type": "voxtral", "audio_token_id": 24}
    top |= {"architectures": [name], "audio_config": audio, "text_config": text}
    return top | {"dtype": "float32"}


def _mistral_config(tiny: Tiny, layout: Layout) -> dict[str, Any]:
    text: dict[str, Any] = {
        "dim": tiny.text_width,
        "n_layers": tiny.text_layers,
        "head_dim": tiny.head_width,
        "hidden_dim": tiny.text_ffn,
        "n_heads": tiny.heads,
        "n_kv_heads": tiny.kv_heads,
        "rope_theta": tiny.text_rope_base,
        "norm_eps": 1e-5,
        "vocab_size": SIZE,
        "tied_embeddings": tiny.is_realtime,
    }
    audio: dict[str, Any] = {
        "audio_encoding_args": {"num_mel_bins": tiny.n_mels},
        "dim": tiny.width,
        "n_layers": tiny.audio_layers,
        "head_dim": tiny.audio_head_width,
        "hidden_dim": tiny.audio_ffn,
        "n_heads": tiny.audio_heads,
        "max_source_positions": tiny.positions,
    }
    if tiny.is_realtime:
        text |= {"sliding_window": tiny.text_window, "ada_rms_norm_t_cond": True}
        text["ada_rms_norm_t_cond_dim"] = 32
        audio |= {"causal": True, "sliding_window": tiny.audio_window}
        audio |= {"rope_theta": tiny.rope_base, "max_source_positions": None}
    if layout == "mlx":
        kind = "voxtral_realtime" if tiny.is_realtime else "voxtral"
        audio["downsample_factor"] = 4
        return {"model_type": kind, "decoder": text, "encoder_args": audio}
    model = {"encoder_args": audio, "downsample_args": {"downsample_factor": 4}}
    return text | {"multimodal": {"whisper_model_args": model}}


def _interleaved(array: Array, head_width: int) -> Array:
    """Return rotary rows in Mistral's order: pairs of neighbours, not halves."""
    halves = array.reshape(-1, 2, head_width // 2, *array.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(array.shape)


def _renamed(arrays: Mapping[str, Array], tiny: Tiny, rules: _Rules) -> dict[str, Array]:
    out: dict[str, Array] = {}
    for name, array in arrays.items():
        is_text = name.startswith("language_model")
        is_rotary = is_text or tiny.is_realtime
        if is_rotary and (".q_proj." in name or ".k_proj." in name):
            array = _interleaved(array, tiny.head_width if is_text else tiny.audio_head_width)
        for old, new in rules:
            name = name.replace(old, new)
        out[name] = array
    return out


def _mistral_names(arrays: Mapping[str, Array], tiny: Tiny) -> dict[str, Array]:
    tower = "mm_whisper_embeddings."
    conv = ""
    if tiny.is_realtime:
        tower, conv = "mm_streams_embeddings.embedding_module.", ".conv"
    encoder = f"{tower}whisper_encoder."
    rules = [
        ("audio_tower.embedder.", "audio_tower."),
        ("audio_tower.conv1", f"{encoder}conv_layers.0{conv}"),
        ("audio_tower.conv2", f"{encoder}conv_layers.1{conv}"),
        ("audio_tower.layer_norm", f"{encoder}transformer.norm"),
        ("audio_tower.norm", f"{encoder}transformer.norm"),
        ("audio_tower.", f"{encoder}transformer."),
        ("multi_modal_projector.linear_1", f"{tower}audio_language_projection.0"),
        ("multi_modal_projector.linear_2", f"{tower}audio_language_projection.2"),
        ("language_model.lm_head", "output"),
        ("language_model.model.embed_tokens", f"{tower}tok_embeddings"),
        ("language_model.model.", ""),
        *_mistral_parts("feed_forward."),
        ("ada_rms_norm.linear1", "ada_rms_norm_t_cond.0"),
        ("ada_rms_norm.linear2", "ada_rms_norm_t_cond.2"),
    ]
    return _renamed(arrays, tiny, rules)


def _mistral_parts(feed_forward: str) -> _Rules:
    return [
        *((f"self_attn.{n}_proj", f"attention.w{n}") for n in "qkvo"),
        ("self_attn.out_proj", "attention.wo"),
        ("self_attn_layer_norm", "attention_norm"),
        ("input_layernorm", "attention_norm"),
        ("final_layer_norm", "ffn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        (".fc1.", f".{feed_forward}w1."),
        (".fc2.", f".{feed_forward}w2."),
        ("mlp.gate_proj", f"{feed_forward}w1"),
        ("mlp.down_proj", f"{feed_forward}w2"),
        ("mlp.up_proj", f"{feed_forward}w3"),
    ]


def _mlx_realtime_names(arrays: Mapping[str, Array], tiny: Tiny) -> dict[str, Array]:
    rules = [
        ("audio_tower.embedder.conv1", "encoder.conv_layers_0_conv.conv"),
        ("audio_tower.embedder.conv2", "encoder.conv_layers_1_conv.conv"),
        ("audio_tower.", "encoder.transformer_"),
        ("multi_modal_projector.linear_1", "encoder.audio_language_projection_0"),
        ("multi_modal_projector.linear_2", "encoder.audio_language_projection_2"),
        ("language_model.model.embed_tokens", "decoder.tok_embeddings"),
        ("language_model.model.", "decoder."),
        *_mistral_parts("feed_forward_"),
        ("ada_rms_norm.linear1", "ada_rms_norm_t_cond.ada_down"),
        ("ada_rms_norm.linear2", "ada_rms_norm_t_cond.ada_up"),
    ]
    return _renamed(arrays, tiny, rules)


def _mlx_convolutions(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {
        name: np.ascontiguousarray(array.swapaxes(1, 2)) if array.ndim == 3 else array
        for name, array in arrays.items()
    }


def _packed(arrays: Mapping[str, Array], bits: int, encoder_bits: int | None) -> dict[str, Array]:
    import mlx.core as mx

    out: dict[str, Array] = {}
    for name, array in arrays.items():
        is_encoder = name.startswith(("audio_tower", "encoder"))
        wanted = encoder_bits if is_encoder else bits
        is_matrix = array.ndim == 2 and name.endswith(".weight") and "position" not in name
        if wanted is None or not is_matrix or array.shape[1] % 32 or "rms_norm" in name:
            out[name] = array
            continue
        packed, scales, biases = mx.quantize(mx.array(array), group_size=32, bits=wanted)
        stem = name.removesuffix("weight")
        out |= {name: np.array(packed), f"{stem}scales": np.array(scales)}
        out[f"{stem}biases"] = np.array(biases)
    return out


def save_safetensors(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write a safetensors file."""
    kinds = {"float32": "F32", "float16": "F16", "uint32": "U32"}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, array in arrays.items():
        span = [position, position + array.nbytes]
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": array.shape}
        header[name]["data_offsets"] = span
        position = span[1]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())


def write_checkpoint(
    folder: Path,
    tiny: Tiny,
    *,
    layout: Layout = "hugging_face",
    seed: int = 0,
    bits: int | None = None,
    encoder_bits: int | None = None,
    shards: int = 1,
) -> Path:
    """Write a whole checkpoint folder and return it.

    Args:
        folder: made if it is not there.
        tiny: the shape.
        layout: Hugging Face's of transformers 5 or 4, Mistral's own, or an MLX conversion's.
        seed: of the weights.
        bits: pack the text model's matrices; only MLX conversions do that.
        encoder_bits: pack the encoder's, too.
        shards: in how many files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_tekken(folder, tiny.is_realtime)
    arrays = weights(tiny, seed)
    is_native = layout == "mistral"
    if is_native:
        arrays = _mistral_names(arrays, tiny)
        arrays.pop("mm_whisper_embeddings.whisper_encoder.transformer.embed_positions.weight", None)
    elif layout == "mlx":
        arrays = _mlx_realtime_names(arrays, tiny) if tiny.is_realtime else arrays
        arrays = _mlx_convolutions(arrays)
    if bits is not None:
        arrays = _packed(arrays, bits, encoder_bits)
    as_hugging_face = layout == "mlx" and not tiny.is_realtime
    content = config(tiny, "hugging_face" if as_hugging_face else layout)
    if bits is not None:
        content["quantization"] = {"group_size": 32, "bits": bits}
    name = "params.json" if is_native else "config.json"
    (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
    if shards == 1:
        file = "consolidated.safetensors" if is_native else "model.safetensors"
        save_safetensors(folder / file, arrays)
        return folder
    names = sorted(arrays)
    places: dict[str, str] = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        mine = names[shard::shards]
        save_safetensors(folder / file, {n: arrays[n] for n in mine})
        places |= dict.fromkeys(mine, file)
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def speech_like(seconds: float, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return a sound with changing syllables and pauses: (n_samples,) float32, 16 kHz mono."""
    rng = np.random.default_rng(seed)
    size = 2_560  # samples a syllable
    time_s = np.arange(size) / 16_000
    edge = np.hanning(size)
    parts = []
    for _ in range(-(-round(seconds * 16_000) // size)):
        pitches = rng.uniform(100, 6_000, (6, 1))
        loud = 0.0 if rng.random() < 0.25 else 10 ** rng.uniform(-2.5, -0.8)
        parts.append(loud * edge * np.sin(2 * np.pi * pitches * time_s).sum(0))
    sound = np.concatenate([*parts, np.zeros(0)])[: round(seconds * 16_000)]
    return np.clip(sound + rng.normal(0, 1e-4, len(sound)), -1, 1).astype(np.float32)
