"""Every layout Whisper weights come in, and files that are not what they should be."""

import json
import struct
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from app.core.errors import ModelDamaged, ModelMissing
from app.engine.whisper.config import Dimensions
from app.engine.whisper.heads import alignment_heads
from app.engine.whisper.transcription import Loaded
from tests.engine.whisper import random_model as tiny
from tests.engine.whisper.decoding import decode

# Published layers are multiples of 64 wide, which quantising needs.
WIDE = Dimensions(80, 50, 64, 2, 1, 51865, 32, 64, 2, 2)
DISTIL = Dimensions(128, 50, 64, 2, 2, 51866, 32, 64, 2, 1)
ENGLISH = Dimensions(80, 50, 64, 2, 1, 51864, 32, 64, 2, 1)

HF_PARTS = (
    (".cross_attn_ln.", ".encoder_attn_layer_norm."),
    (".attn_ln.", ".self_attn_layer_norm."),
    (".mlp_ln.", ".final_layer_norm."),
    (".cross_attn.", ".encoder_attn."),
    (".attn.", ".self_attn."),
    (".query.", ".q_proj."),
    (".key.", ".k_proj."),
    (".value.", ".v_proj."),
    (".out.", ".out_proj."),
    (".mlp1.", ".fc1."),
    (".mlp2.", ".fc2."),
    (".blocks.", ".layers."),
    ("decoder.token_embedding.", "decoder.embed_tokens."),
    ("decoder.positional_embedding", "decoder.embed_positions.weight"),
    ("decoder.ln.", "decoder.layer_norm."),
    ("encoder.ln_post.", "encoder.layer_norm."),
)


def hugging_face_name(name: str) -> str:
    for ours, theirs in HF_PARTS:
        name = name.replace(ours, theirs)
    return "model." + name


def write_hugging_face(
    folder: Path, shape: Dimensions, arrays: dict[str, tiny.Array], *, torch_order: bool = True
) -> Path:
    folder.mkdir()
    config = {
        "num_mel_bins": shape.n_mels,
        "max_source_positions": shape.n_audio_ctx,
        "d_model": shape.n_audio_state,
        "encoder_attention_heads": shape.n_audio_head,
        "encoder_layers": shape.n_audio_layer,
        "vocab_size": shape.n_vocab,
        "max_target_positions": shape.n_text_ctx,
        "decoder_attention_heads": shape.n_text_head,
        "decoder_layers": shape.n_text_layer,
    }
    (folder / "config.json").write_text(json.dumps(config))
    generation = {"alignment_heads": [[0, 1]], "suppress_tokens": [1, 2, 7], "is_multilingual": 1}
    (folder / "generation_config.json").write_text(json.dumps(generation))
    weights = {}
    for name, array in arrays.items():
        is_convolution = name.startswith("encoder.conv") and array.ndim == 3
        turned = array.swapaxes(1, 2).copy() if is_convolution and torch_order else array
        weights[hugging_face_name(name)] = mx.array(turned)
    table = arrays["decoder.token_embedding.weight"]
    weights["proj_out.weight"] = mx.array(table)
    weights["model.encoder.embed_positions.weight"] = mx.zeros((shape.n_audio_ctx, 4))
    mx.save_safetensors(str(folder / "model.safetensors"), weights)
    return folder


def said(loaded: Loaded) -> list[tuple[int, ...]]:
    shape = loaded.model.dimensions
    found = decode(loaded, tiny.random_mels(1, 1, shape), (), batch=1, timestamps=True)
    return [one.tokens for one in found]


@pytest.mark.parametrize("shape", [WIDE, DISTIL, ENGLISH])
@pytest.mark.parametrize("torch_order", [True, False])
def test_hugging_face_layout_says_the_same(
    tmp_path: Path, shape: Dimensions, torch_order: bool
) -> None:
    arrays = tiny.random_arrays(4, shape)
    ours = tiny.load(tiny.write_model(tmp_path / "ours", shape, arrays))
    theirs = tiny.load(
        write_hugging_face(tmp_path / "theirs", shape, arrays, torch_order=torch_order)
    )
    assert said(ours) == said(theirs)
    assert theirs.heads == ((0, 1),)
    assert theirs.suppressed == (1, 2, 7)


def test_a_model_in_parts_says_the_same(tmp_path: Path) -> None:
    arrays = tiny.random_arrays(4, WIDE)
    whole = tiny.load(write_hugging_face(tmp_path / "whole", WIDE, arrays))
    folder = write_hugging_face(tmp_path / "parts", WIDE, arrays)
    parts = tiny.split(folder)
    assert said(tiny.load(folder)) == said(whole)
    (folder / parts[1]).unlink()
    with pytest.raises(ModelMissing):
        tiny.load(folder)


def test_the_index_of_a_model_that_was_not_split_is_not_asked(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "model", WIDE, tiny.random_arrays(4, WIDE))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    tiny.load(folder)
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    with pytest.raises(ModelDamaged):
        tiny.load(folder)


def test_our_names_in_a_file_named_as_hugging_face_does(tmp_path: Path) -> None:
    folder = tiny.write_model(tmp_path / "model", WIDE, tiny.random_arrays(4, WIDE))
    before = said(tiny.load(folder))
    (folder / "weights.safetensors").rename(folder / "model.safetensors")
    assert said(tiny.load(folder)) == before


