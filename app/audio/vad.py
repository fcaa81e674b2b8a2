"""Where somebody speaks: Silero VAD in NumPy, and the rules that make regions of its probabilities.

Both halves are streams: fed with any chunks they give what one large chunk gives (the network up to
rounding, the rules exactly). They only choose what is decoded; the sound itself is kept elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.config.paths import resources
from app.core.packing import SAMPLE_RATE, Audio, Region

FRAME_SAMPLES = 512  # 32 ms, what one probability covers
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
_CONTEXT_SAMPLES = 64
_FFT_SAMPLES = 256
_BINS = _FFT_SAMPLES // 2 + 1
_HIDDEN = 128
_BATCH_FRAMES = 128  # 4 s at once: the matrices are large enough to be fast, and small

Probabilities = npt.NDArray[np.float32]
Weights = dict[str, npt.NDArray[np.float32]]


def load_weights(file: Path | None = None) -> Weights:
    """Return the network's arrays, by default those that ship with the app."""
    with np.load(file or resources() / "vad" / "silero_v6.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


class Vad:
    """Probability of speech for each 32 ms, one stream of sound; owned by whoever feeds it.

    The matrices are small: on Linux OpenBLAS must run with one thread (`./run` sees to it), or its
    threads wait for each other and all is up to nine times slower.

    Source: Silero VAD 6.2 (MIT), network and weights; the arithmetic is ours.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        w = weights if weights is not None else load_weights()
        self._basis = np.ascontiguousarray(w["basis"][:, 0].T)
        # A convolution as one matrix product: (out, in, 3) to (3 * in, out), taps outermost.
        self._conv0 = _taps(w["conv0_weight"], 0, 3)
        self._conv1 = _taps(w["conv1_weight"], 0, 3)
        # The last two see a single column, whose neighbours are padding: those taps meet zeros.
        self._conv2 = _taps(w["conv2_weight"], 1, 3)
        self._conv3 = _taps(w["conv3_weight"], 1, 2)
        self._biases = [w[f"conv{n}_bias"] for n in range(4)]
        # Gates i, f, g, o become i, f, o, g; sigmoid(x) = (1 + tanh(x / 2)) / 2, so with the
        # first three halved here one tanh does all four.
        i, f, g, o = np.arange(4 * _HIDDEN).reshape(4, _HIDDEN)
        order = np.concatenate((i, f, o, g))
        half = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), _HIDDEN)
        self._input = np.ascontiguousarray((w["lstm_weight_ih"][order] * half[:, None]).T)
        self._recurrent = np.ascontiguousarray((w["lstm_weight_hh"][order] * half[:, None]).T)
        self._gate_bias = (w["lstm_bias_ih"] + w["lstm_bias_hh"])[order] * half
        self._out = np.ascontiguousarray(w["out_weight"][0, :, 0])
        self._out_bias = float(w["out_bias"][0])
        self.reset()

    def reset(self) -> None:
        """Forget all sound: the next one begins a new recording."""
        self._context: Audio = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._rest: Audio = np.zeros(0, np.float32)
        self._hidden = np.zeros(_HIDDEN, np.float32)
        self._cell = np.zeros(_HIDDEN, np.float32)

    def feed(self, audio: Audio) -> Probabilities:
        """Take in the next sound and return the probabilities of the frames it completes.

        Args:
            audio: (n_samples,) float32 in [-1, 1], 16 kHz mono.

        Returns:
            (n_frames,) float32 in [0, 1].
        """
        sound = np.concatenate((self._rest, audio)) if len(self._rest) else audio
        n_frames = len(sound) // FRAME_SAMPLES
        self._rest = sound[n_frames * FRAME_SAMPLES :].copy()
        found = []
        for first in range(0, n_frames, _BATCH_FRAMES):
            last = min(n_frames, first + _BATCH_FRAMES)
            found.append(self._batch(sound[first * FRAME_SAMPLES : last * FRAME_SAMPLES]))
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def flush(self) -> Probabilities:
        """Return the probability of the last, incomplete frame, if there is one."""
        if not len(self._rest):
            return np.zeros(0, np.float32)
        return self.feed(np.zeros(FRAME_SAMPLES - len(self._rest), np.float32))

    def _batch(self, sound: Audio) -> Probabilities:
        gates = self._encode(sound)
        hidden, cell, recurrent = self._hidden, self._cell, self._recurrent
        states = np.empty((len(gates), _HIDDEN), np.float32)
        recalled = np.empty(4 * _HIDDEN, np.float32)
        for n, gate in enumerate(gates):
            gate += np.dot(hidden, recurrent, out=recalled)
            np.tanh(gate, out=gate)
            open_, new = gate[: 3 * _HIDDEN], gate[3 * _HIDDEN :]
            open_ += 1.0
            open_ *= 0.5
            new *= gate[:_HIDDEN]
            cell = gate[_HIDDEN : 2 * _HIDDEN] * cell
            cell += new
            hidden = states[n]
            np.tanh(cell, out=hidden)
            hidden *= gate[2 * _HIDDEN : 3 * _HIDDEN]
        hidden = hidden.copy()
        self._hidden, self._cell = hidden, cell
        np.maximum(states, 0.0, out=states)
        score = states @ self._out + self._out_bias
        probabilities: Probabilities = (0.5 * (1.0 + np.tanh(0.5 * score))).astype(np.float32)
        return probabilities

    def _encode(self, sound: Audio) -> npt.NDArray[np.float32]:
        """Return what the frames themselves add to the LSTM's gates, (n_frames, 512)."""
        n_frames = len(sound) // FRAME_SAMPLES
        padded = np.empty((n_frames, _CONTEXT_SAMPLES + FRAME_SAMPLES + 64), np.float32)
        frames = padded[:, _CONTEXT_SAMPLES:-64]
        frames[:] = sound.reshape(n_frames, FRAME_SAMPLES)
        padded[0, :_CONTEXT_SAMPLES] = self._context
        padded[1:, :_CONTEXT_SAMPLES] = frames[:-1, -_CONTEXT_SAMPLES:]
        padded[:, -64:] = padded[:, -66:-130:-1]  # mirrored at the last sample
        self._context = frames[-1, -_CONTEXT_SAMPLES:].copy()

        spectrum = _strided(padded, 4, 128, _FFT_SAMPLES) @ self._basis
        columns = np.zeros((n_frames, 6, _BINS), np.float32)
        spectrum *= spectrum
        power = spectrum[:, :_BINS] + spectrum[:, _BINS:]
        columns[:, 1:5] = np.sqrt(power, out=power).reshape(n_frames, 4, _BINS)

        wide = np.zeros((n_frames, 6, 128), np.float32)
        convolved = _strided(columns, 4, _BINS, 3 * _BINS) @ self._conv0
        wide[:, 1:5] = _relu(convolved, self._biases[0]).reshape(n_frames, 4, 128)
        x = _relu(_strided(wide, 2, 2 * 128, 3 * 128) @ self._conv1, self._biases[1])
        x = _relu(x.reshape(n_frames, 128) @ self._conv2, self._biases[2])
        x = _relu(x @ self._conv3, self._biases[3])
        gates: npt.NDArray[np.float32] = x @ self._input
        gates += self._gate_bias
        return gates


def _taps(weight: npt.NDArray[np.float32], first: int, last: int) -> npt.NDArray[np.float32]:
    n_out = len(weight)
    return np.ascontiguousarray(weight[:, :, first:last].transpose(2, 1, 0).reshape(-1, n_out))


def _strided(
    rows: npt.NDArray[np.float32], count: int, step: int, length: int
) -> npt.NDArray[np.float32]:
    """Return `count` overlapping pieces of every row as (n_rows * count, length).

    `numpy.lib.stride_tricks` does the same, slower than a whole frame takes otherwise.
    """
    row_bytes = rows.strides[0]
    shape, strides = (len(rows), count, length), (row_bytes, step * 4, 4)
    view = np.ndarray(shape, np.float32, rows, strides=strides)
    return view.reshape(-1, length)


def _relu(x: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    x += bias
    return np.maximum(x, 0.0, out=x)


@dataclass(frozen=True, slots=True)
class Endpointing:
    """The rules for regions; the defaults are for files.

    Attributes:
        on: from this probability on it is speech.
        off: below this it is silence; between the two, what it was before.
        start_frames: so many frames in a row begin a region.
        end_s: so much silence ends it; shorter pauses stay inside.
        least_s: shorter regions are clicks and are dropped.
        pad_start_s: so much is added before, for soft beginnings.
        pad_end_s: and so much after.
    """

    on: float = 0.5
    off: float = 0.35
    start_frames: int = 2
    end_s: float = 0.3
    least_s: float = 0.2
    pad_start_s: float = 0.12
    pad_end_s: float = 0.12

    def __post_init__(self) -> None:
        if self.pad_start_s + self.pad_end_s > self.end_s:
            raise ValueError("padded regions would overlap")


FILE_ENDPOINTING = Endpointing()
DICTATION_ENDPOINTING = Endpointing(end_s=0.6, pad_start_s=0.3)


class SpeechDetector:
    """Probabilities in, closed regions out; owned by whoever feeds it.

    A region is given out when nothing that may still come could change it.
    """

    def __init__(self, rules: Endpointing = FILE_ENDPOINTING) -> None:
        self._rules = rules
        self._end_frames = _frames_up(rules.end_s)
        self._least_frames = _frames_up(rules.least_s)
        self._n_frames = 0
        self._n_loud = 0  # frames in a row that may begin a region
        self._start: int | None = None  # of the open region, in frames
        self._silence: int | None = None  # where the open region may have ended

    def feed(self, probabilities: Iterable[float]) -> list[Region]:
        """Take in the next probabilities and return the regions they close."""
        closed = []
        for probability in probabilities:
            self._n_frames += 1
            if self._start is None:
                self._wait(probability)
            else:
                region = self._follow(probability)
                if region is not None:
                    closed.append(region)
        return closed

    def flush(self, end_s: float | None = None) -> list[Region]:
        """Close what is open at the end of the sound, which is at `end_s`."""
        if self._start is None:
            return []
        end = self._n_frames if self._silence is None else self._silence
        region = self._region(self._start, end)
        self._start = self._silence = None
        if region is None:
            return []
        if end_s is not None:
            region = Region(region.start_s, min(region.end_s, end_s))
        return [region] if region.duration_s > 0 else []

    @property
    def is_speaking(self) -> bool:
        """Whether a region is open and was not interrupted by silence."""
        return self._start is not None and self._silence is None

    @property
    def open_region(self) -> Region | None:
        """The region that is open and certain to come; it ends here or later."""
        if self._start is None:
            return None
        end = self._n_frames if self._silence is None else self._silence
        return self._region(self._start, end)

    @property
    def open_from_s(self) -> float:
        """No region that is still to come begins before this."""
        first = self._n_frames - self._n_loud if self._start is None else self._start
        return self._padded_start_s(first)

    def _wait(self, probability: float) -> None:
        self._n_loud = self._n_loud + 1 if probability >= self._rules.on else 0
        if self._n_loud >= self._rules.start_frames:
            self._start = self._n_frames - self._n_loud
            self._n_loud = 0

    def _follow(self, probability: float) -> Region | None:
        if probability >= self._rules.on:
            self._silence = None
        elif probability < self._rules.off and self._silence is None:
            self._silence = self._n_frames - 1
        if self._silence is None or self._n_frames - self._silence < self._end_frames:
            return None
        assert self._start is not None
        region = self._region(self._start, self._silence)
        self._start = self._silence = None
        return region

    def _region(self, start: int, end: int) -> Region | None:
        if end - start < self._least_frames:
            return None
        end_samples = end * FRAME_SAMPLES + round(self._rules.pad_end_s * SAMPLE_RATE)
        return Region(self._padded_start_s(start), end_samples / SAMPLE_RATE)

    def _padded_start_s(self, start: int) -> float:
        # Whole samples first: the same quotient comes out wherever this place is computed again.
        pad_samples = round(self._rules.pad_start_s * SAMPLE_RATE)
        return max(0, start * FRAME_SAMPLES - pad_samples) / SAMPLE_RATE


def _frames_up(seconds: float) -> int:
    return -int(-seconds * SAMPLE_RATE // FRAME_SAMPLES)
