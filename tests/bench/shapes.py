"""The shapes of Whisper small, random weights, a forced number of tokens in each window.

What is said means nothing here; both sides compute the same sizes as with the real weights. A
window is 30 s, and 115 tokens is what 30 s of dense English speech have.
"""

import json
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

from app.core.packing import SAMPLE_RATE
from app.engine.whisper.config import Dimensions
from app.engine.whisper.model import Whisper
from tests.bench.child import Stored
from tests.bench.report import markdown
from tests.bench.sides import Answer, Side

SMALL = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 768,
    "n_audio_head": 12,
    "n_audio_layer": 12,
    "n_vocab": 51865,
    "n_text_ctx": 448,
    "n_text_state": 768,
    "n_text_head": 12,
    "n_text_layer": 12,
}
_WINDOW_S = 30
_PEER_WINDOWS = 1  # every window costs it the same, and minutes
_SEED = 20261121
_WHY = (
    "The encoder costs both sides the same, which is what keeps the ratio down; what is faster is "
    "decoding several windows at once, and only so many rows fit into the short batch of this "
    "table. With word times the peer reads each window a second time from its last word, so a "
    "window costs it even more than the ratio a token says."
)


def write_random(folder: Path) -> None:
    """Write a model of small's shapes with random weights, in mlx-whisper's layout, float32."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", **SMALL}))
    mx.random.seed(_SEED)
    model = Whisper(Dimensions(**SMALL))
    weights = {}
    parameters: list[tuple[str, mx.array]] = list(tree_flatten(model.parameters()))  # type: ignore[arg-type]  # the stub knows a second form
    for name, array in parameters:
        spread = 0.02 if array.ndim > 1 else 0.0
        middle = 1.0 if name.endswith("weight") and array.ndim == 1 else 0.0
        weights[name] = middle + spread * mx.random.normal(array.shape)
    mx.save_safetensors(str(folder / "weights.safetensors"), weights)


def _noise(windows: int, stored: Stored) -> None:
    rng = np.random.default_rng(_SEED)
    sounds = (0.05 * rng.standard_normal(_WINDOW_S * SAMPLE_RATE) for _ in range(windows))
    stored.write((sound.astype(np.float32), _WINDOW_S * i) for i, sound in enumerate(sounds))


def compare_shapes(
    folder: Path, python: Path, windows: int, batches: tuple[int, ...], tokens: int
) -> str:
    """Return the table of both sides with small's shapes; `folder` is empty."""
    model, stored = folder / "small", Stored(folder)
    write_random(model)
    _noise(windows, stored)
    asked: dict[str, dict[bool, Answer]] = {}
    # One after the other: two models of this size would share the memory's caches.
    with Side(python, "tests.bench.peer", model, folder) as peer:
        peer.ask(words=False, most=1, forced=4)
        asked["peer"] = {
            w: peer.ask(words=w, forced=tokens, most=_PEER_WINDOWS) for w in (False, True)
        }
    with Side(Path(sys.executable), "tests.bench.ours", folder, model) as ours:
        ours.ask(words=False, most=1, forced=4)
        for batch in batches:
            print(f"bench: small shapes, batch {batch}", flush=True)
            asked[f"ours, batch {batch}"] = {
                w: ours.ask(words=w, forced=tokens, batch=batch) for w in (False, True)
            }
    return f"{tokens} tokens a window, {windows} windows of {_WINDOW_S} s. {_WHY}\n\n" + _table(
        asked
    )


def _table(asked: dict[str, dict[bool, Answer]]) -> str:
    rows = []
    for side, answers in asked.items():
        cells = [side]
        for words in (False, True):
            peer, one = asked["peer"][words], answers[words]
            ratio = peer["seconds"] / peer["tokens"] / (one["seconds"] / one["tokens"])
            cells += [
                f"{one['seconds']:.1f} s",
                f"{one['cpu_s']:.1f} s",
                f"{one['tokens']} / {one['passes']}",
                f"{ratio:.2f}×",
            ]
        cells.append(_stages(answers[False].get("stages", {})))
        rows.append(cells)
    head = ["side"]
    for way in ("off", "on"):
        head += [f"words {way}", "CPU", "tokens / passes", "ratio a token"]
    head.append("our stages, words off")
    return markdown(head, rows)


def _stages(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {spent:.1f} s" for name, spent in stages.items()) or "–"
