"""Weights from disk into a model, checked before they are used.

Only safetensors are read, which cannot run code. After loading, every array is there, evaluated,
finite and of the shape the config demands. A layer is quantised exactly when the file holds it
packed; how many bits it has follows from the shapes, so a mixture of precisions loads as it is.
"""

import logging
from collections.abc import Generator
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from app.engine.files import check_shapes, damaged, fill, missing, read_arrays, read_json
from app.engine.voxtral.config import Shape, read_shape
from app.engine.voxtral.layout import our_name
from app.engine.voxtral.offline import Voxtral, sinusoids
from app.engine.voxtral.realtime import VoxtralRealtime

_LARGEST_INDEX_BYTES = 20_000_000
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
    for path in weight_paths(folder):
        arrays |= _read(path, shape.is_realtime)
    _fit(arrays, network, shape)
    _quantize(network, arrays, folder)
    if fault := check_shapes(arrays, dict(tree_flatten(network.parameters())), folder):
        _log.error("%s", fault)
        raise damaged(folder)
    yield from fill(network, arrays, dtype, folder)
    yield
    return network, shape


def weight_paths(folder: Path) -> list[Path]:
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
    arrays = read_arrays(path)
    return {our_name(name, is_realtime): array for name, array in arrays.items()}


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
