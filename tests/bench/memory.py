"""Peak memory of one long file on both sides.

The peer holds the whole file's sound and makes the mel picture of all of it before its first
window, so a few windows show its peak; a whole run could only need more.
"""

import sys
from pathlib import Path

from tests.bench.child import Stored
from tests.bench.report import markdown
from tests.bench.sides import Side
from tests.bench.sound import join_talks

_PEER_PASSES = 3
_GOAL = 3.0


def compare_memory(folder: Path, python: Path, model: Path, hours: float, every: int) -> str:
    """Return the table for a file of `hours`; ours decodes every n-th window of it."""
    joined = folder / "long.flac"
    join_talks(joined, hours * 3600)
    Stored(folder).write([])
    print(f"bench: memory of {hours:g} hours", flush=True)
    with Side(python, "tests.bench.peer", model, folder) as side:
        peer = side.ask(file=str(joined), most_passes=_PEER_PASSES)
    with Side(Path(sys.executable), "tests.bench.ours", folder) as side:
        ours = side.ask(file=str(joined), every=every)
    ratio = peer["peak_bytes"] / ours["peak_bytes"]
    rows = [
        [
            f"{hours:g} h",
            f"{peer['peak_bytes'] / 1e6:.0f} MB",
            f"{ours['peak_bytes'] / 1e6:.0f} MB",
            f"{ratio:.1f}×" + ("" if ratio >= _GOAL else " (below)"),
            f"{peer['passes']} windows",
            f"{ours['passes']} of {ours['windows']} windows",
        ]
    ]
    head = ["file", "peer's peak", "our peak", "ratio (goal 3×)", "peer decoded", "ours decoded"]
    return markdown(head, rows)
