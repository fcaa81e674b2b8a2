"""A model's files read, checked and made ready: the same for every family.

Everything here comes from files that anyone may have written: only JSON, safetensors and npz are
read, none of which can run code, and nothing is used before its size, type and shape are checked.
"""

import json
import struct
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_unflatten

from app.core.errors import ModelDamaged, ModelMissing, mark

LARGEST_JSON_BYTES = 4_000_000
_LARGEST_HEADER_BYTES = 100_000_000  # the format's own limit
_STEP_BYTES = 200_000_000  # what is read, cast and checked before others get their turn

Arrays = dict[str, mx.array]


def damaged(folder: Path) -> ModelDamaged:
    """Return the error for a model whose files are not what they should be."""
    return ModelDamaged(
        mark("The model in “{folder}” is damaged."),
        mark("Delete it and download it again in Models."),
        folder=folder.name,
    )


def missing(folder: Path) -> ModelMissing:
    """Return the error for a model whose files are not there."""
    return ModelMissing(
        mark("The model in “{folder}” is not complete."),
        mark("Download it in Models, or choose another model."),
        folder=folder.name,
    )


def read_json(path: Path, largest_bytes: int = LARGEST_JSON_BYTES) -> dict[str, Any]:
    """Return the object in `path`.

    Raises:
        ModelMissing: there is no such file.
        ModelDamaged: it is no JSON object, or absurdly large.
    """
    try:
        if path.stat().st_size > largest_bytes:
            raise damaged(path.parent)
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise missing(path.parent) from None
    except (ValueError, RecursionError):
        raise damaged(path.parent) from None
    if not isinstance(value, dict):
        raise damaged(path.parent)
    return value


def read_arrays(path: Path) -> Arrays:
    """Return the arrays of a weights file, not evaluated yet.

    Raises:
        ModelDamaged: it is not whole, or holds no arrays by name.
    """
    if path.suffix == ".safetensors":
        _check_safetensors(path)
    try:
        arrays = mx.load(str(path))
    except (RuntimeError, ValueError, OSError):
        raise damaged(path.parent) from None
    if not isinstance(arrays, dict):
        raise damaged(path.parent)
    return dict(arrays)


def _check_safetensors(path: Path) -> None:
    """Compare what the header promises with the file's length: a cut file fails here."""
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


def check_shapes(arrays: Arrays, expected: Mapping[str, mx.array], folder: Path) -> str:
    """Compare names and shapes with what the config demands; extra arrays are let go.

    Returns:
        what does not fit, for the log; nothing when all does.
    """
    for name in arrays.keys() - expected.keys():
        del arrays[name]
    absent = expected.keys() - arrays.keys()
    if absent:
        return f"{folder.name}: no array {min(absent)}"
    for name, array in expected.items():
        found = arrays[name]
        is_packed = array.dtype == mx.uint32
        if found.shape != array.shape or is_packed != (found.dtype == mx.uint32):
            return f"{folder.name}: {name} is {found.shape}, not {array.shape}"
    return ""


def fill(
    network: nn.Module, arrays: Arrays, dtype: mx.Dtype, folder: Path
) -> Generator[None, None, None]:
    """Give `network` its arrays, cast to `dtype` and evaluated, yielding between pieces.

    `arrays` is empty afterwards. Private arrays of a network are no parameters: whoever has some
    evaluates them.

    Raises:
        ModelDamaged: an array cannot be read or is not finite.
    """
    loaded: Arrays = {}
    pending = 0
    for name in sorted(arrays):
        array = arrays.pop(name)
        loaded[name] = _settled(array, dtype, folder)
        pending += array.nbytes
        if pending >= _STEP_BYTES:
            pending = 0
            yield
    network.update(tree_unflatten(list(loaded.items())))
    network.eval()
    mx.eval(network.parameters())


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
