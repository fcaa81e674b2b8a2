"""Downloads from a hub that misbehaves: always a verified model in the end, or none."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.download import Download, DownloadState
from app.core.errors import DiskFull, DownloadFailed, ModelDamaged, Offline
from app.core.events import DownloadChanged, Event, ModelsChanged
from app.core.model import Family
from app.models.catalog import CatalogEntry, CatalogFile
from app.models.download import Downloads, repository_entry
from app.models.fetch import Patience
from app.models.hub import Route
from app.models.manifest import read_manifest
from app.models.store import PARTIAL, ModelStore
from tests.helpers.fake_hub import COMMIT, FakeHub, Fault

WEIGHTS = "weights.safetensors"
REPOSITORY = "somebody/whisper-tiny-mlx"


async def _no_sleep(_seconds: float) -> None:
    """Wait for nothing."""


QUICK = Patience(stall_s=0.4, least_bytes=64, waits_s=(1.0, 1.0, 1.0), sleep=_no_sleep)


def safetensors(count: int = 300_000, seed: int = 0) -> bytes:
    """Return a weights file that is whole and holds noise."""
    numbers = np.random.default_rng(seed).integers(0, 255, count, np.uint8).tobytes()
    header = {"w": {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        config = json.dumps({"n_audio_state": 384, "n_audio_ctx": 1500}).encode()
        hub.repositories[REPOSITORY] = {
            "config.json": config,
            WEIGHTS: safetensors(),
            "README.md": b"# words",
        }
        yield hub


class Bench:
    """Downloads into a folder, and what they told."""

    def __init__(self, folder: Path, hub: FakeHub) -> None:
        self.folder = folder
        self.hub = hub
        self.store = ModelStore(folder, folder / "none", ())
        self.events: list[Event] = []
        self.is_offline = False
        self._waits: list[tuple[Callable[[Download], bool], threading.Event]] = []
        self.downloads = self._open()

    def _open(self, patience: Patience = QUICK) -> Downloads:
        return Downloads(
            self.store,
            self._on_event,
            lambda: Route(self.hub.address),
            lambda: self.is_offline,
            patience,
        )

    def restart(self, patience: Patience = QUICK) -> None:
        self.downloads.close()
        self.downloads = self._open(patience)

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, DownloadChanged):
            for is_so, reached in self._waits:
                if is_so(event.download):
                    reached.set()

    def when(self, is_so: Callable[[Download], bool]) -> threading.Event:
        reached = threading.Event()
        self._waits.append((is_so, reached))
        return reached

    def get(self, entry: CatalogEntry | None = None) -> Download:
        """Fetch and wait for the end."""
        entry = entry or self.entry()
        self.downloads.get(entry)
        self.downloads.wait()
        return next(d for d in self.downloads.all if d.model_id == entry.model_id)

    def entry(self, **changes: object) -> CatalogEntry:
        return replace(repository_entry(REPOSITORY, model_id="tiny"), **changes)  # type: ignore[arg-type]

    def pinned(self) -> CatalogEntry:
        files = tuple(
            CatalogFile(name, len(content), hashlib.sha256(content).hexdigest())
            for name, content in self.hub.repositories[REPOSITORY].items()
            if name != "README.md"
        )
        return self.entry(files=files, revision=COMMIT)

    def states(self) -> list[DownloadState]:
        told = [e.download.state for e in self.events if isinstance(e, DownloadChanged)]
        return [state for at, state in enumerate(told) if not at or told[at - 1] is not state]

    def is_verified(self) -> bool:
        """Whether the model is here and is what the hub has."""
        found = {model.model_id: model for model in self.store.installed()}
        if "tiny" not in found:
            return False
        folder = self.folder / "tiny"
        files = self.hub.repositories[REPOSITORY]
        assert (folder / WEIGHTS).read_bytes() == files[WEIGHTS]
        assert self.store.damaged_files(found["tiny"]) == ()
        manifest = read_manifest(folder)
        assert manifest is not None
        assert set(manifest.files) == {"config.json", WEIGHTS}
        return True


@pytest.fixture
def bench(tmp_path: Path, hub: FakeHub) -> Iterator[Bench]:
    bench = Bench(tmp_path / "models", hub)
    yield bench
    bench.downloads.close()


def test_a_model_comes_whole_and_verified(bench: Bench) -> None:
    done = bench.get()

    assert done.state is DownloadState.DONE
    assert done.done_bytes == done.total_bytes > 300_000
    assert bench.is_verified()
    assert any(isinstance(event, ModelsChanged) for event in bench.events)
    assert bench.store.installed()[0].family is Family.WHISPER
    assert not (bench.folder / PARTIAL / "tiny").exists()
    assert "README.md" not in {one.name for one in bench.hub.served}


def test_a_pinned_model_is_never_asked_about(bench: Bench) -> None:
    assert bench.get(bench.pinned()).state is DownloadState.DONE
    assert bench.is_verified()
    assert not any(path.startswith("/api/") for path in bench.hub.asked)
    assert all(f"/resolve/{COMMIT}/" in path for path in bench.hub.asked)


def test_a_cut_connection_goes_on_at_the_same_byte(bench: Bench) -> None:
    bench.hub.fail(WEIGHTS, Fault(cut_after=100_003), Fault(cut_after=1), Fault(cut_after=50_000))

    assert bench.get().state is DownloadState.DONE
    assert bench.is_verified()
    starts = [one.start for one in bench.hub.served if one.name == WEIGHTS]
    assert starts == [0, 100_003, 100_004, 150_004]
    assert bench.hub.sent_bytes(WEIGHTS) == len(bench.hub.repositories[REPOSITORY][WEIGHTS])


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503),
        Fault(status=429, headers={"Retry-After": "1"}),
        Fault(claims=999_999_999, cut_after=400_000, headers={"Transfer-Encoding": ""}),
        Fault(hangs=True),
        Fault(piece=8, pause_s=0.1, cut_after=400),
        Fault(cut_after=0),
    ],
    ids=["503", "429", "longer than claimed", "hangs", "drips", "nothing"],
)
def test_what_passes_is_tried_again(bench: Bench, fault: Fault) -> None:
    if fault.claims:  # a file that is shorter than the server claims is another file
        fault = Fault(cut_after=10)
    bench.hub.fail(WEIGHTS, fault)

    assert bench.get().state is DownloadState.DONE
    assert bench.is_verified()
    assert DownloadState.WAITING in bench.states()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(page=True), "web page"),
        (Fault(claims=999_999, cut_after=500_000), "another file"),
        (Fault(claims=5), "another file"),
        (Fault(status=404), "not on the server"),
        (Fault(status=401), "without an account"),
        (Fault(status=416), "another file"),
        (Fault(status=418), "no model server"),
        (Fault(flips=True), "came twice"),
        (Fault(redirects_to="http://elsewhere.example/file"), "https://"),
        (Fault(redirects_to=f"/{REPOSITORY}/resolve/{COMMIT}/{WEIGHTS}"), "without end"),
        (Fault(status=500), "busy"),
        (Fault(cut_after=0), "breaks off"),
    ],
    ids=str,
)
def test_what_does_not_pass_ends_in_one_sentence_and_no_model(
    bench: Bench, fault: Fault, says: str
) -> None:
    bench.hub.always[WEIGHTS] = fault

    failed = bench.get()

    assert failed.state is DownloadState.FAILED
    assert says in failed.error + failed.hint
    assert failed.hint
    assert bench.store.installed() == ()
    bench.hub.always.clear()
    assert bench.get().state is DownloadState.DONE
    assert bench.is_verified()


def test_a_wrong_range_is_not_taken(bench: Bench) -> None:
    bench.hub.fail(WEIGHTS, Fault(cut_after=1000), Fault(starts_at=0), Fault(total=7))

    failed = bench.get()

    assert failed.state is DownloadState.FAILED
    assert "another file" in failed.error


def test_a_server_without_ranges_still_ends_well(bench: Bench) -> None:
    bench.hub.fail(WEIGHTS, Fault(cut_after=1000), Fault(ignores_range=True))

    assert bench.get().state is DownloadState.DONE
    assert bench.is_verified()


def test_once_wrong_bytes_are_fetched_anew(bench: Bench) -> None:
    bench.hub.fail(WEIGHTS, Fault(flips=True))

    assert bench.get().state is DownloadState.DONE
    assert bench.is_verified()


def test_a_listing_that_lies_about_hashes_gives_no_model(bench: Bench) -> None:
    bench.hub.lies[WEIGHTS] = {"sha256": "0" * 64}

    assert bench.get().state is DownloadState.FAILED
    assert bench.store.installed() == ()


def test_a_listing_that_lies_about_sizes_gives_no_model(bench: Bench) -> None:
    bench.hub.lies[WEIGHTS] = {"size": 1_000}

    assert bench.get().state is DownloadState.FAILED
    assert bench.store.installed() == ()


@pytest.mark.parametrize("fault", [Fault(page=True), Fault(status=404), Fault(status=500)], ids=str)
def test_a_listing_that_does_not_come_is_told(bench: Bench, fault: Fault) -> None:
    bench.hub.always["listing"] = fault

    failed = bench.get()

    assert failed.state is DownloadState.FAILED
    assert failed.error


def test_pausing_and_going_on_fetches_no_byte_twice(bench: Bench) -> None:
    bench.hub.fail(WEIGHTS, Fault(piece=10_000, pause_s=0.01))
    has_some = bench.when(lambda d: d.state is DownloadState.RUNNING and d.done_bytes > 50_000)
    bench.downloads.get(bench.entry())
    assert has_some.wait(10)
    bench.downloads.pause("tiny")
    bench.downloads.wait()
    paused = bench.downloads.all[0]
    assert paused.state is DownloadState.PAUSED
    assert bench.store.installed() == ()
    before = (bench.folder / PARTIAL / "tiny" / f"{WEIGHTS}.part").stat().st_size

    bench.restart()
    listed = bench.downloads.all[0]
    assert (listed.state, listed.model_id) == (DownloadState.PAUSED, "tiny")
    bench.hub.served.clear()
    assert bench.get().state is DownloadState.DONE

    assert bench.is_verified()
    size = len(bench.hub.repositories[REPOSITORY][WEIGHTS])
    wanted = [one.wanted for one in bench.hub.served if one.name == WEIGHTS and one.wanted]
    assert wanted == [f"bytes={before}-{size - 1}"]


def test_cancelling_leaves_nothing(bench: Bench) -> None:
    bench.hub.always[WEIGHTS] = Fault(hangs=True)
    is_under_way = bench.when(lambda d: d.state is DownloadState.ASKING)
    bench.restart(Patience(stall_s=60.0))
    bench.downloads.get(bench.entry())
    assert is_under_way.wait(10)

    bench.downloads.cancel("tiny")
    bench.downloads.wait()

    assert bench.downloads.all[0].state is DownloadState.CANCELLED
    assert not (bench.folder / PARTIAL / "tiny").exists()


def test_one_after_the_other(bench: Bench) -> None:
    bench.hub.repositories["b/b"] = bench.hub.repositories[REPOSITORY]
    bench.downloads.get(bench.entry())
    bench.downloads.get(repository_entry("b/b"))
    bench.downloads.wait()

    assert {m.model_id for m in bench.store.installed()} == {"tiny", "b"}
    running = [
        e.download.model_id
        for e in bench.events
        if isinstance(e, DownloadChanged) and e.download.state is not DownloadState.QUEUED
    ]
    assert running == sorted(running, reverse=True)  # all of “tiny”, then all of “b”


def test_without_room_nothing_is_fetched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelStore, "free_bytes", lambda _self: 200_000)

    failed = bench.get()

    assert failed.state is DownloadState.FAILED
    assert "not enough room" in failed.error
    assert bench.hub.served == []


def test_offline_means_no_connection_and_no_thread(bench: Bench) -> None:
    bench.is_offline = True
    with pytest.raises(Offline, match="offline"):
        bench.downloads.get(bench.entry())
    assert bench.hub.asked == []
    assert bench.downloads.all == ()


def test_an_unencrypted_mirror_is_refused(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, tmp_path / "none", ())
    downloads = Downloads(store, lambda _event: None, lambda: Route("http://mirror.example"))
    downloads.get(repository_entry(REPOSITORY))
    downloads.wait()
    assert "https://" in downloads.all[0].hint
    downloads.close()


def test_a_damaged_partial_range_is_fetched_again_and_nothing_else(bench: Bench) -> None:
    size = len(bench.hub.repositories[REPOSITORY][WEIGHTS])
    bench.hub.fail(WEIGHTS, Fault(cut_after=1000), Fault(cut_after=2000))
    bench.hub.always[WEIGHTS] = Fault(status=404)
    bench.get()
    part = bench.folder / PARTIAL / "tiny" / f"{WEIGHTS}.part"
    damaged = bytearray(part.read_bytes())
    damaged[500] ^= 1
    part.write_bytes(damaged)
    bench.hub.always.clear()
    bench.hub.served.clear()
    bench.restart()

    assert bench.get().state is DownloadState.DONE

    assert bench.is_verified()
    spans = [(one.start, one.end) for one in bench.hub.served if one.name == WEIGHTS]
    assert spans == [(0, 1000), (3000, size)]


def test_a_tail_nobody_vouches_for_is_kept_if_it_is_right(bench: Bench) -> None:
    """What was written after the journal's last line, by a program that was killed."""
    content = bench.hub.repositories[REPOSITORY][WEIGHTS]
    bench.hub.fail(WEIGHTS, Fault(cut_after=1000))
    bench.hub.always[WEIGHTS] = Fault(status=404)
    bench.get()
    part = bench.folder / PARTIAL / "tiny" / f"{WEIGHTS}.part"
    for tail, starts in ((content[1000:5000], [5000]), (b"x" * 4000, [5000, 1000])):
        part.write_bytes(content[:1000] + tail)
        part.with_suffix(".ranges").write_text(
            f"0 1000 {hashlib.sha256(content[:1000]).hexdigest()}\ntorn"
        )
        bench.hub.always.clear()
        bench.hub.served.clear()
        bench.restart()
        assert bench.get().state is DownloadState.DONE
        assert bench.is_verified()
        assert [one.start for one in bench.hub.served if one.name == WEIGHTS] == starts
        (bench.folder / "tiny").rename(bench.folder / PARTIAL / "tiny")
        (bench.folder / PARTIAL / "tiny" / WEIGHTS).rename(part)
        plan = {"repository": REPOSITORY, "commit": COMMIT, "files": _plan(bench)}
        (bench.folder / PARTIAL / "tiny" / "plan.json").write_text(json.dumps(plan))


