"""The peer, `mlx_whisper.transcribe`, as a child process in an environment of its own.

One call a window, temperature 0, the model loaded once; what it decodes is counted at its own
`decode`, because it reads a window again where its last timestamp lies before the end.
"""

import sys
import time
from pathlib import Path
from typing import Any

import mlx_whisper
from mlx_whisper.whisper import Whisper

from tests.bench.child import Stored, serve

_END_OF_TEXT = 50_257


class _Enough(Exception):
    """As many windows as were wanted have been decoded."""


class Peer:
    """Transcribes stored windows and counts."""

    def __init__(self, model: Path, stored: Stored) -> None:
        self._model, self._stored = str(model), stored
        self._passes = self._tokens = self._most_passes = 0
        decode = Whisper.decode

        def counted(*given: Any, **named: Any) -> Any:
            result = decode(*given, **named)
            self._passes += 1
            self._tokens += len(result.tokens)
            if self._passes == self._most_passes:
                raise _Enough
            return result

        Whisper.decode = counted

    def __call__(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if "file" in wanted:
            return self._whole_file(**wanted)
        self._passes = self._tokens = 0
        spans = self._stored.spans[: wanted.get("most")]
        forced: dict[str, Any] = {}
        if wanted.get("forced"):
            # The end can't be chosen, so each window has as many tokens as it may have.
            forced = {
                "sample_len": wanted["forced"],
                "suppress_tokens": f"-1,{_END_OF_TEXT}",
                "without_timestamps": True,
                "no_speech_threshold": None,
            }
        texts = []
        began, began_cpu = time.perf_counter(), time.process_time()
        for span in spans:
            said = mlx_whisper.transcribe(
                self._stored.read(span),
                path_or_hf_repo=self._model,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=wanted["words"],
                language="en",
                fp16=False,
                **forced,
            )
            texts.append(said["text"].strip())
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
        return {
            "seconds": seconds,
            "cpu_s": cpu_s,
            "passes": self._passes,
            "tokens": self._tokens,
            "texts": texts,
        }

    def _whole_file(self, file: str, most_passes: int) -> dict[str, Any]:
        """Give it the file as its users do, and stop it after `most_passes` windows."""
        self._passes, self._most_passes = 0, most_passes
        began = time.process_time()
        try:
            mlx_whisper.transcribe(
                file,
                path_or_hf_repo=self._model,
                temperature=0.0,
                condition_on_previous_text=False,
                language="en",
                fp16=False,
            )
        except _Enough:
            pass
        finally:
            self._most_passes = 0
        return {"cpu_s": time.process_time() - began, "passes": self._passes}


if __name__ == "__main__":
    serve(Peer(Path(sys.argv[1]), Stored(Path(sys.argv[2]))))
