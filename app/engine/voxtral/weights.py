"""Weights from disk into a model, checked before they are used.

Only safetensors are read, which cannot run code. After loading, every array is there, evaluated,
finite and of the shape the config demands. A layer is quantised exactly when the file holds it
packed; how many bits it has follows from the shapes, so a mixture of precisions loads as it is.
"""

import json
import logging
import struct
from collections.abc import Generator
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_unflatten

from app.engine.voxtral.config import Shape, damaged, missing, read_json, read_shape
from app.engine.voxtral.layout import our_name
from app.engine.voxtral.offline import Voxtral, sinusoids
from app.engine.voxtral.realtime import VoxtralRealtime

_LARGEST_HEADER_BYTES = 100_000_000
_LARGEST_INDEX_BYTES = 20_000_000
_STEP_BYTES = 200_000_000  # what is read, cast and checked before others get their turn
_LEAST_ENCODER_BITS = 8  # below, words get lost (CER 2.4 → 4.9 % on hard German)

_log = logging.getLogger(__name__)

Network = Voxtral | VoxtralRealtime


def working_type() -> mx.Dtype:
    """Return the type to compute in: what this machine is fast and right with."""
    if mx.default_device() == mx.Device(mx.cpu):
        return mx.float32
    chip = str(mx.device_info().get("architecture", ""))
    # M1 and M2 (g13, g14) have no bfloat16 units.
    return mx.float16 if chip.startswith(("applegpu_g13", "applegpu_g14")) else mx.bfloat16


def load_steps(
    folder: Path, dtype: mx.Dtype | None = None
) -> Generator[None, None, tuple[Network, Shape]]:
    """Load the model in `folder`, yielding between pieces; the generator returns it.

    Args:
        folder: where config and weights lie.
        dtype: what to compute in; `None` for what suits this machine.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is not what it should be.
    """
    dtype = dtype or working_type()
    shape = read_shape(folder)
    network: Network = VoxtralRealtime(shape) if shape.is_realtime else Voxtral(shape)
    arrays: dict[str, mx.array] = {}
    for path in _files(folder):
        arrays |= _read(path, shape.is_realtime)
    _fit(arrays, network, shape)
    _quantize(network, arrays, folder)
    _verify(network, arrays, folder)
    loaded: dict[str, mx.array] = {}
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
    yield
    return network, shape


def _files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        places = read_json(index, _LARGEST_INDEX_BYTES).get("weight_map")
        if not isinstance(places, dict) or not places:
            raise damaged(folder)
        names = sorted({str(name) for name in places.values()})
        if any(Path(name).name != name for name in names):
            raise damaged(folder)
        paths = [folder / name for name in names]
        if not all(path.is_file() for path in paths):
            raise missing(folder)
        return paths
    for name in ("model.safetensors", "weights.safetensors", "consolidated.safetensors"):
        if (folder / name).is_file():
            return [folder / name]
    raise missing(folder)


def _read(path: Path, is_realtime: bool) -> dict[str, mx.array]:
    _check_safetensors(path)
    try:
        arrays = mx.load(str(path))
    except (RuntimeError, ValueError, OSError):
        raise damaged(path.parent) from None
    if not isinstance(arrays, dict):
        raise damaged(path.parent)
    return {our_name(name, is_realtime): array for name, array in arrays.items()}


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


def _fit(arrays: dict[str, mx.array], network: Network, shape: Shape) -> None:
    """Turn convolutions to MLX's (out, kernel, in) and add the positions a file may leave out."""
    expected = dict(tree_flatten(network.parameters()))
    for name in ("audio_tower.conv1.weight", "audio_tower.conv2.weight"):
        found = arrays.get(name)
        if found is not None and found.ndim == 3 and found.shape != expected[name].shape:
            arrays[name] = found.swapaxes(1, 2)
    if not shape.is_realtime and "audio_tower.positions" not in arrays:
        arrays["audio_tower.positions"] = sinusoids(shape.audio.positions, shape.audio.width)
    if shape.text.is_tied:
        arrays.pop("language_model.lm_head.weight", None)


def _quantize(network: Network, arrays: dict[str, mx.array], folder: Path) -> None:
    def precision(path: str, module: nn.Module) -> bool | dict[str, int]:
        scales, packed = arrays.get(f"{path}.scales"), arrays.get(f"{path}.weight")
        if scales is None or packed is None or not isinstance(module, nn.Linear | nn.Embedding):
            return False
        if packed.ndim != 2 or scales.ndim != 2 or not scales.shape[1]:
            raise damaged(folder)
        width = module.weight.shape[1]
        bits, rest = divmod(packed.shape[1] * 32, width)
        group_size, more = divmod(width, scales.shape[1])
        if rest or more or bits not in (2, 3, 4, 5, 6, 8) or group_size not in (32, 64, 128):
            raise damaged(folder)
        if path.startswith("audio_tower.") and bits < _LEAST_ENCODER_BITS:
            coarse.append(path)
        return {"group_size": group_size, "bits": bits}

    coarse: list[str] = []
    if any(name.endswith(".scales") for name in arrays):
        nn.quantize(network, class_predicate=precision)
    if coarse:
        _log.warning("%s: the encoder has less than 8 bits, it will miss words", folder.name)


def _verify(network: Network, arrays: dict[str, mx.array], folder: Path) -> None:
    """Compare names and shapes with what the config demands; extra arrays are let go."""
    expected = dict(tree_flatten(network.parameters()))
    for name in arrays.keys() - expected.keys():
        del arrays[name]
    absent = expected.keys() - arrays.keys()
    if absent:
        _log.error("%s: no array %s", folder.name, min(absent))
        raise damaged(folder)
    for name, array in expected.items():
        found = arrays[name]
        is_packed = array.dtype == mx.uint32
        if found.shape != array.shape or is_packed != (found.dtype == mx.uint32):
            _log.error("%s: %s is %s, not %s", folder.name, name, found.shape, array.shape)
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
