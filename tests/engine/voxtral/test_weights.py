import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

from app.core.errors import ModelDamaged, ModelMissing
from app.core.model import Family, Model
from app.engine.voxtral.config import read_shape
from app.engine.voxtral.offline import Voxtral, sinusoids
from app.engine.voxtral.realtime import HearingState, VoxtralRealtime
from app.engine.voxtral.realtime_recognizer import VoxtralRealtimeRecognizer
from app.engine.voxtral.recognizer import VoxtralRecognizer
from app.engine.voxtral.weights import Network, load_steps
from tests.engine.voxtral.conftest import drain, model_in
from tests.helpers.voxtral_checkpoints import (
    Layout,
    Tiny,
    config,
    save_safetensors,
    speech_like,
    weights,
    write_checkpoint,
)

OFFLINE = Tiny(positions=40)
REALTIME = Tiny(is_realtime=True)
LAYOUTS: tuple[Layout, ...] = ("hugging_face", "hugging_face_4", "mistral", "mlx")


def load(folder: Path) -> Network:
    network, _ = drain(load_steps(folder))
    return network


def answer(network: Network) -> np.ndarray:
    """Return logits for a fixed input."""
    rng = np.random.default_rng(0)
    mel = rng.normal(0, 0.7, (80, 128)).astype(np.float32)
    language_model = network.language_model
    tokens = mx.array(rng.integers(40, 512, 10))
    if isinstance(network, VoxtralRealtime):
        heard = drain(network.hear(mel, HearingState(network.shape)))
        scales = language_model.delay_scales(6)
        x = (language_model.embed_tokens(tokens) + heard)[None]
    else:
        scales = None
        x = drain(network.hear(mel))[None]
    return np.array(
        language_model.logits(language_model.run(x, language_model.caches(), scales)).astype(
            mx.float32
        )
    )


@pytest.mark.parametrize("tiny", [OFFLINE, REALTIME], ids=["offline", "realtime"])
@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_every_layout_is_the_same_model(tmp_path: Path, tiny: Tiny, layout: Layout) -> None:
    first = load(write_checkpoint(tmp_path / "a", tiny))
    if layout == "mistral" and not tiny.is_realtime:
        # Mistral's files leave the positions out: they are Whisper's sinusoids.
        assert isinstance(first, Voxtral)
        first.audio_tower.positions = sinusoids(tiny.positions, tiny.width)
    second = load(write_checkpoint(tmp_path / "b", tiny, layout=layout))
    assert np.abs(answer(first) - answer(second)).max() < 1e-4
    assert np.abs(answer(first)).max() > 1


def test_shards(tmp_path: Path) -> None:
    whole = load(write_checkpoint(tmp_path / "a", OFFLINE))
    parts = load(write_checkpoint(tmp_path / "b", OFFLINE, shards=3))
    assert np.array_equal(answer(whole), answer(parts))


@pytest.mark.parametrize("tiny", [OFFLINE, REALTIME], ids=["offline", "realtime"])
@pytest.mark.parametrize(("bits", "encoder_bits"), [(8, None), (8, 8), (4, None), (4, 8)])
def test_packed_text_models(
    tmp_path: Path, tiny: Tiny, bits: int, encoder_bits: int | None
) -> None:
    # Packing needs rows of 32, 64 or 128; only then is the text model wholly packed.
    wide = Tiny(
        is_realtime=tiny.is_realtime, positions=40, text_width=64, text_ffn=128, head_width=16
    )
    dense = load(write_checkpoint(tmp_path / "a", wide))
    folder = write_checkpoint(
        tmp_path / "b", wide, layout="mlx", bits=bits, encoder_bits=encoder_bits
    )
    packed = load(folder)
    layer = packed.language_model.layers[0]
    assert isinstance(layer.self_attn.q_proj, nn.QuantizedLinear)
    assert isinstance(packed.language_model.embed_tokens, nn.QuantizedEmbedding)
    encoder = packed.audio_tower.layers[0].self_attn.q_proj
    assert isinstance(encoder, nn.QuantizedLinear) == (encoder_bits is not None)
    first, second = answer(dense), answer(packed)
    likeness = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert likeness > (0.98 if bits == 8 else 0.7)


