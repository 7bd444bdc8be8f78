"""Measures the shares of the CPU time of generation: layers of the model, sampler, prefix cache."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Self

from rise_agents.generation import gumbel_sampling

Call = tuple[str, Any, str]
"""The part that a call belongs to, an object or class, and the name of its method."""


def of_transformers(agent: Any) -> "Shares":
    """Return the measurement of a `TransformersAgent`."""
    decoder = agent._decoder
    methods = ("_compute_shared", "_find", "_filled_cache", "_store_finished")
    calls: list[Call] = [("prefix cache", decoder, method) for method in methods]
    calls.append(("sampler", gumbel_sampling.SeededSampling, "__call__"))
    return Shares(decoder.model, [*calls, ("model", decoder.model, "forward")])


def of_vllm(agent: Any) -> "Shares":
    """Return the measurement of a `VLLMAgent` without compilation (`eager`), whose engine is in this process.

    vLLM keeps its engine in this process if VLLM_ENABLE_V1_MULTIPROCESSING is 0.
    """
    runner = agent._llm.llm_engine.model_executor.driver_worker.worker.model_runner
    calls = [("sampler", runner.sampler, "forward"), ("model", runner.model, "forward")]
    return Shares(runner.model, [*calls, ("model", runner.model, "compute_logits")])


class Shares:
    """A context manager that measures the parts of generation.

    "attention" is the time of the attention layers less that of their linear layers. Calls are timed with
    hooks and wrappers that are removed at the end. The model must compute on a CPU with one thread.

    Args:
        model: The model.
        calls: What is timed besides the model's layers.
    """

    def __init__(self, model: Any, calls: Sequence[Call]) -> None:
        self._model = model
        self._calls = calls
        self._seconds: dict[str, float] = defaultdict(float)
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        for name, module in self._model.named_modules():
            if (part := _part(name, module)) is not None:
                self._hook(part, module)
        for part, owner, method in self._calls:
            self._wrap(part, owner, method)
        self._began = time.process_time()
        return self

    def __exit__(self, *_: Any) -> None:
        self._total = time.process_time() - self._began
        for undo in self._undo:
            undo()

    def shares(self) -> dict[str, float]:
        """Return the share of each part; "other" has tokenization, environments and `generate` itself."""
        found = dict(self._seconds)
        found["attention"] = found.pop("attention layers") - found["linear layers of attention"]
        found["rest of the model"] = found.pop("model") - sum(
            found[part] for part in ("attention", "linear layers of attention", "MLP", "output layer")
        )
        found["other"] = self._total - sum(found.values())
        return {part: round(seconds / self._total, 3) for part, seconds in sorted(found.items())}

    def _hook(self, part: str, module: Any) -> None:
        starts: list[float] = []

        def before(*_: Any) -> None:
            starts.append(time.process_time())

        def after(*_: Any) -> None:
            self._seconds[part] += time.process_time() - starts.pop()

        self._undo += [
            module.register_forward_pre_hook(before).remove,
            module.register_forward_hook(after).remove,
        ]

    def _wrap(self, part: str, owner: Any, name: str) -> None:
        original = getattr(owner, name)
        own = name in vars(owner)

        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            value = original(*arguments, **named)
            self._seconds[part] += time.process_time() - began
            return value

        setattr(owner, name, timed)
        self._undo.append(lambda: setattr(owner, name, original) if own else delattr(owner, name))


def _part(name: str, module: Any) -> str | None:
    last = name.rpartition(".")[2]
    if last == "self_attn":
        return "attention layers"
    if last in ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj"):
        return "linear layers of attention"
    return {"mlp": "MLP", "lm_head": "output layer", "logits_processor": "output layer"}.get(last)
