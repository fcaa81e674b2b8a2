"""Keys and values of the past, with their rotary positions; flat in memory when there is a window.

`offset` is the position of what comes next. Space is taken in blocks of fixed size, so that the
device sees few different sizes. A stream without end would let positions grow until the angles lose
their precision; `move_to` turns everything remembered back, which changes nothing because only
differences of positions count.
"""

import mlx.core as mx

_BLOCK = 256  # positions


class KeyValues:
    """The cache of one attention layer.

    Args:
        head_width: numbers a head has.
        rope_base: the rotary base.
        is_interleaved: whether rotation pairs neighbours or halves.
        window: how many positions are seen, the current one included; `None` for all.
    """

    def __init__(
        self, head_width: int, rope_base: float, is_interleaved: bool, window: int | None
    ) -> None:
        self.offset = 0
        self._head_width = head_width
        self._rope_base = rope_base
        self._is_interleaved = is_interleaved
        self._window = window
        self._keys: mx.array | None = None
        self._values: mx.array | None = None
        self._start = 0  # of what can still be seen, in the buffers
        self._end = 0

    @property
    def arrays(self) -> list[mx.array]:
        """What must be evaluated before a step ends."""
        if self._keys is None or self._values is None:
            return []
        return [self._keys, self._values]

    @property
    def remembered(self) -> int:
        """How many positions are held."""
        return self._end - self._start

    def rotated(self, x: mx.array, by: int | None = None) -> mx.array:
        """Return `x` (rows, heads, length, head width) turned to the positions that come next."""
        return mx.fast.rope(
            x,
            self._head_width,
            traditional=self._is_interleaved,
            base=self._rope_base,
            scale=1.0,
            offset=self.offset if by is None else by,
        )

    def append(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Remember new positions; return all that the first of them can see, and themselves."""
        length = keys.shape[2]
        if self._window is not None:
            self._start = max(self._start, self._end - (self._window - 1))
        self._make_room(keys, values, length)
        assert self._keys is not None
        assert self._values is not None
        self._keys[..., self._end : self._end + length, :] = keys
        self._values[..., self._end : self._end + length, :] = values
        self._end += length
        self.offset += length
        seen = slice(self._start, self._end)
        return self._keys[..., seen, :], self._values[..., seen, :]

    def mask(self, length: int) -> mx.array | str | None:
        """Return what the last `length` positions may see of what `append` returned."""
        if length == 1:
            return None
        live = self._end - self._start
        if self._window is None or live <= self._window:
            return "causal"
        query = mx.arange(live - length, live)[:, None]
        key = mx.arange(live)[None, :]
        return (key <= query) & (key > query - self._window)

    def keep(self, rows: mx.array) -> None:
        """Forget all rows but these."""
        if self._keys is not None and self._values is not None:
            self._keys, self._values = self._keys[rows], self._values[rows]

    def move_to(self, offset: int) -> None:
        """Count positions so that the next one is `offset`."""
        if self._keys is not None:
            live = self._keys[..., self._start : self._end, :]
            # One position a row: every key turns by the same angle.
            flat = live.reshape(-1, 1, 1, self._head_width)
            turned = self.rotated(flat, offset - self.offset).reshape(live.shape)
            self._keys[..., self._start : self._end, :] = turned
        self.offset = offset

    def _make_room(self, keys: mx.array, values: mx.array, length: int) -> None:
        capacity = 0 if self._keys is None else self._keys.shape[2]
        if self._end + length <= capacity:
            return
        live = self._end - self._start
        if self._window is None:
            wanted = live + length
        else:
            # With a block to spare, the window moves once in a block.
            wanted = min(live, self._window - 1) + max(length, _BLOCK)
        wanted = max(-(-wanted // _BLOCK) * _BLOCK, capacity if live + length <= capacity else 0)
        self._keys = self._moved(self._keys, keys, live, wanted)
        self._values = self._moved(self._values, values, live, wanted)
        self._start, self._end = 0, live

    def _moved(self, old: mx.array | None, new: mx.array, live: int, wanted: int) -> mx.array:
        rows, heads, _, width = new.shape
        rest = mx.zeros((rows, heads, wanted - live, width), new.dtype)
        if old is None or not live:
            return rest
        return mx.concatenate([old[..., self._start : self._end, :], rest], axis=2)
