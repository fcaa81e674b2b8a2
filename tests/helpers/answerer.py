"""A program of the tests that is asked, and answers, line by line."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[2]
_END_S = 20.0


class Answerer:
    """The program's process: it says "ready", then a line of JSON for each line it reads."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[str] = self._process.stdin
        self._stdout: IO[str] = self._process.stdout
        assert self._stdout.readline().strip() == "ready"

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, command: str, **values: object) -> Any:
        self._stdin.write(json.dumps({"do": command, **values}) + "\n")
        self._stdin.flush()
        return json.loads(self._stdout.readline())

    def close(self) -> None:
        self._stdin.close()
        self._process.wait(_END_S)
        self._stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
