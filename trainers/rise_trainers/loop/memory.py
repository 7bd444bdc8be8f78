"""The memory that a fit needs on each device, estimated before it starts.

The memory of the model states is DeepSpeed's own estimate (`estimate_zero2_model_states_mem_needs` and the
function for stage 3). That of activations and logits is computed from the shape of the model. Communication
buffers and fragmentation are not included: a tenth of the memory should remain free.
"""

from dataclasses import dataclass
from typing import Any

from rise_trainers.fitting.config import FitConfig

GIB = float(1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEstimate:
    """Memory in GiB."""

    states: float
    """Memory per device for weights, gradients and optimizer states."""
    activations: float
    """Memory per device for what the layers store for one backward pass, with sequences of maximal length."""
    logits: float
    """Memory per device for one chunk of logits in float32, its softmax and its gradient."""
    host: float
    """CPU memory per machine."""

    @property
    def device(self) -> float:
        """Total memory per device."""
        return self.states + self.activations + self.logits


def estimate_memory(config: FitConfig, model_config: Any, *, machines: int = 1) -> MemoryEstimate:
    """Estimate the memory of a fit from the shape of its model, without loading it.

    Args:
        config: The settings of the fit.
        model_config: The transformers configuration of the model.
        machines: The number of machines, each with `config.ranks` devices.
    """
    from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK  # imports torch

    shape = model_config.get_text_config()
    total, largest = count_parameters(model_config)
    trained = adapter_parameters(config, shape) if config.lora is not None else total
    ranks = config.ranks * machines
    states, host = _states(config, total, largest, trained, ranks, machines)
    tokens = config.micro_batch_size * config.max_length
    width = 2 if config.dtype == "bfloat16" else 4
    # vectors per layer and token: the input of the layer alone, or about 17 (Korthikanti et al. 2022,
    # arXiv:2205.05198)
    vectors = 1 if config.gradient_checkpointing else 17
    activations = shape.num_hidden_layers * tokens * shape.hidden_size * vectors * width
    if config.gradient_checkpointing:
        activations += tokens * shape.hidden_size * 17 * width
    logits = 3 * 4 * min(LOGITS_PER_CHUNK, tokens * shape.vocab_size)
    return MemoryEstimate(
        states=states / GIB, activations=activations / GIB, logits=logits / GIB, host=host / GIB
    )


def count_parameters(model_config: Any) -> tuple[int, int]:
    """Return the number of parameters of a model with this configuration, and that of its largest layer."""
    import torch
    import transformers

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(model_config)
    sizes = [sum(p.numel() for p in module.parameters(recurse=False)) for module in model.modules()]
    return sum(p.numel() for p in model.parameters()), max(sizes)


def adapter_parameters(config: FitConfig, shape: Any) -> int:
    """Return the approximate number of parameters of adapters on all linear layers."""
    if config.lora is None:
        return 0
    per_layer = 4 * 2 * shape.hidden_size + 3 * (shape.hidden_size + shape.intermediate_size)
    return int(config.lora.rank * per_layer * shape.num_hidden_layers)


def _states(
    config: FitConfig, total: int, largest: int, trained: int, ranks: int, machines: int
) -> tuple[float, float]:
    """Return bytes per device and per host."""
    if config.lora is not None:
        frozen = total * {4: 0.56, 8: 1.0, None: 2.0 if config.dtype == "bfloat16" else 4.0}[config.lora.bits]
        return frozen / (ranks if config.zero_stage == 3 else 1) + 18 * trained / ranks, 0.0
    precise = config.dtype == "float32"
    weight, gradient = (4, 4) if precise else (2, 2)
    if not precise and config.grad_accum_dtype == "float32":
        gradient += 4  # DeepSpeed keeps the sum beside the gradients of one backward pass
    optimizer = 8 if precise else 12  # moments, and master weights beside bfloat16 ones
    if config.zero_stage < 2:
        shared = ranks if config.zero_stage == 1 else 1
        return total * (weight + gradient + optimizer / shared), 0.0
    if config.zero_stage == 2:
        from deepspeed.runtime.zero.stage_1_and_2 import estimate_zero2_model_states_mem_needs

        host, device = estimate_zero2_model_states_mem_needs(
            total, config.ranks, machines, cpu_offload=config.offload
        )
    else:
        from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs

        host, device, _ = estimate_zero3_model_states_mem_needs(
            total, largest, config.ranks, machines, config.offload, config.offload, zero_init=True
        )
    return float(device), float(host)
