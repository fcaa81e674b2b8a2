"""Extract the Silero VAD weights that ship in `resources/vad` from the silero-vad wheel.

Run in an environment of its own (the app never needs onnx):

    python -m venv /tmp/vad && /tmp/vad/bin/pip install onnx numpy
    /tmp/vad/bin/pip download --no-deps silero-vad==6.2.3 -d /tmp/vad
    /tmp/vad/bin/python packaging/vad/extract.py /tmp/vad/silero_vad-6.2.3-py3-none-any.whl

The wheel's safetensors file holds an older model; the ONNX file is the one to take.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parents[2]
MODEL = "silero_vad/data/silero_vad_16k_op15.onnx"
NAMES = {
    "model.stft.forward_basis_buffer": "basis",
    "model.encoder.0.reparam_conv.weight": "conv0_weight",
    "model.encoder.0.reparam_conv.bias": "conv0_bias",
    "model.encoder.1.reparam_conv.weight": "conv1_weight",
    "model.encoder.1.reparam_conv.bias": "conv1_bias",
    "model.encoder.2.reparam_conv.weight": "conv2_weight",
    "model.encoder.2.reparam_conv.bias": "conv2_bias",
    "model.encoder.3.reparam_conv.weight": "conv3_weight",
    "model.encoder.3.reparam_conv.bias": "conv3_bias",
    "model.decoder.rnn.weight_ih": "lstm_weight_ih",
    "model.decoder.rnn.weight_hh": "lstm_weight_hh",
    "model.decoder.rnn.bias_ih": "lstm_bias_ih",
    "model.decoder.rnn.bias_hh": "lstm_bias_hh",
    "model.decoder.decoder.2.weight": "out_weight",
    "model.decoder.decoder.2.bias": "out_bias",
}


def main(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        onnx_bytes = archive.read(MODEL)
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
        licence = archive.read(licences[0])
    graph = onnx.load_from_string(onnx_bytes).graph
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {ours: found[theirs].astype(np.float32) for theirs, ours in NAMES.items()}
    folder = ROOT / "resources" / "vad"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "silero_v6.npz", **weights)
    (folder / "LICENSE").write_bytes(licence)
    reference = ROOT / "tests" / "data" / "vad" / "silero_v6.onnx"
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_bytes(onnx_bytes)
    print(f"{sum(array.size for array in weights.values())} numbers from {wheel.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
