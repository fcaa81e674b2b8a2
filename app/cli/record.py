"""`undertone record`: the microphone in, text out; words show while they are spoken."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from app.cli.output import complain
from app.cli.transcribe import TO_STDOUT, Outlet
from app.config.paths import default_paths
from app.config.settings import Settings, load_settings
from app.config.translate import tr
from app.core.dictation import Outcome, Stage, StageChanged
from app.core.errors import AppError, AudioError, mark
from app.core.events import Event, Failed, PartialChanged
from app.core.language import AUTO, CODES
from app.core.recording import RecordingKind
from app.core.timecode import clock

if TYPE_CHECKING:
    from app.audio.devices import Device
    from app.pipeline.dictation import DictationMachine
    from app.pipeline.main_thread import MainQueue
    from app.pipeline.rig import Rig
    from app.pipeline.session import Session


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `record`."""
    from app.export import FORMATS

    verb = verbs.add_parser(
        "record",
        help=tr("record the microphone into the library and print the text"),
        description=tr(
            "Record the microphone into the library. Ctrl-C ends the recording and prints the "
            "text; a second Ctrl-C does not wait for it. The sound is kept in any case."
        ),
    )
    verb.add_argument("--device", metavar=tr("NAME"), help=tr("a microphone, or part of its name"))
    verb.add_argument("--seconds", type=float, metavar="N", help=tr("stop after N seconds"))
    verb.add_argument("--model", default="", metavar="ID", help=tr("model id (default: settings)"))
    verb.add_argument(
        "--language", default="", choices=(AUTO, *CODES), metavar="xx", help=tr("code, or auto")
    )
    verb.add_argument("--format", default="txt", choices=tuple(FORMATS), help=tr("default: txt"))
    verb.add_argument(
        "--output",
        default=TO_STDOUT,
        metavar=tr("PATH"),
        help=tr("a file, a folder, or - for standard output (default)"),
    )
    verb.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from app.pipeline.main_thread import MainQueue
    from app.pipeline.rig import rig_of_this_system
    from app.pipeline.session import open_live, open_session

    outlet = Outlet(options.output, options.format, is_single=True)
    outlet.prepare()
    main = MainQueue()
    rig = rig_of_this_system(main, has_desktop=False)
    settings = _settings(options, rig)
    scribe = _Scribe(Line())
    session = open_session(
        default_paths(),
        lambda event: main.post(lambda: scribe.take(event)),
        lambda: settings,
    )
    status = 1
    try:
        live = open_live(session, rig, main)
        try:
            with _terminating_as_interrupting():
                call = _Recording(live.machine, scribe, session, outlet, options.seconds)
                status = call.run(main)
        finally:
            live.close()
    finally:
        has_ended = session.close()
    if not has_ended:
        sys.stdout.flush()
        os._exit(status)  # the engine is in a call that never returns; all else is closed
    return status


def _settings(options: argparse.Namespace, rig: "Rig") -> Settings:
    """Return the person's settings with what they asked for just now."""
    settings = load_settings(default_paths().settings)
    if options.model:
        settings = settings.changed(model_id=options.model)
    if options.language:
        settings = settings.changed(language=options.language)
    if options.device:
        device = _find_device(rig.devices.inputs(), options.device)
        settings = settings.changed(microphone=f"{device.uid}\t{device.name}")
    return settings


def _find_device(inputs: "tuple[Device, ...]", wanted: str) -> "Device":
    """Return the microphone of that name, or the only one whose name holds it.

    Raises:
        AudioError: there is none, or more than one.
    """
    named = [device for device in inputs if device.name.casefold() == wanted.casefold()]
    found = named or [d for d in inputs if wanted.casefold() in d.name.casefold()]
    if len(found) == 1 or named:
        return found[0]
    raise AudioError(
        mark("There is no microphone “{wanted}”.")
        if not found
        else mark("More than one microphone is called something like “{wanted}”."),
        mark("See their names with: undertone devices."),
        wanted=wanted,
    )


@contextlib.contextmanager
def _terminating_as_interrupting() -> Iterator[None]:
    """Let a polite request to end do what Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Line:
    """One line on standard error that is written over itself; nothing where that cannot be."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._is_terminal = self._out.isatty()
        self._is_written = False

    def show(self, lead: str, text: str) -> None:
        """Show `lead` and as much of the end of `text` as there is room for."""
        if not self._is_terminal:
            return
        room = max(10, shutil.get_terminal_size().columns - len(lead) - 2)
        if len(text) > room:
            text = "…" + text[len(text) - room + 1 :]
        self._out.write(f"\r\x1b[K{lead} {text}")
        self._out.flush()
        self._is_written = True

    def clear(self) -> None:
        """Leave the line for something else."""
        if self._is_written:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._is_written = False


class _Scribe:
    """Shows what happens. Owner: the main thread."""

    def __init__(self, line: Line) -> None:
        self.now = StageChanged()
        self._line = line
        self._words = ""
        self._told = ""

    def take(self, event: Event) -> None:
        if isinstance(event, PartialChanged):
            self._words = f"{event.committed} {event.tail}".strip()
        elif isinstance(event, StageChanged):
            self.now = event
            self._tell_problem(event.problem)
        elif isinstance(event, Failed):
            self._tell_problem(event.error)

    def show(self, elapsed_s: float) -> None:
        """Show how it stands."""
        mark_ = {Stage.ARMING: "…", Stage.RECORDING: "●", Stage.FINISHING: "✎"}.get(self.now.stage)
        if mark_ is not None:
            self._line.show(f"{mark_} {clock(elapsed_s)}", self._words)

    def clear(self) -> None:
        self._line.clear()

    def _tell_problem(self, problem: AppError | None) -> None:
        if problem is not None and str(problem) != self._told:
            self._told = str(problem)
            self._line.clear()
            complain(problem)


class _Recording:
    """One call of `record`."""

    def __init__(
        self,
        machine: "DictationMachine",
        scribe: _Scribe,
        session: "Session",
        outlet: Outlet,
        seconds: float | None,
    ) -> None:
        self._machine = machine
        self._scribe = scribe
        self._session = session
        self._outlet = outlet
        self._seconds = seconds

    def run(self, main: "MainQueue") -> int:
        """Record until told to stop; print the text; return the exit status."""
        print(tr("Recording. Press Ctrl-C to stop."), file=sys.stderr)
        self._machine.start(RecordingKind.QUICK)
        try:
            main.run_until(self._is_over)
        except KeyboardInterrupt:
            self._machine.stop()
            try:
                main.run_until(self._is_over)
            except KeyboardInterrupt:
                self._scribe.clear()
                print(tr("Stopped. The recording is in the library."), file=sys.stderr)
                raise
        self._scribe.clear()
        return self._end()

    def _is_over(self) -> bool:
        elapsed_s = self._machine.elapsed_s()
        self._scribe.show(elapsed_s)
        if self._seconds and elapsed_s >= self._seconds:
            self._machine.stop()
        return self._machine.now.outcome is not None

    def _end(self) -> int:
        now = self._machine.now
        recording = self._session.reader.recording(now.recording_id)
        if recording is None or now.outcome in (Outcome.FAILED, Outcome.UNTRANSCRIBED):
            if now.problem is not None:
                self._scribe.take(now)
            return 1
        transcript = self._session.reader.transcript(recording.recording_id)
        if now.outcome is Outcome.NOTHING_HEARD:
            print(tr("Nothing was said. The recording is in the library."), file=sys.stderr)
        self._outlet.write(recording, transcript)
        return 0
