"""A checkpoint made smaller on this machine: its matrices quantised, its names and layout kept.

One array is in memory at a time beside what was made of the others, so a model that does not fit
can still be made to. Voxtral's encoder and projector keep at least 8 bits: below, words get lost.
"""

import json
import shutil
import struct
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from pathlib import Path

import mlx.core as mx
import numpy as np

from app.core.errors import ImportFailed, mark
from app.engine.files import Arrays, damaged, read_arrays, read_json
from app.engine.voxtral.config import read_shape
from app.engine.voxtral.layout import our_name
from app.engine.voxtral.weights import weight_paths
from app.engine.whisper.config import read_config
from app.engine.whisper.weights import read_weights

BITS = (4, 5, 6, 8)
LEAST_ENCODER_BITS = 8
_GROUPS = (64, 32)  # the first that divides a row
_STEP_BYTES = 200_000_000
_DTYPES = {
    mx.bool_: "BOOL",
    mx.uint8: "U8",
    mx.int8: "I8",
    mx.uint16: "U16",
    mx.int16: "I16",
    mx.uint32: "U32",
    mx.int32: "I32",
    mx.uint64: "U64",
    mx.int64: "I64",
    mx.float16: "F16",
    mx.bfloat16: "BF16",
    mx.float32: "F32",
    mx.float64: "F64",
}
_LARGEST_HALF = 60_000.0
_BESIDES = ("tekken.json", "generation_config.json")


def convert_steps(source: Path, target: Path, bits: int) -> Generator[float, None, None]:
    """Write the model in `source` to `target` with `bits` a weight, yielding how much is done.

    Args:
        source: a Whisper or Voxtral checkpoint in any layout that can be loaded.
        target: an empty folder.
        bits: of the matrices; Voxtral's encoder keeps 8 at least.

    Thread: engine.

    Raises:
        ModelMissing, ModelDamaged: the source cannot be read.
        ImportFailed: it is quantised already, or it has no such family.
    """
    if bits not in BITS:
        raise ValueError(f"bits: {bits}")
    config = "config.json" if (source / "config.json").is_file() else "params.json"
    raw = read_json(source / config)
    is_whisper = "n_audio_state" in raw or raw.get("model_type") == "whisper"
    if is_whisper:
        yield from _convert_whisper(source, target, bits)
    else:
        yield from _convert_voxtral(source, target, bits, config)
    for name in _BESIDES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    yield 1.0


def _convert_voxtral(
    source: Path, target: Path, bits: int, config: str
) -> Generator[float, None, None]:
    shape = read_shape(source)
    raw = read_json(source / config)
    made: Arrays = {}
    paths = weight_paths(source)
    for at, path in enumerate(paths):
        arrays = read_arrays(path)
        for done in _quantized(
            source,
            arrays,
            made,
            lambda name: _voxtral_bits(our_name(name, shape.is_realtime), bits),
        ):
            yield 0.95 * (at + done) / len(paths)
    name = "consolidated.safetensors" if config == "params.json" else "model.safetensors"
    for written in _save(target / name, made):
        yield 0.95 + 0.04 * written
    raw["quantization"] = {"group_size": _GROUPS[0], "bits": bits}
    (target / config).write_text(json.dumps(raw, indent=1), encoding="utf-8")


def _voxtral_bits(name: str, bits: int) -> int:
    """Return how many bits an array gets; 0 leaves it as it is."""
    if "position" in name or "norm" in name or "conv" in name:
        return 0
    if name.startswith("language_model."):
        return bits
    return max(bits, LEAST_ENCODER_BITS)


def _convert_whisper(source: Path, target: Path, bits: int) -> Generator[float, None, None]:
    config = read_config(source)
    arrays = read_weights(source, config)
    heads = arrays.pop("alignment_heads", None)
    made: Arrays = {}
    # The config names one group size for all: a row it does not divide stays as it is.
    for done in _quantized(
        source,
        arrays,
        made,
        lambda name: 0 if "positional" in name or "conv" in name or "_ln" in name else bits,
        _GROUPS[:1],
    ):
        yield 0.95 * done
    if heads is not None:
        made["alignment_heads"] = heads
    for written in _save(target / "weights.safetensors", made):
        yield 0.95 + 0.04 * written
    raw = asdict(config.dimensions) | {
        "model_type": "whisper",
        "quantization": {"group_size": _GROUPS[0], "bits": bits},
    }
    (target / "config.json").write_text(json.dumps(raw, indent=1), encoding="utf-8")


def _quantized(
    folder: Path,
    arrays: Arrays,
    made: Arrays,
    bits_of: Callable[[str], int],
    groups: tuple[int, ...] = _GROUPS,
) -> Iterator[float]:
    """Move `arrays` to `made`, each as small as it may be; yields how much is done."""
    if any(name.endswith(".scales") for name in arrays):
        raise ImportFailed(
            mark("This model is quantised already."),
            mark("Convert the original; what was lost once cannot be brought back."),
        )
    total = sum(array.nbytes for array in arrays.values()) or 1
    done = pending = 0
    for name in sorted(arrays):
        array = arrays.pop(name)
        size = array.nbytes
        try:
            made.update(_small(name, array, bits_of(name), groups))
        except (RuntimeError, ValueError):
            raise damaged(folder) from None
        del array
        done, pending = done + size, pending + size
        if pending >= _STEP_BYTES:
            pending = 0
            mx.clear_cache()
            yield done / total


def _small(name: str, array: mx.array, bits: int, groups: tuple[int, ...]) -> Arrays:
    is_matrix = array.ndim == 2 and name.endswith(".weight")
    group = next((g for g in groups if is_matrix and array.shape[1] % g == 0), 0)
    if not bits or not group:
        kept = array
        if array.dtype == mx.float32:
            is_small = bool(mx.all(mx.abs(array) < _LARGEST_HALF).item())
            kept = array.astype(mx.float16 if is_small else mx.bfloat16)
        mx.eval(kept)
        return {name: kept}
    packed, scales, biases = mx.quantize(array, group_size=group, bits=bits)
    mx.eval(packed, scales, biases)
    stem = name.removesuffix("weight")
    return {name: packed, f"{stem}scales": scales, f"{stem}biases": biases}


def _save(path: Path, arrays: Arrays) -> Iterator[float]:
    """Write `arrays` in pieces, letting go of each; yields how much is done.

    `mx.save_safetensors` writes all of it in one step, in which live words would wait for
    gigabytes.
    """
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.size, name))  # all aligned
    header: dict[str, object] = {"__metadata__": {"format": "mlx"}}
    total = 0
    for name in names:
        array = arrays[name]
        header[name] = {
            "dtype": _DTYPES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [total, total + array.nbytes],
        }
        total += array.nbytes
    packed = json.dumps(header).encode()
    packed += b" " * (-len(packed) % 8)
    done = pending = 0
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(packed)) + packed)
        for name in names:
            raw = arrays.pop(name).reshape(-1).view(mx.uint8)
            for first in range(0, raw.size, _STEP_BYTES):
                piece = np.array(raw[first : first + _STEP_BYTES])
                file.write(piece.data)
                done, pending = done + piece.nbytes, pending + piece.nbytes
                if pending >= _STEP_BYTES:
                    pending = 0
                    yield done / total
    mx.clear_cache()
