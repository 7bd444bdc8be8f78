"""The table of prompts that have a name.

To add one: add an entry to `PRESETS` below, and name it in the docstring of `MathEnv`. Nothing else lists
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rise_env.envs import prompts
from rise_env.envs.presets import gsm8k, minerva


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How a problem is posed."""

    text: str
    """The message with the problem: a template with a field {question}."""
    source: str
    """Who recommends or published it."""
    system_prompt: str | None = None
    """The system message; None if there is none."""
    examples: tuple[tuple[str, str], ...] = prompts.EXAMPLES
    """Worked examples that `few_shot` can show, as (question, answer)."""
    shown: int = 0
    """Number of examples that are shown if `few_shot` is 0."""
    opening: str | None = None
    """The template of the first example's message; None is `text`."""


_BOXED = "Please reason step by step, and put your final answer within \\boxed{{}}."
"""The exact text that Qwen2.5-Math and DeepSeek-R1 recommend."""

PRESETS: Mapping[str, Preset] = {
    "rise": Preset(text=prompts.FIRST, source="this project; the default"),
    "plain": Preset(text="{question}", source="the question alone"),
    "released_rise": Preset(
        text=prompts.RELEASED_RISE_FIRST,
        opening=prompts.RELEASED_RISE_INSTRUCTION,
        shown=1,
        source="the layout of the released RISE code (arXiv:2407.18219), in words of our own",
    ),
    "qwen2.5_math": Preset(
        system_prompt=_BOXED.format(),
        text="{question}",
        source="the model card of Qwen/Qwen2.5-Math-7B-Instruct (arXiv:2409.12122)",
    ),
    "deepseek_r1": Preset(
        text="{question}\n" + _BOXED,
        source="usage recommendations of deepseek-ai/DeepSeek-R1: no system prompt (arXiv:2501.12948)",
    ),
    "gsm8k_8shot": Preset(
        text="Question: {question}",
        examples=gsm8k.EXAMPLES,
        shown=8,
        source="the form of Wei et al. 2022 (arXiv:2201.11903), with eight examples of our own",
    ),
    "minerva_4shot": Preset(
        text="Problem:\n{question}\n\nSolution:",
        examples=minerva.EXAMPLES,
        shown=4,
        source="the form of Lewkowycz et al. 2022 (arXiv:2206.14858), with four examples of our own",
    ),
}
"""Name, as `prompt=` takes it -> prompt."""
