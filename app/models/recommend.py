"""Which models suit this machine: a pure function of its memory and chip.

Source: `engine.md` §9, defaults by machine, from published and calculated speeds; nothing here was
measured by us on a Mac.
"""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from app.models.catalog import CatalogEntry

MODEL_SHARE = 0.6  # of the machine's memory, for all loaded models together
_GIGABYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides which models suit.

    Attributes:
        memory_bytes: of the whole machine.
        generation: 1 for an M1; 0 where it is not known.
        is_wide: whether it is a Pro, Max or Ultra, with more than twice the memory speed.
    """

    memory_bytes: int
    generation: int = 0
    is_wide: bool = False

    @property
    def budget_bytes(self) -> int:
        """What models may take of the memory."""
        return int(self.memory_bytes * MODEL_SHARE)


@dataclass(frozen=True, slots=True)
class Advice:
    """The models to get: one for everything first, then the best for one purpose each."""

    first: str
    dictation: str
    files: str
    quality: str = ""


def recommend(machine: Machine) -> Advice:
    """Return what suits `machine`."""
    memory = machine.memory_bytes / _GIGABYTE
    if memory < 12:
        return Advice("whisper-large-v3-turbo-4bit", "acft-whisper-small", "whisper-small")
    if memory < 30:
        if machine.is_wide:
            return Advice(
                "whisper-large-v3-turbo",
                "voxtral-realtime-4b-4bit",
                "whisper-large-v3-turbo",
                "voxtral-mini-3b-4bit",
            )
        return Advice(
            "whisper-large-v3-turbo",
            "acft-whisper-large-v3-turbo",
            "whisper-large-v3-turbo",
            "voxtral-mini-3b-4bit" if memory >= 20 else "",
        )
    quality = "voxtral-small-24b-8bit" if memory >= 60 else "voxtral-small-24b-4bit"
    if not machine.is_wide:  # a large model on a plain chip is slower than the speech itself
        quality = "voxtral-mini-3b-8bit"
    return Advice("whisper-large-v3-turbo", "voxtral-realtime-4b-4bit", "whisper-large-v3", quality)


def fits(entry: CatalogEntry, machine: Machine) -> bool:
    """Whether a model can be loaded on `machine` at all."""
    return entry.memory_bytes <= machine.budget_bytes


def reasons(model_id: str, advice: Advice) -> tuple[str, ...]:
    """Return what a model is recommended for: `first`, `dictation`, `files`, `quality`."""
    names = ("first", "dictation", "files", "quality")
    return tuple(name for name in names if getattr(advice, name) == model_id)


def in_order(entries: Sequence[CatalogEntry], advice: Advice) -> list[CatalogEntry]:
    """Return what can be chosen, recommended ones first, hidden and built-in ones left out."""
    shown = [one for one in entries if not one.is_hidden and not one.built_in]
    places = {one.model_id: at for at, one in enumerate(entries)}
    ranks = {
        name: at
        for at, name in enumerate(
            dict.fromkeys((advice.first, advice.dictation, advice.files, advice.quality))
        )
    }
    return sorted(
        shown, key=lambda one: (ranks.get(one.model_id, len(ranks)), places[one.model_id])
    )


def this_machine() -> Machine:
    """Return the machine this runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(memory, *chip_of(_chip_name()))


def chip_of(name: str) -> tuple[int, bool]:
    """Return generation and width of a chip by its name, `Apple M2 Pro` say."""
    found = re.search(r"\bM(\d+)\b(?:\s+(Pro|Max|Ultra))?", name)
    return (int(found[1]), found[2] is not None) if found else (0, False)


def _chip_name() -> str:
    if platform.system() != "Darwin":
        return platform.processor()
    asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=5).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
