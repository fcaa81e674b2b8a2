"""Voxtral's shapes with random weights: what each stage takes here, what a Mac could do at most.

Two tables that are never mixed. Measured: some layers of the true width on this machine, stage by
stage. Calculated: the roofline of M1 … M4 from parameters and Apple's published memory speeds (and
peak arithmetic, where Apple published it); no Mac was measured.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

import mlx.core as mx
import numpy as np

from app.core.packing import SAMPLE_RATE
from app.engine.voxtral.config import AudioShape, Shape, TextShape
from app.engine.voxtral.features import window_mel
from app.engine.voxtral.offline import Voxtral
from app.engine.voxtral.realtime import HearingState, VoxtralRealtime
from tests.bench.report import RESULTS, machine, markdown, write_section

T = TypeVar("T")

_WHISPER_ENCODER = AudioShape(128, 1280, 32, 20, 64, 5120)
_CAUSAL_ENCODER = AudioShape(128, 1280, 32, 32, 64, 5120)
MINI = Shape(_WHISPER_ENCODER, TextShape(131072, 3072, 30, 32, 8, 128, 8192, 1e8), 4, False, False)
SMALL = Shape(
    _WHISPER_ENCODER, TextShape(131072, 5120, 40, 32, 8, 128, 32768, 1e8), 4, False, False
)
REALTIME = Shape(
    _CAUSAL_ENCODER,
    TextShape(131072, 3072, 26, 32, 8, 128, 9216, 1e6, is_tied=True, window=8192, delay_width=32),
    4,
    True,
    False,
)
SHAPES = {"Mini 3B 2507": MINI, "Small 24B 2507": SMALL, "Realtime 4B 2602": REALTIME}

# GB/s and, where Apple published it, TFLOPS of the GPU.
MACS: dict[str, tuple[float, float | None]] = {
    "M1": (68, 2.6),
    "M1 Pro": (200, 5.2),
    "M1 Max": (400, 10.4),
    "M2": (100, 3.6),
    "M2 Pro": (200, 6.8),
    "M2 Max": (400, 13.6),
    "M3": (100, None),
    "M3 Pro": (150, None),
    "M3 Max": (400, None),
    "M4": (120, None),
    "M4 Pro": (273, None),
    "M4 Max": (546, None),
}
_TOKENS_A_WINDOW = 115  # of text in 30 s of speech
_WINDOW_S = 30.0
_SLOTS_A_SECOND = 12.5
_OF_PEAK = 0.7
_TEXT_BITS, _ENCODER_BITS, _EXTRA_BITS = 4, 8, 0.5  # scales and offsets of groups of 64


@dataclass(frozen=True, slots=True)
class Stage:
    """One measured stage: seconds for all its layers, and how many layers those were."""

    name: str
    seconds: float
    layers: int
    whole_layers: int

    @property
    def whole_s(self) -> float:
        """What all layers of the model would take, calculated from the measured ones."""
        return self.seconds / self.layers * self.whole_layers


def run(*, writes: bool) -> None:
    """Print both tables, and write them down if asked to."""
    text = (
        "## The shapes of Voxtral, random weights\n\n"
        f"Written by `./run bench engine` on {time.strftime('%F')}: {machine()}.\n\n{table()}\n"
    )
    print(text)
    if writes:
        write_section(RESULTS, "voxtral", text)


def table(layers: int = 1, tokens: int = 4) -> str:
    """Return both tables as Markdown.

    Args:
        layers: how many of encoder and text model are measured.
        tokens: how many are decoded one after the other.
    """
    return "\n\n".join(
        [
            "**Measured** on this machine, random weights, float32 on the processor, true widths:",
            measured(layers, tokens),
            "**Calculated**, no Mac was measured: memory speed and published peaks only. 2507 has "
            "a 4-bit text model and an 8-bit encoder, one window at a time; Realtime all 4-bit.",
            calculated(),
        ]
    )


def measured(layers: int, tokens: int) -> str:
    """Return the table of stages on this machine."""
    rows = []
    for name, shape in SHAPES.items():
        stages, peak = _measure(shape, layers, tokens)
        for stage in stages:
            rows.append(
                (
                    name,
                    stage.name,
                    f"{1000 * stage.seconds:.0f} ms",
                    f"{stage.layers} of {stage.whole_layers}",
                    f"{1000 * stage.whole_s:.0f} ms",
                    f"{peak / 1e9:.2f} GB",
                )
            )
    head = ("model", "stage", "measured", "layers", "all layers (calculated)", "peak memory")
    return markdown(head, rows)


def _measure(shape: Shape, layers: int, tokens: int) -> tuple[list[Stage], int]:
    """Return the stages of a model with few layers and a small vocabulary, and its peak memory."""
    thin = replace(
        shape,
        audio=replace(shape.audio, layers=layers),
        text=replace(shape.text, layers=layers, vocabulary=4096),
    )
    mx.reset_peak_memory()
    network: Voxtral | VoxtralRealtime = (
        VoxtralRealtime(thin) if shape.is_realtime else Voxtral(thin)
    )
    mx.eval(network.parameters())
    if isinstance(network, VoxtralRealtime):
        stages = _realtime(network, shape, layers, tokens)
    else:
        stages = _offline(network, shape, layers, tokens)
    peak = mx.get_peak_memory()
    del network
    mx.clear_cache()
    return stages, peak


def _offline(network: Voxtral, shape: Shape, layers: int, tokens: int) -> list[Stage]:
    sound = np.random.default_rng(0).normal(0, 0.05, int(_WINDOW_S * SAMPLE_RATE))
    mel_s, mel = _timed(
        lambda: window_mel(sound.astype(np.float32), shape.audio.n_mels, network.frames)
    )
    hear_s, heard = _timed(lambda: _drained(network.hear(mel)))
    text = network.language_model
    caches = text.caches()
    prefill_s, _ = _timed(lambda: _evaluated(text.run(heard[None], caches)))
    one = heard[None, :1]

    def decode() -> None:
        for _ in range(tokens):
            mx.eval(text.logits(text.run(one, caches)))

    decode_s, _ = _timed(decode)
    whole = shape.text.layers
    return [
        Stage("mel of 30 s", mel_s, 1, 1),
        Stage("encoder, 30 s", hear_s, layers, shape.audio.layers),
        Stage("prompt, 375 tokens", prefill_s, layers, whole),
        Stage("one token", decode_s / tokens, layers, whole),
    ]


def _realtime(network: VoxtralRealtime, shape: Shape, layers: int, tokens: int) -> list[Stage]:
    rng, text = np.random.default_rng(0), network.language_model
    state, caches, scales = HearingState(network.shape), text.caches(), text.delay_scales(6)
    mel = rng.normal(0, 0.7, (network.frames_a_slot, shape.audio.n_mels)).astype(np.float32)
    _drained(network.hear(mel, state))  # the first one compiles

    def hear() -> mx.array:
        for _ in range(tokens):
            heard = _drained(network.hear(mel, state))
        return heard

    hear_s, heard = _timed(hear)

    def decode() -> None:
        for _ in range(tokens):
            mx.eval(text.logits(text.run(heard[None, :1], caches, scales)))

    decode_s, _ = _timed(decode)
    return [
        Stage("encoder, a slot of 80 ms", hear_s / tokens, layers, shape.audio.layers),
        Stage("one token, a slot", decode_s / tokens, layers, shape.text.layers),
    ]


def calculated() -> str:
    """Return the roofline of every Mac."""
    rows = []
    for mac, (gigabytes, teraflops) in MACS.items():
        row = [mac, f"{gigabytes:.0f} GB/s"]
        for shape in (MINI, SMALL):
            row.append(_offline_speed(shape, gigabytes, teraflops))
        needed = _SLOTS_A_SECOND * _slot_bytes(REALTIME) / 1e9
        row.append(f"{needed / gigabytes:.2f}")
        rows.append(row)
    head = (
        "Mac",
        "memory",
        "Mini 3B 4-bit: tokens/s, × real time",
        "Small 24B 4-bit: tokens/s, × real time",
        "Realtime 4-bit: least share of real time",
    )
    return markdown(head, rows)


def _offline_speed(shape: Shape, gigabytes: float, teraflops: float | None) -> str:
    rate = gigabytes * 1e9 / _token_bytes(shape)
    if teraflops is None:
        return f"{rate:.0f}, –"
    work = _encoder_flops(shape) + _prefill_flops(shape)
    seconds = work / (teraflops * 1e12 * _OF_PEAK) + _TOKENS_A_WINDOW / rate
    return f"{rate:.0f}, {_WINDOW_S / seconds:.0f}×"


def text_parameters(shape: Shape) -> int:
    """Return the weights that every token reads: layers and head."""
    text = shape.text
    attention = 2 * text.width * text.head_width * (text.heads + text.kv_heads)
    return text.layers * (attention + 3 * text.width * text.ffn_width) + (
        text.vocabulary * text.width
    )


def encoder_parameters(shape: Shape) -> int:
    """Return the weights of the encoder's layers."""
    audio = shape.audio
    matrices = 3 if shape.is_realtime else 2
    attention = 4 * audio.width * audio.heads * audio.head_width
    return audio.layers * (attention + matrices * audio.width * audio.ffn_width)


