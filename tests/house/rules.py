"""The house rules a machine can check; each rule returns its faults, one sentence each.

Layers and giants are import-linter's business, style and function length ruff's.
"""

import ast
import functools
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 600  # lines

TOP_LEVEL = {
    ".ci",
    ".github",
    ".gitignore",
    ".python-version",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "app",
    "packaging",
    "pyproject.toml",
    "resources",
    "run",
    "tests",
    "uv.lock",
}

BANNED_WORDS = {"manager", "helper", "helpers", "util", "utils", "data", "info"}

# Calls that run or unpack whatever a file says.
BANNED_CALLS = {
    "eval",
    "exec",
    "marshal.load",
    "marshal.loads",
    "os.system",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "shelve.open",
    "torch.load",
    "yaml.load",
    "yaml.unsafe_load",
}


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Return the project's files, relative to its root."""
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", *listing],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    names = (Path(name) for name in listed.stdout.split("\0") if name)
    return tuple(name for name in names if (ROOT / name).is_file())


def python_files(folder: str) -> list[Path]:
    return [name for name in tracked() if name.suffix == ".py" and name.parts[0] == folder]


@functools.cache
def tree(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), str(file))


def top_level_is_as_agreed() -> list[str]:
    found = {name.parts[0] for name in tracked()}
    return [
        f"{name}: nothing else may stand at the top level" for name in sorted(found - TOP_LEVEL)
    ]


def files_are_short() -> list[str]:
    faults = []
    for file in tracked():
        if file.suffix not in {".py", ".sh"} and file.name != "run":
            continue
        lines = len((ROOT / file).read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            faults.append(f"{file}: {lines} lines, above {LONGEST_FILE}")
    return faults


def modules_say_what_they_are() -> list[str]:
    return [
        f"{file}: the module has no docstring"
        for file in python_files("app")
        if (ROOT / file).stat().st_size and not ast.get_docstring(tree(file))
    ]


def words_in(name: str) -> set[str]:
    """Return the words of a name in snake_case or CamelCase."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def names_are_plain() -> list[str]:
    faults = []
    for file in python_files("app"):
        for part in (*file.parent.parts[1:], file.stem):
            if words_in(part) & BANNED_WORDS:
                faults.append(f"{file}: a module is not called {part}")
        faults += [
            f"{file}:{node.lineno}: a class is not called {node.name}"
            for node in ast.walk(tree(file))
            if isinstance(node, ast.ClassDef) and words_in(node.name) & BANNED_WORDS
        ]
    return faults


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _forbidden_in(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((node.lineno, name) for name in names if name in BANNED_CALLS)
        if not isinstance(node, ast.Call):
            continue
        if _dotted(node.func) in BANNED_CALLS:
            yield node.lineno, _dotted(node.func)
        for keyword in node.keywords:
            is_true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if is_true and keyword.arg in {"allow_pickle", "shell"}:
                yield node.lineno, f"{keyword.arg}=True"


def nothing_runs_what_a_file_says() -> list[str]:
    return [
        f"{file}:{line}: {call} is forbidden"
        for file in python_files("app")
        for line, call in _forbidden_in(tree(file))
    ]


def _imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def downloads_only_in_models() -> list[str]:
    """Check what import-linter cannot: submodules of the standard library."""
    return [
        f"{file}:{line}: {name} belongs into app/models"
        for file in python_files("app")
        if file.parts[1] != "models"
        for line, name in _imported(tree(file))
        if name in {"ftplib", "http.client", "urllib.request"}
    ]


RULES: tuple[Callable[[], list[str]], ...] = (
    top_level_is_as_agreed,
    files_are_short,
    modules_say_what_they_are,
    names_are_plain,
    nothing_runs_what_a_file_says,
    downloads_only_in_models,
)
