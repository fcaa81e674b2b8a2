"""Which files go into the bundle: pure functions over PyInstaller's lists of (name, source, kind).

A file that is not wanted is named by a rule with its reason; everything else that analysis finds
stays, because a missing library is seen only by the person whose feature fails.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

Entry = tuple[str, str, str]

# Modules analysis cannot see: imported by C++ (mlx), by a file that is loaded by its path
# (mlx-whisper's tokenizer), or by name.
HIDDEN = (
    "mlx._reprlib_fix",
    "mlx.__array_api_info",
    "tiktoken",
    "app.cli.main",
    "app.ui.main",
    "app.audio.decode_worker",
    "app.audio.decode_sources",
    "app.cli.self_test",
    "app.ui.self_test",
)
# Importable here, but never needed: each was pulled in by analysis at some time.
EXCLUDED = (
    *("torch", "numba", "llvmlite", "scipy", "tkinter", "IPython", "matplotlib", "pandas", "PIL"),
    *("pytest", "_pytest", "hypothesis", "setuptools", "pip", "wheel", "onnxruntime", "mypy"),
    *("mlx_whisper", "mlx_lm", "transformers", "tests", "pydoc_data", "lib2to3", "ensurepip"),
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtSql", "PySide6.QtTest", "PySide6.QtDesigner"),
    *(
        "PySide6.scripts",
        "yaml",
        "huggingface_hub",
        "hf_xet",
        "PySide6.QtOpenGL",
        "PySide6.QtPrintSupport",
        "numpy.f2py",
    ),
    *("pygments", "rich", "markdown_it", "trio", "lxml.objectify", "lxml.isoschematron"),
)
_UNWANTED = tuple(
    re.compile(pattern)
    for pattern in (
        r"Qt6?(Qml|Quick|Pdf|VirtualKeyboard|WebEngine|Designer|Labs|ShaderTools|Quick3D)",
        r"Qt6?(Wayland|WlShell|EglFS|EglFs)",
        r"/plugins/(qmltooling|egldeviceintegrations|generic|sqldrivers|printsupport)/",
        r"/plugins/wayland-",
        r"/plugins/platforms/libq(eglfs|linuxfb|vnc|vkkhrdisplay|wayland|minimal)",
        r"/plugins/platforms/libqminimal",
        r"/plugins/platformthemes/libqgtk3",
        r"/plugins/platforminputcontexts/libqtvirtualkeyboard",
        r"/plugins/imageformats/libq(pdf|tga|tiff|wbmp|icns|webp)",
        r"^lib(gtk|gdk|atk|pango|cairo|harfbuzz|epoxy|wayland|rsvg|gio)[-_.]",
        r"/(include|share/cmake|cmake)/",
        r"libjaccl",  # several Macs working together; linked by nothing
        r"^numpy/.*/tests/",
        r"\.(pyi|pxd|dll|a|exe)$",
        r"^PyObjCTest/",
    )
)
# Parts of Qt in the bundle; a test holds it against what the app imports.
QT_PARTS = ("Core", "DBus", "Gui", "Multimedia", "Network", "Svg", "Widgets")
_QT_FOLDERS = r"platforms|styles|iconengines|imageformats|tls|multimedia|networkinformation"
_QT_ON_MAC = re.compile(
    rf"^PySide6/(Qt({'|'.join(QT_PARTS)})\.abi3\.so|libpyside6\.abi3\.[\d.]+\.dylib"
    rf"|Qt/lib/(Qt({'|'.join(QT_PARTS)}|OpenGL|Concurrent)\.framework/Versions/A/Qt\w+|lib\w+\.\d+\.dylib)"
    rf"|Qt/plugins/({_QT_FOLDERS})/\w+\.dylib|Qt/translations/qtbase_\w+\.qm)$"
)
_KEPT_TRANSLATION = re.compile(r"qtbase_\w+\.qm$")


def is_wanted(name: str) -> bool:
    """Return whether a file of that name in the bundle is needed."""
    posix = name.replace("\\", "/")
    if "/translations/" in posix:
        return bool(_KEPT_TRANSLATION.search(posix))
    return not any(pattern.search(posix) for pattern in _UNWANTED)


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries whose files are needed."""
    return [entry for entry in entries if is_wanted(entry[0])]


def metal_links(binaries: Sequence[Entry], metallib: str) -> list[Entry]:
    """Return what puts the Metal library beside every `libmlx.dylib`, as MLX 0.32 looks for it.

    The file itself lies in `mlx/lib`; beside the top-level `libmlx.dylib` (whose rpath is the one
    that is loaded) goes a link, which costs no space.

    Raises:
        ValueError: there is a `libmlx.dylib` in a folder nobody thought of.
    """
    folders = {
        str(PurePosixPath(name).parent)
        for name, _source, _kind in binaries
        if PurePosixPath(name).name == "libmlx.dylib"
    }
    unknown = folders - {".", "mlx/lib"}
    if unknown:
        raise ValueError(f"libmlx.dylib lies in {sorted(unknown)}; MLX will not find its kernels")
    return [
        ("mlx/lib/mlx.metallib", metallib, "DATA"),
        ("mlx.metallib", "mlx/lib/mlx.metallib", "SYMLINK"),
    ]


def app_modules(root: Path) -> list[str]:
    """Return every module of the app, because some are imported by name only."""
    names = []
    for file in sorted((root / "app").rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__":
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def is_wanted_on_mac(name: str) -> bool:
    """Return whether a file of the locked macOS wheels, by its path among them, is bundled.

    PyInstaller decides that on a Mac; this says the same for the checks that run elsewhere.
    """
    package = name.partition("/")[0]
    if package == "PySide6":
        return bool(_QT_ON_MAC.match(name)) and is_wanted(name)
    return package not in EXCLUDED and is_wanted(name)
