"""`undertone doctor`: what is wrong on this machine, and what to do about it."""

import argparse

from app.cli.output import print_json
from app.config.paths import default_paths
from app.config.translate import tr, tr_phrase
from app.core.finding import Severity


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor`."""
    verb = verbs.add_parser(
        "doctor",
        help=tr("look for faults and say what to do"),
        description=tr("Exit status: 0 when nothing is broken, 1 when something is."),
    )
    verb.add_argument("--json", action="store_true", help=tr("print JSON"))
    verb.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from app.pipeline.doctor import examine

    found = examine(default_paths())
    is_broken = any(finding.severity is not Severity.NOTE for finding in found)
    if options.json:
        print_json(
            [
                {
                    "kind": finding.kind,
                    "severity": finding.severity,
                    "message": tr_phrase(finding.message),
                    "hint": tr_phrase(finding.hint),
                }
                for finding in found
            ]
        )
        return int(is_broken)
    names = {
        Severity.ERROR: tr("Broken"),
        Severity.WARNING: tr("Warning"),
        Severity.NOTE: tr("Note"),
    }
    for finding in found:
        print(f"{names[finding.severity]}: {tr_phrase(finding.message)}")
        print(f"    {tr_phrase(finding.hint)}")
    if not is_broken:
        print(tr("Nothing is broken."))
    return int(is_broken)
