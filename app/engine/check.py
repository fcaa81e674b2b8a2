"""Whether this build's engine works at all: asked of a bundle on the machine it was made on.

Every step belongs to the engine thread, like any job; the answers go into a dictionary of the
caller's, who reads it when the job has ended.
"""

import importlib
import pkgutil
from collections.abc import Iterator, MutableMapping

import numpy as np

import app.engine


def engine_steps(found: MutableMapping[str, str], *, on_cpu: bool) -> Iterator[None]:
    """Import every engine module, multiply, hear and tokenise; each step's result goes to `found`.

    Args:
        found: gets what each check saw.
        on_cpu: do not touch the GPU; hosted build machines have none that works.

    Thread: engine.
    """
    import mlx.core as mx

    if on_cpu:
        mx.set_default_device(mx.cpu)
    yield
    modules = pkgutil.walk_packages(app.engine.__path__, "app.engine.")
    count = sum(importlib.import_module(module.name) is not None for module in modules)
    found["engine_modules"] = str(count)
    yield
    left = mx.full((64, 32), 0.5)
    product = (left @ left.T).sum()
    mx.eval(product)
    if abs(float(product) - 64 * 64 * 32 * 0.25) > 1.0:
        raise ArithmeticError(f"a matrix product is {float(product)}")
    found["matmul"] = f"{mx.default_device()}, mlx {getattr(mx, '__version__', '?')}"
    yield
    from app.engine.whisper.mel import log_mel
    from app.engine.whisper.tokens import Tokens

    tone = np.sin(np.arange(16_000, dtype=np.float32) * np.float32(2 * np.pi * 440 / 16_000))
    picture = log_mel(tone, 80, 100)
    if not np.isfinite(picture).all() or picture.max() <= picture.min():
        raise ArithmeticError("the mel picture of a tone is flat")
    found["mel"] = f"{picture.shape[0]} × {picture.shape[1]}"
    yield
    tokens = Tokens(is_multilingual=True, n_languages=99)
    text = "Grüße from the self-test"
    written = tokens.encode(text)
    if tokens.decode(written) != text:
        raise ArithmeticError("a text does not survive the tokenizer")
    found["tokens"] = str(len(written))
