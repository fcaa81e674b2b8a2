"""What lies in a model folder: which family, in which layout, how much it can hear.

Reads configs and the headers of weight files, never the numbers; works without MLX.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.model import Family

WEIGHTS = (
    "weights.safetensors",
    "weights.npz",
    "model.safetensors",
    "consolidated.safetensors",
)
INDEX = "model.safetensors.index.json"
TOKENIZER = "tekken.json"
CONFIGS = ("config.json", "params.json")
BESIDES = ("generation_config.json",)
_LONGEST_HEADER_BYTES = 100_000_000  # the format's own limit
_LARGEST_JSON_BYTES = 20_000_000
_FRAME_S = 0.02  # one of the encoder's


@dataclass(frozen=True, slots=True)
class Found:
    """A model in a folder.

    Attributes:
        layout: who writes files like these, for people: `MLX`, `Hugging Face` or `Mistral`.
        max_speech_s: the longest speech one window may hold.
        weights: the files that hold its numbers.
    """

    family: Family
    layout: str
    max_speech_s: float
    weights: tuple[Path, ...]

    @property
    def weight_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.weights)


def recognise(folder: Path) -> Found | None:
    """Return the model in `folder`, or `None` when it holds none that we can run."""
    config = read_config(folder)
    weights = weight_files(folder)
    if config is None or not weights or not all(is_whole(file) for file in weights):
        return None
    try:
        found = _family(config)
    except (TypeError, ValueError, AttributeError):
        return None
    if found is None:
        return None
    family, layout, positions = found
    if family is not Family.WHISPER and not (folder / TOKENIZER).is_file():
        return None
    return Found(family, layout, positions * _FRAME_S, tuple(weights))


def read_config(folder: Path) -> Mapping[str, Any] | None:
    """Return the config of the model in `folder`, if it has one."""
    for name in CONFIGS:
        value = _read_object(folder / name)
        if value is not None:
            return value
    return None


def _read_object(file: Path) -> dict[str, Any] | None:
    try:
        if file.stat().st_size > _LARGEST_JSON_BYTES:
            return None
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _family(config: Mapping[str, Any]) -> tuple[Family, str, int] | None:
    """Return family, layout and the encoder's frames of one window."""
    kind = config.get("model_type")
    if "n_audio_state" in config:
        return Family.WHISPER, "MLX", int(config.get("n_audio_ctx", 1500))
    if kind == "whisper":
        return Family.WHISPER, "Hugging Face", int(config.get("max_source_positions", 1500))
    if "audio_config" in config and str(kind).startswith("voxtral"):
        if kind == "voxtral_realtime":
            return Family.VOXTRAL_REALTIME, "Hugging Face", 1500
        audio = config["audio_config"]
        return Family.VOXTRAL, "Hugging Face", int(audio.get("max_source_positions", 1500))
    if "multimodal" in config:
        encoder = config["multimodal"]["whisper_model_args"]["encoder_args"]
        return *_mistral(config, encoder), 1500
    if "encoder_args" in config and "decoder" in config:
        family, _layout = _mistral(config["decoder"], config["encoder_args"], kind)
        return family, "MLX", 1500
    return None


def _mistral(
    text: Mapping[str, Any], audio: Mapping[str, Any], kind: object = None
) -> tuple[Family, str]:
    is_realtime = kind == "voxtral_realtime" or text.get("ada_rms_norm_t_cond")
    if is_realtime or audio.get("causal"):
        return Family.VOXTRAL_REALTIME, "Mistral"
    return Family.VOXTRAL, "Mistral"


def weight_files(folder: Path) -> list[Path]:
    """Return the files in `folder` that should hold weights, all parts of them."""
    index = _read_object(folder / INDEX)
    if index is not None:
        places = index.get("weight_map")
        names = sorted({str(name) for name in places.values()}) if isinstance(places, dict) else []
        if any(Path(name).name != name for name in names):
            return []
        # Some repositories keep the index of a file that was not split.
        if names and all((folder / name).is_file() for name in names):
            return [folder / name for name in names]
    for name in WEIGHTS:
        if (folder / name).is_file():
            return [folder / name]
    return []


def wanted_files(names: Sequence[str], index: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return which files of a repository make up its model.

    Args:
        names: all it holds.
        index: what its weight index says, if it has one.
    """
    at_top = {name for name in names if "/" not in name}
    picked = [name for name in (*CONFIGS, TOKENIZER, *BESIDES) if name in at_top]
    places = (index or {}).get("weight_map")
    parts = sorted({str(part) for part in places.values()}) if isinstance(places, dict) else []
    if parts and set(parts) <= at_top:
        return (*picked, INDEX, *parts)
    for name in WEIGHTS:
        if name in at_top:
            return (*picked, name)
    return ()


def is_whole(weights: Path) -> bool:
    """Whether a weights file is as long as its own header says; its numbers are not looked at.

    Source: the safetensors format (8 bytes of header length, JSON, then the tensors' bytes).
    """
    if weights.suffix == ".npz":
        return zipfile.is_zipfile(weights)
    try:
        size = weights.stat().st_size
        with weights.open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER_BYTES):
                return False
            header = json.loads(source.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return False
    return bool(ends) and size == 8 + length + max(ends)
