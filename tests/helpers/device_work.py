"""Work for the device, in the shape of decoding; needs MLX and no model."""

from app.core.events import SegmentsFinal
from app.engine.loop import Steps


def multiply(job_id: str, steps: int) -> Steps:
    """A job with the shape of decoding: each step keeps the device busy, then tells a fact."""
    import mlx.core as mx

    matrix = mx.random.uniform(shape=(384, 384))
    for number in range(steps):
        for _ in range(4):
            matrix = matrix @ matrix / mx.max(matrix)
        mx.eval(matrix)
        yield SegmentsFinal(job_id, (), float(number))
