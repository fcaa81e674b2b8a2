"""Mistral's Tekken tokenizer over `tekken.json`: text to tokens and back, by tiktoken.

Tokens below `special_count` are marks and never text; the rest are the vocabulary's byte strings,
shifted by that count. Equal to mistral-common on the strings tested in `tests/parity`.
"""

import base64
import binascii
from itertools import groupby
from pathlib import Path
from typing import Any

import tiktoken

from app.engine.files import damaged, read_json

_LARGEST_BYTES = 100_000_000
_BYTES = 256  # the first tokens are the single bytes


class Tekken:
    """The vocabulary of one model; immutable.

    Args:
        folder: where `tekken.json` lies.

    Raises:
        ModelMissing: there is none.
        ModelDamaged: it is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        raw = read_json(folder / "tekken.json", _LARGEST_BYTES)
        try:
            config = raw["config"]
            self.special_count = int(config["default_num_special_tokens"])
            self.size = int(config["default_vocab_size"])
            self._marks = {str(t["token_str"]): int(t["rank"]) for t in raw["special_tokens"]}
            self._pieces = self._read_pieces(raw["vocab"])
            pattern = str(config["pattern"])
            self._encoding = tiktoken.Encoding(
                "tekken",
                pat_str=pattern,
                mergeable_ranks={piece: rank for rank, piece in enumerate(self._pieces)},
                special_tokens={},
            )
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
            raise damaged(folder) from None
        audio = raw.get("audio")
        self.audio: dict[str, Any] = audio if isinstance(audio, dict) else {}

    def _read_pieces(self, vocabulary: list[dict[str, Any]]) -> list[bytes]:
        count = self.size - self.special_count
        pieces = [base64.b64decode(t["token_bytes"], validate=True) for t in vocabulary[:count]]
        if len(pieces) != count or len(set(pieces)) != count or count < _BYTES:
            raise ValueError("a vocabulary of another size")
        if any(pieces[byte] != bytes([byte]) for byte in range(_BYTES)):
            raise ValueError("a vocabulary without bytes")
        return pieces

    def mark(self, name: str, otherwise: int) -> int:
        """Return the token of the mark `name`, or `otherwise` when the file does not name it."""
        return self._marks.get(name, otherwise)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of `text`; marks written in it are plain text."""
        tokens = self._encoding.encode(text, disallowed_special=())
        return [token + self.special_count for token in tokens]

    def decode(self, tokens: list[int]) -> str:
        """Return the text of `tokens`, without marks."""
        return "".join(
            self._encoding.decode([token - self.special_count for token in run])
            for is_text, run in groupby(tokens, self.is_text)
            if is_text
        )

    def is_text(self, token: int) -> bool:
        """Whether `token` is text and no mark."""
        return self.special_count <= token < self.size

    def piece(self, token: int) -> bytes:
        """Return the bytes of `token`; a mark has none."""
        return self._pieces[token - self.special_count] if self.is_text(token) else b""
