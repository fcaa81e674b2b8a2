"""Which attention heads follow the sound, for the published models whose files do not say so.

Found by hand by the model's authors; a model that is none of these uses the upper half of its
layers.
Source: openai-whisper `__init__.py` (MIT), decoded.
"""

from app.engine.whisper.config import Dimensions

Heads = tuple[tuple[int, int], ...]

# (layers, heads, mel bands, multilingual) of the decoder
_KNOWN: dict[tuple[int, int, int, bool], Heads] = {
    (4, 6, 80, False): ((1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)),
    (4, 6, 80, True): ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)),
    (6, 8, 80, False): ((3, 3), (4, 7), (5, 1), (5, 5), (5, 7)),
    (6, 8, 80, True): ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)),
    (12, 12, 80, False): (
        *((6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8)),
        *((9, 10), (10, 0), (10, 1), (10, 2), (10, 3), (10, 6), (10, 11), (11, 2), (11, 4)),
    ),
    (12, 12, 80, True): (
        *((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)),
    ),
    (24, 16, 80, False): (
        *((11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12)),
        *((17, 14), (18, 7), (18, 10), (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12)),
    ),
    (24, 16, 80, True): ((13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)),
    # large-v2; large-v1 has the same shape, other heads, and is no longer used
    (32, 20, 80, True): (
        *((10, 12), (13, 17), (16, 11), (16, 12), (16, 13), (17, 15), (17, 16), (18, 4)),
        *((18, 11), (18, 19), (19, 11), (21, 2), (21, 3), (22, 3), (22, 9), (22, 12), (23, 5)),
        *((23, 7), (23, 13), (25, 5), (26, 1), (26, 12), (27, 15)),
    ),
    # large-v3
    (32, 20, 128, True): (
        *((7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1)),
        (25, 6),
    ),
    # large-v3-turbo
    (4, 20, 128, True): ((2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)),
}


def alignment_heads(dimensions: Dimensions) -> Heads:
    """Return the (layer, head) pairs to align words with."""
    layers, heads = dimensions.n_text_layer, dimensions.n_text_head
    known = _KNOWN.get((layers, heads, dimensions.n_mels, dimensions.is_multilingual))
    # nano-like models share a published shape only by accident: width tells them apart.
    if known and dimensions.n_text_state == 64 * heads:
        return known
    return tuple((layer, head) for layer in range(layers // 2, layers) for head in range(heads))
