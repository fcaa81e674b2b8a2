"""`undertone models`: which models are here, which could be, and everything done to them."""

import argparse
import queue
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.output import ProgressLine, complain, print_json, print_table
from app.config.paths import default_paths, make_private_folder, resources
from app.config.settings import load_settings
from app.config.translate import tr, tr_plural
from app.core.download import Download, DownloadState
from app.core.errors import ModelError
from app.core.events import DownloadChanged, Event
from app.models.store import ModelStore, open_store

if TYPE_CHECKING:
    from app.models.recommend import Advice
    from app.pipeline.model_rows import ModelRow
    from app.pipeline.models import Models

_BITS = (4, 5, 6, 8)


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` and its verbs."""
    models = verbs.add_parser("models", help=tr("list, download, add and delete models"))
    kinds = models.add_subparsers(dest="models_verb", required=True, metavar=tr("VERB"))

    listing = kinds.add_parser("list", help=tr("list the installed models"))
    listing.add_argument("--all", action="store_true", help=tr("and those that could be"))
    listing.add_argument("--json", action="store_true", help=tr("print JSON"))
    listing.set_defaults(run=_list)

    advice = kinds.add_parser("recommend", help=tr("say which models suit this machine"))
    advice.add_argument("--json", action="store_true", help=tr("print JSON"))
    advice.set_defaults(run=_recommend)

    get = kinds.add_parser(
        "get",
        help=tr("download models"),
        description=tr("Download models by id, or by name on the hub (owner/model). A download "
                       "that was stopped goes on where it was."),
    )  # fmt: skip
    get.add_argument("ids", nargs="+", metavar="ID")
    get.add_argument("--revision", default="", help=tr("a commit of the repository"))
    get.set_defaults(run=_get)

    verify = kinds.add_parser("verify", help=tr("compare models with what they should be"))
    verify.add_argument("ids", nargs="*", metavar="ID", help=tr("default: all"))
    verify.set_defaults(run=_verify)

    remove = kinds.add_parser("remove", help=tr("delete models"))
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.set_defaults(run=_remove)

    add = kinds.add_parser(
        "add",
        help=tr("add a model from a folder or a hub cache"),
        description=tr("Copy a model from a folder, or (owner/model) from the hub cache of another "
                       "program on this machine. Without a name the cached models are listed."),
    )  # fmt: skip
    add.add_argument("source", nargs="?", default="", metavar=tr("FOLDER"))
    add.add_argument("--name", default="", help=tr("what to call it"))
    add.set_defaults(run=_add)

    convert = kinds.add_parser(
        "convert",
        help=tr("make a smaller model of a checkpoint"),
        description=tr("Quantise a Whisper or Voxtral checkpoint (a folder, or an installed "
                       "model's id) on this machine. Voxtral's encoder keeps 8 bits."),
    )  # fmt: skip
    convert.add_argument("source", metavar=tr("FOLDER"))
    convert.add_argument("--bits", type=int, default=4, choices=_BITS, help=tr("default: 4"))
    convert.add_argument("--name", default="", help=tr("what to call it"))
    convert.set_defaults(run=_convert)


def _store() -> ModelStore:
    return open_store(default_paths().models, resources())


def _list(options: argparse.Namespace) -> int:
    store = _store()
    models = store.installed()
    if options.all:
        return _list_all(store, options)
    if options.json:
        print_json(models)
        return 0
    print_table(
        (
            model.model_id,
            tr(model.title),
            ", ".join(model.languages) or tr("many languages"),
            tr("demonstration") if model.is_demo else "",
        )
        for model in models
    )
    for model in models:
        if model.is_demo:
            print(f"\n{model.model_id}: {tr(store.note(model.model_id))}")
    return 0


def _list_all(store: ModelStore, options: argparse.Namespace) -> int:
    from app.models.recommend import recommend, this_machine
    from app.pipeline.model_rows import model_rows

    machine = this_machine()
    rows = model_rows(store, (), machine, recommend(machine))
    if options.json:
        print_json(rows)
        return 0
    print_table(
        (
            row.model_id,
            _size(row),
            tr("{size} memory", size=_gigabytes(row.memory_bytes)),
            _state(row),
        )
        for row in rows
    )
    return 0


def _state(row: "ModelRow") -> str:
    if row.is_demo:
        return tr("demonstration")
    if row.is_installed:
        return tr("installed")
    if not row.fits:
        return tr("too large for this machine")
    return ", ".join(_reason(name) for name in row.reasons)


def _size(row: "ModelRow") -> str:
    if row.is_installed:
        return _gigabytes(row.disk_bytes)
    if not row.download_bytes:
        return "–"
    size = _gigabytes(row.download_bytes)
    return size if row.is_exact_size else tr("about {size}", size=size)


def _reason(name: str) -> str:
    return {
        "first": tr("recommended"),
        "dictation": tr("best for dictation here"),
        "files": tr("best for files here"),
        "quality": tr("best quality here"),
    }[name]


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count < 10_000_000_000 else f"{count / 1e9:.0f} GB"


def _recommend(options: argparse.Namespace) -> int:
    from app.models.recommend import recommend, this_machine

    machine = this_machine()
    advice = recommend(machine)
    if options.json:
        print_json({"machine": machine, "advice": advice})
        return 0
    store = _store()
    print(tr("This machine has {size} of memory.", size=_gigabytes(machine.memory_bytes)))
    print_table(_advice_rows(store, advice))
    print("\n" + tr("Get one with: undertone models get {model}", model=advice.first))
    return 0


def _advice_rows(store: ModelStore, advice: "Advice") -> Iterator[Sequence[str]]:
    for name in ("first", "dictation", "files", "quality"):
        model_id = getattr(advice, name)
        if model_id:
            yield _reason(name), model_id, tr(store.note(model_id))


def _get(options: argparse.Namespace) -> int:
    with _models() as (models, follow):
        names = []
        for wanted in options.ids:
            if "/" in wanted:
                names.append(models.get_repository(wanted, options.revision))
            else:
                models.get(wanted)
                names.append(wanted)
        return follow(names)


def _verify(options: argparse.Namespace) -> int:
    with _models() as (models, follow):
        here = {model.model_id: model for model in models.store.installed()}
        ids = options.ids or list(here)
        for name in ids:
            model = models.store.find(name)
            if not models.store.is_verifiable(model):
                print(tr("{model}: nothing to compare it with", model=name), file=sys.stderr)
        can = [name for name in ids if models.store.is_verifiable(here[name])]
        for name in can:
            models.verify(name)
        return follow(can)


def _remove(options: argparse.Namespace) -> int:
    store = _store()
    for name in options.ids:
        store.purge(store.remove(name))
        print(tr("Deleted: {model}", model=name), file=sys.stderr)
    return 0


def _add(options: argparse.Namespace) -> int:
    with _models() as (models, follow):
        cached = {one.repository: one for one in models.cached()}
        if not options.source:
            print_table(
                (one.repository, one.found.family.value, _gigabytes(one.found.weight_bytes))
                for one in cached.values()
            )
            return 0
        if options.source in cached:
            return follow([models.import_cached(cached[options.source])])
        return follow([models.add_folder(Path(options.source).expanduser(), options.name)])


def _convert(options: argparse.Namespace) -> int:
    place = Path(options.source).expanduser()
    with _models() as (models, follow):
        source = place if place.is_dir() else options.source
        return follow([models.convert(source, options.bits, options.name)])


class _Follower:
    """Shows what is under way until all of it is over."""

    def __init__(self, events: "queue.SimpleQueue[Event]") -> None:
        self._events = events

    def __call__(self, model_ids: Sequence[str]) -> int:
        """Wait for `model_ids` and return the exit status."""
        waiting, status = set(model_ids), 0
        lines = {model_id: ProgressLine() for model_id in waiting}
        while waiting:
            event = self._events.get()
            if not isinstance(event, DownloadChanged):
                continue
            download = event.download
            if download.model_id not in waiting:
                continue
            lines[download.model_id].write(_progress(download), download.fraction)
            if download.state.is_active:
                continue
            waiting.discard(download.model_id)
            lines[download.model_id].end()
            if download.state is DownloadState.FAILED:
                status = 1
                complain(ModelError(download.error, download.hint), download.model_id)
            elif download.state is DownloadState.DONE:
                print(tr("{model}: done", model=download.model_id), file=sys.stderr)
        return status


def _progress(download: Download) -> str:
    text = {
        DownloadState.QUEUED: tr("waiting"),
        DownloadState.ASKING: tr("asking the server"),
        DownloadState.RUNNING: tr("fetching"),
        DownloadState.WAITING: tr("waiting for the network"),
        DownloadState.VERIFYING: tr("verifying"),
        DownloadState.CONVERTING: tr("converting"),
        DownloadState.PAUSED: tr("paused"),
        DownloadState.FAILED: tr("failed"),
        DownloadState.DONE: tr("done"),
        DownloadState.CANCELLED: tr("cancelled"),
    }[download.state]
    parts = [f"{download.model_id}: {text}"]
    if download.fraction is not None:
        parts.append(tr("{percent} %", percent=int(download.fraction * 100)))
    if download.state is DownloadState.RUNNING and download.rate_bytes:
        parts.append(f"{download.rate_bytes / 1e6:.1f} MB/s")
    if (left_s := download.left_s) is not None and left_s >= 1:
        minutes = max(1, round(left_s / 60))
        parts.append(tr_plural("about {count} min left", "about {count} min left", minutes))
    return "  ".join(parts)


@contextmanager
def _models() -> "Iterator[tuple[Models, _Follower]]":
    """Yield what works on models, without opening the library."""
    from app.engine.host import EngineThread
    from app.engine.loop import EngineLoop
    from app.engine.memory import Residency
    from app.engine.registry import load
    from app.models.recommend import this_machine
    from app.pipeline.models import ModelParts, Models

    paths = default_paths()
    make_private_folder(paths.models)
    settings = load_settings(paths.settings)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    machine = this_machine()
    loop = EngineLoop(lambda _event: None)
    residency = Residency(load, machine.budget_bytes, lambda _event: None)
    pool = ThreadPoolExecutor(1, thread_name_prefix="io")
    parts = ModelParts(_store(), loop, residency, pool, machine)
    models = Models(parts, events.put, lambda: settings)
    engine = EngineThread(loop, residency.close)
    engine.start()
    try:
        yield models, _Follower(events)
    except KeyboardInterrupt:
        print(
            tr("Stopped. What is here is kept; the same command goes on from there."),
            file=sys.stderr,
        )
        raise
    finally:
        models.close()
        pool.shutdown(wait=True, cancel_futures=True)
        engine.stop()
