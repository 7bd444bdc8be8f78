"""The ways to measure a policy, and what each lets it see.

| protocol    | plays                                                        | gives                   |
| ----------- | ------------------------------------------------------------ | ----------------------- |
| sequential  | T turns, blind feedback, to the end                          | m1@t1, m1@tT, p1@tT     |
| parallel    | K or more independent first replies                          | mK@t1, pass@k           |
| oracle      | up to T turns; told what is wrong, stops when right          | p1@tT                   |
| window      | T turns, blind; sees the problem and its last few turns only | m1@tT beyond training   |
| self_refine | answer, then criticise and refine T - 1 times                | m1@tT of prompting      |
| best_of_n   | a verifier picks one of the K parallel replies               | its accuracy            |

Only `oracle` lets the reference answer reach the policy. Sources: arXiv:2407.18219 (the first four), figure 3
and its caption; self_refine: arXiv:2303.17651.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium

from rise_agents.rollout.rollout import TurnPlan
from rise_agents.types import Agent
from rise_env.envs.prompts import Template
from rise_env.types import CheckResult, Problem
from rise_env.wrappers.context_window import ContextWindow

MakeEnv = Callable[[Mapping[str, Any]], gymnasium.Env[Any, str]]
"""From the settings that a protocol sets to an environment."""

CRITICISE = (
    "Go through your last solution step by step and say what is right, what is wrong and how to do better. "
    "Do not solve the problem anew yet. The question was: {question}"
)
REFINE = (
    "Now use what you found and write an improved solution. "
    "Put its final answer in \\boxed{{}}. The question was: {question}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How one protocol is played."""

    plan: Callable[[Agent, int, int], list[TurnPlan]]
    """From agent, turns T and draws to who plays."""
    settings: Mapping[str, Any]
    """Of the environment, beside `max_turns`, which is the length of the plan."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """What the run record says beside."""
    windowed: bool = False


class RefineFeedback:
    """Asks for criticism after every answer and for a better answer after every criticism."""

    def __init__(self) -> None:
        self._texts = (Template(CRITICISE), Template(REFINE))

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return what to say after the attempt at `turn`, counted from 0; `check` is not looked at."""
        return self._texts[turn % 2].fill(problem.question)


def _turns(agent: Agent, turns: int, draws: int) -> list[TurnPlan]:
    return [TurnPlan(agent)] * turns


_BLIND = {"feedback": "blind", "stop_when_correct": False}
PROTOCOLS: Mapping[str, Protocol] = {
    "sequential": Protocol(plan=_turns, settings=_BLIND),
    "parallel": Protocol(
        plan=lambda agent, turns, draws: [TurnPlan(agent, num_samples=draws, until_correct=False)],
        settings=_BLIND,
    ),
    "oracle": Protocol(plan=_turns, settings={"feedback": "oracle", "stop_when_correct": True}),
    "window": Protocol(plan=_turns, settings=_BLIND, windowed=True),
    "self_refine": Protocol(
        plan=lambda agent, turns, draws: [TurnPlan(agent)] * (2 * turns - 1),
        settings={"feedback": RefineFeedback(), "stop_when_correct": False},
        record={"answer_every": 2},
    ),
}
"""Those that play episodes; best_of_n (`rise_agents.evaluation.best_of_n`) reads the log of "parallel"."""

NAMES = (*PROTOCOLS, "best_of_n")


def make_for(
    protocol: Protocol, make_env: MakeEnv, *, plays: int, history_turns: int
) -> gymnasium.Env[Any, str]:
    """Return the environment of a protocol.

    Args:
        protocol: Which.
        make_env: Makes the environment with the settings given.
        plays: Length of the plan.
        history_turns: What a windowed protocol shows: that many former attempts beside the problem. The
            released code's `--context_window w` shows w - 1.
    """
    env = make_env({**protocol.settings, "max_turns": plays})
    return ContextWindow(env, history_turns) if protocol.windowed else env
