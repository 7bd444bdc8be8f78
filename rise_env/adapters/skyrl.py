"""SkyRL: our episodes as a `BaseTextEnv` of skyrl-gym, and problems as rows of its data sets."""

from collections.abc import Mapping, Sequence
from typing import Any

from rise_env.envs.episode import Episode
from rise_env.envs.rules import Rules
from rise_env.registration import get_checker
from rise_env.types import Problem
from rise_env.utils.extras import missing_library
from rise_env.utils.signatures import checked_arguments

try:
    from skyrl_gym import register
    from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput, ConversationType
except ImportError:
    raise missing_library("skyrl_gym", "rise_env.adapters.skyrl") from None

NAME = "rise"
"""The name of the environment in skyrl-gym's registry, and in the rows' column `env_class`."""


class RiseTextEnv(BaseTextEnv):  # type: ignore[misc]  # the library has no types
    """One problem, several attempts, feedback in between.

    The conversation that SkyRL passes to `init` poses the problem, as its data set wrote it. The reference
    answer and the limit on turns are in the row, where skyrl-gym's own environments have them.

    Args:
        env_config: Settings of the environment in SkyRL's configuration: the arguments `feedback`, `rewards`,
            `stop_when_correct` of `MathEnv`, and `checker`.
        extras: The row: `reward_spec.ground_truth`, `extra_info.question` and `max_turns`.

    Raises:
        ConfigError: A setting is unknown or out of range.
    """

    def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        row = dict(extras or {})
        further = row.get("extra_info") or {}
        settings = dict(env_config or {})
        self._checker = get_checker(settings.pop("checker", "symbolic"))
        self.max_turns = int(further.get("max_turns") or row.get("max_turns") or Rules.max_turns)
        rules = checked_arguments(Rules, {**settings, "max_turns": self.max_turns}, what="skyrl-gym's rise")
        self._rules = Rules(**rules)
        self._reference = str(row["reward_spec"]["ground_truth"])
        self._question = further.get("question")
        self._episode: Episode | None = None

    def init(self, prompt: ConversationType) -> tuple[ConversationType, dict[str, Any]]:
        """Start the episode; return the conversation as it came."""
        question = self._question or prompt[-1]["content"]
        problem = Problem(id="skyrl", question=question, reference=self._reference)
        self._episode, self.turns = Episode(self._rules, problem), 0
        return prompt, {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Check a reply; return the feedback as the one new message."""
        episode = self._episode
        assert episode is not None, "init comes before step"
        self.turns += 1
        check = self._checker.check(action, self._reference, question=episode.problem.question)
        transition = episode.transition(action, check)
        episode.apply(transition)
        return BaseTextEnvStepOutput(
            observations=[] if episode.over else [dict(episode.messages[-1])],
            reward=transition[0],
            done=episode.over,
            metadata={"verdict": check.verdict.value, "correct": check.correct, "answer": check.answer},
        )


def register_env() -> None:
    """Register the environment with skyrl-gym: `skyrl_gym.make(NAME, env_config=..., extras=row)`."""
    register(id=NAME, entry_point="rise_env.adapters.skyrl:RiseTextEnv")


def dataset_rows(problems: Sequence[Problem], rules: Rules | None = None) -> list[dict[str, Any]]:
    """Return rows of the form that SkyRL's data sets have.

    Args:
        problems: The problems.
        rules: Says how the first messages are worded, and gives `max_turns`; None takes the defaults.
    """
    rules = rules or Rules()
    return [
        {
            "data_source": problem.source,
            "prompt": [dict(message) for message in rules.initial_prompt.messages(problem)],
            "env_class": NAME,
            "reward_spec": {"method": "rule", "ground_truth": problem.reference},
            "extra_info": {
                "id": problem.id,
                "question": problem.question,
                "split": problem.split,
                "index": index,
                "max_turns": rules.max_turns,
            },
        }
        for index, problem in enumerate(problems)
    ]
