"""The reward of an attempt: a function of the result of its check and of its turn.

To add a reward scheme: add one entry to the table `SCHEMES` below, and name it in the docstring of `MathEnv`.
An entry is a `Rewards`, or a function of (check, turn) that returns the reward of the attempt.
`check.verdict` says whether the attempt is right, and turns are counted from 0. The reward cannot depend on
earlier attempts.

Training takes an attempt as successful if its reward is at least the setting `selection.success` of a fit,
which is 1.0 by default. Under a scheme in which right attempts earn less, set it lower.

Under every `Rewards` of the table an agent that gives the right answer at once earns at least as much as
one that delays it: an attempt that is not right earns 0 or less, and the discount only shrinks later rewards.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rise_env.errors import ConfigError
from rise_env.types import CheckResult, Verdict
from rise_env.utils.suggestions import validate_choice

# constants, because Python 3.11 reads an attribute of an enum class slowly
_CORRECT, _WRONG, _TIMEOUT = Verdict.CORRECT, Verdict.WRONG, Verdict.TIMEOUT

RewardFunction = Callable[[CheckResult, int], float]
"""(check of an attempt, its turn counted from 0) -> its reward. A `Rewards` is such a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """Reward per attempt. The defaults are those of the released code of RISE on GSM8K (cmu-mind/RISE)."""

    correct: float = 1.0
    wrong: float = 0.0
    """Also the reward of a reply whose check ran out of time."""
    no_answer: float = -1.0
    """The reply states no final answer, or one that the checker cannot read."""
    discount: float = 1.0
    """The reward of turn t (from 0) is multiplied by `discount ** t`."""

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            is_number = isinstance(value, int | float | np.integer | np.floating)
            if not is_number or isinstance(value, bool) or not math.isfinite(value):
                raise ConfigError(f"rewards: {name} must be a finite number, got {value!r}")
        if self.correct < max(self.wrong, self.no_answer):
            raise ConfigError(
                "a correct answer must be worth at least as much as a wrong or missing one, "
                f"got correct={self.correct}, wrong={self.wrong}, no_answer={self.no_answer}"
            )
        if not 0 < self.discount <= 1:
            raise ConfigError(f"discount must be in (0, 1], got {self.discount}")

    def __call__(self, check: CheckResult, turn: int) -> float:
        """Return the reward of an attempt with this check at turn `turn`, counted from 0."""
        verdict = check.verdict
        if verdict is _CORRECT:
            value = self.correct
        elif verdict is _WRONG or verdict is _TIMEOUT:
            value = self.wrong
        else:
            value = self.no_answer
        return value if turn == 0 or self.discount == 1.0 else value * self.discount**turn


RewardsLike = str | RewardFunction | Mapping[str, float] | Sequence[float]
"""Values of the argument `rewards`; see `get_rewards`."""

SCHEMES: Mapping[str, RewardFunction] = {
    "gsm8k": Rewards(),
    "paper": Rewards(no_answer=0.0),
    "math": Rewards(no_answer=0.0),
    "discounted": Rewards(no_answer=0.0, discount=0.9),
}
"""Name -> function: what `rewards=` can name.

"paper" is the reward of arXiv:2407.18219, section 4.1, on every data set: 1 for a right answer, 0 otherwise.
"gsm8k" and "math" are the rewards of the released code for its two data sets.
"""


def delay_gain(rewards: Rewards, max_turns: int) -> float:
    """Return the largest gain of a solver that delays its right answer, in units of reward.

    It is at most 0 if delaying never pays. It assumes episodes that stop when solved; otherwise a right
    answer costs no later reward.

    Args:
        rewards: The scheme.
        max_turns: Turns of an episode.
    """
    filler, discount = max(rewards.wrong, rewards.no_answer), rewards.discount

    def earned(turns: int) -> float:
        """Return what `turns` attempts that are not right earn."""
        return filler * (turns if discount == 1 else (1 - discount**turns) / (1 - discount))

    # the gain is monotone in the delay, so that the shortest or the longest delay is the best
    delays = {1, max_turns - 1} if max_turns > 1 else set()
    gains = [earned(delay) - rewards.correct * (1 - discount**delay) for delay in delays]
    return max([*gains, earned(max_turns) - rewards.correct])


def get_rewards(value: RewardsLike) -> RewardFunction:
    """Return the function that `value` names or describes.

    Args:
        value: A name of `SCHEMES`, a `Rewards`, its fields as a mapping, the three numbers
            (correct, wrong, no_answer), or a function of (check, turn), which is returned as it is.

    Raises:
        ConfigError: The name or a field is unknown, or the numbers contradict each other.
    """
    if isinstance(value, str):
        return SCHEMES[validate_choice(value, SCHEMES, "reward scheme")]
    if isinstance(value, Mapping):
        for name in value:
            validate_choice(name, Rewards.__dataclass_fields__, "field of rewards")
        return Rewards(**value)
    if callable(value):
        return value
    numbers: Sequence[float] = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(numbers, Sequence) or len(numbers) != 3:
        raise ConfigError(
            "rewards are a name, a mapping, a function of (check, turn), or three numbers (correct, wrong, "
            f"no_answer), got {value!r}"
        )
    correct, wrong, no_answer = numbers
    return Rewards(correct=correct, wrong=wrong, no_answer=no_answer)
