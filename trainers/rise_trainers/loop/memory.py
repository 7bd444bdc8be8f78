"""How much memory a fit needs on each device, estimated before it starts.

Model states are DeepSpeed's own estimate (`estimate_zero2_model_states_mem_needs`, its like for stage 3);
activations and logits are counted from the model's shape. Buffers of communication and fragmentation come on
top: leave a tenth free.
"""

from dataclasses import dataclass
from typing import Any

from rise_trainers.fitting.config import FitConfig
from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK

GIB = float(1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEstimate:
    """Gibibytes."""

    states: float
    """Per device: weights, gradients, optimizer."""
    activations: float
    """Per device: what the layers keep for the backward pass of one micro batch of longest sequences."""
    logits: float
    """Per device: the chunk of logits in float32, its softmax and its gradient."""
    host: float
    """Per machine, in its own memory."""

    @property
    def device(self) -> float:
        """All of one device."""
        return self.states + self.activations + self.logits


def estimate(config: FitConfig, model_config: Any, *, machines: int = 1) -> MemoryEstimate:
    """Estimate the memory of a fit from the shape of its model, without loading it.

    Args:
        config: The fit.
        model_config: The transformers configuration of the model.
        machines: With `config.ranks` devices each.
    """
    shape = model_config.get_text_config()
    total, largest = parameters(model_config)
    trained = adapter_parameters(config, shape) if config.lora is not None else total
    ranks = config.ranks * machines
    states, host = _states(config, total, largest, trained, ranks, machines)
    tokens = config.micro_batch_size * config.max_length
    width = 2 if config.dtype == "bfloat16" else 4
    # per layer and token: its input alone, or about 17 vectors (Korthikanti et al. 2022, arXiv:2205.05198)
    vectors = 1 if config.gradient_checkpointing else 17
    activations = shape.num_hidden_layers * tokens * shape.hidden_size * vectors * width
    if config.gradient_checkpointing:
        activations += tokens * shape.hidden_size * 17 * width
    logits = 3 * 4 * min(LOGITS_PER_CHUNK, tokens * shape.vocab_size)
    return MemoryEstimate(
        states=states / GIB, activations=activations / GIB, logits=logits / GIB, host=host / GIB
    )


def parameters(model_config: Any) -> tuple[int, int]:
    """Return how many parameters a model of this configuration has, and how many its largest layer."""
    import torch
    import transformers

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(model_config)
    sizes = [sum(p.numel() for p in module.parameters(recurse=False)) for module in model.modules()]
    return sum(p.numel() for p in model.parameters()), max(sizes)


def adapter_parameters(config: FitConfig, shape: Any) -> int:
    """Return about how many parameters the adapters of all linear layers have."""
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
    optimizer = 8 if precise else 12  # moments, and master weights beside bfloat16 ones
    if config.zero_stage < 2:
        shared = ranks if config.zero_stage == 1 else 1
        return total * (weight + gradient + optimizer / shared), 0.0
    if config.zero_stage == 2:
        from deepspeed.runtime.zero.stage_1_and_2 import estimate_zero2_model_states_mem_needs as two

        host, device = two(total, config.ranks, machines, cpu_offload=config.offload)
    else:
        from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs as three

        host, device, _ = three(
            total, largest, config.ranks, machines, config.offload, config.offload, zero_init=True
        )
    return float(device), float(host)
