"""Everything a person can do with models, against a hub on this machine."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.config.settings import Settings
from app.core.download import Download, DownloadState
from app.core.errors import ImportFailed, ModelMissing, Offline
from app.core.events import DownloadChanged, Event, ModelsChanged
from app.core.model import Family
from app.engine.host import EngineThread
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.engine.registry import load
from app.models.catalog import CatalogEntry
from app.models.custom import cached_models
from app.models.fetch import Patience
from app.models.manifest import read_manifest
from app.models.recommend import Machine
from app.models.store import PARTIAL, REMOVED, ModelStore
from app.pipeline.model_rows import ModelRow
from app.pipeline.models import ModelParts, Models, route_of
from tests.helpers.fake_hub import COMMIT, FakeHub, Fault
from tests.helpers.voxtral_checkpoints import Tiny, write_checkpoint

WIDE = Tiny(positions=40, text_width=64, text_ffn=128, head_width=16)
VOXTRAL = "mistralai/Voxtral-Tiny"


def entry(**changes: object) -> CatalogEntry:
    known: dict[str, object] = {
        "model_id": "voxtral-tiny-4bit",
        "title": "Voxtral Tiny, 4-bit",
        "family": Family.VOXTRAL,
        "languages": ("en", "de"),
        "max_speech_s": 30.0,
        "memory_bytes": 50_000_000,
        "licence": "Apache-2.0",
        "good_for": "Tests.",
        "has_word_times": False,
        "repository": VOXTRAL,
    }
    return CatalogEntry(**(known | changes))  # type: ignore[arg-type]


class Bench:
    """The models over a folder, an engine thread that runs, and a hub."""

    def __init__(self, folder: Path, hub: FakeHub, catalog: tuple[CatalogEntry, ...]) -> None:
        self.hub = hub
        self.settings = Settings(model_mirror=hub.address)
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self.loop = EngineLoop(lambda _event: None)
        residency = Residency(load, 1 << 30, lambda _event: None)
        self.engine = EngineThread(self.loop, residency.close)
        self.pool = ThreadPoolExecutor(1)  # so that `wait_for` can wait for all before it
        self.store = ModelStore(folder, folder / "none", catalog)
        parts = ModelParts(
            self.store, self.loop, residency, self.pool, Machine(1 << 30),
            Patience(stall_s=2.0, waits_s=(0.01,)),
        )  # fmt: skip
        self.models = Models(parts, self._emit, lambda: self.settings)
        self.engine.start()

    def _emit(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, model_id: str, *states: DownloadState) -> Download:
        """Wait until a model on its way gets to one of `states`, then until that is told."""

        def found() -> Download | None:
            told = [e.download for e in self.events if isinstance(e, DownloadChanged)]
            return next(
                (d for d in reversed(told) if d.model_id == model_id and d.state in states), None
            )

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, 30), self.events[-5:]
        self.models.downloads.wait()
        self.pool.submit(lambda: None).result(30)
        download = found()
        assert download is not None
        return download

    def row(self, model_id: str) -> ModelRow:
        return next(row for row in self.models.rows() if row.model_id == model_id)

    def close(self) -> None:
        self.models.close()
        self.pool.shutdown()
        self.engine.stop()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("voxtral") / "tiny", WIDE, shards=2)


@pytest.fixture
def open_bench(tmp_path: Path, checkpoint: Path) -> Iterator[Callable[..., Bench]]:
    opened = []
    with FakeHub() as hub:
        hub.add_folder(VOXTRAL, checkpoint)

        def open_it(*catalog: CatalogEntry) -> Bench:
            opened.append(Bench(tmp_path / "models", hub, catalog))
            return opened[-1]

        yield open_it
        for bench in opened:
            bench.close()


def test_a_repository_by_name_is_recognised_by_its_files(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench()
    name = bench.models.get_repository(f"https://huggingface.co/{VOXTRAL}")
    done = bench.wait_for(name, DownloadState.DONE)

    assert done.state is DownloadState.DONE
    row = bench.row("Voxtral-Tiny")
    assert row.is_installed
    assert row.is_custom
    assert row.title == VOXTRAL
    model = bench.store.find("Voxtral-Tiny")
    assert model.family is Family.VOXTRAL
    assert not model.has_word_times
    manifest = read_manifest(model.folder)
    assert manifest is not None
    assert (manifest.repository, manifest.commit, manifest.source) == (VOXTRAL, COMMIT, "hub")
    with pytest.raises(ImportFailed, match="no name"):
        bench.models.get_repository("just-a-word")


def test_a_model_that_is_made_smaller_here(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench(entry(converts_to_bits=4, bits=4))
    assert bench.row("voxtral-tiny-4bit").is_installed is False
    bench.models.get("voxtral-tiny-4bit")
    bench.wait_for("voxtral-tiny-4bit", DownloadState.DONE)

    states = [e.download.state for e in bench.events if isinstance(e, DownloadChanged)]
    assert DownloadState.CONVERTING in states
    model = bench.store.find("voxtral-tiny-4bit")
    assert model.title == "Voxtral Tiny, 4-bit"
    assert json.loads((model.folder / "config.json").read_text())["quantization"]["bits"] == 4
    assert bench.store.damaged_files(model) == ()
    assert not list((bench.store.folder / PARTIAL).iterdir())


def test_what_cannot_be_got_is_said_at_once(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench(entry(is_hidden=True))
    for unknown in ("nothing", "voxtral-tiny-4bit"):
        with pytest.raises(ModelMissing):
            bench.models.get(unknown)
    bench.settings = bench.settings.changed(offline=True)
    with pytest.raises(Offline):
        bench.models.get_repository(VOXTRAL)
    assert bench.hub.asked == []


def test_going_offline_stops_what_runs(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench()
    bench.hub.always["model-00001-of-00002.safetensors"] = Fault(pause_s=0.05, piece=1000)
    name = bench.models.get_repository(VOXTRAL)
    with bench._changed:
        assert bench._changed.wait_for(
            lambda: any(
                isinstance(e, DownloadChanged) and e.download.state is DownloadState.RUNNING
                for e in bench.events
            ),
            30,
        )
    bench.models.stay_offline()
    assert bench.wait_for(name, DownloadState.PAUSED).state is DownloadState.PAUSED
    row = bench.row(name)
    assert row.download is not None
    assert row.download.state is DownloadState.PAUSED


def test_add_verify_delete_undo(
    open_bench: Callable[..., Bench], checkpoint: Path, tmp_path: Path
) -> None:
    bench = open_bench()
    name = bench.models.add_folder(checkpoint, "mine")
    bench.wait_for(name, DownloadState.DONE)
    model = bench.store.find("mine")
    assert bench.row("mine").is_verifiable
    with pytest.raises(ImportFailed, match="no model"):
        bench.models.add_folder(tmp_path)
    bench.models.add_folder(checkpoint, "mine")
    assert "already" in bench.wait_for("mine", DownloadState.FAILED).error
    bench.models.forget("mine")

    bench.models.verify("mine")
    bench.wait_for("mine", DownloadState.VERIFYING)
    weights = model.folder / "model-00001-of-00002.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    bench.events.clear()
    bench.models.verify("mine")
    failed = bench.wait_for("mine", DownloadState.FAILED)
    assert weights.name in failed.error

    place = bench.models.remove("mine")
    assert "mine" not in {one.model_id for one in bench.store.installed()}
    assert bench.models.restore(place)
    assert "mine" in {one.model_id for one in bench.store.installed()}
    place = bench.models.remove("mine")
    bench.models.forget_removed(place)
    bench.pool.submit(lambda: None).result(10)
    bench.pool.submit(lambda: None).result(10)
    assert any(isinstance(event, ModelsChanged) for event in bench.events)
    with pytest.raises(ModelMissing):
        bench.models.remove("../../etc")


def test_a_folder_that_could_not_be_added_is_tried_again(
    open_bench: Callable[..., Bench], checkpoint: Path
) -> None:
    bench = open_bench()
    in_the_way = bench.store.folder / "mine"
    in_the_way.mkdir(parents=True)
    (in_the_way / "config.json").write_text("{}")
    name = bench.models.add_folder(checkpoint, "mine")
    bench.wait_for(name, DownloadState.FAILED)

    shutil.rmtree(in_the_way)
    bench.models.get(name)  # what Try Again does
    bench.wait_for(name, DownloadState.DONE)
    assert bench.store.find(name).folder.name == name
    bench.models.remove(name)
    with pytest.raises(ModelMissing):
        bench.models.get(name)


def test_convert_an_installed_model(open_bench: Callable[..., Bench], checkpoint: Path) -> None:
    bench = open_bench()
    name = bench.models.convert(checkpoint, 8, "smaller")
    bench.wait_for(name, DownloadState.DONE)

    manifest = read_manifest(bench.store.find("smaller").folder)
    assert manifest is not None
    assert manifest.source == "converted"
    with pytest.raises(ImportFailed, match="already"):
        bench.models.convert(checkpoint, 8, "smaller")
    again = bench.models.convert("smaller", 4)
    assert "quantised already" in bench.wait_for(again, DownloadState.FAILED).error


def test_another_programs_cache_is_found_and_copied(
    open_bench: Callable[..., Bench], checkpoint: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    cache = tmp_path / "hub"
    snapshot = cache / "models--mistralai--Voxtral-Tiny" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    blobs = cache / "models--mistralai--Voxtral-Tiny" / "blobs"
    blobs.mkdir()
    for file in checkpoint.iterdir():  # as the hub's own library lays them
        (blobs / file.name).write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(blobs / file.name)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text(COMMIT)
    (cache / "models--somebody--broken" / "snapshots" / "x").mkdir(parents=True)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    bench = open_bench(entry())
    (found,) = bench.models.cached()
    assert (found.repository, found.commit) == (VOXTRAL, COMMIT)

    name = bench.models.import_cached(found)
    bench.wait_for(name, DownloadState.DONE)

    assert name == "voxtral-tiny-4bit"
    copied = bench.store.find(name).folder / "config.json"
    assert copied.is_file()
    assert not copied.is_symlink()
    assert bench.models.cached() == ()
    assert cached_models((tmp_path / "nothing",)) == ()


def test_what_earlier_sessions_left_is_tidied(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench()
    old = bench.store.folder / REMOVED / "old@1"
    old.mkdir(parents=True)
    bench.models.tidy()
    bench.pool.shutdown()
    assert not old.exists()


def test_the_mirror_and_the_proxy_are_the_persons() -> None:
    assert route_of(Settings()).hub == "https://huggingface.co"
    chosen = route_of(Settings(model_mirror="https://mirror.example", proxy="http://p:1"))
    assert (chosen.hub, chosen.proxy) == ("https://mirror.example", "http://p:1")
