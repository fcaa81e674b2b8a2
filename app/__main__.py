"""The one entrance: without arguments (or with `open`) the app, with arguments the command line.

The bundled program is its own decode worker too, since there is no other Python to start, and tries
itself with `--self-test`.
"""

import sys

from app.core.links import is_link


def main() -> int:
    """Run the app or a command and return the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["decode-worker"]:
        from app.audio.decode_worker import main as decode

        return decode()
    if arguments[:1] == ["--self-test"]:
        from app.cli.self_test import run as try_everything
        from app.ui.self_test import try_windows

        return try_everything(arguments[1:], [("windows", try_windows)])
    if arguments[:1] == ["open"] or (arguments and is_link(arguments[0])):
        from app.ui.main import run_app

        return run_app(arguments[1:] if arguments[0] == "open" else arguments)
    if arguments:
        from app.cli.main import run

        return run(arguments)
    from app.ui.main import run_app

    return run_app()


if __name__ == "__main__":
    sys.exit(main())
