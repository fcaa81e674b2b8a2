"""What a Whisper model's config says, in whichever of the two layouts it is written.

Everything that is read here comes from a file that anyone may have written: nothing is used before
its type and range are checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.files import damaged, read_json

_HUGGING_FACE_NAMES = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_vocab": "vocab_size",
    "n_text_ctx": "max_target_positions",
    "n_text_state": "d_model",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}
_LIMITS = {
    "n_mels": (80, 128),
    "n_audio_ctx": (1, 1500),
    "n_audio_state": (2, 8192),
    "n_audio_head": (1, 256),
    "n_audio_layer": (1, 256),
    "n_vocab": (51864, 60000),
    "n_text_ctx": (8, 4096),
    "n_text_state": (2, 8192),
    "n_text_head": (1, 256),
    "n_text_layer": (1, 256),
}
_FIRST_MULTILINGUAL_VOCABULARY = 51865
_TOKENS_THAT_ARE_NO_LANGUAGE = 51765


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The shape of a Whisper model, with the reference's names."""

    n_mels: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int

    @property
    def is_multilingual(self) -> bool:
        return self.n_vocab >= _FIRST_MULTILINGUAL_VOCABULARY

    @property
    def n_languages(self) -> int:
        return self.n_vocab - _TOKENS_THAT_ARE_NO_LANGUAGE - int(self.is_multilingual)


@dataclass(frozen=True, slots=True)
class Quantization:
    """How the quantised layers were written."""

    group_size: int
    bits: int


@dataclass(frozen=True, slots=True)
class Config:
    """All that is known of a model before its weights are read.

    Attributes:
        is_hugging_face: whether keys and files are named as Hugging Face does.
        alignment_heads: (layer, head) pairs that follow the sound; empty when the files name none.
        suppressed: tokens that must never be written, beyond those of the reference.
    """

    dimensions: Dimensions
    quantization: Quantization | None = None
    is_hugging_face: bool = False
    alignment_heads: tuple[tuple[int, int], ...] = ()
    suppressed: tuple[int, ...] = ()


def read_config(folder: Path) -> Config:
    """Read and check the config files of the model in `folder`.

    Raises:
        ModelMissing: there is no config file.
        ModelDamaged: it is not a Whisper model's.
    """
    raw = read_json(folder / "config.json")
    is_hugging_face = "n_audio_state" not in raw
    names = _HUGGING_FACE_NAMES if is_hugging_face else {name: name for name in _LIMITS}
    values = {name: _number(raw, names[name], *_LIMITS[name], folder) for name in _LIMITS}
    dimensions = Dimensions(**values)
    _check(dimensions, folder)
    generation: Mapping[str, Any] = {}
    if (folder / "generation_config.json").exists():
        generation = read_json(folder / "generation_config.json")
    return Config(
        dimensions=dimensions,
        quantization=_quantization(raw, folder),
        is_hugging_face=is_hugging_face,
        alignment_heads=_heads(generation.get("alignment_heads"), dimensions),
        suppressed=_tokens(generation.get("suppress_tokens"), dimensions),
    )


def _number(raw: Mapping[str, Any], name: str, least: int, most: int, folder: Path) -> int:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise damaged(folder)
    return value


def _check(dimensions: Dimensions, folder: Path) -> None:
    fits = (
        dimensions.n_mels in (80, 128)
        and dimensions.n_audio_state == dimensions.n_text_state
        and dimensions.n_audio_state % dimensions.n_audio_head == 0
        and dimensions.n_text_state % dimensions.n_text_head == 0
        and dimensions.n_audio_state % 2 == 0
    )
    if not fits:
        raise damaged(folder)


def _quantization(raw: Mapping[str, Any], folder: Path) -> Quantization | None:
    written = raw.get("quantization") or raw.get("quantization_config")
    if written is None:
        return None
    if not isinstance(written, dict):
        raise damaged(folder)
    bits = _number(written, "bits", 2, 8, folder)
    return Quantization(_number(written, "group_size", 16, 128, folder), bits)


def _heads(written: object, dimensions: Dimensions) -> tuple[tuple[int, int], ...]:
    heads: list[tuple[int, int]] = []
    for pair in written if isinstance(written, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and all(type(part) is int for part in pair):
            layer, head = pair
            if 0 <= layer < dimensions.n_text_layer and 0 <= head < dimensions.n_text_head:
                heads.append((layer, head))
    return tuple(heads)


def _tokens(written: object, dimensions: Dimensions) -> tuple[int, ...]:
    if not isinstance(written, list):
        return ()
    return tuple(t for t in written if type(t) is int and 0 <= t < dimensions.n_vocab)
