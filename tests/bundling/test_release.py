"""Signing, notarising and packing: what is run, in which order, and what is said when it cannot."""

import hashlib
import struct
from pathlib import Path

import pytest

from bundling import build, release, sign

MACHO = b"\xcf\xfa\xed\xfe"
SECRETS = dict.fromkeys(release.SECRETS, "x")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app with a program, a library in a folder, and a framework."""
    app = tmp_path / "Undertone.app"
    for name in (
        "Contents/MacOS/Undertone",
        "Contents/Frameworks/libmlx.dylib",
        "Contents/Frameworks/mlx/core.so",
        "Contents/Frameworks/PySide6/Qt/lib/QtCore.framework/Versions/A/QtCore",
    ):
        file = app / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(MACHO)
    (app / "Contents/Info.plist").write_text("<plist/>")
    return app


def test_everything_is_signed_from_the_inside_out(app: Path) -> None:
    signed = [Path(command[-1]) for command in sign.sign_commands(app, "ID", is_release=True)]
    assert signed[-1] == app
    assert signed[-2].name == "Undertone"
    for outer in signed:
        inner = [path for path in signed if outer in path.parents]
        assert all(signed.index(path) < signed.index(outer) for path in inner)
    assert len(signed) == 6


def test_a_release_is_hardened_and_may_record(app: Path) -> None:
    commands = sign.sign_commands(app, "ID", is_release=True)
    assert all("runtime" in command and "--timestamp" in command for command in commands)
    entitled = [command[-1] for command in commands if "--entitlements" in command]
    assert entitled == [str(app / "Contents/MacOS/Undertone"), str(app)]
    assert not any("--deep" in command for command in commands)  # would lose the entitlements


def test_a_local_build_is_not_hardened(app: Path) -> None:
    """Without a team the hardened runtime would refuse the app's own libraries."""
    for command in sign.sign_commands(app, "ID", is_release=False):
        assert "runtime" not in command


def test_the_kept_identity_is_found_by_its_name() -> None:
    listing = (
        '  1) 0123456789ABCDEF0123456789ABCDEF01234567 "Undertone (self-made)" (CSSMERR_X)\n'
        '  2) 76543210FEDCBA9876543210FEDCBA9876543210 "Apple Development: A (B)"\n'
        "     2 identities found\n"
    )
    found = sign.identities(listing)
    assert found[sign.SELF_MADE] == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert len(found) == 2


def test_a_build_server_signs_without_a_keychain() -> None:
    assert sign.local_identity({"CI": "true"}) == "-"


def test_the_identity_can_sign_code_and_its_key_has_a_fresh_password(tmp_path: Path) -> None:
    first, second = (sign.identity_commands(tmp_path) for _ in range(2))
    config = (tmp_path / "signing.conf").read_text()
    assert "codeSigning" in config
    assert sign.SELF_MADE in config
    assert first[1][-1] != second[1][-1]
    assert first[2][4] == first[1][-1].removeprefix("pass:")


def test_a_failed_command_ends_the_build() -> None:
    with pytest.raises(build.BuildFailed, match="no luck"):
        sign.run([["sh", "-c", "echo no luck; exit 3"]])


def test_what_is_missing_is_said_by_name() -> None:
    lines = release.missing({})
    assert [line.partition(":")[0] for line in lines] == list(release.SECRETS)
    assert release.missing(SECRETS) == []
    without = {**SECRETS, release.NOTARY_ISSUER: ""}
    assert release.missing(without) == [
        "UNDERTONE_NOTARY_ISSUER: the issuer id of that key",
    ]


def test_the_notary_is_waited_for(tmp_path: Path) -> None:
    (command,) = release.notary_commands(tmp_path / "a.zip", tmp_path / "k.p8", SECRETS)
    assert command[:3] == ["xcrun", "notarytool", "submit"]
    assert "--wait" in command
    assert [part[1] for part in release.staple_commands(tmp_path)] == ["stapler", "stapler"]


