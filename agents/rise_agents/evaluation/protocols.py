"""The evaluation protocols: how an agent is played, and what it may see.

| protocol       | episode                                                       | metrics               |
| -------------- | ------------------------------------------------------------- | --------------------- |
| sequential     | T turns with blind feedback, also after a correct reply       | m1@t1, m1@tT, p1@tT   |
| parallel       | one turn with K or more independent replies                   | mK@t1, pass@k         |
| oracle         | up to T turns; the feedback says whether the reply is correct | p1@tT                 |
| window         | as sequential, but the agent sees only the last few turns     | m1@tT beyond training |
| self_refine    | one answer, then T - 1 times a self-critique and a new answer | m1@tT of prompting    |
| self_verify    | after each of T answers, the model says if it is right; yes ends | its precision, recall |
| best_of_n      | a verifier selects one of the K parallel replies              | its accuracy          |
| agent_feedback | as sequential, but another agent writes the feedback          | m1@tT, p1@tT          |
| told_feedback  | the same, and that agent may know the reference answer        | an upper bound        |
| evolving       | one turn each, in order; the agent remembers earlier problems | m1@t1, by generation  |

In `evolving`, test problems are learned from: never compare it with a row that does not, without saying so.
Only in `oracle` and `told_feedback` do observations depend on the reference answer. Sources:
arXiv:2407.18219, figure 3 and its caption (the first four); arXiv:2303.17651 (self_refine).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium

from rise_agents.deliberation.agent_feedback import FeedbackPlan
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent
from rise_env.envs.prompts import Template
from rise_env.types import CheckResult, Problem
from rise_env.wrappers.context_window import ContextWindow

MakeEnv = Callable[[Mapping[str, Any]], gymnasium.Env[Any, str]]
"""Environment arguments that a protocol sets (feedback, max_turns, stop_when_correct) -> environment."""

VERIFY = (
    "Is your last solution of the question right? Check it step by step and finish with \\boxed{{yes}} or "
    "\\boxed{{no}}. The question was: {question}"
)
ANSWER_AGAIN = "Write another solution. Put its final answer in \\boxed{{}}. The question was: {question}"
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

    num_samples: Callable[[int, int], list[int]]
    """Function (T, number of parallel replies) -> number of replies to sample at each turn."""
    env_settings: Mapping[str, Any]
    """Arguments of the environment, without `max_turns`, which is the number of turns."""
    until_correct: bool = True
    """See `TurnPlan.until_correct`."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """Additional entries of the run record."""
    windowed: bool = False
    """Whether the agent sees only the last few turns."""
    verify_every: int = 0
    """Every so many turns, the reply says whether the reply before is right; 0 is never."""
    written: bool = False
    """Whether an agent writes the feedback."""
    evolving: bool = False
    """Whether problems are played in order, and the agent remembers those before; see `evolving`."""


class AlternatingFeedback:
    """Feedback with one text after each answer, and another one after the reply to that.

    Args:
        after_answer: A template with the field {question}.
        after_reply: The same.
    """

    def __init__(self, after_answer: str, after_reply: str) -> None:
        self._templates = (Template(after_answer), Template(after_reply))

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the message after the attempt at `turn`, counted from 0; `check` is not used."""
        return self._templates[turn % 2].fill(problem.question)


def _one_reply_per_turn(turns: int, parallel: int) -> list[int]:
    return [1] * turns


_BLIND = {"feedback": "blind", "stop_when_correct": False}
_WRITTEN = Protocol(
    num_samples=_one_reply_per_turn,
    env_settings={"feedback": "agent", "stop_when_correct": False},
    written=True,
)
PROTOCOLS: Mapping[str, Protocol] = {
    "sequential": Protocol(num_samples=_one_reply_per_turn, env_settings=_BLIND),
    "parallel": Protocol(
        num_samples=lambda turns, parallel: [parallel], env_settings=_BLIND, until_correct=False
    ),
    "oracle": Protocol(
        num_samples=_one_reply_per_turn, env_settings={"feedback": "oracle", "stop_when_correct": True}
    ),
    "window": Protocol(num_samples=_one_reply_per_turn, env_settings=_BLIND, windowed=True),
    "agent_feedback": _WRITTEN,
    "told_feedback": _WRITTEN,
    "self_refine": Protocol(
        num_samples=lambda turns, parallel: [1] * (2 * turns - 1),
        env_settings={"feedback": AlternatingFeedback(CRITICISE, REFINE), "stop_when_correct": False},
        record={"answer_every": 2},
    ),
    "evolving": Protocol(num_samples=lambda turns, parallel: [1], env_settings=_BLIND, evolving=True),
    "self_verify": Protocol(
        num_samples=lambda turns, parallel: [1] * (2 * turns),
        env_settings={"feedback": AlternatingFeedback(VERIFY, ANSWER_AGAIN), "stop_when_correct": False},
        record={"verify_every": 2},
        verify_every=2,
    ),
}
"""The protocols that play episodes. The protocol best_of_n reads the episodes of "parallel"."""

NAMES = (
    "sequential",
    "parallel",
    "oracle",
    "window",
    "self_refine",
    "best_of_n",
    "agent_feedback",
    "told_feedback",
    "self_verify",
    "evolving",
)
"""All protocols. The seed of a protocol derives from its position here, so add new names at the end."""


def feedback_protocol(*, told: bool) -> str:
    """Return the protocol in which an agent writes the feedback.

    Args:
        told: Whether that agent may know the reference answer.
    """
    return "told_feedback" if told else "agent_feedback"


def protocol_plan(
    protocol: Protocol, agent: Agent, *, turns: int, draws: int, feedback: FeedbackPlan | None = None
) -> list[TurnPlan]:
    """Return the plan of a protocol: which agent plays each turn, and how many replies it samples.

    Args:
        protocol: The protocol.
        agent: The agent to evaluate.
        turns: T in the table of this module.
        draws: Number of replies that "parallel" samples.
        feedback: The agent that writes the feedback, where the protocol has one.
    """
    samples = protocol.num_samples(turns, draws)
    written = feedback if protocol.written else None
    every = protocol.verify_every
    return [
        TurnPlan(
            agent,
            number,
            protocol.until_correct,
            feedback=written,
            verifies=every > 0 and turn % every == every - 1,
        )
        for turn, number in enumerate(samples)
    ]


def protocol_env(
    protocol: Protocol, make_env: MakeEnv, *, turns: int, history_turns: int
) -> gymnasium.Env[Any, str]:
    """Return the environment of a protocol.

    Args:
        protocol: The protocol.
        make_env: Makes the environment.
        turns: Number of turns in the plan.
        history_turns: Number of earlier attempts that a windowed protocol shows besides the problem. The
            released code of RISE shows w - 1 attempts with `--context_window w`.
    """
    env = make_env({**protocol.env_settings, "max_turns": turns})
    return ContextWindow(env, history_turns) if protocol.windowed else env