def test_a_coarse_encoder_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_checkpoint(tmp_path / "a", OFFLINE, layout="mlx", bits=8, encoder_bits=4)
    load(folder)
    assert "less than 8 bits" in caplog.text


@pytest.mark.parametrize("tiny", [OFFLINE, REALTIME], ids=["offline", "realtime"])
@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=["float16", "bfloat16"])
def test_everything_is_in_the_type_asked_for(tmp_path: Path, tiny: Tiny, dtype: mx.Dtype) -> None:
    folder = write_checkpoint(tmp_path / "a", tiny)
    network, _ = drain(load_steps(folder, dtype))
    arrays = dict(tree_flatten(network.parameters()))
    assert {array.dtype for array in arrays.values()} == {dtype}
    caches = network.language_model.caches()
    network.language_model.run(mx.zeros((1, 2, tiny.text_width), dtype), caches)
    assert {array.dtype for cache in caches for array in cache.arrays} == {dtype}
    exact = answer(load(folder))
    likeness = np.corrcoef(exact.ravel(), answer(network).ravel())[0, 1]
    assert likeness > 0.98


def test_a_missing_folder_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        load(tmp_path)
    folder = write_checkpoint(tmp_path / "a", OFFLINE)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelMissing):
        load(folder)
    folder = write_checkpoint(tmp_path / "b", OFFLINE, shards=2)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelMissing):
        load(folder)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"0" * 100)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def page(path: Path) -> None:
    path.write_text("<html>Please log in</html>")


def garble_header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[20:40] = b"\xff" * 20
    path.write_bytes(bytes(data))


def _rewrite(path: Path, change: Any) -> None:
    arrays = weights(OFFLINE)
    change(arrays)
    save_safetensors(path, arrays)


def without_a_layer(path: Path) -> None:
    _rewrite(path, lambda a: a.pop("audio_tower.layers.1.fc1.weight"))


def of_another_shape(path: Path) -> None:
    name = "language_model.model.norm.weight"
    _rewrite(path, lambda a: a.__setitem__(name, np.ones(7, np.float32)))


def with_nan(path: Path) -> None:
    name = "multi_modal_projector.linear_1.weight"
    _rewrite(path, lambda a: a[name].__setitem__((0, 0), np.nan))


def wrongly_packed(path: Path) -> None:
    name = "language_model.model.layers.0.mlp.up_proj"

    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays[f"{name}.weight"] = np.zeros((96, 5), np.uint32)
        arrays[f"{name}.scales"] = np.zeros((96, 1), np.float32)
        arrays[f"{name}.biases"] = np.zeros((96, 1), np.float32)

    _rewrite(path, change)


@pytest.mark.parametrize(
    "harm",
    [
        *(cut, lengthen, empty, page, garble_header),
        *(without_a_layer, of_another_shape, with_nan, wrongly_packed),
    ],
)
def test_damaged_weights_are_never_used(tmp_path: Path, harm: Any) -> None:
    folder = write_checkpoint(tmp_path / "a", OFFLINE)
    harm(folder / "model.safetensors")
    with pytest.raises(ModelDamaged, match="damaged"):
        load(folder)


@pytest.mark.parametrize("places", [{}, "x", {"a": "../outside.safetensors"}])
def test_a_damaged_index(tmp_path: Path, places: object) -> None:
    folder = write_checkpoint(tmp_path / "a", OFFLINE)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    with pytest.raises(ModelDamaged):
        load(folder)


