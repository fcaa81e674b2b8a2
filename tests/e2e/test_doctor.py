"""The doctor names each seeded fault with its remedy."""

import json
from pathlib import Path

from tests.helpers.words import undertone


def _kinds(home: Path) -> dict[str, dict[str, str]]:
    done = undertone("doctor", "--json", home=home)
    return {finding["kind"]: finding for finding in json.loads(done.stdout)}


def test_on_a_fresh_machine_nothing_is_broken(tmp_path: Path) -> None:
    done = undertone("doctor", home=tmp_path / "home")

    assert "Broken" not in done.stdout
    assert "demonstration model" in done.stdout


def test_six_seeded_faults_are_each_named_with_a_remedy(tmp_path: Path) -> None:
    home = tmp_path / "Dropbox" / "Undertone"
    home.mkdir(parents=True, mode=0o700)
    (home / "library.sqlite").write_bytes(b"this is no database" * 100)  # 1 damaged library
    (home / "library.sqlite").chmod(0o644)  # 2 others can read it; 3 a folder that is synced
    (home / "settings.json").write_text("{broken")  # 4 unreadable settings
    (home / "models" / "half").mkdir(parents=True)  # 5 a model folder without a model
    truncated = home / "models" / "cut"  # 6 weights that are no weights
    truncated.mkdir()
    (truncated / "config.json").write_text(json.dumps({"n_audio_state": 160}))
    (truncated / "weights.safetensors").write_bytes(b"cut")

    found = _kinds(home)
    done = undertone("doctor", home=home)

    assert done.returncode == 1
    for kind in (
        "library_damaged",
        "too_open",
        "cloud_folder",
        "settings_unreadable",
        "model_unusable",
        "model_damaged",
    ):
        assert kind in found, (kind, sorted(found))
        assert found[kind]["message"] in done.stdout
        assert found[kind]["hint"]
        assert found[kind]["hint"] in done.stdout
