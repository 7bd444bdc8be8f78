"""The messages that start an episode: system prompt, worked examples, the problem."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rise_env.envs.presets.table import PRESETS, Preset
from rise_env.envs.prompts import Template
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message, Problem
from rise_env.utils.suggestions import validate_choice

FewShotLike = int | Sequence[tuple[str, str]]
"""Values of the argument `few_shot`: a number of worked examples, or (question, answer) pairs."""

OWN = "own"
"""Name of a prompt that is the user's own template."""


@dataclass(frozen=True, slots=True)
class InitialPrompt:
    """The messages before the first reply."""

    head: Conversation
    """The messages before the problem; the same in every episode."""
    first: Template
    """The text of the problem's message, with a field {question}."""
    label: str
    """Name of the prompt, and the SHA-256 of the head and the template: "rise sha256:9f86...". In infos and
    stores."""

    def messages(self, problem: Problem) -> list[Message]:
        """Return the messages that pose `problem`, in new dicts."""
        posed: Message = {"role": "user", "content": self.first.fill(problem.question)}
        return [*(message.copy() for message in self.head), posed] if self.head else [posed]


def make_initial_prompt(
    *, prompt: str | None = "rise", system_prompt: str | None = None, few_shot: FewShotLike = 0
) -> InitialPrompt:
    """Return the initial prompt for these arguments of `MathEnv`.

    Raises:
        ConfigError: There is no such prompt, the template has no {question}, there are not that many worked
            examples, or an example is not a pair of texts.
    """
    name, preset = find_preset(prompt)
    first = Template(preset.text, what="prompt")
    opening = first if preset.opening is None else Template(preset.opening)
    system = preset.system_prompt if system_prompt is None else system_prompt
    head: list[Message] = [] if system is None else [{"role": "system", "content": system}]
    for index, (question, answer) in enumerate(_examples(preset, few_shot)):
        asked = (first if index else opening).fill(question)
        head += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    digest = hashlib.sha256(json.dumps([head, first.text]).encode()).hexdigest()
    return InitialPrompt(tuple(head), first, f"{name} sha256:{digest}")


def find_preset(prompt: str | None) -> tuple[str, Preset]:
    """Return the name and the content of a prompt: one of `PRESETS`, a template, or None for "plain".

    Raises:
        ConfigError: It is neither a name nor a template with {question}.
    """
    if prompt is None:
        return "plain", PRESETS["plain"]
    if prompt in PRESETS:
        return prompt, PRESETS[prompt]
    if "{" not in prompt and " " not in prompt:
        validate_choice(prompt, PRESETS, "prompt")
    if "question" not in Template(prompt, what="prompt").fields:
        raise ConfigError(f"a prompt is a name or a template with {{question}}, got {prompt!r}")
    return OWN, Preset(text=prompt, source="the user's")


def _examples(preset: Preset, few_shot: FewShotLike) -> Sequence[tuple[str, str]]:
    """Return (question, answer) pairs: the first `few_shot` of the preset, or the given ones."""
    kinds = f"few_shot is 0 to {len(preset.examples)}, or a list of (question, answer)"
    if isinstance(few_shot, int | np.integer) and not isinstance(few_shot, bool):
        if not 0 <= few_shot <= len(preset.examples):
            raise ConfigError(f"{kinds}; got {few_shot}")
        return preset.examples[: few_shot or preset.shown]
    if isinstance(few_shot, str) or not isinstance(few_shot, Sequence):
        raise ConfigError(f"{kinds}; got {few_shot!r}")
    for pair in few_shot:
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2
        if not is_pair or not all(isinstance(text, str) for text in pair):
            raise ConfigError(f"few_shot examples are pairs (question, answer) of texts, got {pair!r}")
    return few_shot or preset.examples[: preset.shown]
