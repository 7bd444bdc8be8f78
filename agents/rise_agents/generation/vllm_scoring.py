"""Log-probabilities of given texts with vLLM."""

from collections.abc import Sequence
from typing import Any


def vllm_ending_logprobs(
    vllm: Any, llm: Any, lora: Any, prompts: Sequence[Sequence[int]], endings: Sequence[Sequence[int]]
) -> list[float]:
    """Return the summed log-probability of the tokens of each ending after its prompt.

    vLLM computes the log-probabilities of a prompt without its prefix cache, and samples one token, which is
    not used.

    Args:
        vllm: The module.
        llm: A `vllm.LLM`.
        lora: Its LoRA request; None is the model alone.
        prompts: Token ids; each prompt has at least one.
        endings: Token ids, one sequence per prompt.

    Returns:
        Natural logarithms, in the order of the prompts; 0 for an empty ending.
    """
    wanted = [place for place, ending in enumerate(endings) if ending]
    outputs = llm.generate(
        [{"prompt_token_ids": [*prompts[place], *endings[place]]} for place in wanted],
        vllm.SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False),
        lora_request=lora,
        use_tqdm=False,
    )
    found = [0.0] * len(endings)
    for place, output in zip(wanted, outputs, strict=True):
        tokens = zip(output.prompt_logprobs[len(prompts[place]) :], endings[place], strict=True)
        found[place] = sum(float(candidates[token].logprob) for candidates, token in tokens)
    return found
