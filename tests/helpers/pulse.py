"""A sound server of our own with microphones that play what a test says (Linux).

Each test gets a private PulseAudio daemon in a private folder; nothing of the person's own sound
system is asked or changed. ALSA's `default` device, the one PortAudio opens, leads to it.
"""

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

PROGRAMS = ("pulseaudio", "pactl", "paplay", "pacat")


class PulseServer:
    """A running daemon. Owner: the fixture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "HOME": str(folder),
            "PULSE_SERVER": self.address,
            "PULSE_COOKIE": str(folder / "cookie"),
        }
        self._daemon: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []
        self._fifos: list[int] = []

    @property
    def address(self) -> str:
        return f"unix:{self.folder / 'native'}"

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        native = f"module-native-protocol-unix auth-anonymous=1 socket={self.folder / 'native'}"
        words = ["--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no"]
        with (self.folder / "pulse.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                ["pulseaudio", "-n", *words, "-L", native],
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self._pactl("info", check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "pulse.log").read_text())

    def kill(self) -> None:
        """End the daemon at once, as a crash would."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def close(self) -> None:
        """End everything that was started; idempotent."""
        for player in self._players:
            player.kill()
            player.wait()
        self._players.clear()
        self.kill()
        for fifo in self._fifos:
            os.close(fifo)
        self._fifos.clear()

    def load(self, module: str, **arguments: object) -> int:
        """Load a module and return its number."""
        made = self._pactl("load-module", module, *(f"{k}={v}" for k, v in arguments.items()))
        return int(made.stdout)

    def unload(self, module: int) -> None:
        """Unload a module: what it offered is unplugged."""
        self._pactl("unload-module", str(module))

    def set_default_source(self, name: str) -> None:
        self._pactl("set-default-source", name)

    def add_pipe_microphone(self, name: str, rate_hz: int = 16_000) -> "PipeMicrophone":
        """Plug in a microphone whose samples the test writes, and make it the default."""
        fifo = self.folder / f"{name}.fifo"
        module = self.load(
            "module-pipe-source",
            source_name=name,
            file=fifo,
            rate=rate_hz,
            channels=1,
            format="s16le",
        )
        self.set_default_source(name)
        # Read and write: a FIFO whose last writer leaves would end the source.
        descriptor = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self._fifos.append(descriptor)
        return PipeMicrophone(module, descriptor, rate_hz)

    def add_room_microphone(
        self, name: str, rate_hz: int = 48_000, *, is_default: bool = True
    ) -> int:
        """Plug in a microphone that hears what is played to it; silence keeps it awake."""
        module = self.load("module-null-sink", sink_name=name, rate=rate_hz, channels=1)
        if is_default:
            self.set_default_source(f"{name}.monitor")
        quiet = Path("/dev/zero").open("rb")  # noqa: SIM115  # closed below, when handed over
        with quiet:
            self._players.append(
                subprocess.Popen(
                    [
                        "pacat",
                        "-p",
                        "--raw",
                        "--latency-msec=20",
                        f"--rate={rate_hz}",
                        "--channels=1",
                        f"--device={name}",
                    ],
                    env=self._environment,
                    stdin=quiet,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        return module

    def play(self, file: Path, name: str) -> None:
        """Play a sound file to the room of a microphone and wait for its end."""
        subprocess.run(["paplay", f"--device={name}", file], env=self._environment, check=True)

    def start_playing(self, file: Path, name: str) -> "subprocess.Popen[bytes]":
        """Begin to play a sound file to the room of a microphone."""
        playing = subprocess.Popen(["paplay", f"--device={name}", file], env=self._environment)
        self._players.append(playing)
        return playing

    def _pactl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *words],
            env=self._environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=20,
        )


class PipeMicrophone:
    """A microphone that gives exactly the samples written to it, on the clock."""

    def __init__(self, module: int, descriptor: int, rate_hz: int) -> None:
        self.module = module
        self.rate_hz = rate_hz
        self._descriptor = descriptor

    def speak(self, samples: npt.NDArray[np.int16], enough: threading.Event | None = None) -> None:
        """Write samples in pieces of 20 ms, in real time, until `enough` is set."""
        enough = enough or threading.Event()
        piece = self.rate_hz // 50
        start = time.monotonic()
        for number, at in enumerate(range(0, len(samples), piece)):
            raw = samples[at : at + piece].tobytes()
            while raw and not enough.is_set():
                try:
                    raw = raw[os.write(self._descriptor, raw) :]
                except BlockingIOError:  # nobody listens any more
                    enough.wait(0.005)
            enough.wait(max(start + (number + 1) * 0.02 - time.monotonic(), 0))


@contextlib.contextmanager
def pulse_server(folder: Path) -> Iterator[PulseServer]:
    """Run a daemon and lead this process's ALSA to it."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise RuntimeError(f"these tests need PulseAudio; missing: {', '.join(missing)}")
    folder.mkdir(mode=0o700, exist_ok=True)
    server = PulseServer(folder)
    before = os.environ.get("PULSE_SERVER")
    os.environ["PULSE_SERVER"] = server.address
    try:
        server.start()
        yield server
    finally:
        server.close()
        if before is None:
            os.environ.pop("PULSE_SERVER", None)
        else:
            os.environ["PULSE_SERVER"] = before