def _token_bytes(shape: Shape) -> float:
    return text_parameters(shape) * (_TEXT_BITS + _EXTRA_BITS) / 8


def _slot_bytes(shape: Shape) -> float:
    both = text_parameters(shape) + encoder_parameters(shape)
    return both * (_TEXT_BITS + _EXTRA_BITS) / 8


def _encoder_flops(shape: Shape) -> float:
    audio, frames = shape.audio, shape.audio.positions
    attention = audio.layers * 4 * frames * frames * audio.heads * audio.head_width
    return 2 * frames * encoder_parameters(shape) + attention


def _prefill_flops(shape: Shape) -> float:
    tokens = shape.audio.positions // shape.stack + 8
    return 2 * tokens * text_parameters(shape)


def whole_bytes(shape: Shape) -> int:
    """Return what a model takes with a 4-bit text model and an 8-bit encoder."""
    embeddings = 0 if shape.text.is_tied else shape.text.vocabulary * shape.text.width
    text = (text_parameters(shape) + embeddings) * (_TEXT_BITS + _EXTRA_BITS) / 8
    return int(text + encoder_parameters(shape) * (_ENCODER_BITS + _EXTRA_BITS) / 8)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def _drained(steps: Generator[None, None, mx.array]) -> mx.array:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: mx.array = end.value
            mx.eval(found)
            return found


def _evaluated(array: mx.array) -> mx.array:
    mx.eval(array)
    return array


if __name__ == "__main__":
    print(table())
