"""The command line: reads the words, calls the verb, turns an error into a sentence and a status.

Results go to standard output, progress and errors to standard error. Importing this module imports
neither Qt nor MLX; each verb imports what it needs when it is called.
"""

import argparse
import sys
from collections.abc import Sequence

from app import __version__
from app.cli import devices, doctor, erase, library, models, record, transcribe
from app.cli.output import complain
from app.config.translate import tr, use_language
from app.core.errors import AppError

OK = 0
FAILED = 1  # something a person asked for could not be done; standard error says what and why
USAGE = 2  # the words were not understood (argparse's own status)
INTERRUPTED = 130  # stopped with Ctrl-C; what is done is kept


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    top = argparse.ArgumentParser(
        prog="undertone",
        description=tr(
            "Private, on-device transcription. Without arguments the app opens; “undertone open "
            "FILE …” opens it with files."
        ),
        epilog=tr(
            "Exit status: 0 done, 1 something failed (standard error says what), 2 the words were "
            "not understood, 130 stopped with Ctrl-C."
        ),
    )
    top.add_argument("--version", action="version", version=f"undertone {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar=tr("VERB"))
    for module in (transcribe, record, library, models, devices, doctor, erase):
        module.add_verb(verbs)
    return top


def run(arguments: Sequence[str]) -> int:
    """Run the command line `arguments` and return the exit status."""
    use_language()
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except AppError as error:
        complain(error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, `head` say, has seen enough
        sys.stderr.close()
        return OK
