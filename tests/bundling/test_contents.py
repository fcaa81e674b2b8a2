"""What goes into the bundle, and where the Mac finds it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from bundling import contents, layout, wheels

ROOT = Path(__file__).parents[2]


@cache
def imported() -> frozenset[str]:
    """Every module the app imports."""
    found = set()
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
    return frozenset(found)


def test_the_bundled_parts_of_qt_are_those_the_app_imports() -> None:
    parts = {name.removeprefix("PySide6.Qt") for name in imported() if name.startswith("PySide6.")}
    assert parts <= set(contents.QT_PARTS), "add the part to contents.QT_PARTS"


def test_every_module_of_the_app_is_named() -> None:
    modules = contents.app_modules(ROOT)
    assert {"app", "app.ui.main", "app.engine.voxtral.tekken", "app.cli.self_test"} <= set(modules)
    assert not any(name.endswith("__main__") for name in modules)
    assert set(contents.HIDDEN) - set(modules) == {
        "mlx._reprlib_fix",
        "mlx.__array_api_info",
        "tiktoken",
    }


def test_nothing_the_app_imports_is_excluded() -> None:
    tops = {name.partition(".")[0] for name in imported()}
    excluded = {name for name in contents.EXCLUDED if "." not in name}
    assert tops & excluded <= {"mlx_whisper"}
    assert imported().isdisjoint(name for name in contents.EXCLUDED if "." in name)


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/translations/qt_help_de.qm",
        "mlx/lib/libjaccl.dylib",
        "mlx/include/mlx/mlx.h",
        "_sounddevice_data/portaudio-binaries/libportaudio64bit.dll",
    ],
)
def test_what_is_not_needed_stays_out(name: str) -> None:
    assert not contents.is_wanted(name)


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/lib/libQt6Widgets.so.6",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/translations/qtbase_de.qm",
        "mlx/lib/libmlx.dylib",
        "resources/models/nano/weights.safetensors",
        "mlx_whisper/tokenizer.py",
        "mlx_whisper/assets/mel_filters.npz",
    ],
)
def test_what_is_needed_stays(name: str) -> None:
    assert contents.is_wanted(name)


# Where things land in the .app


def mac_entries() -> list[contents.Entry]:
    more = [
        ("resources/models.toml", "", "DATA"),
        ("mlx_whisper/assets/mel_filters.npz", "", "DATA"),
        ("mlx_whisper/tokenizer.py", "", "DATA"),
        ("Undertone", "", "EXECUTABLE"),
    ]
    return [*layout.entries_of(wheels.read_facts()), *more]


def test_mlx_finds_its_metal_library_in_the_app() -> None:
    placed = layout.app_layout(mac_entries())
    assert layout.metal_faults(placed) == []
    beside = layout.resolve(placed, f"{layout.FRAMEWORKS}/mlx.metallib")
    assert beside == "Contents/Resources/mlx/lib/mlx.metallib"


@pytest.mark.parametrize("gone", ["mlx.metallib", "mlx/lib/mlx.metallib", "libmlx.dylib"])
def test_a_metal_library_taken_away_is_noticed(gone: str) -> None:
    left = [entry for entry in mac_entries() if not entry[0].endswith(gone)]
    assert layout.metal_faults(layout.app_layout(left)) != []


def test_without_the_link_at_the_top_mlx_would_not_start() -> None:
    left = [entry for entry in mac_entries() if entry[0] != "mlx.metallib"]
    faults = layout.metal_faults(layout.app_layout(left))
    assert any(fault.startswith(f"{layout.FRAMEWORKS}: ") for fault in faults)


def test_a_second_mlx_is_refused() -> None:
    entry = ("other/libmlx.dylib", "", "BINARY")
    with pytest.raises(ValueError, match="other"):
        contents.metal_links([entry], "mlx.metallib")


@pytest.mark.parametrize(
    "name",
    [
        "resources/models.toml",
        "mlx_whisper/assets/mel_filters.npz",
        "mlx_whisper/tokenizer.py",
        "PySide6/Qt/plugins/platforms/libqcocoa.dylib",
        "PySide6/Qt/lib/QtCore.framework/Versions/A/QtCore",
    ],
)
def test_the_app_finds_its_files_from_where_its_code_lies(name: str) -> None:
    placed = layout.app_layout(mac_entries())
    assert layout.resolve(placed, f"{layout.FRAMEWORKS}/{name}") is not None


def test_no_folder_under_frameworks_has_a_dot() -> None:
    """`codesign` takes such a folder for a broken bundle."""
    for name, (_source, kind) in layout.app_layout(mac_entries()).items():
        folders = Path(name).parts[2:-1]
        if name.startswith(layout.FRAMEWORKS) and kind != "SYMLINK":
            assert not [p for p in folders if re.search(r"\.(?!framework$)", p)], name
