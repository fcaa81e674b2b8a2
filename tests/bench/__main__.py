"""`./run bench`: measure speed and memory.

./run bench                      what there is
./run bench engine               our recognizer against mlx_whisper.transcribe, and the shapes of
                                 Voxtral, in 10 minutes
./run bench engine --minutes 10  the same on so much speech; --write keeps it in RESULTS.md
./run bench engine --full        1 to 30 minutes, a whole 3-hour file, written to RESULTS.md
./run bench voxtral              only the shapes of Voxtral; --write keeps them in RESULTS.md
./run bench live                 how soon live words show: the model alone, then the whole app;
                                 --write keeps it in RESULTS.md
./run bench library              search, list, open and edit with 100,000 transcripts
./run bench doubt                how much more often doubtful words are wrong, under noise; --kept
                                 takes what the last full run heard, --write keeps it all
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_FULL_MINUTES = [1.0, 5.0, 30.0]


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="./run bench")
    benches = parser.add_subparsers(dest="bench")
    engine = benches.add_parser("engine")
    engine.add_argument("--minutes", type=_minutes, default=1.0)
    engine.add_argument("--rounds", type=int, choices=range(1, 10), default=1)
    engine.add_argument("--full", action="store_true")
    engine.add_argument("--write", action="store_true")
    shapes = benches.add_parser("voxtral")
    shapes.add_argument("--write", action="store_true")
    live = benches.add_parser("live")
    live.add_argument("--every", type=int, default=4, help="only every n-th clip")
    live.add_argument(
        "--model-only", action="store_true", help="leave out the run through the app itself"
    )
    live.add_argument("--write", action="store_true")
    doubt = benches.add_parser("doubt")
    doubt.add_argument("--kept", action="store_true", help="hear nothing again")
    doubt.add_argument("--write", action="store_true")
    library = benches.add_parser("library")
    library.add_argument("--count", type=int, default=100_000)
    library.add_argument("--keep", type=Path, default=None, help="folder to make it in, or reuse")
    return parser.parse_args(words)


def _minutes(text: str) -> float:
    value = float(text)
    if not 0 < value <= 24 * 60:
        raise argparse.ArgumentTypeError("from 0 to 1440")
    return value


def live_table(every: int) -> str:
    """Return the live table, for a machine without and with a usual pass time."""
    from app.engine.base import Options
    from tests.bench.live import clips, measure, table, whisper_streams
    from tests.bench.ours import load_nano
    from tests.bench.report import markdown

    recognizer = load_nano()
    spoken = clips(recognizer, every)
    open_stream = whisper_streams(recognizer, Options(wants_words=False))
    columns = [table(measure(spoken, open_stream, pass_s)) for pass_s in (0.0, 0.2)]
    rows = [[name, value, other] for (name, value), (_, other) in zip(*columns, strict=True)]
    return markdown(["live", "a pass takes 0 s", "a pass takes 0.2 s"], rows)


def path_table(every: int) -> str:
    """Return what a person sees in the app itself: sound server, microphone, disk, window."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from tests.bench.live import clips
    from tests.bench.live_path import measure_path, rows
    from tests.bench.ours import load_nano
    from tests.bench.report import markdown

    spoken = clips(load_nano(), every)
    return markdown(["through the app", "seen"], [list(row) for row in rows(measure_path(spoken))])


def show_live(every: int, *, model_only: bool, writes: bool) -> None:
    """Print the live tables, and write them down if asked to."""
    from tests.bench.report import RESULTS, machine, write_section

    told = (
        f"## Live words\n\nWritten by `./run bench live` on {time.strftime('%F')}: {machine()}. "
        f"Every {every}. clip, built-in nano model; seconds are of sound. In the first table a "
        "pass is given a fixed time, so that it does not depend on the machine; the second is the "
        "real app: sound server, microphone, disk, model, window."
    )
    tables = [live_table(every)] if model_only else [live_table(every), path_table(every)]
    text = "\n\n".join([told, *tables]) + "\n"
    print(text)
    if writes:
        write_section(RESULTS, "live", text)


def main(words: Sequence[str]) -> int:
    given = parsed(words)
    if given.bench == "engine":
        from tests.bench.engine import run

        if given.full:
            run(_FULL_MINUTES, given.rounds, small_windows=4, every=1, writes=True)
        else:
            run([given.minutes], given.rounds, small_windows=2, every=40, writes=given.write)
    elif given.bench == "voxtral":
        from tests.bench.voxtral import run as run_voxtral

        run_voxtral(writes=given.write)
    elif given.bench == "live":
        show_live(given.every, model_only=given.model_only, writes=given.write)
    elif given.bench == "doubt":
        from tests.bench.doubt import run as run_doubt

        print(run_doubt(uses_kept=given.kept, writes=given.write))
    elif given.bench == "library":
        from tests.bench.library import run as run_library

        print(run_library(given.count, given.keep))
    else:
        print(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
