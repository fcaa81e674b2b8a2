"""The maintainer's command that pins the catalog."""

import asyncio
import hashlib
import importlib.util
import json
import sys
import types
from pathlib import Path

import pytest

from app.config.paths import resources
from app.models.catalog import load_catalog
from tests.helpers.fake_hub import COMMIT, FakeHub

SCRIPT = Path(__file__).parents[2] / "packaging" / "refresh_models.py"
NAME = "whisper-medium-4bit"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_models", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec.loader.exec_module(module)
    catalog = tmp_path / "models.toml"
    catalog.write_text((resources() / "models.toml").read_text())
    monkeypatch.setattr(module, "CATALOG", catalog)
    return module


def test_what_the_hub_says_is_pinned_and_the_rest_stays(script: types.ModuleType) -> None:
    before = script.CATALOG.read_text()
    known = {entry.model_id: entry for entry in load_catalog(script.CATALOG)}
    config = json.dumps({"n_audio_state": 1024}).encode()
    with FakeHub() as hub:
        hub.repositories[known[NAME].repository] = {
            "config.json": config, "weights.npz": b"w" * 5000, "README.md": b"words",
        }  # fmt: skip
        text = asyncio.run(script.run([NAME], newest=False, hub=hub.address))
    script.CATALOG.write_text(text)

    after = {entry.model_id: entry for entry in load_catalog(script.CATALOG)}
    pinned = after[NAME]
    assert pinned.is_pinned
    assert pinned.revision == COMMIT
    assert pinned.sha256 == {
        "config.json": hashlib.sha256(config).hexdigest(),
        "weights.npz": hashlib.sha256(b"w" * 5000).hexdigest(),
    }
    assert {k: v for k, v in after.items() if k != NAME} == {
        k: v for k, v in known.items() if k != NAME
    }
    assert text.splitlines()[:8] == before.splitlines()[:8]  # comments stay
    assert script.rewritten(text, pinned) == text


def test_every_entry_can_be_rewritten(script: types.ModuleType) -> None:
    text = script.CATALOG.read_text()
    for entry in load_catalog(script.CATALOG):
        if entry.is_pinned:
            assert script.rewritten(text, entry) == text, entry.model_id
