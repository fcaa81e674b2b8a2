"""`undertone models`: which models are here."""

import argparse

from app.cli.output import print_json, print_table
from app.config.paths import default_paths, resources
from app.config.translate import tr
from app.models.store import open_store


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` and its verbs."""
    models = verbs.add_parser("models", help=tr("list the models on this machine"))
    kinds = models.add_subparsers(dest="models_verb", required=True, metavar=tr("VERB"))
    listing = kinds.add_parser("list", help=tr("list the installed models"))
    listing.add_argument("--json", action="store_true", help=tr("print JSON"))
    listing.set_defaults(run=_list)


def _list(options: argparse.Namespace) -> int:
    store = open_store(default_paths().models, resources())
    models = store.installed()
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
