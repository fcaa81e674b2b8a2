"""Which recognizer runs which model family.

A family's code, and MLX with it, is imported only when a model of it is loaded, on the engine
thread.
"""

from collections.abc import Generator

from app.core.errors import EngineFailed, mark
from app.core.model import Family, Model
from app.engine.base import Recognizer


def load(model: Model) -> Generator[None, None, Recognizer]:
    """Load `model` step by step; the generator returns its recognizer.

    Thread: engine.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is not what it should be.
        EngineFailed: this build has no recognizer for the model.
    """
    if model.family is Family.WHISPER:
        from app.engine.whisper.recognizer import WhisperRecognizer

        return (yield from WhisperRecognizer.load(model))
    raise EngineFailed(
        mark("This version of Undertone cannot run “{title}”."),
        mark("Choose another model."),
        title=model.title,
    )
