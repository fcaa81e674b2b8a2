"""Weights from disk into a model, checked before they are used.

Only safetensors and npz are read, neither of which can run code. After loading every array has been
evaluated, has the shape its config demands and holds finite numbers only.
"""

import json
import struct
from collections.abc import Generator
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from app.engine.whisper.config import Config, damaged, missing, read_config
from app.engine.whisper.layout import from_hugging_face
from app.engine.whisper.model import Whisper

_LARGEST_HEADER_BYTES = 100_000_000
_STEP_BYTES = 200_000_000  # what is read, cast and checked before others get their turn

Heads = tuple[tuple[int, int], ...]


def load_steps(
    folder: Path, dtype: mx.Dtype
) -> Generator[None, None, tuple[Whisper, Config, Heads]]:
    """Load the model in `folder`, yielding between pieces.

    Returns:
        the model with everything evaluated, its config, and the alignment heads its files name.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is not what it should be.
    """
    config = read_config(folder)
    arrays = _read(folder, config)
    heads = _pop_heads(arrays, config)
    model = Whisper(config.dimensions)
    _quantize(model, config, arrays)
    _verify(model, arrays, folder)
    loaded: dict[str, mx.array] = {}
    pending = 0
    for name in sorted(arrays):
        array = arrays.pop(name)
        loaded[name] = _settled(array, dtype, folder)
        pending += array.nbytes
        if pending >= _STEP_BYTES:
            pending = 0
            yield
    model.update(tree_unflatten(list(loaded.items())))
    model.eval()
    # Private arrays are no parameters and would stay lazy.
    mx.eval(model.parameters(), model.encoder._positions)
    return model, config, heads


def _read(folder: Path, config: Config) -> dict[str, mx.array]:
    names = ("model.safetensors",) if config.is_hugging_face else ()
    names = (*names, "weights.safetensors", "weights.npz")
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise missing(folder)
    if path.suffix == ".safetensors":
        _check_safetensors(path)
    try:
        arrays = mx.load(str(path))
    except (RuntimeError, ValueError, OSError):
        raise damaged(folder) from None
    if not isinstance(arrays, dict):
        raise damaged(folder)
    if not config.is_hugging_face:
        return dict(arrays)
    return from_hugging_face(arrays)


def _check_safetensors(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(size - 8, _LARGEST_HEADER_BYTES):
            raise damaged(path.parent)
        try:
            header = json.loads(file.read(length))
            ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise damaged(path.parent) from None
    if not ends or not all(type(end) is int for end in ends) or max(ends) + 8 + length != size:
        raise damaged(path.parent)


def _pop_heads(arrays: dict[str, mx.array], config: Config) -> Heads:
    written = arrays.pop("alignment_heads", None)
    if written is None or written.ndim != 2 or written.shape[1] != 2:
        return config.alignment_heads
    pairs = [(int(layer), int(head)) for layer, head in np.array(written)]
    layers, heads = config.dimensions.n_text_layer, config.dimensions.n_text_head
    return tuple(pair for pair in pairs if 0 <= pair[0] < layers and 0 <= pair[1] < heads)


def _quantize(model: Whisper, config: Config, arrays: dict[str, mx.array]) -> None:
    if config.quantization is None:
        return
    nn.quantize(
        model,
        group_size=config.quantization.group_size,
        bits=config.quantization.bits,
        class_predicate=lambda path, module: (
            isinstance(module, (nn.Linear, nn.Embedding)) and f"{path}.scales" in arrays
        ),
    )


def _verify(model: Whisper, arrays: dict[str, mx.array], folder: Path) -> None:
    """Compare names and shapes with what the config demands; extra arrays are let go."""
    expected = dict(tree_flatten(model.parameters()))
    arrays.pop("encoder.positional_embedding", None)
    for name in arrays.keys() - expected.keys():
        del arrays[name]
    if arrays.keys() != expected.keys():
        raise damaged(folder)
    for name, array in expected.items():
        found = arrays[name]
        is_packed = array.dtype == mx.uint32
        if found.shape != array.shape or is_packed != (found.dtype == mx.uint32):
            raise damaged(folder)


def _settled(array: mx.array, dtype: mx.Dtype, folder: Path) -> mx.array:
    is_float = mx.issubdtype(array.dtype, mx.floating)
    if not is_float and array.dtype != mx.uint32:
        raise damaged(folder)
    try:
        if is_float and not mx.all(mx.isfinite(array)).item():
            raise damaged(folder)
        cast = array.astype(dtype) if is_float else array
        mx.eval(cast)
    except (RuntimeError, ValueError):  # a file that ends too early is only noticed when read
        raise damaged(folder) from None
    return cast
