"""Signs the app: every binary from the inside out, then the app itself.

With a Developer ID the hardened runtime is switched on and the entitlements count. Without one, a
self-made identity that is kept in the login keychain signs every build on this Mac, so that the
permissions a person granted survive the next build; an ad-hoc signature would lose them.
"""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bundling.build import BuildFailed, binaries_of, say

SELF_MADE = "Undertone (self-made)"
AD_HOC = "-"
ENTITLEMENTS = Path(__file__).resolve().parents[1] / "entitlements.plist"
_OPENSSL = "/usr/bin/openssl"  # Homebrew's writes a container that `security` cannot read
_CONFIG = f"""[req]
distinguished_name = name
x509_extensions = signing
prompt = no
[name]
CN = {SELF_MADE}
[signing]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, codeSigning
"""

Command = list[str]


def frameworks_of(app: Path) -> list[Path]:
    """Return the frameworks under `app`, the deepest first."""
    found = [folder for folder in app.rglob("*.framework") if not folder.is_symlink()]
    return sorted(found, key=lambda folder: (-len(folder.parts), str(folder)))


def sign_commands(app: Path, identity: str, *, is_release: bool) -> list[Command]:
    """Return the commands that sign `app`, in their order."""
    base = ["codesign", "--force", "--sign", identity]
    base += ["--options", "runtime", "--timestamp"] if is_release else ["--timestamp=none"]
    main = app / "Contents" / "MacOS"
    inner = [file for file in binaries_of(app) if main not in file.parents]
    last = ["--entitlements", str(ENTITLEMENTS)] if is_release else []
    programs = [file for file in binaries_of(app) if main in file.parents]
    return [
        *([*base, str(file)] for file in inner),
        *([*base, str(folder)] for folder in frameworks_of(app)),
        *([*base, *last, str(file)] for file in programs),
        [*base, *last, str(app)],
    ]


def verify_commands(app: Path) -> list[Command]:
    """Return the commands that check the signature of `app`."""
    return [["codesign", "--verify", "--deep", "--strict", "--verbose=2", str(app)]]


def run(commands: Sequence[Command]) -> None:
    """Run commands in their order.

    Raises:
        BuildFailed: one failed; says what it printed.
    """
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildFailed(f"{' '.join(command[:3])} … failed: {done.stdout}{done.stderr}")


def identities(listing: str) -> dict[str, str]:
    """Return the hash of each identity that `security find-identity` printed, by its name."""
    return {
        name: digest for digest, name in re.findall(r"\d+\) ([0-9A-F]{40}) \"([^\"]+)\"", listing)
    }


def local_identity(environment: Mapping[str, str]) -> str:
    """Return what signs a build without a certificate: the kept identity, on CI none ("-").

    Nobody is there to unlock a build server's keychain, and what it makes is thrown away.
    """
    return AD_HOC if environment.get("CI") == "true" else self_made_identity()


def self_made_identity() -> str:
    """Return the hash of the kept identity; make it at the first build."""
    find = ["security", "find-identity", "-p", "codesigning"]
    found = identities(subprocess.run(find, capture_output=True, text=True, check=True).stdout)
    if SELF_MADE in found:
        return found[SELF_MADE]
    say(f"making the signing identity “{SELF_MADE}” in your login keychain (once)")
    with tempfile.TemporaryDirectory() as place:
        run(identity_commands(Path(place)))
    found = identities(subprocess.run(find, capture_output=True, text=True, check=True).stdout)
    if SELF_MADE not in found:
        raise BuildFailed(f"the identity “{SELF_MADE}” was made but macOS does not list it")
    return found[SELF_MADE]


def identity_commands(place: Path) -> list[Command]:
    """Return the commands that make the identity, with their files in `place`."""
    config, key, certificate = place / "signing.conf", place / "key.pem", place / "cert.pem"
    config.write_text(_CONFIG, "utf-8")
    container, word = place / "identity.p12", hashlib.sha256(os.urandom(16)).hexdigest()
    return [
        [
            *(_OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7300"),
            *("-config", str(config), "-keyout", str(key), "-out", str(certificate)),
        ],
        [
            *(_OPENSSL, "pkcs12", "-export", "-inkey", str(key), "-in", str(certificate)),
            *("-name", SELF_MADE, "-out", str(container), "-passout", f"pass:{word}"),
        ],
        ["security", "import", str(container), "-P", word, "-T", "/usr/bin/codesign"],
    ]


def sign(app: Path, identity: str, *, is_release: bool) -> None:
    """Sign and verify `app`."""
    commands = sign_commands(app, identity, is_release=is_release)
    run(commands)
    run(verify_commands(app))
    say(f"{len(commands)} signatures made and verified")
