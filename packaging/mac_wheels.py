"""Writes down what the locked macOS wheels hold, for the checks that run without a Mac.

    uv run --locked python packaging/mac_wheels.py [FOLDER]

uv unpacks the wheels of `uv.lock` for an arm64 Mac with the app's floor into FOLDER (a temporary
one by default; about 1.5 GB), the binaries' headers are read, and the facts go to
`bundling/mac_wheels.json`. Run it when a package with binaries has changed in the lock.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from app.config.identity import MACOS_FLOOR
from bundling import contents, macho
from bundling.wheels import FACTS, sort_name

PYTHON = "3.11"


def unpack(site: Path) -> None:
    """Let uv put the locked wheels into `site`."""
    export = ["uv", "export", "--quiet", "--locked", "--no-default-groups", "--no-emit-project"]
    listed = subprocess.run(
        [*export, "--no-hashes", "--format", "requirements-txt"],
        cwd=HERE.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wanted = site.parent / "requirements.txt"
    wanted.write_text(listed.stdout, "utf-8")
    subprocess.run(
        [
            *("uv", "pip", "install", "--quiet", "--target", str(site), "--no-deps"),
            *("--only-binary", ":all:", "--python-version", PYTHON),
            *("--python-platform", "aarch64-apple-darwin", "-r", str(wanted)),
        ],
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS_FLOOR},
        check=True,
    )


def facts_of(site: Path, record: Path) -> dict[str, object] | None:
    """Return what one installed wheel brings into the bundle; `None` for a pure one."""
    tags = re.findall(r"^Tag: (\S+)$", (record.parent / "WHEEL").read_text("utf-8"), re.M)
    if all(tag.endswith("-none-any") for tag in tags):
        return None
    images, others, cxx = [], 0, set()
    for line in record.read_text("utf-8").splitlines():
        name = line.partition(",")[0].strip('"')
        file = site / name
        if ".dist-info/" in name or file.is_symlink() or not file.is_file():
            continue
        if not contents.is_wanted_on_mac(name):
            continue
        image = macho.read_image(file, name) if macho.is_macho(file) else None
        if image is not None:
            cxx |= set(image.cxx)
            plain = image.plain()
            del plain["cxx"]
            plain["needed"] = [path for path in image.needed if not path.startswith("/")]
            plain["weak"] = [path for path in image.weak if not path.startswith("/")]
            images.append(plain)
        elif file.suffix not in {".py", ".pyc", ".h"}:
            others += file.stat().st_size
    return {"tags": tags, "images": images, "cxx": sorted(cxx), "other_bytes": others}


def main() -> None:
    """Write the facts."""
    with tempfile.TemporaryDirectory() as place:
        site = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(place) / "site"
        if not site.is_dir():
            unpack(site)
        found = {}
        for record in sorted(site.glob("*.dist-info/RECORD")):
            name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
            facts = facts_of(site, record)
            if facts is not None:
                found[sort_name(name)] = {"version": version, **facts}
    FACTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{len(found)} wheels with binaries, {FACTS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
