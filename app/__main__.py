"""The one entrance: without arguments the app, with arguments the command line.

The bundled program is its own decode worker too, since there is no other Python to start.
"""

import sys


def main() -> int:
    """Run the app or a command and return the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["decode-worker"]:
        from app.audio.decode_worker import main as decode

        return decode()
    if arguments:
        from app.cli.main import run

        return run(arguments)
    from app.ui.main import run_app

    return run_app()


if __name__ == "__main__":
    sys.exit(main())
