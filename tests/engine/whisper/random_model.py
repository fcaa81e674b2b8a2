"""Tiny Whisper models with random weights, the same on every machine.

Random weights exercise the rules harder than trained ones: text and timestamps are about equally
probable everywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from app.engine.whisper.config import Dimensions
from app.engine.whisper.heads import alignment_heads
from app.engine.whisper.mel import log_mel
from app.engine.whisper.tokens import Tokens
from app.engine.whisper.transcription import Loaded
from app.engine.whisper.weights import load_steps
from tests.engine.whisper.speech import drive

Array = npt.NDArray[np.float32]

SMALL = Dimensions(80, 100, 32, 2, 2, 51865, 64, 32, 2, 2)
ENGLISH = Dimensions(80, 100, 32, 2, 2, 51864, 64, 32, 2, 2)
TURBO = Dimensions(128, 100, 32, 2, 3, 51866, 64, 32, 4, 2)
FULL = Dimensions(80, 1500, 32, 2, 1, 51865, 448, 32, 2, 1)
SHAPES = {"small": SMALL, "english": ENGLISH, "turbo": TURBO, "full": FULL}

_EOT_FACTOR = 3.0  # so that some texts end by themselves


def shapes(dimensions: Dimensions) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every array in mlx-whisper's layout."""
    audio, text = dimensions.n_audio_state, dimensions.n_text_state
    found: dict[str, tuple[int, ...]] = {
        "encoder.conv1.weight": (audio, 3, dimensions.n_mels),
        "encoder.conv1.bias": (audio,),
        "encoder.conv2.weight": (audio, 3, audio),
        "encoder.conv2.bias": (audio,),
        "encoder.ln_post.weight": (audio,),
        "encoder.ln_post.bias": (audio,),
        "decoder.token_embedding.weight": (dimensions.n_vocab, text),
        "decoder.positional_embedding": (dimensions.n_text_ctx, text),
        "decoder.ln.weight": (text,),
        "decoder.ln.bias": (text,),
    }
    for part, layers, state in (
        ("encoder", dimensions.n_audio_layer, audio),
        ("decoder", dimensions.n_text_layer, text),
    ):
        attentions = ["attn"] if part == "encoder" else ["attn", "cross_attn"]
        for layer in range(layers):
            start = f"{part}.blocks.{layer}"
            for norm in [*(f"{name}_ln" for name in attentions), "mlp_ln"]:
                found[f"{start}.{norm}.weight"] = (state,)
                found[f"{start}.{norm}.bias"] = (state,)
            for name in attentions:
                for way in ("query", "key", "value", "out"):
                    found[f"{start}.{name}.{way}.weight"] = (state, state)
                    if way != "key":
                        found[f"{start}.{name}.{way}.bias"] = (state,)
            found[f"{start}.mlp1.weight"] = (4 * state, state)
            found[f"{start}.mlp1.bias"] = (4 * state,)
            found[f"{start}.mlp2.weight"] = (state, 4 * state)
            found[f"{start}.mlp2.bias"] = (state,)
    return found


def random_arrays(seed: int, dimensions: Dimensions) -> dict[str, Array]:
    """Return weights drawn from `seed`, in mlx-whisper's layout."""
    generator = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for name, shape in shapes(dimensions).items():
        noise = generator.standard_normal(shape, np.float32)
        if len(shape) == 1:
            is_scale = "ln" in name and name.endswith("weight")
            arrays[name] = np.float32(0.1) * noise + np.float32(1.0 if is_scale else 0.0)
        elif name == "decoder.token_embedding.weight":
            eot = 50256 + int(dimensions.is_multilingual)
            noise *= np.float32(0.55)
            noise[eot] *= np.float32(_EOT_FACTOR)
            arrays[name] = noise
        elif name == "decoder.positional_embedding":
            arrays[name] = noise
        else:
            fan_in = int(np.prod(shape[1:]))
            arrays[name] = noise * np.float32(1.2 / fan_in**0.5)
    return arrays


def write_model(folder: Path, dimensions: Dimensions, arrays: Mapping[str, Array]) -> Path:
    """Write a model in mlx-whisper's layout and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(dimensions)))
    weights = {name: mx.array(array) for name, array in arrays.items()}
    mx.save_safetensors(str(folder / "weights.safetensors"), weights)
    return folder


def split(folder: Path) -> list[str]:
    """Write the weights in `folder` as two parts and an index, as large models are published."""
    (whole,) = folder.glob("*.safetensors")
    weights = mx.load(str(whole))
    assert isinstance(weights, dict)
    places = {
        name: f"model-0000{1 + at % 2}-of-00002.safetensors" for at, name in enumerate(weights)
    }
    parts = sorted(set(places.values()))
    for part in parts:
        held = {name: weights[name] for name in weights if places[name] == part}
        mx.save_safetensors(str(folder / part), held)
    whole.unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return parts


def load(folder: Path) -> Loaded:
    """Load a written model for decoding."""
    model, config, heads = drive(load_steps(folder, mx.float32))
    tokens = Tokens(config.dimensions.is_multilingual, config.dimensions.n_languages)
    heads = heads or alignment_heads(config.dimensions)
    return Loaded(model, tokens, config.suppressed, heads)


def random_mels(seed: int, count: int, dimensions: Dimensions) -> Array:
    """Return (count, n_frames, n_mels) pictures of noise that swells and fades."""
    generator = np.random.default_rng(seed)
    frames = 2 * dimensions.n_audio_ctx
    pictures = []
    for _ in range(count):
        sound = generator.standard_normal(frames * 160).astype(np.float32)
        swell = np.repeat(generator.random(frames // 10).astype(np.float32), 1600)
        pictures.append(log_mel(0.1 * sound * swell, dimensions.n_mels, frames))
    return np.stack(pictures)


def encode(loaded: Loaded, mel: Array) -> mx.array:
    """Return the features of one picture."""
    return drive(loaded.model.encoder.steps(mx.array(mel)[None]))
