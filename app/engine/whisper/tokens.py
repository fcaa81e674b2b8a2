"""Text to tokens and back, and the numbers of Whisper's special tokens.

Vocabulary and word splitting are mlx-whisper's own file, loaded by its path: importing its package
would pull in numba and scipy and cost seconds.
"""

import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_MODULE_NAME = "_undertone_whisper_tokenizer"
_SECONDS_A_TIMESTAMP = 0.02
_SIGNS = '"#()*+/:;<=>@[\\]^_`{|}~「」『』'
_SIGN_PAIRS = "<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪"
_NOTES = "♩♪♫♬♭♮♯"  # several tokens each, of which the first is theirs alone


@cache
def supplier_folder() -> Path:
    """Return the folder of mlx-whisper's files."""
    spec = importlib.util.find_spec("mlx_whisper")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("mlx_whisper")
    return Path(next(iter(spec.submodule_search_locations)))


@cache
def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location(_MODULE_NAME, supplier_folder() / "tokenizer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE_NAME] = module  # dataclasses look their module up while it runs
    spec.loader.exec_module(module)
    return module


class Tokens:
    """The vocabulary of one model; immutable.

    Args:
        is_multilingual: whether the model knows more than English.
        n_languages: how many language tokens it has.
    """

    def __init__(self, is_multilingual: bool, n_languages: int) -> None:
        self.is_multilingual = is_multilingual
        self._supplier: Any = _module().get_tokenizer(is_multilingual, num_languages=n_languages)
        names: dict[str, int] = self._supplier.special_tokens
        self.eot: int = self._supplier.eot
        self.sot = names["<|startoftranscript|>"]
        self.transcribe = names["<|transcribe|>"]
        self.translate = names["<|translate|>"]
        self.sot_lm = names["<|startoflm|>"]
        self.sot_prev = names["<|startofprev|>"]
        self.no_speech = names["<|nospeech|>"]
        self.no_timestamps = names["<|notimestamps|>"]
        self.timestamp_begin = names["<|0.00|>"]
        self.blank: tuple[int, ...] = (*self.encode(" "), self.eot)
        codes = list(_module().LANGUAGES)[:n_languages] if is_multilingual else []
        self.languages: dict[str, int] = {code: names[f"<|{code}|>"] for code in codes}

    def encode(self, text: str) -> list[int]:
        """Return the tokens of plain text; special tokens written out in it stay plain text."""
        tokens: list[int] = self._supplier.encoding.encode_ordinary(text)
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens`, special ones left out."""
        text: str = self._supplier.encoding.decode([t for t in tokens if t < self.eot])
        return text

    def seconds(self, token: int) -> float:
        """Return where in the window a timestamp token points."""
        return (token - self.timestamp_begin) * _SECONDS_A_TIMESTAMP

    def start(
        self, language: str | None, *, translate: bool = False, timestamps: bool = True
    ) -> tuple[int, ...]:
        """Return the tokens every decoding begins with, without a prompt."""
        tokens = [self.sot]
        if self.is_multilingual:
            tokens.append(self.languages[language or "en"])
            tokens.append(self.translate if translate else self.transcribe)
        if not timestamps:
            tokens.append(self.no_timestamps)
        return tuple(tokens)

    def never_written(self) -> tuple[int, ...]:
        """Return the tokens the reference suppresses: non-speech signs and the task's own."""
        own = {self.transcribe, self.translate, self.sot, self.sot_prev, self.sot_lm}
        return tuple(sorted({*self._signs(), *own, self.no_speech}))

    def _signs(self) -> set[int]:
        """Return the tokens that only write what nobody says: notes, brackets, speaker marks.

        Source: openai-whisper `tokenizer.py` (MIT), non_speech_tokens.
        """
        signs = [*_SIGNS, *_SIGN_PAIRS.split()]
        found = {self.encode(" -")[0], self.encode(" '")[0]}  # fine inside a word, not before one
        for sign in [*signs, *_NOTES]:
            for tokens in (self.encode(sign), self.encode(" " + sign)):
                if len(tokens) == 1 or sign in _NOTES:
                    found.add(tokens[0])
        return found

    def split_words(
        self, tokens: list[int], language: str | None
    ) -> tuple[list[str], list[list[int]]]:
        """Return the words of `tokens` and the tokens of each."""
        if language in {"zh", "ja", "th", "lo", "my", "yue"}:
            words, parts = self._supplier.split_tokens_on_unicode(tokens)
        else:
            words, parts = self._supplier.split_tokens_on_spaces(tokens)
        return words, parts
