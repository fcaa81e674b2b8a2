"""Checkpoints made smaller on this machine still say nearly the same, and load everywhere."""

import json
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from app.core.errors import ImportFailed, ModelDamaged
from app.engine import convert as convert_module
from app.engine.convert import convert_steps
from app.engine.files import read_arrays
from app.engine.voxtral.weights import load_steps
from app.engine.whisper.config import Dimensions
from app.engine.whisper.mel import log_mel
from app.engine.whisper.weights import load_steps as load_whisper
from app.models.recognise import recognise
from tests.engine.voxtral.conftest import drain
from tests.engine.voxtral.test_weights import answer
from tests.engine.whisper import random_model
from tests.helpers.voxtral_checkpoints import Layout, Tiny, write_checkpoint

WIDE = Dimensions(80, 100, 64, 2, 1, 51865, 64, 64, 2, 1)


def convert(source: Path, target: Path, bits: int) -> list[float]:
    target.mkdir()
    return list(convert_steps(source, target, bits))


@pytest.mark.parametrize("is_realtime", [False, True], ids=["offline", "realtime"])
@pytest.mark.parametrize("layout", ["hugging_face", "mistral", "mlx"])
def test_voxtral_in_every_layout(tmp_path: Path, is_realtime: bool, layout: Layout) -> None:
    tiny = Tiny(
        is_realtime=is_realtime, positions=40, text_width=64, text_ffn=128, head_width=16, width=32
    )
    source = write_checkpoint(tmp_path / "a", tiny, layout=layout, shards=1)
    done = convert(source, tmp_path / "b", 4)

    assert done == sorted(done)
    assert done[-1] == 1.0
    before, _shape = drain(load_steps(source, mx.float32))
    after, _shape = drain(load_steps(tmp_path / "b", mx.float32))
    text = after.language_model.layers[0].self_attn.q_proj
    assert isinstance(text, nn.QuantizedLinear)
    assert text.bits == 4
    sound = after.audio_tower.layers[0].self_attn.q_proj
    assert isinstance(sound, nn.QuantizedLinear)
    assert sound.bits == 8
    first, second = answer(before), answer(after)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.7
    sizes = [
        sum(f.stat().st_size for f in p.glob("*.safetensors")) for p in (source, tmp_path / "b")
    ]
    assert sizes[1] < 0.5 * sizes[0]
    found = recognise(tmp_path / "b")
    assert found is not None
    assert (tmp_path / "b" / "tekken.json").is_file()


def test_shards_become_one_file(tmp_path: Path) -> None:
    tiny = Tiny(positions=40, text_width=64, text_ffn=128)
    source = write_checkpoint(tmp_path / "a", tiny, shards=3)
    convert(source, tmp_path / "b", 8)
    whole = drain(load_steps(source, mx.float32))[0]
    after = drain(load_steps(tmp_path / "b", mx.float32))[0]
    first, second = answer(whole), answer(after)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.98


@pytest.mark.parametrize(("bits", "is_split"), [(4, False), (8, True)])
def test_whisper(tmp_path: Path, bits: int, is_split: bool) -> None:
    source = random_model.write_model(tmp_path / "a", WIDE, random_model.random_arrays(1, WIDE))
    if is_split:
        random_model.split(source)
    convert(source, tmp_path / "b", bits)

    before, _config, _heads = drain(load_whisper(source, mx.float32))
    after, config, _heads = drain(load_whisper(tmp_path / "b", mx.float32))
    assert config.dimensions == WIDE
    assert isinstance(after.decoder.blocks[0].mlp1, nn.QuantizedLinear)
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    picture = mx.array(log_mel(sound, WIDE.n_mels, 200))[None]
    first, second = (np.array(drain(model.encoder.steps(picture))) for model in (before, after))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > (0.99 if bits == 8 else 0.8)


def test_a_file_is_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piece = 50_000
    monkeypatch.setattr(convert_module, "_STEP_BYTES", piece)
    source = random_model.write_model(tmp_path / "a", WIDE, random_model.random_arrays(1, WIDE))
    target = tmp_path / "b"
    target.mkdir()
    made, sizes = target / "weights.safetensors", [0]
    for _done in convert_steps(source, target, 8):
        sizes.append(made.stat().st_size if made.exists() else 0)
    assert sizes[-1] > 20 * piece
    assert np.diff(sizes).max() <= 3 * piece, "a piece, what came before it, and the file's buffer"


def test_each_kind_of_array_is_read_back_as_it_was(tmp_path: Path) -> None:
    kinds = (mx.float16, mx.bfloat16, mx.float32, mx.uint32, mx.int32, mx.int64, mx.uint8)
    wanted = {str(kind): (mx.arange(15).astype(kind) * 3).reshape(3, 5).T for kind in kinds} | {
        "one": mx.array(7.5),
        "none": mx.zeros((0, 4)),
    }
    file = tmp_path / "model.safetensors"
    for _ in convert_module._save(file, dict(wanted)):
        pass
    found = read_arrays(file)
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert mx.array_equal(found[name], array).item()


def test_what_is_quantised_is_not_quantised_again(tmp_path: Path) -> None:
    tiny = Tiny(positions=40, text_width=64, text_ffn=128)
    source = write_checkpoint(tmp_path / "a", tiny, layout="mlx", bits=8)
    with pytest.raises(ImportFailed, match="quantised already"):
        convert(source, tmp_path / "b", 4)


def test_a_damaged_source_is_said(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "a", Tiny(positions=40))
    file = source / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(ModelDamaged):
        convert(source, tmp_path / "b", 4)
    (source / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelDamaged):
        convert(source, tmp_path / "c", 4)
