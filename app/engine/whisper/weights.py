"""Weights from disk into a model, checked before they are used.

Only safetensors and npz are read, neither of which can run code. After loading every array has been
evaluated, has the shape its config demands and holds finite numbers only.
"""

import logging
from collections.abc import Generator
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from app.engine.files import check_shapes, damaged, fill, missing, read_arrays, read_json
from app.engine.whisper.config import Config, read_config
from app.engine.whisper.layout import from_hugging_face
from app.engine.whisper.model import Whisper

_INDEX = "model.safetensors.index.json"
_LARGEST_INDEX_BYTES = 20_000_000
_NAMES = ("weights.safetensors", "weights.npz", "model.safetensors")

_log = logging.getLogger(__name__)

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
    arrays = read_weights(folder, config)
    heads = _pop_heads(arrays, config)
    model = Whisper(config.dimensions)
    _quantize(model, config, arrays)
    arrays.pop("encoder.positional_embedding", None)
    if fault := check_shapes(arrays, dict(tree_flatten(model.parameters())), folder):
        _log.error("%s", fault)
        raise damaged(folder)
    yield from fill(model, arrays, dtype, folder)
    # Private arrays are no parameters and would stay lazy.
    mx.eval(model.encoder._positions)
    return model, config, heads


def _paths(folder: Path) -> list[Path]:
    """Return the files that hold the numbers: all parts of a split model, else the one there is.

    Raises:
        ModelMissing: there is none.
        ModelDamaged: the index of the parts is not what it should be.
    """
    if (folder / _INDEX).is_file():
        places = read_json(folder / _INDEX, _LARGEST_INDEX_BYTES).get("weight_map")
        names = sorted({str(name) for name in places.values()}) if isinstance(places, dict) else []
        if any(Path(name).name != name for name in names):
            raise damaged(folder)
        # Some repositories keep the index of a file that was not split.
        if names and all((folder / name).is_file() for name in names):
            return [folder / name for name in names]
    for name in _NAMES:
        if (folder / name).is_file():
            return [folder / name]
    raise missing(folder)


def read_weights(folder: Path, config: Config) -> dict[str, mx.array]:
    """Return all arrays of the model under mlx-whisper's names, not evaluated yet.

    Raises:
        ModelMissing, ModelDamaged: a file is not there, or not what it should be.
    """
    arrays: dict[str, mx.array] = {}
    for path in _paths(folder):
        arrays |= read_arrays(path)
    return from_hugging_face(arrays) if config.is_hugging_face else arrays


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
