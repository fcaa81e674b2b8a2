"""The few operations for which MLX has no quick form on a CPU.

On the GPU these are MLX's own. On a CPU its exp and erf take one number at a time and its long sums
lose digits, so the encoder's attention and activation run in NumPy, block by block in the cache,
and sums over the vocabulary use a polynomial. Both agree with MLX's to float32 rounding.
"""

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import numpy.typing as npt

_ATTENTION_ROWS = 250  # times 1500 columns: a block fits the cache of one core
_GELU_BLOCK = 1 << 15
_LOG2_E = 1.4426950408889634
# Taylor series of 2**x on [-0.5, 0.5], from the constant up.
_POWER_OF_TWO = (
    1.0,
    0.6931471805599453,
    0.2402265069591007,
    0.05550410866482158,
    0.009618129107628477,
    0.0013333558146428443,
    0.00015403530393381608,
)
# Source: Abramowitz and Stegun, 7.1.26; error below 1.5e-7.
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_SLOPE = 0.3275911

Matrix = npt.NDArray[np.float32]


def is_cpu() -> bool:
    """Whether arrays are made on the CPU; the app decides once, before a model is loaded."""
    return mx.default_device() == mx.Device(mx.cpu)


def attention(query: mx.array, keys: mx.array, values: mx.array) -> mx.array:
    """Return unmasked attention; (1, heads, length, state of a head) each."""
    scale = query.shape[-1] ** -0.5
    if not is_cpu() or query.dtype != mx.float32:
        return mx.fast.scaled_dot_product_attention(query, keys, values, scale=scale)
    query, keys = mx.contiguous(query * scale), mx.contiguous(keys.swapaxes(-1, -2))
    values = mx.contiguous(values)
    mx.eval(query, keys, values)
    mixed = _attend(_view(query)[0], _view(keys)[0], _view(values)[0])
    return mx.array(mixed)[None]


def gelu(x: mx.array) -> mx.array:
    """Return the exact Gaussian error linear unit."""
    if not is_cpu() or x.dtype != mx.float32 or x.size < _GELU_BLOCK:
        result: mx.array = nn.gelu(x)
        return result
    mx.eval(x)
    source = _view(x).reshape(-1)
    out = np.empty_like(source)
    for start in range(0, len(source), _GELU_BLOCK):
        end = start + _GELU_BLOCK
        _gelu_block(source[start:end], out[start:end])
    return mx.array(out.reshape(x.shape))


def log_sum_exp(x: mx.array) -> mx.array:
    """Return the logarithm of the sum of exponentials along the last axis, float32."""
    if not is_cpu():
        return mx.logsumexp(x, axis=-1)
    # A row without a single possible token stays at minus infinity, and gives no NaN.
    top = mx.maximum(mx.max(x, axis=-1, keepdims=True), -3e38)
    sums = (_exp(x - top) @ mx.ones((x.shape[-1], 1)))[..., 0]
    return mx.log(sums) + top[..., 0]


def _view(array: mx.array) -> Matrix:
    return np.array(array, copy=False)


def _attend(query: Matrix, keys: Matrix, values: Matrix) -> Matrix:
    heads, length, _ = query.shape
    out = np.empty_like(query)
    block = np.empty((min(_ATTENTION_ROWS, length), keys.shape[-1]), np.float32)
    for head in range(heads):
        for start in range(0, length, _ATTENTION_ROWS):
            end = min(length, start + _ATTENTION_ROWS)
            weights = block[: end - start]
            np.matmul(query[head, start:end], keys[head], out=weights)
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            np.matmul(weights, values[head], out=out[head, start:end])
            out[head, start:end] /= weights.sum(axis=-1, keepdims=True)
    return out


def _gelu_block(x: Matrix, out: Matrix) -> None:
    distance = np.abs(x)
    distance *= np.float32(0.5**0.5)
    t = 1.0 / (1.0 + np.float32(_ERF_SLOPE) * distance)
    np.multiply(distance, distance, out=distance)
    np.negative(distance, out=distance)
    np.exp(distance, out=distance)
    tail = t * np.float32(_ERF[4])
    for factor in _ERF[3::-1]:
        tail += np.float32(factor)
        tail *= t
    tail *= distance  # erfc of the distance from zero
    tail *= np.float32(0.5)
    np.multiply(x, np.where(x < 0, tail, np.float32(1.0) - tail), out=out)


def _exp(x: mx.array) -> mx.array:
    """Return e**x for x ≤ 0; what is below -87 is as good as nothing."""
    power = mx.maximum(x * _LOG2_E, -150.0)
    whole = mx.round(power)
    part = power - whole
    result = part * _POWER_OF_TWO[6] + _POWER_OF_TWO[5]
    for factor in _POWER_OF_TWO[4::-1]:
        result = result * part + factor
    exponent = mx.maximum(whole.astype(mx.int32) + 127, 0)
    return result * mx.view(exponent << 23, mx.float32)
