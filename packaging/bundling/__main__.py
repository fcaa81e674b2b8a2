"""`./run bundle`: builds the bundle, tries it, and on a Mac signs it and makes the DMG."""

import argparse
import os
import sys

from app.config.identity import NAME
from bundling import build, release, sign


def main() -> int:
    """Run the step that was asked for and return the exit status."""
    parser = argparse.ArgumentParser(prog="./run bundle", description=__doc__)
    parser.add_argument(
        "step",
        nargs="?",
        default="build",
        choices=("build", "dmg"),
        help="build (default) makes and tries the bundle; dmg (macOS) also packs it for download",
    )
    options = parser.parse_args()
    try:
        made = build.build()
        if build.IS_MAC:
            sign.sign(made, sign.local_identity(os.environ), is_release=False)
            build.check_size(made, None)
            build.check_self_test(made / "Contents" / "MacOS" / NAME)
        if options.step == "dmg":
            release.pack()
    except build.BuildFailed as failure:
        build.say(f"failed: {failure}")
        return 1
    build.say(f"done: {made}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
