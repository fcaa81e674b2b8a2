"""Another peer, whisper.cpp, as a child process: the same windows, one call each, one thread."""

import sys
import time
from pathlib import Path
from typing import Any

from pywhispercpp.model import Model

from tests.bench.child import Stored, serve


class Cpp:
    """Transcribes stored windows."""

    def __init__(self, model: Path, stored: Stored) -> None:
        self._stored = stored
        self._model = Model(
            str(model),
            redirect_whispercpp_logs_to=None,
            n_threads=1,
            language="en",
            temperature=0.0,
            temperature_inc=0.0,
            no_context=True,
            print_progress=False,
            print_realtime=False,
            print_timestamps=False,
        )

    def __call__(self, wanted: dict[str, Any]) -> dict[str, Any]:
        spans = self._stored.spans[: wanted.get("most")]
        texts = []
        began, began_cpu = time.perf_counter(), time.process_time()
        for span in spans:
            said = self._model.transcribe(self._stored.read(span), token_timestamps=wanted["words"])
            texts.append(" ".join(part.text.strip() for part in said))
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
        return {"seconds": seconds, "cpu_s": cpu_s, "texts": texts}


if __name__ == "__main__":
    serve(Cpp(Path(sys.argv[1]), Stored(Path(sys.argv[2]))))
