import json
import zipfile
from pathlib import Path

import pytest

from app.config.paths import resources
from app.core.errors import ModelMissing
from app.core.model import Family
from app.models.custom import add_folder
from app.models.store import PARTIAL, ModelStore, is_whole, only_demo, open_store


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return open_store(tmp_path / "models", resources())


def _put(store: ModelStore, name: str, config: object, weights: str = "weights.npz") -> None:
    folder = store.folder / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    if weights.endswith("npz"):
        with zipfile.ZipFile(folder / weights, "w") as out:
            out.writestr("encoder.npy", b"x" * 100)
    else:
        header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
        (folder / weights).write_bytes(len(header).to_bytes(8, "little") + header + b"1234")


def test_the_built_in_model_is_there_and_is_called_a_demonstration(store: ModelStore) -> None:
    models = store.installed()

    assert [m.model_id for m in models] == ["nano"]
    assert models[0].is_demo
    assert models[0].max_speech_s == 9
    assert models[0].joins_up_to_s == 6, "the window a clip shares with the next one costs it words"
    assert only_demo(models)
    assert "demonstration" in models[0].title
    assert "few hundred words" in store.note("nano")


def test_a_folder_with_whisper_weights_is_a_model(store: ModelStore) -> None:
    _put(store, "my-whisper", {"n_audio_state": 384})
    _put(store, "from-the-hub", {"model_type": "whisper"}, "model.safetensors")

    models = {m.model_id: m for m in store.installed()}

    assert set(models) == {"nano", "my-whisper", "from-the-hub"}
    assert models["my-whisper"].family is Family.WHISPER
    assert models["my-whisper"].max_speech_s == 30
    assert models["my-whisper"].joins_up_to_s == 0
    assert not only_demo(tuple(models.values()))
    assert store.find("auto").model_id != "nano"
    assert store.find("nano").is_demo


@pytest.mark.parametrize("config", [{"model_type": "bert"}, [1], "text"])
def test_other_folders_are_no_models(store: ModelStore, config: object) -> None:
    _put(store, "other", config)
    (store.folder / "empty").mkdir()
    (store.folder / "file").touch()

    assert [m.model_id for m in store.installed()] == ["nano"]


def test_a_model_that_is_not_here_is_named_with_those_that_are(store: ModelStore) -> None:
    with pytest.raises(ModelMissing, match="large") as raised:
        store.find("large")

    assert "nano" in str(raised.value.hint)


def test_a_cut_file_is_no_model_but_is_noticed(store: ModelStore) -> None:
    _put(store, "cut", {"model_type": "whisper"}, "model.safetensors")
    file = store.folder / "cut" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])

    assert [m.model_id for m in store.installed()] == ["nano"]
    assert [folder.name for folder in store.unusable_folders()] == ["cut"]


@pytest.mark.parametrize(
    "content", [b"", b"cut", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{}", b"<html>" * 20]
)
def test_no_content_is_mistaken_for_weights(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(content)

    assert not is_whole(file)


def test_the_shipped_weights_are_what_the_catalog_says(store: ModelStore) -> None:
    assert store.damaged_files(store.find("nano")) == ()
    assert is_whole(store.find("nano").folder / "weights.safetensors")


def test_what_a_kill_left_of_an_adding_is_no_part_of_the_next(
    store: ModelStore, tmp_path: Path
) -> None:
    _put(store, "mine", {"model_type": "whisper"}, "model.safetensors")
    (store.folder / "mine").rename(tmp_path / "mine")
    left = store.folder / PARTIAL / "adding-mine"
    left.mkdir(parents=True)
    (left / "generation_config.json").write_text("[]")

    model = add_folder(store, tmp_path / "mine")

    assert {file.name for file in model.folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        ".undertone.json",
    }
