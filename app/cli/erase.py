"""`undertone erase`: everything Undertone keeps on this computer, gone."""

import argparse
import sys

from app.config.paths import default_paths
from app.config.translate import tr, tr_plural
from app.core.errors import AppError, mark


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `erase`."""
    verb = verbs.add_parser(
        "erase",
        help=tr("erase everything: library, recordings, settings, logs"),
        description=tr(
            "Erase the library, all recordings, settings and logs, for good. Files you imported "
            "from elsewhere, exports and backups stay where they are."
        ),
    )
    verb.add_argument("--models", action="store_true", help=tr("the models as well"))
    verb.add_argument("--yes", action="store_true", help=tr("do not ask"))
    verb.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from app.pipeline.erase import count_recordings, erase_everything

    paths = default_paths()
    question = tr_plural(
        "Erase {count} recording, its text, the settings and the logs for good?",
        "Erase {count} recordings, their texts, the settings and the logs for good?",
        count_recordings(paths),
    )
    if not options.yes and not _agrees(question):
        print(tr("Nothing was erased."), file=sys.stderr)
        return 1
    erased = erase_everything(paths, has_models=options.models)
    print(tr_plural("{count} file erased.", "{count} files erased.", erased.files), file=sys.stderr)
    for path in erased.left:
        print(tr("Could not be erased: {path}", path=path), file=sys.stderr)
    return 1 if erased.left else 0


def _agrees(question: str) -> bool:
    """Ask in the terminal; where nobody can answer, that has to be said beforehand."""
    if not sys.stdin.isatty():
        raise AppError(mark("Erasing everything has to be confirmed."), mark("Say it with --yes."))
    word = tr("erase")
    print(question)
    return input(tr("Type “{word}” to go on: ", word=word)).strip().lower() == word
