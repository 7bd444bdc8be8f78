"""Small random models of the architectures that the trainer is tested with."""

from typing import Any

VOCABULARY = 160
LAYERS = 4

_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "initializer_range": 0.2,
}
_EXPERTS: dict[str, Any] = {
    "num_local_experts": 4,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
}
_LINEAR: dict[str, Any] = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"] * (LAYERS // 2),
}
_MAMBA2: dict[str, Any] = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_ssm": 64, "mamba_d_state": 8}
_GPT: dict[str, Any] = {"n_embd": 32, "n_layer": LAYERS, "n_head": 4, "n_inner": 64, "n_positions": 512}

PACKABLE = (
    *("llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "mixtral", "gemma", "gemma2", "gemma3_text", "phi"),
    *("phi3", "olmo2", "cohere", "glm", "granite", "smollm3", "starcoder2", "stablelm", "gpt_neox", "gpt2"),
    *("gptj", "deepseek_v3"),
)
"""Model types that keep packed sequences apart. The others of `SETTINGS` are refused with `packed: true`."""

SETTINGS: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": 8},
    "qwen2": {},
    "qwen3": {},
    "qwen3_moe": _EXPERTS,
    "mixtral": _EXPERTS,
    "gemma": {},
    "gemma2": {"sliding_window": 8},
    "gemma3_text": {"sliding_window": 8},
    "phi": {},
    "phi3": {},
    "olmo2": {},
    "cohere": {},
    "glm": {},
    "granite": {},
    "smollm3": {},
    "starcoder2": {},
    "stablelm": {},
    "gpt_neox": {},
    "gpt2": _GPT,
    "gptj": {**_GPT, "rotary_dim": 4},
    "deepseek_v3": {
        **_EXPERTS,
        "num_key_value_heads": 4,
        "q_lora_rank": 16,
        "kv_lora_rank": 16,
        "qk_nope_head_dim": 8,
        "qk_rope_head_dim": 8,
        "v_head_dim": 8,
        "n_routed_experts": 4,
        "n_group": 2,
        "topk_group": 1,
        "first_k_dense_replace": 1,
    },
    "gpt_oss": {**_EXPERTS, "sliding_window": 8},
    "opt": {"ffn_dim": 64, "word_embed_proj_dim": 32, "init_std": 0.2},
    "bloom": {"n_layer": LAYERS, "n_head": 4},
    "falcon": {"new_decoder_architecture": False, "multi_query": True, "alibi": True, "head_dim": None},
    "mpt": {"d_model": 32, "n_layers": LAYERS, "n_heads": 4, "max_seq_len": 512},
    "mamba": {"state_size": 8},
    "mamba2": {"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 1, "chunk_size": 16},
    "falcon_h1": _MAMBA2,
    "qwen3_next": {**_EXPERTS, **_LINEAR},
    "qwen3_5_text": _LINEAR,
}
"""Model type of transformers -> settings beside those that all have; None removes one. `initializer_range`
is ten times the usual one, so that random layers change the logits about as much as trained ones."""


def small_config(kind: str, **more: Any) -> Any:
    """Return the transformers configuration of `small_model`."""
    from transformers import AutoConfig

    settings = {**_COMMON, **SETTINGS[kind], **more}
    return AutoConfig.for_model(kind, **{name: v for name, v in settings.items() if v is not None})


def small_model(kind: str, **more: Any) -> Any:
    """Return a random model of an architecture; the global random state is left as it was."""
    import torch
    from transformers import AutoModelForCausalLM

    config = small_config(kind, **more)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(config)
