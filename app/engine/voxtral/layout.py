"""The names of Voxtral's weights, from every layout in the wild to ours.

Ours: `audio_tower.*`, `multi_modal_projector.linear_{1,2}`, `language_model.*`; in every layer
`attention_norm`, `self_attn.{q,k,v,o}_proj`, `ffn_norm`, `mlp.*`. Only names change here; the order
of rotary rows is a property of the layout (`Shape.is_interleaved`), so packed weights stay intact.
Sources: Hugging Face transformers, Mistral's consolidated files, mlx-audio, voxmlx, mlx-voxtral.
"""

import re

_PLACES = [
    # Hugging Face, transformers 4 and 5, and MLX conversions of it
    (r"^model\.(?=audio_tower|multi_modal_projector|language_model|lm_head)", ""),
    (r"^audio_tower\.embedder\.", "audio_tower."),
    (r"^audio_tower\.layer_norm\.", "audio_tower.norm."),
    (r"^audio_tower\.embed_positions\.weight$", "audio_tower.positions"),
    (r"^language_model\.model\.", "language_model."),
    (r"^(language_model\.)?lm_head\.", "language_model.lm_head."),
    # Mistral's own
    (r"^(mm_whisper_embeddings|mm_streams_embeddings\.embedding_module)\.", ""),
    (r"^whisper_encoder\.conv_layers\.0(\.conv)?\.", "audio_tower.conv1."),
    (r"^whisper_encoder\.conv_layers\.1(\.conv)?\.", "audio_tower.conv2."),
    (r"^whisper_encoder\.transformer\.", "audio_tower."),
    (r"^audio_language_projection\.0\.", "multi_modal_projector.linear_1."),
    (r"^audio_language_projection\.2\.", "multi_modal_projector.linear_2."),
    (r"^(tok_embeddings\.|layers\.|norm\.)", r"language_model.\1"),
    (r"^output\.", "language_model.lm_head."),
    # mlx-audio and voxmlx
    (r"^encoder\.conv_layers_0_conv\.conv\.", "audio_tower.conv1."),
    (r"^encoder\.conv_layers_1_conv\.conv\.", "audio_tower.conv2."),
    (r"^encoder\.transformer_", "audio_tower."),
    (r"^encoder\.audio_language_projection_0\.", "multi_modal_projector.linear_1."),
    (r"^encoder\.audio_language_projection_2\.", "multi_modal_projector.linear_2."),
    (r"^adapter\.w_in\.", "multi_modal_projector.linear_1."),
    (r"^adapter\.w_out\.", "multi_modal_projector.linear_2."),
    (r"^encoder\.", "audio_tower."),
    (r"^decoder\.", "language_model."),
    (r"^(audio_tower\.conv[12]\.)conv\.", r"\1"),
    (r"^language_model\.tok_embeddings\.", "language_model.embed_tokens."),
]
_PARTS = [
    (r"\.(self_attn_layer_norm|input_layernorm|attn_norm)\.", ".attention_norm."),
    (r"\.(final_layer_norm|post_attention_layernorm)\.", ".ffn_norm."),
    (r"\.attention\.w([qkvo])\.", r".self_attn.\1_proj."),
    (r"\.attention\.([qkvo])_proj\.", r".self_attn.\1_proj."),
    (r"\.self_attn\.out_proj\.", ".self_attn.o_proj."),
    (r"\.(fc[12])\.", r".mlp.\1."),
    (r"\.ada_rms_norm_t_cond\.(0|ada_down)\.", ".delay_norm.linear1."),
    (r"\.ada_rms_norm_t_cond\.(2|ada_up)\.", ".delay_norm.linear2."),
    (r"\.ada_norm\.linear_in\.", ".delay_norm.linear1."),
    (r"\.ada_norm\.linear_out\.", ".delay_norm.linear2."),
    (r"\.ada_rms_norm\.(linear[12])\.", r".delay_norm.\1."),
]
_GATED = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}
_PLAIN = {"w1": "fc1", "w2": "fc2"}
_FEED_FORWARD = re.compile(r"\.feed_forward[._](w[123])\.")


def our_name(name: str, is_realtime: bool) -> str:
    """Return our name of the array a file calls `name`; an unknown name comes back as it is."""
    for pattern, replacement in _PLACES:
        name = re.sub(pattern, replacement, name)
    for pattern, replacement in _PARTS:
        name = re.sub(pattern, replacement, name)
    is_plain = name.startswith("audio_tower.") and not is_realtime
    names = _PLAIN if is_plain else _GATED
    return _FEED_FORWARD.sub(lambda match: f".mlp.{names.get(match[1], match[1])}.", name)