def test_the_disk_image_says_under_which_licence(app: Path) -> None:
    settings = release.dmg_settings(app)
    files = settings["files"]
    assert isinstance(files, list)
    text = Path(files[1]).read_text("utf-8")
    assert "version 3" in text
    assert "MIT" in text
    assert settings["symlinks"] == {"Applications": "/Applications"}


def test_the_checksum_is_what_shasum_reads(tmp_path: Path) -> None:
    image = tmp_path / "Undertone.dmg"
    image.write_bytes(b"sound")
    written = release.checksum(image)
    assert written.read_text() == f"{hashlib.sha256(b'sound').hexdigest()}  Undertone.dmg\n"


@pytest.mark.skipif("sys.platform == 'darwin'", reason="only elsewhere")
def test_a_disk_image_needs_a_mac() -> None:
    with pytest.raises(build.BuildFailed, match="on a Mac"):
        release.pack()


# What the finished bundle is held against


def test_metal_beside_every_mlx(app: Path) -> None:
    library = app / "Contents/Frameworks/mlx.metallib"
    assert build.metal_faults(app) == [
        "Contents/Frameworks/libmlx.dylib has no mlx.metallib beside it"
    ]
    target = app / "Contents/Resources/mlx/lib/mlx.metallib"
    target.parent.mkdir(parents=True)
    library.symlink_to("../Resources/mlx/lib/mlx.metallib")
    assert build.metal_faults(app) != []  # a link to nothing
    target.write_bytes(b"MTLB")
    assert build.metal_faults(app) == []


def test_a_folder_that_is_too_big_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "resources").mkdir()
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "big").write_bytes(b"x" * 2_000)
    (folder / "link").symlink_to("big")
    assert 2_000 < build.size_of(folder) < 2_100
    build.check_size(folder, 3_000)
    with pytest.raises(build.BuildFailed, match="may take"):
        build.check_size(folder, 1_000)


def test_only_what_strip_cannot_break_is_stripped(tmp_path: Path) -> None:
    for name in (
        "libpython3.11.so.1.0",
        "av/frame.abi3.so",
        "numpy.libs/libopenblas.so",
        "PySide6/QtCore.abi3.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "libX11.so.6",
    ):
        file = tmp_path / "_internal" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"ELF")
    (tmp_path / "_internal" / "link.so").symlink_to("av/frame.abi3.so")
    found = [file.relative_to(tmp_path / "_internal") for file in build.debug_carriers(tmp_path)]
    assert found == [Path("av/frame.abi3.so"), Path("libpython3.11.so.1.0")]


@pytest.mark.parametrize(
    ("printed", "status", "fault"),
    [
        ("not json", 0, "no report"),
        ('{"ok": false, "is_frozen": true, "checks": []}', 1, "failed"),
        ('{"ok": true, "is_frozen": false, "checks": []}', 0, "failed"),
    ],
)
def test_a_bundle_that_fails_its_own_test_fails(
    tmp_path: Path, printed: str, status: int, fault: str
) -> None:
    program = tmp_path / "undertone"
    program.write_text(f"#!/bin/sh\necho '{printed}'\nexit {status}\n")
    program.chmod(0o755)
    with pytest.raises(build.BuildFailed, match=fault):
        build.check_self_test(program)


def test_a_binary_of_the_app_for_a_newer_macos_is_named(app: Path) -> None:
    head = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 1, 24, 0, 0)
    newer = head + struct.pack("<6I", 0x32, 24, 1, 26 << 16, 26 << 16, 0)
    fine = head + struct.pack("<6I", 0x32, 24, 1, 14 << 16, 26 << 16, 0)
    for file in build.binaries_of(app):
        file.write_bytes(fine)
    assert build.floor_faults(app) == []
    (app / "Contents/Frameworks/mlx/core.so").write_bytes(newer)
    assert build.floor_faults(app) == [
        "Contents/Frameworks/mlx/core.so: needs macOS 26.0, the app promises 14.0"
    ]
