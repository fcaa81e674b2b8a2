"""The command line: reads the words, calls the verb, turns an error into a sentence and a status.

Results go to standard output, progress and errors to standard error. Importing this module imports
neither Qt nor MLX; each verb imports what it needs when it is called.
"""

import argparse
import contextlib
import logging
from collections.abc import Sequence

from app import __version__
from app.cli import devices, doctor, erase, library, models, record, transcribe
from app.cli.output import complain, end_output, take_any_text
from app.config.logs import log_problems, stop_logging
from app.config.paths import default_paths
from app.config.translate import tr, use_language
from app.core.errors import AppError, mark

_log = logging.getLogger(__name__)
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
    take_any_text()
    options = parser().parse_args(arguments)
    log_problems(default_paths().logs)
    try:
        return _call(options)
    finally:
        stop_logging()


def _call(options: argparse.Namespace) -> int:
    status = OK
    try:
        status = int(options.run(options))
        end_output()
    except AppError as error:
        complain(error)
        status = FAILED
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:  # the reader of our output, `head` say, has seen enough
        pass
    except Exception as error:  # noqa: BLE001  # the last net: nobody should read a traceback
        _log.exception("the command line failed")
        complain(_unforeseen(error))
        status = FAILED
    with contextlib.suppress(OSError):  # said already
        end_output()
    return status


def _unforeseen(error: Exception) -> AppError:
    """Return the sentence for what no verb has one for."""
    log = str(default_paths().logs / "undertone.log")
    hint = mark("Try again; if it happens again, please report it with what is written in {log}.")
    if isinstance(error, OSError) and error.strerror:
        return AppError(mark("That did not work: {reason}."), hint, reason=error.strerror, log=log)
    kind = type(error).__name__
    return AppError(mark("Something unexpected went wrong ({kind})."), hint, kind=kind, log=log)
