"""The names of Hugging Face's Whisper weights, turned into those of mlx-whisper's files.

What has no counterpart keeps its name, and the shape check lets it go.
"""

import mlx.core as mx

_STARTS = (("model.", ""), ("proj_out.", "decoder.token_embedding."))
_PARTS = (
    ("layers.", "blocks."),
    (".self_attn_layer_norm.", ".attn_ln."),
    (".encoder_attn_layer_norm.", ".cross_attn_ln."),
    (".final_layer_norm.", ".mlp_ln."),
    (".self_attn.", ".attn."),
    (".encoder_attn.", ".cross_attn."),
    (".q_proj.", ".query."),
    (".k_proj.", ".key."),
    (".v_proj.", ".value."),
    (".out_proj.", ".out."),
    (".fc1.", ".mlp1."),
    (".fc2.", ".mlp2."),
    ("decoder.embed_tokens.", "decoder.token_embedding."),
    ("decoder.embed_positions.weight", "decoder.positional_embedding"),
    ("encoder.embed_positions.weight", "encoder.positional_embedding"),
    ("decoder.layer_norm.", "decoder.ln."),
    ("encoder.layer_norm.", "encoder.ln_post."),
)


def from_hugging_face(arrays: dict[str, mx.array]) -> dict[str, mx.array]:
    """Return `arrays` under mlx-whisper's names, convolutions turned to (out, kernel, in)."""
    renamed: dict[str, mx.array] = {}
    for name in sorted(arrays):  # "model…" before "proj_out…": a tied head never wins
        new = _renamed(name)
        array = arrays[name]
        is_torch = ".layers." in name or ".embed_tokens." in name
        if new.startswith(("encoder.conv1.weight", "encoder.conv2.weight")) and array.ndim == 3:
            array = _convolution(array)
        if is_torch or new not in renamed:
            renamed[new] = array
    return renamed


def _renamed(name: str) -> str:
    for start, replacement in _STARTS:
        if name.startswith(start):
            name = replacement + name.removeprefix(start)
    for part, replacement in _PARTS:
        name = name.replace(part, replacement)
    return name


def _convolution(array: mx.array) -> mx.array:
    # Both layouts are in the wild; the kernel is 3 wide, the channels are many more.
    return array.swapaxes(1, 2) if array.shape[2] == 3 and array.shape[1] != 3 else array