def _plan(bench: Bench) -> list[dict[str, object]]:
    return [
        {
            "name": row["rfilename"],
            "size_bytes": row["size"],
            "sha256": row.get("lfs", {}).get("sha256", ""),
            "git_oid": row.get("blobId", ""),
        }
        for row in bench.hub.listing(REPOSITORY)["siblings"]
        if row["rfilename"] in ("config.json", WEIGHTS)
    ]


def test_what_lay_for_a_week_is_swept(bench: Bench) -> None:
    bench.hub.fail(WEIGHTS, Fault(cut_after=1000))
    bench.hub.always[WEIGHTS] = Fault(status=404)
    bench.get()
    folder = bench.folder / PARTIAL / "tiny"
    bench.restart()
    now_s = folder.stat().st_mtime
    bench.downloads.sweep(now_s + 6 * 86_400)
    assert folder.exists()
    bench.downloads.sweep(now_s + 8 * 86_400)
    assert not folder.exists()
    assert bench.downloads.all == ()


def test_a_swapped_file_never_reaches_the_engine(bench: Bench) -> None:
    bench.get()
    model = bench.store.find("tiny")
    list(bench.store.check_steps(model))  # untouched: nothing is read
    file = model.folder / WEIGHTS
    file.write_bytes(safetensors(seed=1))

    with pytest.raises(ModelDamaged, match=WEIGHTS):
        list(bench.store.check_steps(model))
    assert bench.store.damaged_files(model) == (WEIGHTS,)

    file.write_bytes(bench.hub.repositories[REPOSITORY][WEIGHTS])
    assert len(list(bench.store.check_steps(model))) > 0  # touched, and right
    assert list(bench.store.check_steps(model)) == []  # and trusted again


def test_errors_are_of_their_kind(bench: Bench) -> None:
    assert issubclass(Offline, DownloadFailed)
    with pytest.raises(DiskFull):
        bench.store.require_room(1 << 60)
