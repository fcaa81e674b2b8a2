import mlx.core as mx
import numpy as np
import pytest

from app.engine.voxtral.cache import KeyValues


def attended(cache: KeyValues, rng: np.random.Generator, lengths: list[int]) -> list[np.ndarray]:
    out = []
    for length in lengths:
        q, k, v = (mx.array(rng.normal(0, 1, (2, 2, length, 8)).astype(np.float32)) for _ in "qkv")
        q = cache.rotated(q)
        keys, values = cache.append(cache.rotated(k), v)
        mask = cache.mask(length)
        got = mx.fast.scaled_dot_product_attention(q, keys, values, scale=0.3, mask=mask)
        out.append(np.array(got))
    return out


def pieces(total: int, size: int) -> list[int]:
    return [min(size, total - first) for first in range(0, total, size)]


@pytest.mark.parametrize("window", [None, 1, 7, 300])
@pytest.mark.parametrize("is_interleaved", [False, True])
def test_piece_by_piece_is_as_at_once(window: int | None, is_interleaved: bool) -> None:
    rows = np.random.default_rng(0).normal(0, 1, (3, 2, 2, 700, 8)).astype(np.float32)

    def run(lengths: list[int]) -> np.ndarray:
        cache, at, out = KeyValues(8, 1e4, is_interleaved, window), 0, []
        for length in lengths:
            q, k, v = (mx.array(part[:, :, at : at + length]) for part in rows)
            q = cache.rotated(q)
            keys, values = cache.append(cache.rotated(k), v)
            got = mx.fast.scaled_dot_product_attention(
                q, keys, values, scale=0.3, mask=cache.mask(length)
            )
            out.append(np.array(got))
            at += length
        return np.concatenate(out, axis=2)

    whole = run([700])
    for lengths in (pieces(700, 1), pieces(700, 64), [300, 1, 1, 398]):
        assert np.abs(run(lengths) - whole).max() < 1e-4


def test_space_is_bounded_by_the_window() -> None:
    cache = KeyValues(8, 1e4, False, 20)
    attended(cache, np.random.default_rng(1), [1] * 700)
    assert cache.offset == 700
    assert cache.remembered == 20
    assert cache.arrays[0].shape[2] <= 512


def test_rows_can_be_let_go() -> None:
    cache = KeyValues(8, 1e4, False, None)
    attended(cache, np.random.default_rng(2), [5])
    cache.keep(mx.array([1]))
    assert [array.shape[0] for array in cache.arrays] == [1, 1]


def test_an_empty_cache_can_be_moved_and_kept() -> None:
    cache = KeyValues(8, 1e4, False, None)
    cache.keep(mx.array([0]))
    cache.move_to(9)
    assert cache.offset == 9
    assert cache.arrays == []
