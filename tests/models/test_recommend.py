"""What is recommended for which Mac: the table a person can hold us to."""

from pathlib import Path

import pytest

from app.config.paths import resources
from app.core.model import Family
from app.models.catalog import load_catalog
from app.models.recommend import (
    Advice,
    Machine,
    chip_of,
    fits,
    in_order,
    reasons,
    recommend,
    this_machine,
)

CATALOG = load_catalog(resources() / "models.toml")
BY_ID = {entry.model_id: entry for entry in CATALOG}
TURBO, REALTIME = "whisper-large-v3-turbo", "voxtral-realtime-4b-4bit"
TABLE = [
    # (GB, Pro/Max, first, dictation, files, quality)
    (8, False, "whisper-large-v3-turbo-4bit", "acft-whisper-small", "whisper-small", ""),
    (16, False, TURBO, "acft-whisper-large-v3-turbo", TURBO, ""),
    (16, True, TURBO, REALTIME, TURBO, "voxtral-mini-3b-4bit"),
    (24, False, TURBO, "acft-whisper-large-v3-turbo", TURBO, "voxtral-mini-3b-4bit"),
    (24, True, TURBO, REALTIME, TURBO, "voxtral-mini-3b-4bit"),
    (32, False, TURBO, REALTIME, "whisper-large-v3", "voxtral-mini-3b-8bit"),
    (32, True, TURBO, REALTIME, "whisper-large-v3", "voxtral-small-24b-4bit"),
    (64, True, TURBO, REALTIME, "whisper-large-v3", "voxtral-small-24b-8bit"),
]


@pytest.mark.parametrize(("gigabytes", "is_wide", "first", "dictation", "files", "quality"), TABLE)
def test_the_table(
    gigabytes: int, is_wide: bool, first: str, dictation: str, files: str, quality: str
) -> None:
    machine = Machine(gigabytes << 30, 2, is_wide)
    advice = recommend(machine)

    assert advice == Advice(first, dictation, files, quality)
    for name in filter(None, (first, dictation, files, quality)):
        assert fits(BY_ID[name], machine), f"{name} does not fit into {gigabytes} GB"
    assert "dictation" in BY_ID[dictation].purposes
    assert in_order(CATALOG, advice)[0].model_id == first
    assert "first" in reasons(first, advice)


def test_the_catalog_is_complete_and_invents_nothing() -> None:
    assert len(BY_ID) == len(CATALOG)
    families = {entry.family for entry in CATALOG}
    assert families == {
        Family.WHISPER, Family.VOXTRAL, Family.VOXTRAL_REALTIME, Family.LANGUAGE
    }  # fmt: skip
    for entry in CATALOG:
        assert entry.licence
        assert entry.good_for.endswith(".")
        assert entry.memory_bytes > 0
        assert entry.repository or entry.built_in
        assert entry.is_hidden == (entry.family is Family.LANGUAGE)
        assert entry.has_word_times == (entry.family is not Family.VOXTRAL)
        assert not entry.revision or len(entry.revision) == 40
        for file in entry.files:
            assert not file.sha256 or len(file.sha256) == 64
            assert Path(file.name).name == file.name
        if entry.has_exact_size and not entry.built_in and not entry.converts_to_bits:
            assert entry.memory_bytes > entry.download_bytes
    names = {"tiny", "base", "small", "medium", "large-v3", "large-v3-turbo"}
    assert {f"whisper-{name}" for name in names} <= BY_ID.keys()
    assert {"distil-whisper-large-v3", "voxtral-mini-3b", "voxtral-small-24b-4bit"} <= BY_ID.keys()
    assert sum(entry.is_pinned for entry in CATALOG) >= 10


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Apple M1", (1, False)),
        ("Apple M2 Pro", (2, True)),
        ("Apple M4 Max", (4, True)),
        ("Apple M3 Ultra", (3, True)),
        ("x86_64", (0, False)),
        ("", (0, False)),
    ],
)
def test_chips(name: str, expected: tuple[int, bool]) -> None:
    assert chip_of(name) == expected


def test_this_machine_has_memory() -> None:
    assert this_machine().memory_bytes > 1 << 30