def test_the_wrong_family_is_refused(tmp_path: Path) -> None:
    offline = write_checkpoint(tmp_path / "a", OFFLINE)
    realtime = write_checkpoint(tmp_path / "b", REALTIME)
    with pytest.raises(ModelDamaged):
        drain(VoxtralRecognizer.load(model_in(realtime, False)))
    with pytest.raises(ModelDamaged):
        drain(VoxtralRealtimeRecognizer.load(model_in(offline, True)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("tiny", [OFFLINE, REALTIME], ids=["offline", "realtime"])
def test_every_spelling_is_the_same_shape(tmp_path: Path, tiny: Tiny, layout: Layout) -> None:
    name = "params.json" if layout == "mistral" else "config.json"
    (tmp_path / name).write_text(json.dumps(config(tiny, layout)))
    shape = read_shape(tmp_path)
    assert shape.is_realtime == tiny.is_realtime
    assert shape.is_interleaved == (layout in ("mistral", "mlx"))
    assert shape.stack == 4
    assert (shape.audio.width, shape.audio.layers, shape.audio.heads) == (32, 2, 2)
    assert (shape.audio.head_width, shape.audio.ffn_width) == (16, 128)
    assert (shape.text.width, shape.text.heads, shape.text.kv_heads) == (48, 4, 2)
    assert shape.text.rope_base == (1e6 if tiny.is_realtime else 1e8)
    assert shape.text.window == (8192 if tiny.is_realtime else None)
    assert shape.text.is_tied == tiny.is_realtime
    if tiny.is_realtime:
        assert (shape.audio.window, shape.audio.rope_base) == (750, 1e6)


def test_the_published_config_of_transformers_4(tmp_path: Path) -> None:
    """Voxtral-Mini-3B-2507 as published, what matters of it."""
    content = {
        "model_type": "voxtral",
        "audio_token_id": 24,
        "audio_config": {
            "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
            "num_attention_heads": 20, "num_mel_bins": 128, "max_source_positions": 1500,
            "head_dim": 64, "model_type": "voxtral_encoder",
        },
        "text_config": {
            "model_type": "llama", "hidden_size": 3072, "intermediate_size": 8192,
            "num_hidden_layers": 30, "num_attention_heads": 32, "num_key_value_heads": 8,
            "head_dim": 128, "rope_theta": 100000000.0, "vocab_size": 131072,
            "rms_norm_eps": 1e-05,
        },
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(content))
    shape = read_shape(tmp_path)
    assert (shape.text.rope_base, shape.text.head_width, shape.text.is_tied) == (1e8, 128, False)
    assert (shape.audio.head_width, shape.stack) == (64, 4)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("audio_config"),
        lambda c: c["audio_config"].pop("hidden_size"),
        lambda c: c["audio_config"].update(hidden_size=-4),
        lambda c: c["audio_config"].update(num_hidden_layers=10**9),
        lambda c: c["audio_config"].update(num_attention_heads=0),
        lambda c: c["audio_config"].update(max_source_positions=41),
        lambda c: c["text_config"].update(num_key_value_heads=3),
        lambda c: c["text_config"].update(head_dim=15),
        lambda c: c["text_config"].update(rope_parameters={"rope_type": "yarn"}),
        lambda c: c.update(text_config=[]),
    ],
)
def test_a_senseless_config(tmp_path: Path, change: Any) -> None:
    content = config(OFFLINE, "hugging_face")
    change(content)
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(ModelDamaged):
        read_shape(tmp_path)


def test_loading_takes_steps_and_gives_the_memory_back(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "a", REALTIME)
    before = mx.get_active_memory()
    model = Model("m", "M", Family.VOXTRAL_REALTIME, folder)
    steps = VoxtralRealtimeRecognizer.load(model)
    assert next(steps) is None
    recognizer = drain(steps)
    assert recognizer.model is model
    assert mx.get_active_memory() > before
    recognizer.close()
    del steps, recognizer
    mx.clear_cache()
    assert mx.get_active_memory() <= before + 4_096
    assert speech_like(0).size == 0
