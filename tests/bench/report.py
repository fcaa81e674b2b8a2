"""What a comparison prints: plain tables, as Markdown, and how two texts differ."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.helpers.words import errors

RESULTS = Path(__file__).with_name("RESULTS.md")


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up in a terminal too."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def drawn(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([drawn(lines[0]), rule, *(drawn(line) for line in lines[1:])])


def write_section(file: Path, name: str, text: str) -> None:
    """Put `text` into `file` under its own name; what other benches wrote there stays."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}\n"
    known = file.read_text(encoding="utf-8") if file.exists() else "# What was measured\n"
    if begin in known:
        before, _, rest = known.partition(begin)
        after = rest.partition(end)[2].lstrip("\n")
        known = before + section + ("\n" + after if after else "")
    else:
        known = known.rstrip("\n") + "\n\n" + section
    file.write_text(known, encoding="utf-8")


def difference(reference: Sequence[str], heard: Sequence[str]) -> float:
    """Return the word error rate between two lists of texts, pair by pair; 0 without any word."""
    counted = [errors(a, b) for a, b in zip(reference, heard, strict=True)]
    wrong, total = (sum(column) for column in zip(*counted, strict=True)) if counted else (0, 0)
    return wrong / total if total else float(wrong > 0)


def machine() -> str:
    """Return one line about the computer this runs on."""
    return (
        f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, MLX {_version('mlx')}"
    )


def _processor() -> str:
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else "unknown processor"


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
