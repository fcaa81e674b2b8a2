"""openai-whisper with the same random weights as our tiny models."""

from dataclasses import asdict
from typing import Any

import numpy as np
import torch
import whisper
from whisper.model import ModelDimensions

from app.engine.whisper.config import Dimensions
from tests.engine.whisper.random_model import Array, random_arrays


def random_oracle(seed: int, dimensions: Dimensions) -> Any:
    """Return openai-whisper's model with the weights of `random_arrays`."""
    torch.set_num_threads(1)
    model = whisper.model.Whisper(ModelDimensions(**asdict(dimensions)))
    state = model.state_dict()
    for name, array in random_arrays(seed, dimensions).items():
        theirs = name.replace(".mlp1.", ".mlp.0.").replace(".mlp2.", ".mlp.2.")
        if name.startswith("encoder.conv") and array.ndim == 3:
            array = array.transpose(0, 2, 1)
        assert state[theirs].shape == array.shape
        state[theirs] = torch.tensor(np.ascontiguousarray(array))
    model.load_state_dict(state)
    model.eval()
    return model


def for_oracle(mels: Array) -> torch.Tensor:
    """Return pictures the way the reference wants them: bands first."""
    return torch.tensor(mels.swapaxes(-1, -2).copy())
