"""Runs a fault script in a process of its own, where it may fork, mount and measure memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_alone(name: str, *words: object) -> str:
    """Run `python -m tests.faults.<name>` and return what it printed; raises when it failed."""
    command = [sys.executable, "-m", f"tests.faults.{name}", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{name} failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")
    return "; ".join(done.stdout.split("\n")).strip("; ")
