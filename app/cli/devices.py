"""`undertone devices`: the microphones of this machine."""

import argparse

from app.cli.output import print_json, print_table
from app.config.translate import tr


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `devices`."""
    verb = verbs.add_parser("devices", help=tr("list the microphones"))
    verb.add_argument("--json", action="store_true", help=tr("print JSON"))
    verb.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from app.audio.portaudio import PortAudio

    devices = PortAudio().inputs()
    if options.json:
        print_json(devices)
        return 0
    print_table(
        (
            "*" if device.is_default else " ",
            device.name,
            tr("{rate} Hz", rate=device.rate_hz),
        )
        for device in devices
    )
    if not devices:
        print(tr("No microphone was found."))
    return 0
