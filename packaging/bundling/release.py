"""From a signed app to the DMG that people download: notarise, staple, pack, check.

Secrets come from the environment and are named when they are missing; nothing is written down.
"""

import base64
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.config.identity import NAME, VERSION
from bundling import sign
from bundling.build import APP, DIST, IS_MAC, ROOT, BuildFailed, say

IDENTITY = "UNDERTONE_SIGN_IDENTITY"
NOTARY_KEY = "UNDERTONE_NOTARY_KEY"
NOTARY_KEY_ID = "UNDERTONE_NOTARY_KEY_ID"
NOTARY_ISSUER = "UNDERTONE_NOTARY_ISSUER"
SECRETS = {
    IDENTITY: "the name of your “Developer ID Application: …” certificate in the keychain",
    NOTARY_KEY: "the App Store Connect API key (the .p8 file, base64)",
    NOTARY_KEY_ID: "the id of that key",
    NOTARY_ISSUER: "the issuer id of that key",
}
DMG = DIST / f"{NAME}-{VERSION}-arm64.dmg"


def missing(environment: Mapping[str, str]) -> list[str]:
    """Return each secret that is not there, with what it is."""
    return [f"{name}: {what}" for name, what in SECRETS.items() if not environment.get(name)]


def notary_commands(archive: Path, key: Path, environment: Mapping[str, str]) -> list[list[str]]:
    """Return the command that has `archive` notarised and waits for the answer."""
    return [
        [
            *("xcrun", "notarytool", "submit", str(archive), "--wait", "--timeout", "45m"),
            *("--key", str(key), "--key-id", environment[NOTARY_KEY_ID]),
            *("--issuer", environment[NOTARY_ISSUER]),
        ]
    ]


def staple_commands(target: Path) -> list[list[str]]:
    """Return the commands that attach the notary's ticket to `target` and check it."""
    return [
        ["xcrun", "stapler", "staple", str(target)],
        ["xcrun", "stapler", "validate", str(target)],
    ]


def dmg_settings(app: Path) -> dict[str, object]:
    """Return what dmgbuild puts where."""
    return {
        "format": "ULMO",
        "filesystem": "HFS+",
        "files": [str(app), str(ROOT / "packaging" / "dmg" / "Licence and source code.txt")],
        "symlinks": {"Applications": "/Applications"},
        "icon_locations": {
            app.name: (150, 160),
            "Applications": (450, 160),
            "Licence and source code.txt": (300, 320),
        },
        "window_rect": ((200, 200), (600, 460)),
        "icon_size": 112,
        "default_view": "icon-view",
    }


def make_dmg(app: Path, target: Path) -> None:
    """Pack `app` into a disk image."""
    import dmgbuild

    target.unlink(missing_ok=True)
    dmgbuild.build_dmg(str(target), NAME, settings=dmg_settings(app))


def checksum(file: Path) -> Path:
    """Write the SHA-256 of `file` beside it, as `shasum -c` reads it."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    written = file.with_suffix(file.suffix + ".sha256")
    written.write_text(f"{digest}  {file.name}\n", "utf-8")
    return written


def pack() -> None:
    """Make the DMG; signed and notarised when the secrets are there, else say what is missing.

    Raises:
        BuildFailed: a step failed.
    """
    if not IS_MAC:
        raise BuildFailed("a DMG can only be made on a Mac")
    lacking = missing(os.environ)
    if lacking:
        say("the DMG is not notarised, because these are missing from the environment:")
        for line in lacking:
            say(f"  {line}")
        sign.sign(APP, sign.local_identity(os.environ), is_release=False)
        make_dmg(APP, DMG)
    else:
        _notarised(os.environ)
    say(f"{DMG.relative_to(ROOT)} ({DMG.stat().st_size // 1_000_000} MB), {checksum(DMG).name}")


def _notarised(environment: Mapping[str, str]) -> None:
    sign.sign(APP, environment[IDENTITY], is_release=True)
    with tempfile.TemporaryDirectory() as place:
        key = Path(place) / "notary.p8"
        key.touch(mode=0o600)
        key.write_bytes(base64.b64decode(environment[NOTARY_KEY]))
        archive = Path(place) / f"{NAME}.zip"
        sign.run([["ditto", "-c", "-k", "--keepParent", str(APP), str(archive)]])
        sign.run(notary_commands(archive, key, environment))
        sign.run(staple_commands(APP))
        make_dmg(APP, DMG)
        sign.run([["codesign", "--sign", environment[IDENTITY], "--timestamp", str(DMG)]])
        sign.run(notary_commands(DMG, key, environment))
        sign.run(staple_commands(DMG))
        sign.run([["spctl", "--assess", "--type", "execute", "--verbose", str(APP)]])
