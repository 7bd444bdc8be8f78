"""One episode and its rules, without Gymnasium: `MathEnv` plays one, `MathVectorEnv` many at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import gymnasium

from rise_env.envs.feedback import FeedbackFunction, get_feedback
from rise_env.envs.initial_prompt import InitialPrompt, make_initial_prompt
from rise_env.envs.rewards import Rewards, delay_gain, get_rewards
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import CheckResult, Conversation, Message, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is the same in every episode."""

    opening: InitialPrompt
    feedback: FeedbackFunction
    rewards: Rewards
    max_turns: int
    stop_when_correct: bool


def make_rules(
    *,
    feedback: str | FeedbackFunction = "blind",
    rewards: str | Rewards | Mapping[str, float] | Sequence[float] = "gsm8k",
    max_turns: int = 5,
    stop_when_correct: bool = True,
    system_prompt: str | None = None,
    few_shot: int | Sequence[tuple[str, str]] = 0,
    released_rise: bool = False,
) -> Rules:
    """Return the rules that these settings describe; see `MathEnv`.

    Raises:
        ConfigError: A setting is unknown, out of range, or contradicts another one.
    """
    if max_turns < 1:
        raise ConfigError(f"max_turns must be at least 1, got {max_turns}")
    if released_rise and feedback not in ("blind", "released_rise"):
        raise ConfigError(f"released_rise=True has feedback of its own: leave out feedback={feedback!r}")
    scheme = get_rewards(rewards)
    if stop_when_correct and delay_gain(scheme, max_turns) > 0:
        gymnasium.logger.warn(f"delaying the right answer pays more than giving it, under {scheme}")
    return Rules(
        opening=make_initial_prompt(
            system_prompt=system_prompt, few_shot=few_shot, released_rise=released_rise
        ),
        feedback=get_feedback("released_rise" if released_rise else feedback),
        rewards=scheme,
        max_turns=max_turns,
        stop_when_correct=stop_when_correct,
    )


class Episode:
    """One episode: the problem and everything said so far."""

    __slots__ = ("messages", "over", "problem", "rules", "turn")

    def __init__(self, rules: Rules, problem: Problem) -> None:
        self.rules = rules
        self.problem = problem
        self.messages: list[Message] = rules.opening.messages(problem)
        self.turn = 0
        self.over = False

    def observation(self) -> Conversation:
        """Return the conversation in new dicts; the texts are shared with the episode."""
        return tuple(map(dict.copy, self.messages))  # type: ignore[arg-type]

    def advance(self, reply: str, check: CheckResult) -> tuple[float, bool, bool]:
        """Take one checked reply; return reward, terminated, truncated.

        Raises:
            EpisodeError: The episode is over.
        """
        if self.over:
            raise EpisodeError("the episode is over: call reset()")
        rules = self.rules
        reward = rules.rewards.of(check, self.turn)
        terminated = rules.stop_when_correct and check.correct
        truncated = not terminated and self.turn + 1 >= rules.max_turns
        messages = self.messages
        messages.append({"role": "assistant", "content": reply})
        if terminated or truncated:
            self.over = True
        else:
            text = rules.feedback(self.problem, check, self.turn)
            messages.append({"role": "user", "content": text})
        self.turn += 1
        return reward, terminated, truncated

    def copy(self) -> "Episode":
        """Return an independent episode at the same point; costs one list of references."""
        fork = object.__new__(Episode)
        fork.rules, fork.problem, fork.turn, fork.over = self.rules, self.problem, self.turn, self.over
        fork.messages = self.messages.copy()  # messages are only ever added, never changed
        return fork
