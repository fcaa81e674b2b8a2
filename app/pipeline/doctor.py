"""Looks at everything Undertone stands on and names each fault with its remedy; changes nothing.

What lies on the disk is looked at here, on any thread; what the system grants and gives in
`app.pipeline.surroundings`, on the main thread.
"""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator

from app.audio.decode import probe
from app.config.paths import Paths, resources, sample_recording
from app.core.errors import AppError, Phrase, mark
from app.core.finding import Finding, Severity
from app.library.backup_state import load_state
from app.library.check import check_library
from app.models.store import only_demo, open_store, weight_files

_DAY_S = 86_400
_OLD_DAYS = 7  # one is made daily


def examine(paths: Paths) -> list[Finding]:
    """Return what is wrong on the disk, the worst first; empty when all is well.

    Thread: any; may take seconds.
    """
    found = [
        *check_library(paths),
        *_settings(paths),
        *_backups(paths),
        *_models(paths),
        *_decoder(),
    ]
    return worst_first(found)


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Return findings by how much they matter."""
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _settings(paths: Paths) -> Iterator[Finding]:
    try:
        content = json.loads(paths.settings.read_text(encoding="utf-8"))
        is_readable = isinstance(content, dict)
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        is_readable = False
    if not is_readable:
        yield Finding(
            "settings_unreadable",
            Severity.WARNING,
            Phrase(mark("The settings file {file} cannot be read."), {"file": paths.settings}),
            Phrase(mark("Open Undertone: it sets the file aside and starts with the defaults.")),
        )


def _backups(paths: Paths) -> Iterator[Finding]:
    folder = ""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # `_settings` tells of that
        folder = json.loads(paths.settings.read_text(encoding="utf-8")).get("backup_folder", "")
    if not folder:
        return
    last_at = load_state(paths).last_at
    days = int((time.time() - last_at) / _DAY_S) if last_at is not None else 0
    hint = Phrase(mark("Connect its disk and choose Back Up Now under Settings → Backups."))
    if last_at is None:
        message = Phrase(mark("No backup has been made yet in “{folder}”."), {"folder": folder})
        yield Finding("backup_missing", Severity.WARNING, message, hint)
    elif days > _OLD_DAYS:
        message = Phrase(mark("The last backup is {days} days old."), {"days": days})
        yield Finding("backup_old", Severity.WARNING, message, hint)


def _models(paths: Paths) -> Iterator[Finding]:
    store = open_store(paths.models, resources())
    installed = store.installed()
    for model in installed:
        for name in store.damaged_files(model):
            yield Finding(
                "model_damaged",
                Severity.ERROR,
                Phrase(
                    mark("The file {file} of the model “{model}” is damaged."),
                    {"file": name, "model": model.title},
                ),
                Phrase(
                    mark("Install Undertone again.")
                    if model.is_demo
                    else mark("Delete the model under Settings → Models and get it again.")
                ),
            )
    for folder in store.unusable_folders():
        if weight_files(folder):
            yield Finding(
                "model_damaged",
                Severity.WARNING,
                Phrase(
                    mark("The model in “{name}” is damaged or incomplete."), {"name": folder.name}
                ),
                Phrase(mark("Delete {folder} and put the model there again."), {"folder": folder}),
            )
        else:
            yield Finding(
                "model_unusable",
                Severity.WARNING,
                Phrase(
                    mark("The folder “{name}” among the models holds no model."),
                    {"name": folder.name},
                ),
                Phrase(
                    mark("Put config.json and weights.safetensors into {folder}, or delete it."),
                    {"folder": folder},
                ),
            )
    if not installed:
        yield Finding(
            "no_model",
            Severity.ERROR,
            Phrase(mark("No model is installed, so nothing can be transcribed.")),
            Phrase(mark("Get one under Settings → Models, or install Undertone again.")),
        )
    if only_demo(installed):
        yield Finding(
            "only_demo_model",
            Severity.NOTE,
            Phrase(mark("Only the small built-in demonstration model is installed.")),
            Phrase(mark("Get one under Settings → Models, or with: undertone models get.")),
        )


def _decoder() -> Iterator[Finding]:
    try:
        probe(sample_recording())
    except AppError as error:
        yield Finding("decoder_broken", Severity.ERROR, error.message, error.hint)
