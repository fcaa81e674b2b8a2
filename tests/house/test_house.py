"""The house rules hold, and each of them notices what it is there for."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.house import rules


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[], list[str]]) -> None:
    assert rule() == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle\npickle.load(file)", ["pickle.load"]),
        ("from pickle import loads", ["pickle.loads"]),
        ("eval('1')", ["eval"]),
        ("np.load(file, allow_pickle=True)", ["allow_pickle=True"]),
        ("mx.eval(array)\nnp.load(file)\nre.compile('a')", []),
    ],
)
def test_forbidden_calls_are_seen(source: str, found: list[str]) -> None:
    assert [call for _, call in rules._forbidden_in(ast.parse(source))] == found


def test_imports_are_seen() -> None:
    source = "import a.b, c\nfrom urllib import request\nfrom d.e import f"
    names = {name for _, name in rules._imported(ast.parse(source))}
    assert names == {"a.b", "c", "urllib", "urllib.request", "d.e", "d.e.f"}


@pytest.mark.parametrize(
    ("name", "is_banned"),
    [
        ("ModelManager", True),
        ("audio_utils", True),
        ("TrackInfo", True),
        ("UserData", True),
        ("information", False),
        ("Database", False),
        ("HTTPServer", False),
    ],
)
def test_banned_words_are_seen(name: str, is_banned: bool) -> None:
    assert bool(rules.words_in(name) & rules.BANNED_WORDS) is is_banned


def test_the_command_line_needs_neither_qt_nor_mlx() -> None:
    code = (
        "import pkgutil, importlib, sys, app.cli, app.pipeline, app.core, app.config\n"
        "for package in (app.cli, app.pipeline, app.core, app.config):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"PySide6", "shiboken6", "mlx", "mlx_whisper", "torch", "numba"})
    assert "app" in loaded


def test_scripts_can_be_run() -> None:
    for name in ("run", ".ci/run"):
        assert os.access(rules.ROOT / name, os.X_OK)
        subprocess.run(["sh", "-n", str(rules.ROOT / name)], check=True)


def test_the_door_names_its_words() -> None:
    door = str(rules.ROOT / "run")
    asked = subprocess.run([door, "help"], capture_output=True, text=True, check=True)
    for word in ("cli", "test", "check", "bundle", "bench", "soak"):
        assert f"./run {word}" in asked.stdout
    unknown = subprocess.run([door, "nonsense"], capture_output=True, text=True)
    assert unknown.returncode == 2
    assert unknown.stderr == asked.stdout
