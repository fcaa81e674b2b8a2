"""Hugging Face's Voxtral on the same tiny checkpoints, and the golden arrays made from it.

`python -m tests.parity.voxtral_oracle`, in the parity environment, writes the arrays that the
everyday tests compare with.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mistral_common.protocol.transcription.request import TranscriptionRequest
from mistral_common.tokens.tokenizers.audio import Audio
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from transformers import (
    VoxtralForConditionalGeneration,
    VoxtralRealtimeFeatureExtractor,
    VoxtralRealtimeForConditionalGeneration,
    WhisperFeatureExtractor,
)

from tests.engine.voxtral.golden import (
    FOLDER,
    LONG,
    SHORT,
    SOUNDS,
    STREAM_S,
    STRINGS,
    noise_mel,
)
from tests.helpers.voxtral_checkpoints import speech_like, write_checkpoint, write_tekken

Floats = npt.NDArray[np.float32]
ENDS = [2, 4, 11]


def offline_model(folder: Path) -> VoxtralForConditionalGeneration:
    return VoxtralForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()


def realtime_model(folder: Path) -> VoxtralRealtimeForConditionalGeneration:
    kind = VoxtralRealtimeForConditionalGeneration
    return kind.from_pretrained(folder, dtype=torch.float32).eval()


def window_mel(sound: Floats, n_frames: int) -> Floats:
    """Return (mels, frames) of one window."""
    extract = WhisperFeatureExtractor(feature_size=128, chunk_length=n_frames // 100)
    return extract(sound, sampling_rate=16_000)["input_features"][0]


def stream_mel(sound: Floats) -> Floats:
    """Return (mels, frames) of a whole padded stream."""
    extract = VoxtralRealtimeFeatureExtractor()
    return extract(sound, sampling_rate=16_000)["input_features"][0].numpy()


def padded(sound: Floats, delay: int, left: int = 32) -> Floats:
    """Return what mistral-common makes of a sound for the realtime model."""
    right = -len(sound) % 1280 + (delay + 11) * 1280
    return np.pad(sound, (left * 1280, right))


@torch.no_grad()
def offline_logits(model: Any, mels: Sequence[Floats], prompt: Sequence[int]) -> Floats:
    features = torch.tensor(np.stack(mels))
    return model(input_ids=torch.tensor([list(prompt)]), input_features=features).logits[0].numpy()


@torch.no_grad()
def offline_tokens(model: Any, mel: Floats, prompt: Sequence[int], count: int) -> list[int]:
    ids = torch.tensor([list(prompt)])
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        input_features=torch.tensor(mel[None]),
        max_new_tokens=count,
        do_sample=False,
        eos_token_id=ENDS,
        pad_token_id=11,
    )
    return out[0, ids.shape[1] :].tolist()


@torch.no_grad()
def realtime_logits(model: Any, mel: Floats, tokens: Sequence[int], delay: int) -> Floats:
    ids, features = torch.tensor([list(tokens)]), torch.tensor(mel[None])
    return model(input_ids=ids, input_features=features, num_delay_tokens=delay).logits[0].numpy()


@torch.no_grad()
def realtime_tokens(model: Any, mel: Floats, prompt: Sequence[int], delay: int) -> list[int]:
    """Return what generation writes; it stops before the last slot's token is chosen."""
    ids = torch.tensor([list(prompt)])
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        input_features=torch.tensor(mel[None]),
        num_delay_tokens=delay,
        max_new_tokens=mel.shape[1] // 8 - len(prompt),
        do_sample=False,
        eos_token_id=2,
        pad_token_id=11,
    )
    return out[0, ids.shape[1] :].tolist()


def transcription_prompt(folder: Path, seconds: float, language: str | None) -> list[int]:
    """Return mistral-common's prompt for a 2507 model's tokenizer."""
    tokenizer = MistralTokenizer.from_file(str(folder / "tekken.json"))
    sound = Audio(np.zeros(round(seconds * 16_000), np.float32), 16_000, "wav")
    request = TranscriptionRequest(model="voxtral", audio=sound.to_base64("wav"), language=language)
    return tokenizer.encode_transcription(request).tokens


def write_golden() -> None:
    """Write the arrays for the everyday tests."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_offline(write_checkpoint(folder / "offline", SHORT))
        _write_realtime(write_checkpoint(folder / "realtime", LONG))
        write_tekken(folder, is_realtime=False)
        tekken = Tekkenizer.from_file(folder / "tekken.json")
        tokens = {text: tekken.encode(text, bos=False, eos=False) for text in STRINGS}
        prompts = {
            language or "": transcription_prompt(folder, 5, language)
            for language in (None, "en", "de", "hi")
        }
        content = {"tokens": tokens, "prompts": prompts}
        (FOLDER / "tekken.json").write_text(json.dumps(content, ensure_ascii=True))


def _write_offline(folder: Path) -> None:
    model = offline_model(folder)
    prompt = [1, 3, 25, *[24] * (SHORT.positions // 4), 4, 60, 61, 34]
    arrays: dict[str, Any] = {"prompt": np.array(prompt)}
    for seed in SOUNDS:
        mel = window_mel(speech_like(2, seed), 2 * SHORT.positions)
        arrays[f"mel_{seed}"] = mel.T[::20]
        arrays[f"logits_{seed}"] = offline_logits(model, [noise_mel(seed).T], prompt)[-8:]
        arrays[f"tokens_{seed}"] = np.array(offline_tokens(model, mel, prompt, 24))
    np.savez_compressed(FOLDER / "offline.npz", **arrays)


def _write_realtime(folder: Path) -> None:
    model = realtime_model(folder)
    arrays: dict[str, Any] = {}
    for seed, delay in ((0, 6), (1, 3), (2, 30)):
        mel = stream_mel(padded(speech_like(STREAM_S, seed), delay))
        prompt = [1] + [32] * (32 + delay)
        tokens = realtime_tokens(model, mel, prompt, delay)
        logits = realtime_logits(model, mel, [*prompt, *tokens], delay)
        arrays[f"tokens_{seed}"] = np.array([*tokens, int(logits[-1].argmax())])
        arrays[f"logits_{seed}"] = logits[len(prompt) - 1 :: 4]
        arrays[f"mel_{seed}"] = mel.T[::40]
        arrays[f"delay_{seed}"] = np.array(delay)
    np.savez_compressed(FOLDER / "realtime.npz", **arrays)


if __name__ == "__main__":
    write_golden()
