"""Tiny random Whisper models that openai-whisper and our modules both run.

Random weights exercise the rules harder than trained ones: text and timestamps are about equally
probable everywhere.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import torch
import whisper
from whisper.model import ModelDimensions

from app.engine.whisper.mel import log_mel
from app.engine.whisper.tokens import Tokens
from app.engine.whisper.transcription import Loaded
from app.engine.whisper.weights import load_steps

SMALL = ModelDimensions(80, 100, 32, 2, 2, 51865, 64, 32, 2, 2)
ENGLISH = ModelDimensions(80, 100, 32, 2, 2, 51864, 64, 32, 2, 2)
TURBO = ModelDimensions(128, 100, 32, 2, 3, 51866, 64, 32, 4, 2)
FULL = ModelDimensions(80, 1500, 32, 2, 1, 51865, 448, 32, 2, 1)

_EOT_FACTOR = 3.0  # so that some texts end by themselves


def random_oracle(seed: int, dimensions: ModelDimensions = SMALL) -> Any:
    """Return openai-whisper's model with weights drawn from `seed`."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model = whisper.model.Whisper(dimensions)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                is_scale = "ln" in name and name.endswith("weight")
                parameter.copy_(0.1 * torch.randn_like(parameter) + (1.0 if is_scale else 0.0))
            else:
                fan_in = parameter[0].numel()
                parameter.copy_(1.2 * torch.randn_like(parameter) / fan_in**0.5)
        table = model.decoder.token_embedding.weight
        table.copy_(0.55 * torch.randn_like(table))
        table[50256 + int(model.is_multilingual)] *= _EOT_FACTOR
        model.decoder.positional_embedding.copy_(
            torch.randn_like(model.decoder.positional_embedding)
        )
    model.eval()
    return model


def write_ours(model: Any, folder: Path) -> Path:
    """Write the oracle's weights in mlx-whisper's layout."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(model.dims)))
    arrays = {}
    for name, value in model.state_dict().items():
        if name.endswith((".mask", "alignment_heads")) or name == "encoder.positional_embedding":
            continue
        array = value.numpy().copy()
        if name.startswith("encoder.conv") and array.ndim == 3:
            array = array.transpose(0, 2, 1).copy()
        arrays[name.replace(".mlp.0.", ".mlp1.").replace(".mlp.2.", ".mlp2.")] = mx.array(array)
    mx.save_safetensors(str(folder / "weights.safetensors"), arrays)
    return folder


def load_ours(folder: Path, heads: tuple[tuple[int, int], ...] = ()) -> Loaded:
    steps = load_steps(folder, mx.float32)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            model, config, found = stop.value
            tokens = Tokens(config.dimensions.is_multilingual, config.dimensions.n_languages)
            return Loaded(model, tokens, config.suppressed, found or heads)


def random_mels(seed: int, count: int, dimensions: ModelDimensions = SMALL) -> np.ndarray:
    """Return (count, n_frames, n_mels) pictures of noise that swells and fades."""
    generator = np.random.default_rng(seed)
    frames = 2 * dimensions.n_audio_ctx
    pictures = []
    for _ in range(count):
        sound = generator.standard_normal(frames * 160).astype(np.float32)
        swell = np.repeat(generator.random(frames // 10).astype(np.float32), 1600)
        pictures.append(log_mel(0.1 * sound * swell, dimensions.n_mels, frames))
    return np.stack(pictures)


def for_oracle(mels: np.ndarray) -> torch.Tensor:
    return torch.tensor(mels.transpose(0, 2, 1).copy())


def encode(loaded: Loaded, mel: np.ndarray) -> mx.array:
    steps = loaded.model.encoder.steps(mx.array(mel)[None])
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            features: mx.array = stop.value
            return features
