"""The locked macOS wheels run on the promised macOS, and a thing taken away is noticed."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.config.identity import MACOS_FLOOR
from bundling import macho, wheels
from bundling.macho import Image
from bundling.wheels import Locked, Wheel

ROOT = Path(__file__).parents[2]
FACTS = wheels.read_facts()


def by_name(name: str) -> Wheel:
    return next(wheel for wheel in FACTS if wheel.name == name)


def changed(name: str, **changes: object) -> tuple[Wheel, ...]:
    """The recorded wheels, one of them changed."""
    return tuple(
        replace(wheel, **changes) if wheel.name == name else wheel  # type: ignore[arg-type]
        for wheel in FACTS
    )


def test_the_facts_are_of_the_locked_versions() -> None:
    stale = wheels.stale_facts(FACTS, wheels.locked_packages(ROOT / "uv.lock"))
    assert stale == [], "run packaging/mac_wheels.py"


def test_an_update_of_the_lock_is_noticed() -> None:
    locked = wheels.locked_packages(ROOT / "uv.lock")
    assert "pytest" not in locked
    assert "python-xlib" not in locked
    locked["mlx"] = replace(locked["mlx"], versions=("9.9.9",))
    locked["new"] = Locked("new", ("1.0",), ("new-1.0-cp311-cp311-macosx_11_0_arm64.whl",))
    locked["pure"] = Locked("pure", ("1.0",), ("pure-1.0-py3-none-any.whl",))
    stale = wheels.stale_facts(FACTS, locked)
    assert f"mlx: locked 9.9.9, known is {by_name('mlx').version}" in stale
    assert "new: locked, but nothing is known of its wheel" in stale
    assert not any("pure" in fault for fault in stale)


def test_every_wheel_is_for_the_floor() -> None:
    assert wheels.tag_faults(FACTS, MACOS_FLOOR) == []


@pytest.mark.parametrize(
    ("name", "tag", "fault"),
    [
        ("mlx-metal", "py3-none-macosx_26_0_arm64", "is for macOS 26.0, not 14.0"),
        ("mlx", "cp311-cp311-macosx_13_0_arm64", "an old wheel for macOS 13.0"),
        ("av", "cp311-cp311-macosx_11_0_x86_64", "no wheel for arm64 Macs"),
    ],
)
def test_a_wrong_wheel_is_noticed(name: str, tag: str, fault: str) -> None:
    found = wheels.tag_faults(changed(name, tags=(tag,)), MACOS_FLOOR)
    assert len(found) == 1
    assert fault in found[0]


def test_every_binary_loads_on_the_floor() -> None:
    assert wheels.image_faults(FACTS, MACOS_FLOOR) == []
    assert sum(len(wheel.images) for wheel in FACTS) > 100


def test_a_binary_for_a_newer_macos_is_noticed() -> None:
    mlx = by_name("mlx")
    newer = (replace(mlx.images[0], floor="26.0"), *mlx.images[1:])
    found = wheels.image_faults(changed("mlx", images=newer), MACOS_FLOOR)
    assert found == [f"{mlx.images[0].name}: says it needs macOS 26.0, the app promises 14.0"]


def test_a_symbol_the_floor_does_not_have_is_noticed() -> None:
    # What PySide6 6.12 asks for: it does not load before macOS 15.4.
    symbol = "__ZNKSt3__117bad_function_call4whatEv"
    found = wheels.image_faults(changed("pyside6-essentials", cxx=(symbol,)), MACOS_FLOOR)
    assert found == [f"pyside6-essentials: {symbol} is in libc++ since macOS 15.4 only"]
    assert macho.needs_newer_than(symbol, "15.4") is None


def test_symbols_were_read_at_all() -> None:
    for name in ("mlx-metal", "pyside6-essentials", "shiboken6"):
        assert "__ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEE6" in "".join(
            by_name(name).cxx
        )


def test_every_library_is_there() -> None:
    assert wheels.missing_libraries(FACTS) == []


def test_a_library_taken_away_is_noticed() -> None:
    mlx = by_name("mlx-metal")
    without = tuple(image for image in mlx.images if not image.name.endswith("/libmlx.dylib"))
    assert len(without) < len(mlx.images)
    found = wheels.missing_libraries(changed("mlx-metal", images=without))
    assert any("libmlx.dylib is in no wheel" in fault for fault in found)


def test_a_weak_library_may_be_missing() -> None:
    image = Image("a.so", 1, "11.0", ("@rpath/gone.dylib",), ("@rpath/gone.dylib",))
    assert wheels.missing_libraries((Wheel("a", "1", (), (image,), (), 0),)) == []


def test_the_app_stays_downloadable() -> None:
    size = wheels.app_bytes(FACTS, ROOT / "resources")
    assert 300_000_000 < size < 480_000_000