def test_npz_and_half_precision(tmp_path: Path) -> None:
    arrays = tiny.random_arrays(4, WIDE)
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    first = tiny.write_model(tmp_path / "first", WIDE, halves)  # type: ignore[arg-type]
    second = tiny.write_model(tmp_path / "second", WIDE, arrays)
    (second / "weights.safetensors").unlink()
    np.savez(second / "weights.npz", **halves)  # type: ignore[arg-type]
    assert said(tiny.load(first)) == said(tiny.load(second))


@pytest.mark.parametrize("bits", [4, 8])
def test_quantised(tmp_path: Path, bits: int) -> None:
    arrays = tiny.random_arrays(4, WIDE)
    rounded: dict[str, tiny.Array] = {}
    packed: dict[str, mx.array] = {}
    for name, array in arrays.items():
        is_packed = name.endswith(".weight") and array.ndim == 2
        if not is_packed:
            rounded[name], packed[name] = array, mx.array(array)
            continue
        weights, scales, biases = mx.quantize(mx.array(array), group_size=64, bits=bits)
        whole = mx.dequantize(weights, scales, biases, group_size=64, bits=bits)
        rounded[name] = np.array(whole)
        start = name.removesuffix("weight")
        packed |= {name: weights, f"{start}scales": scales, f"{start}biases": biases}
    plain = tiny.load(tiny.write_model(tmp_path / "plain", WIDE, rounded))
    folder = tiny.write_model(tmp_path / "packed", WIDE, {})
    config = json.loads((folder / "config.json").read_text())
    config["quantization"] = {"group_size": 64, "bits": bits}
    (folder / "config.json").write_text(json.dumps(config))
    mx.save_safetensors(str(folder / "weights.safetensors"), packed)
    assert said(tiny.load(folder)) == said(plain)


def test_heads_in_the_weights_win(tmp_path: Path) -> None:
    arrays = tiny.random_arrays(4, WIDE)
    folder = tiny.write_model(tmp_path, WIDE, arrays)
    weights = {name: mx.array(array) for name, array in arrays.items()}
    weights["alignment_heads"] = mx.array([[1, 0], [1, 1], [9, 9]])
    mx.save_safetensors(str(folder / "weights.safetensors"), weights)
    assert tiny.load(folder).heads == ((1, 0), (1, 1))


def test_known_heads() -> None:
    turbo = Dimensions(128, 1500, 1280, 20, 32, 51866, 448, 1280, 20, 4)
    assert alignment_heads(turbo) == ((2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14))
    assert alignment_heads(WIDE) == ((1, 0), (1, 1))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return tiny.write_model(tmp_path / "model", ENGLISH, tiny.random_arrays(4, ENGLISH))


def resave(folder: Path, name: str, array: mx.array | None) -> None:
    path = str(folder / "weights.safetensors")
    weights = mx.load(path)
    assert isinstance(weights, dict)
    mx.eval(weights)
    if array is None:
        del weights[name]
    else:
        weights[name] = array
    mx.save_safetensors(path, weights)


@pytest.mark.parametrize(
    "array",
    [None, mx.zeros((3,)), mx.full((64,), float("nan")), mx.zeros((64,), mx.uint32)],
    ids=["gone", "wrong shape", "not a number", "wrong kind"],
)
def test_a_wrong_array_is_damage(good: Path, array: mx.array | None) -> None:
    resave(good, "decoder.ln.weight", array)
    with pytest.raises(ModelDamaged):
        tiny.load(good)


@pytest.mark.parametrize("kept", [0, 4, 100, 5000, -1])
def test_a_short_file_is_damage(good: Path, kept: int) -> None:
    path = good / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelDamaged):
        tiny.load(good)


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}",
        b'{"a": 1}',
        b'{"a": {"data_offsets": []}}',
        b"\xff\xff",
        b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 99]}}',
    ],
)
def test_a_hostile_header_is_damage(good: Path, header: bytes) -> None:
    path = good / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 16)
    with pytest.raises(ModelDamaged):
        tiny.load(good)


@pytest.mark.parametrize(
    "change",
    [
        {"n_vocab": 10},
        {"n_mels": 81},
        {"n_text_layer": "2"},
        {"n_text_ctx": 10**9},
        {"n_audio_state": 63},
        {"n_text_head": True},
        {"quantization": 4},
        {"quantization": {"bits": 99, "group_size": 64}},
    ],
)
def test_a_wrong_config_is_damage(good: Path, change: dict[str, object]) -> None:
    config = json.loads((good / "config.json").read_text()) | change
    (good / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelDamaged):
        tiny.load(good)


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000])
def test_config_that_is_no_config_is_damage(good: Path, text: str) -> None:
    (good / "config.json").write_text(text)
    with pytest.raises(ModelDamaged):
        tiny.load(good)


def test_missing_files(good: Path) -> None:
    (good / "weights.safetensors").unlink()
    with pytest.raises(ModelMissing):
        tiny.load(good)
    (good / "config.json").unlink()
    with pytest.raises(ModelMissing):
        tiny.load(good)
