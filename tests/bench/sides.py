"""The processes a comparison asks: ours, and the peers in an environment of their own."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")

Answer = dict[str, Any]


class Side:
    """One side's process: a question in, an answer out."""

    def __init__(self, python: Path, module: str, *words: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), "-m", module, *map(str, words)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the other side ended with {self._process.wait()}")
        answer: Answer = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.__exit__(kind, error, trace)


def peer_python() -> Path:
    """Return the Python of the peer's environment, making it first if need be."""
    venv = ROOT / ".tools" / "bench-venv"
    made_from = hashlib.sha256(
        _REQUIREMENTS.read_bytes() + sys.version.encode() + str(ROOT).encode()
    ).hexdigest()
    python = venv / "bin" / "python"
    note = venv / "made-from"
    if note.exists() and note.read_text() == made_from:
        return python
    print("bench: installing mlx-whisper into .tools/bench-venv (once)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lines = _REQUIREMENTS.read_text().splitlines()
    torch = next(line for line in lines if line.startswith("torch"))
    # By itself, so that a local build of it is taken.
    subprocess.run([*pip, torch], check=True)
    subprocess.run([*pip, "-r", str(_REQUIREMENTS)], check=True)
    note.write_text(made_from)
    return python


def float32_copy(model: Path, folder: Path) -> Path:
    """Return a copy of `model` in float32: the peer would convert half floats again and again."""
    import mlx.core as mx

    copy = folder / "model-float32"
    copy.mkdir()
    (copy / "config.json").write_bytes((model / "config.json").read_bytes())
    weights = mx.load(str(model / "weights.safetensors"))
    assert isinstance(weights, dict)
    mx.save_safetensors(
        str(copy / "weights.safetensors"),
        {name: array.astype(mx.float32) for name, array in weights.items()},
    )
    return copy
