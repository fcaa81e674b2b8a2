"""`undertone --self-test`: tries every part of an installed program and prints JSON."""

import argparse
import platform
import sys
from collections.abc import Sequence

from app.cli.output import print_json
from app.config.identity import BUNDLE_ID, MACOS_FLOOR, VERSION
from app.pipeline.self_test import Part, self_test, try_parts

FLAG = "--self-test"


def run(arguments: Sequence[str], more: Sequence[Part] = ()) -> int:
    """Try everything, `more` at the end, and return 0 when all of it works.

    `--cpu` keeps the GPU out of it; hosted build machines have none that works.
    """
    parser = argparse.ArgumentParser(prog=f"undertone {FLAG}")
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args(arguments)
    checks = [*self_test(on_cpu=options.cpu), *try_parts(more)]
    is_ok = all(check.is_ok for check in checks)
    print_json(
        {
            "ok": is_ok,
            "version": VERSION,
            "bundle_id": BUNDLE_ID,
            "macos_floor": MACOS_FLOOR,
            "is_frozen": bool(getattr(sys, "frozen", False)),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "executable": sys.executable,
            "checks": checks,
        }
    )
    return int(not is_ok)
