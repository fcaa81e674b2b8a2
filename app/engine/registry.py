"""Which recognizer runs which model family, and within what memory.

A family's code, and MLX with it, is imported only when a model of it is loaded, on the engine
thread.
"""

from collections.abc import Callable, Generator

from app.core.errors import EngineFailed, mark
from app.core.model import Family, Model
from app.engine.base import Recognizer

_MOST_CACHE_BYTES = 1_000_000_000
_CACHE_SHARE = 0.05  # of the budget; lengths that vary fill MLX's buffer cache without end

Delay = Callable[[], int | None]


def _recommended() -> int | None:
    return None


def load(model: Model, delay_ms: Delay = _recommended) -> Generator[None, None, Recognizer]:
    """Load `model` step by step; the generator returns its recognizer.

    Args:
        model: what to load.
        delay_ms: how far a realtime model's text follows its sound, asked again for each stream;
            `None` is what the model recommends.

    Thread: engine.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is not what it should be.
        EngineFailed: this build has no recognizer for the model.
    """
    if model.family is Family.WHISPER:
        from app.engine.whisper.recognizer import WhisperRecognizer

        return (yield from WhisperRecognizer.load(model))
    if model.family is Family.VOXTRAL:
        from app.engine.voxtral.recognizer import VoxtralRecognizer

        return (yield from VoxtralRecognizer.load(model))
    if model.family is Family.VOXTRAL_REALTIME:
        from app.engine.voxtral.realtime_recognizer import VoxtralRealtimeRecognizer

        recognizer = yield from VoxtralRealtimeRecognizer.load(model, delay_ms())
        recognizer.follow_delay(delay_ms)
        return recognizer
    raise EngineFailed(
        mark("This version of Undertone cannot run “{title}”."),
        mark("Choose another model."),
        title=model.title,
    )


def limit_memory(budget_bytes: int) -> None:
    """Let MLX have no more than `budget_bytes`, and keep few buffers. Thread: engine.

    Beyond it an allocation raises, which a job survives, instead of the system ending the app.
    """
    import mlx.core as mx

    mx.set_memory_limit(budget_bytes)
    mx.set_cache_limit(min(_MOST_CACHE_BYTES, int(budget_bytes * _CACHE_SHARE)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is what MLX raises when there is no memory left.

    Source: MLX 0.32 `allocator.cpp` (“[malloc] Unable to allocate”, “[metal::malloc] …”) and
    `metal/device.cpp` (“Insufficient Memory”, “OutOfMemory”).
    """
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    text = str(error).lower()
    signs = ("unable to allocate", "insufficient memory", "outofmemory", "out of memory")
    return any(sign in text for sign in signs) or "malloc]" in text
