"""Whisper weights in whisper.cpp's own file format, so that it can run the same model.

Source: the format as whisper.cpp's `models/convert-pt-to-ggml.py` (MIT) writes it: header, mel
filters, vocabulary, then each tensor with its name, all little-endian.
"""

import base64
import json
import struct
from pathlib import Path
from typing import BinaryIO

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from app.engine.whisper.mel import _filters
from app.engine.whisper.tokens import supplier_folder

_MAGIC = 0x67676D6C
_FLOAT32, _FLOAT16 = 0, 1
_SIZES = (
    "n_vocab",
    "n_audio_ctx",
    "n_audio_state",
    "n_audio_head",
    "n_audio_layer",
    "n_text_ctx",
    "n_text_state",
    "n_text_head",
    "n_text_layer",
    "n_mels",
)
_NAMES = (
    ("mlp1", "mlp.0"),
    ("mlp2", "mlp.2"),
    ("encoder.ln_post", "encoder.ln_post"),
)


def write_ggml(model: Path, file: Path) -> None:
    """Write the model folder `model` (mlx-whisper's layout) to `file`, in half floats as usual."""
    config = json.loads((model / "config.json").read_text())
    weights = mx.load(str(model / "weights.safetensors"))
    assert isinstance(weights, dict)
    with file.open("wb") as out:
        _ints(out, _MAGIC, *(config[name] for name in _SIZES), _FLOAT16)
        filters = np.ascontiguousarray(_filters(config["n_mels"]).T, np.float32)
        _ints(out, *filters.shape)
        filters.tofile(out)
        words = _vocabulary()
        _ints(out, len(words))
        for word in words:
            _ints(out, len(word))
            out.write(word)
        _tensor(out, "encoder.positional_embedding", _positions(config))
        for name, array in weights.items():
            if name == "alignment_heads":
                continue
            values = np.array(array.astype(mx.float32))
            if name.endswith(("conv1.weight", "conv2.weight")):
                values = values.transpose(0, 2, 1)  # MLX keeps the channels last
            elif name.endswith(("conv1.bias", "conv2.bias")):
                values = values[:, None]  # whisper.cpp adds it to (channels, time)
            _tensor(out, _named(name), values)


def _named(name: str) -> str:
    for ours, theirs in _NAMES:
        name = name.replace(ours, theirs)
    return name


def _ints(out: BinaryIO, *values: int) -> None:
    out.write(struct.pack(f"<{len(values)}i", *values))


def _tensor(out: BinaryIO, name: str, values: npt.NDArray[np.float32]) -> None:
    written = name.encode()
    is_half = values.ndim > 1 and "positional" not in name and not name.endswith("bias")
    kind = _FLOAT16 if is_half else _FLOAT32
    _ints(out, values.ndim, len(written), kind, *reversed(values.shape))
    out.write(written)
    np.ascontiguousarray(values, np.float16 if is_half else np.float32).tofile(out)


def _vocabulary() -> list[bytes]:
    lines = (supplier_folder() / "assets" / "multilingual.tiktoken").read_bytes().splitlines()
    ranked = sorted((int(rank), word) for word, rank in (line.split() for line in lines if line))
    return [base64.b64decode(word) for _, word in ranked]


def _positions(config: dict[str, int]) -> npt.NDArray[np.float32]:
    """Return the encoder's sinusoids, which mlx-whisper computes and whisper.cpp reads."""
    length, channels = config["n_audio_ctx"], config["n_audio_state"]
    step = np.log(10_000) / (channels // 2 - 1)
    scaled = np.arange(length)[:, None] * np.exp(-step * np.arange(channels // 2))[None]
    return np.concatenate([np.sin(scaled), np.cos(scaled)], axis=1).astype(np.float32)
